//! What can be wrong with a recording, and where.

use std::io;
use std::sync::Arc;

use crate::events;
use crate::model::time::Timestamp;

/// A recording that cannot be read: which file, which line, what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}{}: {problem}", column.map(|column| format!(":{column}")).unwrap_or_default())]
pub struct Error {
    /// The recording's name, as the reader was told it.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u64,
    /// The byte in the line, counted from 1, where there is one to name.
    pub column: Option<usize>,
    /// What is wrong.
    #[source]
    pub problem: Box<Problem>,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Longer than [`MAX_LINE`](super::MAX_LINE).
    #[error("the line has more than {limit} bytes; a recording has one JSON object a line")]
    TooLong {
        /// How many it may have.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8; a recording is written in UTF-8")]
    NotUtf8,
    /// Not JSON, cut off, or a field is not what it should be.
    #[error("{field}{}{what}; {instead}", if field.is_empty() { "" } else { ": " })]
    Malformed {
        /// The field, as `request.method`; empty where it is the line itself.
        field: String,
        /// What is wrong.
        what: String,
        /// What would be right.
        instead: String,
    },
    /// Earlier than the line before it.
    #[error("{at} is earlier than {earlier} of line {before}; a recording is in time order")]
    OutOfOrder {
        /// This line's time.
        at: Timestamp,
        /// The line that it should not be earlier than.
        before: u64,
        /// That line's time.
        earlier: Timestamp,
    },
    /// So much later than the line before it that its time cannot be right: a replay lives through all that is between.
    #[error(
        "{at} is more than {days} days later than {earlier} of line {before}; a recording has no such gap"
    )]
    TooFarAhead {
        /// This line's time.
        at: Timestamp,
        /// The line before it.
        before: u64,
        /// That line's time.
        earlier: Timestamp,
        /// How many days there may be between two lines.
        days: u64,
    },
    /// The line is as it should be, but the event in it cannot be read.
    #[error("the event cannot be read: {0}")]
    Event(#[from] events::Error),
}
