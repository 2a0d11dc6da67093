//! The vocabulary: ids, Salesforce's words, calls and answers, events, rosters, contacts, channel
//! definitions, error codes.
//!
//! Knows nothing else of ours, and nothing of HTTP, storage or time's passing.

pub mod call;
pub mod channel_definition;
pub(crate) mod choices;
pub mod contact;
pub mod error_codes;
pub mod event;
pub mod ids;
pub mod rep_query;
pub mod roster;
pub mod time;
pub mod words;
