//! What Salesforce told us, once it has been understood.
//!
//! `events` makes these from what arrives; `routing` takes them. A thing that routing has no use for
//! (a message, a typing indicator, an enum value of tomorrow) never becomes one.

use serde::{Deserialize, Serialize};

use super::ids::{
    AgentWorkId, ConversationId, EventId, FlowId, PsrId, QueueId, RepId, SkillId, Subject, WorkItemId,
};
use super::time::Timestamp;
use super::words::{CancelReason, ParticipantRole, RoutingType, SessionStatus, WorkChange};

/// One thing that happened, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The conversation, where the event names it. The browser's agent work events name only the work item.
    pub conversation: Option<ConversationId>,
    /// What happened.
    pub what: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// A rep asked for somebody (PROTOCOL: "RoutingRequested").
    RoutingRequested(Box<RoutingRequested>),
    /// The requester or the end user called routing off: a `RoutingResult` entry with a `cancelReason`.
    RoutingCancelled(RoutingCancelled),
    /// Salesforce made a PSR: a `RoutingResult` entry without failure. Tells ids that a lost answer carried.
    RoutingStarted {
        /// The PSR.
        psr: Option<PsrId>,
        /// The work item.
        work_item: Option<WorkItemId>,
    },
    /// Something happened to an offer: `AGENT_WORK_EVENT` or `RoutingWorkResult`.
    WorkChanged(WorkChanged),
    /// The messaging session changed: `SessionStatusChanged`.
    SessionChanged {
        /// The entry's own id; names the re-routing that a session back in `Waiting` asks for.
        entry: EventId,
        /// The session, which is the work item.
        work_item: WorkItemId,
        /// Its status now.
        status: SessionStatus,
        /// Its status before.
        previous: Option<SessionStatus>,
        /// Who ended it, where it has ended and Salesforce says so.
        ended_by: Option<ParticipantRole>,
    },
    /// Somebody came or went: `ParticipantChanged`.
    ParticipantsChanged(Vec<ParticipantChange>),
    /// Somebody spoke, or otherwise showed that they are in the conversation.
    ParticipantSeen(Participant),
    /// The conversation's work item became known in passing.
    WorkItemSeen(WorkItemId),
}

/// A rep asks for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingRequested {
    /// `channelData.eventId`: names the request, here and in later calls.
    pub event: EventId,
    /// When Salesforce published it. Its 60 seconds run from here.
    pub created: Timestamp,
    /// What for.
    pub routing_type: RoutingType,
    /// Who or what should join.
    pub target: Target,
    /// The work item, where the event has it; often it does not.
    pub work_item: Option<WorkItemId>,
    /// The end user of the conversation.
    pub end_user: Option<Subject>,
    /// The rep who asked, where `channelData` or the event tells.
    pub requester: Option<RepId>,
    /// The rep whose page last opened the list of contacts for this work item: a hint at who asked, which no
    /// event has. Whoever keeps the conversations puts it in.
    #[serde(default)]
    pub list_opened_by: Option<RepId>,
}

/// Whom a rep asked for. Read from which of the routing parameters are set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// One rep: `userId`.
    Rep(RepId),
    /// Somebody from a queue: `queueId`.
    Queue(QueueId),
    /// Whoever a flow says: `flowId`, and `queueId` as its fallback.
    Flow {
        /// The flow.
        flow: FlowId,
        /// Where to go if the flow fails; the event may lack it.
        fallback: Option<QueueId>,
    },
    /// Somebody with these skills: `skillsList`.
    Skills(Vec<SkillRequirement>),
    /// A bot: `botId`.
    Bot(Subject),
    /// Somebody outside of Salesforce.
    External(Subject),
    /// Nothing that can be read: the request is malformed.
    Unreadable,
}

/// A skill that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SkillRequirement {
    /// The skill.
    pub id: SkillId,
    /// The least level that will do; Salesforce's levels go from 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<i32>,
    /// The order in which additional skills are dropped: the highest number first, 0 or none last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Whether the skill may be dropped where nobody has it.
    #[serde(default, rename = "isAdditionalSkill")]
    pub additional: bool,
}

/// Routing was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingCancelled {
    /// The entry's own id: the same where the event comes again. It names no request.
    pub entry: Option<EventId>,
    /// Why. `Cancel` and `EndUserEnded` ask for something; the others echo our own clearing.
    pub reason: CancelReason,
    /// Of which type of request, where told.
    pub routing_type: Option<RoutingType>,
    /// The PSR, where told: `pendingServiceRoutingId`.
    pub psr: Option<PsrId>,
    /// The offer, where `recordId` names one.
    pub work: Option<AgentWorkId>,
    /// The rep who initiated the routing, where told.
    pub initiator: Option<RepId>,
    /// The rep who cancelled, where told: `workOwnerId`.
    pub by: Option<RepId>,
}

/// Something happened to an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorkChanged {
    /// The offer.
    pub work: AgentWorkId,
    /// Its work item, where told.
    pub work_item: Option<WorkItemId>,
    /// Its rep, where told.
    pub rep: Option<RepId>,
    /// What happened.
    pub change: WorkChange,
}

/// Somebody came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantChange {
    /// Who.
    pub participant: Participant,
    /// Whether they came; else they went.
    pub joined: bool,
    /// The entry's own time, by Salesforce's clock.
    pub at: Timestamp,
}

/// Somebody in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Participant {
    /// Their part.
    pub role: ParticipantRole,
    /// Who they are: a rep's user id in its 15-character form, an end user's client id, a bot.
    pub subject: Subject,
}

impl Participant {
    /// A rep, as a participant.
    pub fn rep(rep: RepId) -> Option<Self> {
        let subject = Subject::parse(rep.as_str()).ok()?;
        Some(Self { role: ParticipantRole::Agent, subject })
    }

    /// The rep that this is, if it is one.
    pub fn as_rep(&self) -> Option<RepId> {
        match self.role {
            ParticipantRole::Agent => RepId::parse(self.subject.as_str()).ok(),
            _ => None,
        }
    }
}
