//! The calls about the channel itself: its sessions, end users and messages. Routing asks for none of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::model::ids::{ChannelAddressId, ConversationId, Subject, WorkItemId};
use crate::model::time::Timestamp;
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

/// `POST /conversation`: begin a conversation without a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginConversation {
    /// The deployed channel.
    pub channel: ChannelAddressId,
    /// The end user's client id.
    pub end_user: Subject,
    /// What the org's routing is told.
    pub attributes: RoutingAttributes,
}

/// What the org's routing is told of a conversation: values of channel variables, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoutingAttributes(pub BTreeMap<String, String>);

impl RoutingAttributes {
    /// As JSON; nothing where there are none.
    pub fn to_value(&self) -> Value {
        if self.0.is_empty() { Value::Null } else { json!(self.0) }
    }
}

/// The answer to `POST /conversation`. What Salesforce left out comes with an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Begun {
    /// The conversation.
    pub conversation: Option<ConversationId>,
    /// Its messaging session.
    pub work_item: Option<WorkItemId>,
}

/// `POST /interactions` with a text of the end user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendText {
    /// The deployed channel.
    pub channel: ChannelAddressId,
    /// The end user's client id.
    pub end_user: Subject,
    /// The message's id, the same however often it is sent.
    pub entry: Uuid,
    /// What they wrote.
    pub text: MessageText,
    /// When they wrote it.
    pub at: Timestamp,
    /// What the org's routing is told, where the message begins a conversation.
    pub attributes: RoutingAttributes,
}

/// A text that says something.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageText(String);

/// A message without a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text of a message is empty")]
pub struct EmptyText;

impl TryFrom<String> for MessageText {
    type Error = EmptyText;

    fn try_from(text: String) -> Result<Self, EmptyText> {
        if text.trim().is_empty() { Err(EmptyText) } else { Ok(Self(text)) }
    }
}

impl From<MessageText> for String {
    fn from(text: MessageText) -> Self {
        text.0
    }
}

impl MessageText {
    /// What it says.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What people write is nobody's business but theirs.
impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} characters", self.0.chars().count())
    }
}

/// The answer to `POST /interactions`. After a lost answer Salesforce says only that the message is there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sent {
    /// The conversation that it is part of.
    pub conversation: Option<ConversationId>,
    /// Its messaging sessions.
    pub work_items: Vec<WorkItemId>,
}
