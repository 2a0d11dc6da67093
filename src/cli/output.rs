//! What goes to stdout: lines for people or JSON for machines, never both.
//!
//! Invariants
//! - [`Output::line`] writes nothing with `--json`, [`Output::json`] nothing without it: a command
//!   can hand over both and need not ask.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use super::Error;
use super::style::Colour;

/// A text that came from a file or from Salesforce, without control characters: it must not write over
/// the terminal or pass for another line.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    } else {
        Cow::Borrowed(text)
    }
}

/// Where a command's result goes. It can be shared between threads; each call writes whole lines.
pub struct Output {
    json: bool,
    sink: Mutex<BufWriter<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("json", &self.json).finish_non_exhaustive()
    }
}

impl Output {
    /// The process's stdout.
    pub fn stdout(json: bool, colour: Colour) -> Self {
        let stdout = io::stdout();
        let choice = if json { ColorChoice::Never } else { colour.choice_for(&stdout) };
        Self::to(json, AutoStream::new(stdout, choice))
    }

    /// Any writer; styles are written as they are.
    pub fn to(json: bool, sink: impl Write + Send + 'static) -> Self {
        Self { json, sink: Mutex::new(BufWriter::with_capacity(64 * 1024, Box::new(sink))) }
    }

    /// Whether a machine reads along (`--json`).
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Writes one line for people; nothing with `--json`.
    ///
    /// # Errors
    /// Where stdout cannot be written.
    pub fn line(&self, line: impl Display) -> Result<(), Error> {
        if self.json {
            return Ok(());
        }
        writeln!(self.sink(), "{line}").map_err(|error| Error::writing(&error))
    }

    /// Writes one JSON value on one line; nothing without `--json`.
    ///
    /// # Errors
    /// Where stdout cannot be written.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Error> {
        if !self.json {
            return Ok(());
        }
        let mut sink = self.sink();
        serde_json::to_writer(&mut *sink, value)
            .map_err(io::Error::from)
            .and_then(|()| sink.write_all(b"\n"))
            .map_err(|error| Error::writing(&error))
    }

    /// Writes why a command could not do its work, as JSON: `{"ok": false, "errors": […]}`; nothing without `--json`.
    pub(super) fn error(&self, error: &Error) -> Result<(), Error> {
        match error.as_json() {
            Some(report) => self.json(&report).and_then(|()| self.flush()),
            None => Ok(()),
        }
    }

    /// Hands everything so far to the reader: for a command that goes on for a while.
    ///
    /// # Errors
    /// Where stdout cannot be written.
    pub fn flush(&self) -> Result<(), Error> {
        self.sink().flush().map_err(|error| Error::writing(&error))
    }

    fn sink(&self) -> MutexGuard<'_, BufWriter<Box<dyn Write + Send>>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
