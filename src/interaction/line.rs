//! Where a call stands while it waits for the org's limit.
//!
//! Elsewhere: who gives out turns is `limiter`; which line and priority a call has stands in its operation's file.

use crate::model::ids::{AgentWorkId, ConversationId, Subject};

/// What comes first where calls have to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Cancels, clears, results, removals: a rep rings, or Salesforce's 60 seconds run.
    First,
    /// New offers and routes.
    Later,
}

/// Whose turns are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Line {
    /// All calls that name this conversation.
    Conversation(ConversationId),
    /// A cancel, which names its offer alone.
    Offer(AgentWorkId),
    /// What names an end user, and no conversation: there may be none yet.
    EndUser(Subject),
}
