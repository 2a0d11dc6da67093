//! What plans are made of: turns, and what a store found in the way of a plan.

use std::collections::HashSet;

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::error::Error;
use crate::store::record::{Cause, ChannelKey, Epoch, Position};

/// A turn, as far as the rules go by it.
#[derive(Debug, Clone)]
pub(in crate::store) struct Turn<'t> {
    pub(in crate::store) channel: &'t ChannelKey,
    pub(in crate::store) epoch: Epoch,
    pub(in crate::store) at: Timestamp,
    pub(in crate::store) cause: Option<&'t Cause>,
    pub(in crate::store) position: Option<&'t Position>,
    /// What it changes; an error where that is not to be stored.
    pub(in crate::store) change: Option<Result<Outline<'t>, Error>>,
}

/// A change, as far as the rules go by it.
#[derive(Debug, Clone)]
pub(in crate::store) struct Outline<'t> {
    pub(in crate::store) conversation: &'t ConversationId,
    pub(in crate::store) began: bool,
    pub(in crate::store) ended: bool,
    /// How many facts it has.
    pub(in crate::store) facts: usize,
    /// Whether the state that it brings is idle; `None` where it brings none.
    pub(in crate::store) state: Option<bool>,
    /// How many requests ended.
    pub(in crate::store) endings: usize,
    /// How many things the partner is to be told.
    pub(in crate::store) tellings: usize,
}

/// What a store found in the way of a plan.
#[derive(Debug, Default)]
pub(in crate::store) struct Found {
    /// Causes that were stored before, by channel.
    pub(in crate::store) seen: HashSet<(i64, Cause)>,
    /// Channels that were loaded by somebody else since.
    pub(in crate::store) superseded: HashSet<i64>,
}

impl Found {
    /// Whether every condition holds.
    pub(in crate::store) fn is_nothing(&self) -> bool {
        self.seen.is_empty() && self.superseded.is_empty()
    }
}
