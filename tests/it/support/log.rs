//! What is logged on a test's thread, kept.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// Log lines, kept. A clone is the same ones.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// Keeps what is logged on this thread down to that level while the guard lives.
    pub(crate) fn keep(&self, level: Level) -> DefaultGuard {
        let lines = tracing_subscriber::fmt().with_ansi(false).without_time().with_target(false);
        tracing::subscriber::set_default(lines.with_max_level(level).with_writer(self.clone()).finish())
    }

    /// All of it, as it was written.
    pub(crate) fn whole(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines so far, each without its span.
    pub(crate) fn told(&self) -> Vec<String> {
        let span = |line: &str| line.find("}: ").map_or(line.to_owned(), |end| line[end + 3..].to_owned());
        self.whole().lines().map(span).collect()
    }
}
