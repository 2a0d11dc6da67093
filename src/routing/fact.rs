//! Facts: what has happened to a conversation, in the past tense and in order.
//!
//! The journal holds these. Applying them in order gives the state back, on any later release, for a
//! fact says what came of a decision and not how it was reached.

use serde::{Deserialize, Serialize};

use crate::model::call::Refusal;
use crate::model::event::{Participant, WorkChanged};
use crate::model::ids::{AgentWorkId, EventId, PsrId, QueueId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, RoutingType};

use super::reason::{Conclusion, OfferEndReason};
use super::target::ResolvedTarget;
use super::time_bounds::TimeBounds;
use super::undo::Undo;

/// Something that is true from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Fact {
    /// The conversation's work item became known.
    WorkItemLearned(WorkItemId),
    /// Somebody is in the conversation.
    ParticipantJoined(Participant),
    /// Somebody is no longer in the conversation.
    ParticipantLeft(Participant),
    /// Salesforce told that somebody came or went; what is older than that changes nothing any more.
    ParticipantMoved {
        /// Who.
        who: Participant,
        /// Whether they came; else they went.
        joined: bool,
        /// The entry's own time.
        at: Timestamp,
    },
    /// A cancel was taken in; should it come again, it means nothing.
    CancelReceived(EventId),
    /// The messaging session is over; all reps are out.
    SessionEnded,
    /// Salesforce made that PSR for a request.
    PsrMade {
        /// The PSR.
        psr: PsrId,
        /// The request's number.
        request: u32,
    },
    /// The session waits for a rep.
    SessionWaiting {
        /// The event that told of it.
        entry: EventId,
        /// How often it was routed anew lately.
        lately: u16,
    },
    /// A transfer came to nothing and its customer has no rep any more: they are routed as one who waits, under
    /// this name.
    CustomerLeftAlone(EventId),
    /// The session that waits is routed anew at that moment, not earlier.
    RerouteScheduled(Timestamp),
    /// The session has not waited since.
    SessionWaitEnded(Timestamp),
    /// An offer exists that no request of ours made.
    ForeignOfferSeen(AgentWorkId),
    /// Something happened to an offer, and which of ours it is will only be known with an answer.
    OfferEventHeld(WorkChanged),
    /// What was unplaced has found its offer.
    OfferEventMatched(AgentWorkId),
    /// The clock was set back between two processes: no time of the conversation itself is later than these.
    DeadlinesShortened(TimeBounds),
    /// A request began.
    Requested(Box<Requested>),
    /// Something happened to a request.
    OfRequest(u32, RequestFact),
}

/// How a request begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requested {
    /// Its number in the conversation.
    pub number: u32,
    /// The routing event that names it.
    pub event: EventId,
    /// When Salesforce published it.
    pub created: Timestamp,
    /// The routing event's type.
    pub routing_type: RoutingType,
    /// Whom it asks for.
    pub wanted: ResolvedTarget,
    /// Whether Salesforce waits for a routing result.
    pub reports: bool,
    /// The rep who asked, where known.
    pub requester: Option<RepId>,
    /// The rep who most likely asked: the one whose page last opened the list of contacts, else the only one.
    #[serde(default)]
    pub asked_by: Option<RepId>,
}

/// Something that happened to one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum RequestFact {
    /// A command was given; its intent is on record before it is carried out.
    Commanded {
        /// The command's number.
        number: u16,
        /// Until when it is tried.
        give_up_at: Timestamp,
        /// What it is for.
        intent: Intent,
    },
    /// Salesforce made a PSR.
    RouteMade {
        /// The PSR, where the answer named it.
        psr: Option<PsrId>,
        /// The rep that the flow chose.
        rep: Option<RepId>,
        /// The queue to look in.
        queue: Option<QueueId>,
        /// What agent work should name, where no routing event asked.
        correlation: Option<EventId>,
    },
    /// Salesforce refused to make a PSR, and none can exist.
    RouteRefused,
    /// A PSR may or may not exist.
    RouteUnknown,
    /// The router named reps.
    RepsFound(Vec<RepId>),
    /// The router knows nobody for what was asked.
    NobodyFound,
    /// The router failed to answer.
    SearchFailed {
        /// What was wrong.
        why: String,
        /// When to ask it again.
        again_at: Timestamp,
    },
    /// An offer was made and rings.
    OfferMade {
        /// The rep.
        rep: RepId,
        /// Its id.
        work: AgentWorkId,
        /// Until when it may ring.
        until: Timestamp,
    },
    /// An offer was or may have been made, and its id is not known.
    OfferIdUnknown {
        /// The rep.
        rep: RepId,
        /// Whether it certainly exists.
        certain: bool,
        /// Until when to wait for its id.
        until: Timestamp,
    },
    /// The id of an offer became known before the answer to its creation.
    OfferIdLearned {
        /// The rep.
        rep: RepId,
        /// Its id.
        work: AgentWorkId,
    },
    /// The call that made an offer has been answered, after an event had told of the offer.
    OfferAnswered {
        /// The rep.
        rep: RepId,
        /// Until when another offer of that call may show up; none will where there is no such time.
        unsure_until: Option<Timestamp>,
    },
    /// The call that made an offer has made another, in the place of the first.
    OfferRepeated {
        /// The rep.
        rep: RepId,
        /// The id of the other.
        work: AgentWorkId,
        /// Until when it may ring.
        until: Timestamp,
    },
    /// The rep accepted.
    OfferAccepted(RepId),
    /// The offer is over, and nobody can accept it any more.
    OfferEnded(RepId, OfferEndReason),
    /// Salesforce refused to offer to this rep; another may be asked.
    RepRefused {
        /// The rep.
        rep: RepId,
        /// What Salesforce said.
        refusal: Refusal,
    },
    /// Salesforce refused to offer to this rep, who has no room: they are asked again.
    RepHasNoRoom {
        /// The rep.
        rep: RepId,
        /// What Salesforce said.
        refusal: Refusal,
        /// When to ask them again.
        again_at: Timestamp,
    },
    /// The rep who had no room is asked again at that moment, for they may have some.
    RoomMayBeFree(Timestamp),
    /// An offer cannot be taken back, for it is not open any more: the rep may have been quicker.
    OfferCancelRefused {
        /// The rep.
        rep: RepId,
        /// Until when to wait for word of it.
        until: Timestamp,
    },
    /// An offer that may exist cannot be named; should its id come up, it will be taken back.
    OfferAbandoned {
        /// The rep.
        rep: RepId,
        /// Until when to look out for it.
        until: Timestamp,
    },
    /// A rep who accepted too late is out of the conversation again.
    RepRemoved(RepId),
    /// Something that must be undone could not be: it is owed, and tried again.
    Owed {
        /// What.
        undo: Undo,
        /// When that was clear.
        at: Timestamp,
        /// When it is to be tried again.
        next: Timestamp,
        /// What Salesforce said; none where it did not answer.
        answer: Option<Refusal>,
        /// What came in the place of an answer, where none came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unanswered: Option<Box<str>>,
    },
    /// Something that is owed is tried no more: an operator says so, or the rep who was to be removed is the last
    /// one left.
    OwedDismissed(Undo),
    /// Salesforce has been given the routing result; or would not take it.
    ResultSent {
        /// Whether it took it.
        taken: bool,
    },
    /// No routing result will be sent.
    ResultNotSent,
    /// The PSR has been cleared, or there is none.
    RouteCleared,
    /// The clock was set back between two processes: no time of the request is later than these.
    DeadlinesShortened(TimeBounds),
    /// The last word, which only a rep who joins after all can still change.
    Decided(Conclusion),
    /// All is cleaned up; nothing more will happen.
    Closed,
}

impl RequestFact {
    /// The rep whose offer it is about; `None` where it is about no offer.
    pub(super) const fn offer(&self) -> Option<RepId> {
        match self {
            Self::OfferMade { rep, .. }
            | Self::OfferIdUnknown { rep, .. }
            | Self::OfferIdLearned { rep, .. }
            | Self::OfferAnswered { rep, .. }
            | Self::OfferRepeated { rep, .. }
            | Self::RepRefused { rep, .. }
            | Self::OfferAccepted(rep)
            | Self::OfferEnded(rep, _)
            | Self::OfferCancelRefused { rep, .. }
            | Self::OfferAbandoned { rep, .. }
            | Self::RepRemoved(rep) => Some(*rep),
            _ => None,
        }
    }
}

/// What a command is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Intent {
    /// Make a PSR.
    Route,
    /// Look for reps, with this many additional skills dropped.
    Search {
        /// How many groups of additional skills are dropped.
        dropped: u8,
        /// How many reps are wanted.
        limit: usize,
    },
    /// Offer the work item to a rep.
    Offer(RepId),
    /// Take the offer to a rep back.
    TakeBack(RepId, OfferEndReason),
    /// Give Salesforce the routing result.
    Report {
        /// What it says.
        success: bool,
    },
    /// Clear the PSR.
    Clear(CancelReason),
    /// Take a rep who accepted too late out of the conversation.
    Remove(RepId),
}

/// A fact that does not fit the state that it met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fact {fact} does not fit {state}")]
pub struct IllegalFact {
    /// The fact.
    pub fact: String,
    /// What it met.
    pub state: String,
}
