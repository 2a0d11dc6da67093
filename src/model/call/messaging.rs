//! The calls about the channel itself: its sessions, end users and messages. Routing asks for none of them.

use serde::{Deserialize, Serialize};

use crate::model::ids::{ChannelAddressId, ConversationId, Subject, WorkItemId};
use crate::model::words::{ConsentStatus, OperationBy};

/// `POST /messagingSession`: end a session, or make it inactive.
///
/// A rep's own end is observed (`sessionEndedByRole`) and never called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSession {
    /// The deployed channel.
    pub channel: ChannelAddressId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its end user's client id.
    pub end_user: Subject,
    /// What becomes of the session.
    pub change: SessionChange,
    /// On whose behalf.
    pub by: OperationBy,
}

/// What becomes of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionChange {
    /// It ends. Where the session is named, a call that comes twice cannot end the next session of the conversation.
    End(Option<WorkItemId>),
    /// It goes quiet until the end user writes again. Salesforce wants to know which session (error 10106).
    Inactivate(WorkItemId),
}

/// `PATCH /consent`: say what an end user has agreed to. Salesforce takes it where the channel's `ConsentOwner` is
/// `Partner` (else 10022) and consent does not go by keywords (else 10023).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateConsent {
    /// The deployed channel.
    pub channel: ChannelAddressId,
    /// The end user's client id.
    pub end_user: Subject,
    /// What they have agreed to.
    pub status: ConsentStatus,
}
