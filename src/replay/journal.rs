//! What a store would hold of a replay: the rows of each turn, as the live runtime gives them to a store.
//!
//! Knows routing's values. Must never know how a store lays its rows out.

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::routing::{Conversation, Ending, Fact};
use crate::store::{Change, TurnRecord};

/// One turn, as it would be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// When it was decided.
    pub at: Timestamp,
    /// Which conversation it changed.
    pub conversation: ConversationId,
    /// Whether nothing was known of the conversation before.
    pub began: bool,
    /// Whether its session has ended.
    pub ended: bool,
    /// The new facts, in order.
    pub facts: Vec<Fact>,
    /// The conversation after them, where they have left it idle.
    pub state: Option<Box<Conversation>>,
    /// The requests that ended.
    pub endings: Vec<Ending>,
}

impl JournalRow {
    /// The row of a turn; `None` where it changed nothing.
    pub(super) fn of(turn: TurnRecord) -> Option<Self> {
        let TurnRecord { at, change, .. } = turn;
        let Change { conversation, began, ended, facts, state, endings, tellings: _ } = change?;
        Some(Self { at, conversation, began, ended, facts, state, endings })
    }
}
