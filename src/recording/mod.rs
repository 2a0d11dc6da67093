//! Recordings: what happened between Salesforce and a connector, one JSON object a line, in time order
//! (DESIGN: "Recording").
//!
//! Knows the format. Must never know what a replay does with it.
//!
//! Invariants
//! 1. Memory is bounded by the longest line that is allowed, however long the recording is.
//! 2. A line that cannot be read is named by file and line; nothing in a recording panics.
//! 3. An `Authorization` header is neither kept when read nor written.
//! 4. What is not known here (a source, a field) is kept or ignored, and is never an error.
//!
//! Elsewhere: what an event means in `events`.

mod error;
mod feed;
mod json;
mod line;
mod parse;
mod reader;
mod slice;
mod writer;

pub use error::{Error, Problem};
pub use feed::{Feed, Item};
pub use json::Json;
pub use line::{AgentWork, Config, Exchange, Line, RepFinder, Response, Source};
pub use reader::{MAX_LINE, Reader};
pub use slice::Slice;
pub use writer::Writer;
