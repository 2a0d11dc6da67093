//! Reading a recording line by line, in constant memory.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::Duration;

use super::parse::{Found, LineParser};
use super::{Error, Line, Problem};
use crate::events::{Decoded, Decoder};
use crate::model::time::Timestamp;

/// The longest time between two lines. Whoever is owed something is tried again all that time.
const LONGEST_GAP: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many bytes a line may have. Salesforce's events end at 1 MB; a roster may be longer.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// Reads lines from anything that is buffered.
///
/// An error does not end the reading: the next line is read as if the broken one were not there. Only a
/// source that can no longer be read ends it.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    limit: usize,
    buffer: Vec<u8>,
    lines: Lines,
    finished: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`; `file` is what errors call it.
    pub fn new(file: impl Into<Arc<str>>, input: R) -> Self {
        Self { input, limit: MAX_LINE, buffer: Vec::new(), lines: Lines::new(file.into()), finished: false }
    }

    fn next_line(&mut self) -> Option<Result<Line, Error>> {
        loop {
            self.buffer.clear();
            let read = read_line(&mut self.input, self.limit, &mut self.buffer);
            let number = self.lines.count();
            match read {
                Ok(Read::End) => {
                    self.finished = true;
                    return None;
                }
                Ok(Read::TooLong) => return Some(Err(self.lines.too_long(number, self.limit))),
                Ok(Read::Line) => {
                    if let Some(line) = self.lines.take(number, &self.buffer) {
                        return Some(line);
                    }
                }
                Err(error) => {
                    self.finished = true;
                    return Some(Err(self.lines.error(number, (Problem::Io(error), None))));
                }
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Line, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished { None } else { self.next_line() }
    }
}

/// How reading a line went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// There is a line in the buffer, its newline included where it has one.
    Line,
    /// The line was longer than the limit; the rest of it has been skipped.
    TooLong,
    /// There is nothing more.
    End,
}

/// Appends one line to `buffer`, by no more than `limit` bytes and a newline.
pub(super) fn read_line(input: &mut impl BufRead, limit: usize, buffer: &mut Vec<u8>) -> io::Result<Read> {
    let start = buffer.len();
    let mut length = 0_usize;
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let newline = memchr::memchr(b'\n', available);
        let used = newline.map_or(available.len(), |at| at.saturating_add(1));
        let ends = newline.is_some() || available.is_empty();
        length = length.saturating_add(used);
        let too_long = length > limit.saturating_add(usize::from(newline.is_some()));
        match available.get(..used) {
            Some(part) if !too_long => buffer.extend_from_slice(part),
            _ => buffer.truncate(start),
        }
        input.consume(used);
        if ends {
            return Ok(match length {
                0 => Read::End,
                _ if too_long => Read::TooLong,
                _ => Read::Line,
            });
        }
    }
}

/// What is remembered from line to line: the number, the time, the names for errors.
#[derive(Debug)]
pub(super) struct Lines {
    file: Arc<str>,
    parser: LineParser,
    counted: u64,
    /// The time and the number of the last line that was in order.
    last: Option<(Timestamp, u64)>,
}

impl Lines {
    pub(super) fn new(file: Arc<str>) -> Self {
        Self { file, parser: LineParser::default(), counted: 0, last: None }
    }

    /// The next line's number.
    pub(super) fn count(&mut self) -> u64 {
        self.counted = self.counted.saturating_add(1);
        self.counted
    }

    pub(super) fn error(&self, line: u64, (problem, column): Found) -> Error {
        Error { file: Arc::clone(&self.file), line, column, problem: Box::new(problem) }
    }

    pub(super) fn too_long(&self, line: u64, limit: usize) -> Error {
        self.error(line, (Problem::TooLong { limit }, None))
    }

    /// Reads a line's bytes; `None` where it is blank.
    pub(super) fn take(&mut self, number: u64, bytes: &[u8]) -> Option<Result<Line, Error>> {
        match self.text(number, bytes) {
            Ok("") => None,
            Ok(text) => Some(self.typed(number, text)),
            Err(error) => Some(Err(error)),
        }
    }

    /// Reads a line of a batch, and the event in it; `None` where it is blank.
    pub(super) fn take_decoded(
        &mut self,
        number: u64,
        text: &str,
        batch: &Arc<str>,
        decoder: &mut Decoder,
    ) -> Option<Result<(Line, Option<Decoded>), Error>> {
        let text = trimmed(number, text);
        (!text.is_empty()).then(|| self.decoded(number, text, batch, decoder))
    }

    fn decoded(
        &mut self,
        number: u64,
        text: &str,
        batch: &Arc<str>,
        decoder: &mut Decoder,
    ) -> Result<(Line, Option<Decoded>), Error> {
        let quick = decoder.names().and_then(|names| self.parser.parse_event(number, text, batch, names));
        let (line, event) = match quick {
            Some((line, envelope)) if envelope.is_ours() => {
                let line = self.in_order(line).map_err(|found| self.error(number, found))?;
                let event = decoder.open(envelope, line.at, line.replay_id()).map(Some);
                (line, event)
            }
            _ => {
                let line = self.typed(number, text)?;
                let event = line.decode(decoder);
                (line, event)
            }
        };
        let event = event.map_err(|error| self.error(number, (Problem::Event(error), None)))?;
        Ok((line, event))
    }

    fn typed(&mut self, number: u64, text: &str) -> Result<Line, Error> {
        let line = self.parser.parse(number, text).and_then(|line| self.in_order(line));
        line.map_err(|found| self.error(number, found))
    }

    /// A line's text, without what may surround it; empty where it is blank.
    fn text<'a>(&self, number: u64, bytes: &'a [u8]) -> Result<&'a str, Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(trimmed(number, text)),
            Err(error) => {
                Err(self.error(number, (Problem::NotUtf8, Some(error.valid_up_to().saturating_add(1)))))
            }
        }
    }

    fn in_order(&mut self, line: Line) -> Result<Line, Found> {
        match self.last {
            Some((earlier, before)) if line.at < earlier => {
                Err((Problem::OutOfOrder { at: line.at, before, earlier }, None))
            }
            Some((earlier, before)) if line.at > earlier + LONGEST_GAP => {
                let days = LONGEST_GAP.as_secs().wrapping_div(24 * 3600);
                Err((Problem::TooFarAhead { at: line.at, before, earlier, days }, None))
            }
            _ => {
                self.last = Some((line.at, line.number));
                Ok(line)
            }
        }
    }
}

fn trimmed(number: u64, text: &str) -> &str {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if number == 1 { text.trim_start_matches('\u{feff}') } else { text }
}
