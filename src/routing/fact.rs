//! Facts: what has happened to a conversation, in the past tense and in order.
//!
//! The journal holds these. Applying them in order gives the state back, on any later release, for a
//! fact says what came of a decision and not how it was reached.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::call::{Refusal, RouteBy};
use crate::model::error_codes::ErrorCode;
use crate::model::event::{Participant, SkillRequirement, WorkChanged};
use crate::model::ids::{AgentWorkId, EventId, PsrId, QueueId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, RoutingType};

/// Something that is true from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// The conversation's work item became known.
    WorkItemLearned(WorkItemId),
    /// Somebody is in the conversation.
    ParticipantJoined(Participant),
    /// Somebody is no longer in the conversation.
    ParticipantLeft(Participant),
    /// A cancel was taken in; should it come again, it means nothing.
    CancelHeard(EventId),
    /// The messaging session is over; all reps are out.
    SessionEnded,
    /// An offer exists that no request of ours made.
    WorkWasForeign(AgentWorkId),
    /// Something happened to an offer, and which of ours it is will only be known with an answer.
    WorkUnplaced(WorkChanged),
    /// What was unplaced has found its offer.
    WorkPlaced(AgentWorkId),
    /// A request began.
    Requested(Box<Requested>),
    /// Something happened to a request.
    About(u32, RequestFact),
}

/// How a request begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub wanted: Wanted,
    /// Whether Salesforce waits for a routing result.
    pub reports: bool,
    /// The rep who asked, where known.
    pub requester: Option<RepId>,
}

/// Whom a request asks for, once it is clear that somebody may be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Wanted {
    /// One rep.
    Rep(RepId),
    /// Whoever a route leads to.
    Route(RouteBy),
    /// Somebody with these skills; no PSR exists.
    Skills(Vec<SkillRequirement>),
    /// Nobody: the request was refused as it came.
    Nobody,
}

/// Something that happened to one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    RouteLost,
    /// The router named reps.
    RepsFound(Vec<RepId>),
    /// The router knows nobody for what was asked.
    NobodyFound,
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
    OfferNameless {
        /// The rep.
        rep: RepId,
        /// Whether it certainly exists.
        certain: bool,
        /// Until when to wait for its id.
        until: Timestamp,
    },
    /// The id of an offer became known before the answer to its creation.
    OfferNamed {
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
    OfferOver(RepId, Why),
    /// Salesforce would not take an offer back: the rep may have been quicker.
    OfferContested {
        /// The rep.
        rep: RepId,
        /// Until when to wait for word of it.
        until: Timestamp,
    },
    /// An offer that may exist cannot be named; should its id come up, it will be taken back.
    OfferOrphaned {
        /// The rep.
        rep: RepId,
        /// Until when to look out for it.
        until: Timestamp,
    },
    /// A rep who accepted too late is out of the conversation again, or could not be removed.
    RepRemoved(RepId),
    /// Salesforce has been given the routing result; or would not take it.
    Reported {
        /// Whether it took it.
        taken: bool,
    },
    /// No routing result will be sent.
    ReportWithheld,
    /// The PSR has been cleared; or all that can be done about it has been.
    RouteCleared,
    /// The last word, which only a rep who joins after all can still change.
    Decided(Verdict),
    /// All is cleaned up; nothing more will happen.
    Closed,
}

impl RequestFact {
    /// The rep whose offer it is about; `None` where it is about no offer.
    pub(super) const fn offer(&self) -> Option<RepId> {
        match self {
            Self::OfferMade { rep, .. }
            | Self::OfferNameless { rep, .. }
            | Self::OfferNamed { rep, .. }
            | Self::OfferAnswered { rep, .. }
            | Self::OfferRepeated { rep, .. }
            | Self::OfferAccepted(rep)
            | Self::OfferOver(rep, _)
            | Self::OfferContested { rep, .. }
            | Self::OfferOrphaned { rep, .. }
            | Self::RepRemoved(rep) => Some(*rep),
            _ => None,
        }
    }
}

/// What a command is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    TakeBack(RepId, Why),
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

/// Why an offer is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// The rep said no.
    Declined,
    /// The rep did not answer in time.
    Unanswered,
    /// Salesforce took it back.
    Withdrawn,
    /// We took it back: the request needs it no more.
    CalledOff,
    /// The rep accepted too late and was taken out again; word of that accept may still come.
    Removed,
    /// Salesforce would not make it.
    Refused,
    /// Nothing more was ever heard of it.
    Unknown,
}

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A rep joined.
    Joined,
    /// The last rep who was asked said no.
    Declined,
    /// The last rep who was asked did not answer.
    Unanswered,
    /// The requester or the end user called it off.
    Cancelled,
    /// It was against the rules from the start.
    Refused,
    /// Something went wrong.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Joined, Self::Declined, Self::Unanswered, Self::Cancelled, Self::Refused, Self::Failed];

    /// One word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Declined => "declined",
            Self::Unanswered => "unanswered",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The last word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// Why a request ended, as a rep can understand it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// A rep accepted.
    Joined(RepId),
    /// The last rep declined.
    Declined,
    /// The last rep did not answer.
    Unanswered,
    /// Nobody can take it.
    NobodyAvailable,
    /// The requester changed their mind.
    RequesterCancelled,
    /// The end user left.
    EndUserLeft,
    /// The session ended.
    SessionEnded,
    /// The channel has no conferences.
    NotSupported,
    /// It is a transfer, and those are not routed.
    TransfersNotRouted,
    /// No seat is left.
    Full(u32),
    /// The target is outside of Salesforce.
    OutsideContact,
    /// The target is a bot.
    Bot,
    /// The rep is in the conversation.
    AlreadyIn,
    /// The rep has an open offer for the conversation.
    AlreadyInvited,
    /// The request names nobody.
    Unreadable,
    /// The flow has no fallback queue.
    NoFallbackQueue,
    /// The work item is not known.
    UnknownWorkItem,
    /// The request was older than 60 seconds when it came.
    TooOld,
    /// The 60 seconds ran out.
    OutOfTime,
    /// The flow, or the channel's setting, led nowhere.
    RouteLedNowhere,
    /// The partner's router did not answer in time.
    RouterSilent,
    /// Too many reps were tried.
    TooManyOffers,
    /// Salesforce took the offer back.
    OfferWithdrawn,
    /// An offer could not be taken back, and what became of it is not known.
    OfferUnclear,
    /// Salesforce did not answer.
    NoAnswer(Step),
    /// Salesforce said no.
    SalesforceRefused(Step, Refusal),
}

/// A step of the sequence, for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// `POST /route`.
    Route,
    /// `POST /agentWork`.
    Offer,
}

impl Step {
    const fn deed(self) -> &'static str {
        match self {
            Self::Route => "route the request",
            Self::Offer => "offer the conversation to the rep",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::Joined(_) => "The rep accepted.",
            Self::Declined => "The invitation was declined, and nobody else is left to ask.",
            Self::Unanswered => "The invitation was not answered in time, and nobody else is left to ask.",
            Self::NobodyAvailable => "Nobody who could join is available right now.",
            Self::RequesterCancelled => "The invitation was cancelled by the rep who made it.",
            Self::EndUserLeft => "The customer has left the conversation.",
            Self::SessionEnded => "The messaging session has ended.",
            Self::NotSupported => "This channel does not support conferences.",
            Self::TransfersNotRouted => {
                "Transfers are not available on this channel. Invite somebody to a conference instead."
            }
            Self::Full(limit) => {
                return write!(
                    f,
                    "The conversation is full: it has room for {limit} participants, the customer included."
                );
            }
            Self::OutsideContact => "People outside of Salesforce cannot join a conference.",
            Self::Bot => "Bots cannot join a conference.",
            Self::AlreadyIn => "This rep is already in the conversation.",
            Self::AlreadyInvited => "This rep has already been invited to this conversation.",
            Self::Unreadable => "The request does not say whom to invite.",
            Self::NoFallbackQueue => {
                "The flow has no fallback queue, and without one it cannot be used here."
            }
            Self::UnknownWorkItem => "The conversation's messaging session (workItemId) is not known.",
            Self::TooOld => "The request was more than 60 seconds old when it arrived.",
            Self::OutOfTime => "The request could not be routed within 60 seconds.",
            Self::RouteLedNowhere => "Routing named neither a rep nor a queue.",
            Self::RouterSilent => "No rep was found in time.",
            Self::TooManyOffers => "Too many reps were asked without success.",
            Self::OfferWithdrawn => "Salesforce took the invitation back.",
            Self::OfferUnclear => "Salesforce does not say what became of the invitation.",
            Self::NoAnswer(step) => {
                return write!(f, "Salesforce did not answer when asked to {}.", step.deed());
            }
            Self::SalesforceRefused(step, refusal) => {
                write!(f, "Salesforce refused to {}", step.deed())?;
                return match refusal.code {
                    Some(code) => write!(f, " ({code}): {}", ErrorCode(code).meaning()),
                    None => write!(f, " (HTTP {}).", refusal.status),
                };
            }
        };
        f.write_str(sentence)
    }
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
