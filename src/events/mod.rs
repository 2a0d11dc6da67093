//! Understands what Salesforce sends: a platform event or a browser's agent work event becomes
//! [`model::event::Event`](crate::model::event::Event)s.
//!
//! Knows the shapes of the outbound payload and both ways in which an event's Avro unions are spelled.
//! Must never know what routing does with an event, or how it is stored.
//!
//! Invariants
//! 1. No input panics. What cannot be read is an [`Error`] that names the field.
//! 2. Whatever Salesforce may add (a value, an entry type, a field) is ignored with a reason, and is
//!    never an error. Only what a decision needs may refuse; a field of another type than usual is a remark.
//! 3. Everything that routing has no use for is skipped unread: a message's text is never looked at.
//!
//! Where events come from is a port, [`EventSource`]; [`pubsub`] is the one that reads Salesforce's stream
//! (feature `pubsub`). The sources know nothing of what is in an event, and the decoding nothing of them.
//!
//! Elsewhere: lines of a recording in `recording`.

mod agent_work;
mod any_time;
mod channel_data;
mod decoder;
mod entry;
mod envelope;
mod error;
mod field_names;
pub mod identity;
mod interaction;
pub(crate) mod json;
mod mend;
mod outside_contact;
mod payload_context;
mod person;
#[cfg(feature = "pubsub")]
pub mod pubsub;
#[cfg(feature = "pubsub")]
pub mod quarantine;
pub(crate) mod quick;
mod request;
pub mod source;
#[cfg(test)]
mod tests;
#[expect(
    clippy::arithmetic_side_effects,
    reason = "places within a text that is there; the hottest loop of a replay"
)]
mod unescape;

pub use agent_work::agent_work_event;
pub use decoder::Decoder;
pub use envelope::decode;
pub use error::Error;
pub use field_names::FieldNames;
pub use source::{EventSource, StreamItem};

use std::fmt;

use smallvec::SmallVec;

use crate::model::event::Event;

/// What an event came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// What happened, in the order in which it is to be taken in.
    pub events: SmallVec<[Event; 1]>,
    /// Why the event, or the part of it that it is about, was ignored.
    pub ignored: Option<Ignored>,
    /// The fields that were not of their usual type, as paths: read for what they obviously mean, or as if they
    /// were not there. A remark: nothing was refused because of them.
    pub odd: Vec<String>,
}

impl Decoded {
    /// Nothing to do, and why.
    pub(crate) fn passed(reason: Ignored) -> Self {
        Self { ignored: Some(reason), ..Self::default() }
    }
}

/// Why something that arrived is of no use. None of these is an error.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Ignored {
    /// The event has no field that says its type: it is not one of this channel's.
    NotOfThisChannel,
    /// An event type other than `Interaction` and `RoutingRequested`.
    EventType(Box<str>),
    /// An entry type that is not known here.
    EntryType(Box<str>),
    /// A known entry type that routing has no use for.
    Unused(&'static str),
    /// A value that is not known here, in a field that decides.
    Value {
        /// The field.
        field: &'static str,
        /// What it says.
        value: Box<str>,
    },
    /// An offer that no request here made.
    NoOfferOfOurs,
    /// A field without which nothing can be done is empty, or holds the id of another kind of record.
    Incomplete {
        /// The field.
        field: &'static str,
    },
}

/// As much of a value from outside as is repeated.
struct Short<'a>(&'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{}…", self.0.get(..end).unwrap_or_default()),
            None => f.write_str(self.0),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOfThisChannel => f.write_str("an event of another channel"),
            Self::EventType(name) => {
                write!(f, "event type {}, which this release does not know", Short(name))
            }
            Self::EntryType(name) => {
                write!(f, "entry type {}, which this release does not know", Short(name))
            }
            Self::Unused(name) => write!(f, "{name}, not used for routing"),
            Self::Value { field, value } => {
                write!(f, "{field} {}, which this release does not know", Short(value))
            }
            Self::NoOfferOfOurs => f.write_str("an offer that this connector did not make"),
            Self::Incomplete { field } => write!(f, "without a usable {field}"),
        }
    }
}
