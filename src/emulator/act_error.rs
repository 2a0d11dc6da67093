//! Why something that somebody wanted to do cannot be.

use super::state::WorkState;
use crate::model::ids::{AgentWorkId, ConversationId, EventId, RepId, WorkItemId};

/// Why an act cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActError {
    /// There is no such conversation.
    #[error("the org has no conversation '{conversation}'")]
    UnknownConversation {
        /// Which.
        conversation: ConversationId,
    },
    /// The conversation is there already.
    #[error("the org has a conversation '{conversation}' already")]
    ConversationExists {
        /// Which.
        conversation: ConversationId,
    },
    /// The work item is there already.
    #[error("the org has a messaging session {work_item} already")]
    WorkItemExists {
        /// Which.
        work_item: WorkItemId,
    },
    /// There is no such request.
    #[error("the org has published no routing request '{request}'")]
    UnknownRequest {
        /// Which.
        request: EventId,
    },
    /// The request is there already.
    #[error("the org has published the routing request '{request}' already")]
    RequestExists {
        /// Which.
        request: EventId,
    },
    /// There is no such offer.
    #[error("the org has no agent work {work}")]
    UnknownWork {
        /// Which.
        work: AgentWorkId,
    },
    /// There is no such rep.
    #[error("the org has no rep {rep}")]
    UnknownRep {
        /// Who.
        rep: RepId,
    },
    /// The rep is not in the conversation.
    #[error("{rep} is not in the conversation '{conversation}'")]
    NotInConversation {
        /// Who.
        rep: RepId,
        /// Where.
        conversation: ConversationId,
    },
    /// The last rep cannot leave.
    #[error("{rep} is the last rep in the conversation, and can only end it")]
    LastRep {
        /// Who.
        rep: RepId,
    },
    /// The offer does not ring.
    #[error("the agent work {work} does not ring: it is {state:?}")]
    NotRinging {
        /// Which.
        work: AgentWorkId,
        /// What it is.
        state: WorkState,
    },
    /// The offer was not accepted.
    #[error("the agent work {work} cannot be closed: it is {state:?}, not Accepted")]
    NotAccepted {
        /// Which.
        work: AgentWorkId,
        /// What it is.
        state: WorkState,
    },
    /// A transfer was to be declined.
    #[error("the agent work {work} is a transfer, which a rep cannot decline")]
    TransfersAreNotDeclined {
        /// Which.
        work: AgentWorkId,
    },
    /// A transfer was to be cancelled.
    #[error("the routing request '{request}' is a transfer, which cannot be cancelled")]
    TransfersAreNotCancelled {
        /// Which.
        request: EventId,
    },
    /// The request is over.
    #[error("the routing request '{request}' is over")]
    RequestOver {
        /// Which.
        request: EventId,
    },
    /// The session is over.
    #[error("the session of the conversation '{conversation}' is over")]
    SessionOver {
        /// Which.
        conversation: ConversationId,
    },
    /// The channel definition does not support conferences.
    #[error("the channel definition does not support conferences")]
    ConferencesNotSupported,
    /// Salesforce routes by itself.
    #[error("the channel definition's routing owner is Salesforce, so the partner is asked nothing")]
    NotRoutedByPartner,
}
