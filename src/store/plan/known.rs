//! What is known of channels and conversations without looking, as values.

use std::collections::{HashMap, HashSet};

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::record::{Cause, ChannelKey, Epoch};

/// Where a channel's turns begin: its number is in the bits above.
pub(in crate::store) const TURN_BITS: u32 = 43;

/// A channel that was loaded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) id: i64,
    pub(super) epoch: Epoch,
    pub(super) broken: bool,
    pub(super) next_turn: i64,
}

/// What of a conversation decides how its next turn is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Head {
    pub(in crate::store) id: i64,
    pub(in crate::store) idle: bool,
    pub(in crate::store) ended: bool,
    /// As it is stored.
    pub(in crate::store) heard: Timestamp,
    /// How many facts were stored since its last state.
    pub(in crate::store) facts: usize,
}

/// What a planner knows once the plan is committed.
#[derive(Debug, Default)]
pub(in crate::store) struct Adopted<'t> {
    pub(super) channels: HashMap<&'t ChannelKey, Channel>,
    pub(super) heads: HashMap<(i64, &'t ConversationId), Head>,
    pub(super) next_conversation: i64,
    pub(super) new_causes: HashSet<(i64, &'t Cause)>,
}
