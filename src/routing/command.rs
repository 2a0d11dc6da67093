//! What the state machine asks for, and what it is told in return.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::call::{Answer, Call};
use crate::model::event::EventKind;
use crate::model::ids::{ConversationId, EventId, RepId};
use crate::model::rep_query::RepQuery;
use crate::model::time::Timestamp;
use crate::model::words::ParticipantRole;

use super::fact::Fact;
use super::reason::Ending;
use super::undo::OperatorOrder;

/// Names one command for ever: across tries, and across a restart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommandId {
    /// The routing event whose request gave the command.
    pub request: EventId,
    /// Its number among the request's commands.
    pub number: u16,
}

impl CommandId {
    /// The `RequestId` header: the same for every try, here and after a crash, because it follows
    /// from the command's place alone.
    pub fn request_id(&self) -> Uuid {
        const NAMESPACE: Uuid = Uuid::from_u128(0x6279_6f63_2d63_4f6e_8e63_746f_722d_3031);
        let mut name = Vec::with_capacity(self.request.as_str().len().saturating_add(3));
        name.extend_from_slice(self.request.as_str().as_bytes());
        name.push(b'/');
        name.extend_from_slice(&self.number.to_be_bytes());
        Uuid::new_v5(&NAMESPACE, &name)
    }
}

/// Something that somebody with sockets must do.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Its identity.
    pub id: CommandId,
    /// No try may begin after this moment; what is not answered by then is answered `Lost` or empty.
    pub give_up_at: Timestamp,
    /// What to do.
    pub order: Order,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Call Salesforce; answer with [`Input::Answered`].
    Call(Call),
    /// Ask the partner's router; answer with [`Input::Found`].
    Find(RepQuery),
}

/// What the partner is told, for its own channel and its own books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Announcement {
    /// Where.
    pub conversation: ConversationId,
    /// What happened there.
    #[serde(flatten)]
    pub what: Announced,
}

/// What happened in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Announced {
    /// A rep came or went: the partner tells the end user.
    Rep {
        /// Who.
        rep: RepId,
        /// Whether they joined; else they left.
        joined: bool,
    },
    /// Its session changed.
    Session(SessionNews),
}

/// What happened to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "session", rename_all = "camelCase")]
pub enum SessionNews {
    /// It waits for a rep, and one is looked for.
    Waiting,
    /// It has ended.
    Ended {
        /// Whose word ended it, where Salesforce says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<ParticipantRole>,
    },
}

impl Announced {
    /// Its name, as webhooks have it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rep { joined: true, .. } => "rep.joined",
            Self::Rep { joined: false, .. } => "rep.left",
            Self::Session(SessionNews::Waiting) => "session.waiting",
            Self::Session(SessionNews::Ended { .. }) => "session.ended",
        }
    }
}

/// What the state machine is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Something happened at Salesforce.
    Happened(EventKind),
    /// A call was answered, after all its tries.
    Answered(CommandId, Answer),
    /// The partner's router named reps, the best first, none where nobody can take it; or it failed, which
    /// says nothing about who could.
    Found(CommandId, Result<Vec<RepId>, SearchFailure>),
    /// The rep may have room again: they are done with work of another conversation.
    RoomMayBeFree(RepId),
    /// An operator wants something done.
    Ordered(OperatorOrder),
    /// It was taken up after a restart: a clock that was set back meanwhile must not leave a deadline far ahead.
    Resumed,
    /// The time that `deadline` named has come.
    DeadlineReached,
}

/// Why the partner's router has not said who can take it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchFailure {
    /// It had not answered when the time of the command was over.
    #[error("it did not answer in time")]
    Silent,
    /// It failed; it is asked again while there is time.
    #[error("{why}")]
    Failed {
        /// What was wrong, in words that name nobody.
        why: String,
        /// How long it asks to be left alone.
        wait: Duration,
    },
}

/// A thing worth telling a person, that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The same routing event, or the same cancel, came again.
    SeenBefore(EventId),
    /// A request of a type that this version does not route.
    NotRouted(EventId, crate::model::words::RoutingType),
    /// A cancel that came when the rep had already joined.
    TooLateToCancel(EventId),
    /// A cancel of a transfer, which cannot be cancelled.
    NotCancellable(EventId),
    /// A decline of an offer that cannot be declined. It is over all the same.
    NotDeclinable(EventId),
    /// A cancel, and nothing open that it could mean.
    NothingToCancel,
    /// A cancel that could mean several requests was taken for that of this one.
    CancelGuessed(EventId),
    /// A session waits, as that event tells; it is being routed already, or another request may bring a rep.
    WaitsAlready(EventId),
    /// Somebody came or went earlier than what is known of them.
    OldMove(crate::model::event::Participant),
    /// No routing result could be sent, for the work item was not told in time: Salesforce's own 60 seconds
    /// end that request.
    NoResultWithoutWorkItem(EventId),
    /// An answer to a command that was already given up.
    LateAnswer(CommandId),
    /// Salesforce refused to offer to this rep, and the request goes on to the next: a roster that lags, a
    /// permission that is missing.
    RepRefused(RepId, crate::model::call::Refusal),
    /// A rep spoke of an offer that was made to somebody else.
    NotTheirOffer(crate::model::ids::AgentWorkId, RepId),
    /// The partner's router failed to answer.
    RouterFailed(EventId, SearchFailure),
    /// A rep accepted an offer of ours whose request is over: the same accept again, or one that came too late.
    OldWork(crate::model::ids::AgentWorkId),
    /// Something happened to an offer that no request of ours made.
    ForeignWork(crate::model::ids::AgentWorkId),
    /// A fact that the state does not allow; the state was left as it was.
    Broken(super::fact::IllegalFact),
}

/// What follows from an input: append the facts, then run the commands.
#[derive(Debug, Default, Clone, PartialEq)]
#[must_use = "append the facts, then run the commands"]
pub struct Effects {
    /// What is true now, in order; the journal keeps these.
    pub facts: Vec<Fact>,
    /// What to do now, in order.
    pub commands: Vec<Command>,
    /// What to tell the end user.
    pub announcements: Vec<Announcement>,
    /// The requests that ended.
    pub endings: Vec<Ending>,
    /// What a person may want to know.
    pub remarks: Vec<Remark>,
}
