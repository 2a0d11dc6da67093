//! Last words: how a request ends, and why, in words for the rep who asked; and what Salesforce is told of it.
//!
//! All of `routing`'s refusals, outcomes and sentences for a rep are here. Remarks for an operator are in `remark`.
//!
//! Elsewhere: when which is said, in `next`, `on_event` and `on_answer`; which kind of request is refused, in `rules`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::call::{Refusal, ReportResult};
use crate::model::error_codes::ErrorCode;
use crate::model::ids::{EventId, RepId};
use crate::model::time::Timestamp;
use crate::model::words::CancelReason;

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// It was against the rules from the start, or Salesforce lets nobody be asked who could be.
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

/// The outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Conclusion {
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// A request that has ended, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// The routing event.
    pub request: EventId,
    /// When the outcome was decided.
    pub at: Timestamp,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, in words for the rep who asked.
    pub reason: Reason,
}

impl Conclusion {
    /// What Salesforce is told when the PSR is cleared.
    pub(super) const fn clear_reason(&self) -> CancelReason {
        match (self.outcome, &self.reason) {
            (Outcome::Cancelled, _) => CancelReason::Cancel,
            (Outcome::Declined, _) => CancelReason::Decline,
            (Outcome::Unanswered, _)
            | (
                _,
                Reason::NobodyAvailable
                | Reason::RouterSilent
                | Reason::RouterFailed(_)
                | Reason::RepsRefused { .. },
            ) => CancelReason::Unavailable,
            _ => CancelReason::Unknown,
        }
    }
}

/// Why an offer is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum OfferEndReason {
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

impl OfferEndReason {
    /// A few words, for a log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Unanswered => "not answered",
            Self::Withdrawn => "withdrawn by Salesforce",
            Self::CalledOff => "cancelled",
            Self::Removed => "accepted too late; rep removed",
            Self::Refused => "refused by Salesforce",
            Self::Unknown => "unknown",
        }
    }

    /// The last word on a request whose last offer is over for this.
    pub(super) const fn last_word(self) -> (Outcome, Reason) {
        match self {
            Self::Declined => (Outcome::Declined, Reason::Declined),
            Self::Unanswered => (Outcome::Unanswered, Reason::Unanswered),
            Self::Withdrawn => (Outcome::Failed, Reason::OfferWithdrawn),
            Self::Unknown | Self::CalledOff | Self::Removed | Self::Refused => {
                (Outcome::Failed, Reason::OfferUnclear)
            }
        }
    }
}

/// Why a request ended, as a rep can understand it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// An operator ended it.
    OperatorEnded,
    /// The channel has no conferences.
    NotSupported,
    /// It is a transfer: what releases said that routed none.
    TransfersNotRouted,
    /// It is a transfer to somebody outside of Salesforce, and nobody is there who moves the customer.
    NoExternalTransfer,
    /// It is a transfer to a bot.
    TransferToBot,
    /// Every rep who could be relieved is being relieved already.
    TransferUnderWay,
    /// The rep had no room for as long as a transfer waits.
    NoRoom,
    /// No seat is left.
    Full(u32),
    /// The target is outside of Salesforce.
    OutsideContact,
    /// The target is a bot.
    Bot,
    /// The rep is in the conversation.
    AlreadyIn,
    /// A rep is there whom nobody had to look for.
    HasRep,
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
    /// The partner's router failed, and why.
    RouterFailed(String),
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
    /// Salesforce refused every rep who was found.
    RepsRefused {
        /// How many.
        reps: u32,
        /// What it said of the last of them.
        last: Refusal,
    },
}

/// A step of the sequence, for a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

impl Reason {
    /// The routing result's `errorMessage`: what the rep who asked reads.
    pub(super) fn error_message(&self) -> String {
        self.to_string().chars().take(ReportResult::LONGEST_MESSAGE).collect()
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
            Self::OperatorEnded => "An operator ended the request.",
            Self::NotSupported => "This channel does not support conferences.",
            Self::TransfersNotRouted => {
                "Transfers are not available on this channel. Invite somebody to a conference instead."
            }
            Self::NoExternalTransfer => {
                "Conversations cannot be transferred to people outside of Salesforce here."
            }
            Self::TransferToBot => "Conversations cannot be transferred to a bot.",
            Self::TransferUnderWay => "This conversation is already being transferred.",
            Self::NoRoom => "The rep had no room for the conversation in time.",
            Self::Full(limit) => {
                return write!(
                    f,
                    "The conversation is full: it has room for {limit} participants, the customer included."
                );
            }
            Self::OutsideContact => "People outside of Salesforce cannot join a conference.",
            Self::Bot => "Bots cannot join a conference.",
            Self::HasRep => "A rep is in the conversation already.",
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
            Self::RouterSilent => "The rep finder did not answer in time.",
            Self::RouterFailed(why) => return write!(f, "The rep finder failed: {why}."),
            Self::TooManyOffers => "Too many reps were asked without success.",
            Self::OfferWithdrawn => "Salesforce took the invitation back.",
            Self::OfferUnclear => "Salesforce does not say what became of the invitation.",
            Self::NoAnswer(step) => {
                return write!(f, "Salesforce did not answer when asked to {}.", step.deed());
            }
            Self::SalesforceRefused(step, refusal) => {
                write!(f, "Salesforce refused to {}", step.deed())?;
                return said(refusal, f);
            }
            Self::RepsRefused { reps: 1, last } => {
                f.write_str("Salesforce refused the only rep who was found")?;
                return said(last, f);
            }
            Self::RepsRefused { reps, last } => {
                write!(f, "Salesforce refused all {reps} reps who were found, the last one")?;
                return said(last, f);
            }
        };
        f.write_str(sentence)
    }
}

/// What Salesforce said, behind what it was about.
fn said(refusal: &Refusal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match refusal.code {
        Some(code) => write!(f, " ({code}): {}", ErrorCode(code).meaning()),
        None => write!(f, " (HTTP {}).", refusal.status),
    }
}
