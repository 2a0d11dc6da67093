//! What is wrong with an event or its schema.

use std::fmt;

/// What is wrong with an event or its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::events) struct Unreadable(pub(in crate::events) String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
