//! What is set up in an org, read by Salesforce's REST API where the token may (PROTOCOL: "The rest of the channel",
//! on the org's own data).
//!
//! Reads only, and only to compare and to fill gaps: everything works without it, for a token without the scope `api`
//! is no mistake. Must never know what a conversation is, and decides nothing.
//!
//! Invariants
//! 1. A query holds our own words and typed values; no text from outside ever stands in one.
//! 2. A read is counted before it is made, and none is made beyond what the settings allow.
//! 3. No answer is read beyond its bounds: bytes, rows, pages, time.

mod budget;
mod error;
mod reader;
mod rest;
mod soql;

pub use budget::{Budget, ReadLimits, ReadsMade};
pub use error::{Closed, Error};
pub use reader::{OrgFlow, OrgPerson, OrgPresence, OrgQueue, OrgReader, OrgWork};
pub use rest::{Api, RestApi};
pub use soql::{Soql, SoqlValue, WorkStatus};
