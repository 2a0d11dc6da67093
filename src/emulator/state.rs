//! What the emulated org holds: conversations, PSRs, agent works and the routing requests it published.

use serde::{Deserialize, Serialize};

use crate::model::event::{Participant, Target};
use crate::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, QueueId, RepId, Subject, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, RoutingType, SessionStatus};

/// A conversation and its messaging session.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// `conversationIdentifier`.
    pub id: ConversationId,
    /// Its messaging session.
    pub work_item: WorkItemId,
    /// Its end user.
    pub end_user: Subject,
    /// The session's status.
    pub status: SessionStatus,
    /// Who is in it, the end user included, in the order in which they came.
    pub participants: Vec<Participant>,
    /// When it began.
    pub started: Timestamp,
    /// The routing requests that were published for it, in order.
    pub requests: Vec<EventId>,
    /// The offers that were ever made for it, in order.
    pub works: Vec<AgentWorkId>,
    /// Its PSRs that exist, in order.
    pub psrs: Vec<PsrId>,
}

impl Conversation {
    /// The reps who are in it.
    pub fn reps(&self) -> impl Iterator<Item = RepId> + '_ {
        self.participants.iter().filter_map(Participant::as_rep)
    }

    /// Whether its session is over.
    pub fn is_over(&self) -> bool {
        self.status == SessionStatus::Ended
    }
}

/// A work item that waits for a rep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Psr {
    /// Its id.
    pub id: PsrId,
    /// The conversation that it routes.
    pub conversation: ConversationId,
    /// What for.
    pub routing_type: RoutingType,
    /// What agent works name to use it: the event of the request that it is for, or an id made for it.
    pub correlation: EventId,
    /// The queue that it waits in, where one was named or a flow answered with one.
    pub queue: Option<QueueId>,
    /// When it was created.
    pub created: Timestamp,
}

/// One offer of a work item to one rep.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// Its id.
    pub id: AgentWorkId,
    /// To whom.
    pub rep: RepId,
    /// Of what.
    pub work_item: WorkItemId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// What for.
    pub routing_type: RoutingType,
    /// The routing event that it answers, as the call named it.
    pub correlation: EventId,
    /// The PSR that it uses.
    pub psr: Option<PsrId>,
    /// Capacity units that it takes of its rep while it is active.
    pub weight: f64,
    /// Where it stands.
    pub state: WorkState,
    /// When it was created.
    pub created: Timestamp,
}

/// Where an agent work stands.
///
/// ```text
/// Waiting -> Assigned -> Accepted -> Closed
///    |          |-> Declined
///    '----------'-> Cancelled
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WorkState {
    /// A direct transfer to a rep without room: nobody rings, it is assigned when there is room.
    Waiting,
    /// The rep's console rings.
    Assigned,
    /// The rep took it, and is in the conversation.
    Accepted,
    /// The rep said no.
    Declined,
    /// Taken back before the rep answered.
    Cancelled,
    /// The rep has finished with it.
    Closed,
}

impl WorkState {
    /// Whether a second agent work for the same rep and work item is refused because of it (15109).
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Waiting | Self::Assigned | Self::Accepted)
    }

    /// Whether the rep has not answered yet.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Assigned)
    }
}

/// A routing request that the org published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Its `eventId`.
    pub event: EventId,
    /// For which conversation.
    pub conversation: ConversationId,
    /// What for.
    pub routing_type: RoutingType,
    /// Whom the rep asked for.
    pub target: Target,
    /// The rep who asked.
    pub requester: Option<RepId>,
    /// When it was published; its 60 seconds run from here.
    pub created: Timestamp,
    /// When the first routing result came, and whether it said success.
    pub answered: Option<(Timestamp, bool)>,
    /// How it ended, and when.
    pub ended: Option<(Timestamp, RequestEnd)>,
}

impl Request {
    /// Whether it is still going on.
    pub const fn is_open(&self) -> bool {
        self.ended.is_none()
    }
}

/// How a routing request ended, as Salesforce sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RequestEnd {
    /// A rep joined.
    Joined {
        /// Who.
        rep: RepId,
    },
    /// The partner's routing result said failure.
    Refused {
        /// With this message for the rep.
        message: String,
    },
    /// The partner's routing result said that it went outside of Salesforce.
    RoutedExternally,
    /// The requester or the end user called it off.
    Cancelled {
        /// Why.
        reason: CancelReason,
    },
    /// The session ended under it.
    SessionEnded,
    /// No routing result came within 60 seconds: marked failed.
    MarkedFailed,
    /// The partner had said success and then cleared the route without a rep.
    GivenUp {
        /// Why.
        reason: CancelReason,
    },
}
