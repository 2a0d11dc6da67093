//! The state of one offer to one rep, and what each fact makes of it.

use serde::{Deserialize, Serialize};

use crate::model::ids::{AgentWorkId, RepId};
use crate::model::time::Timestamp;

use super::fact::RequestFact;
use super::progress::InFlight;
use super::reason::OfferEndReason;

/// One offer to one rep. A request never offers to the same rep twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Offer {
    pub(super) rep: RepId,
    pub(super) state: OfferState,
    pub(super) creation: Creation,
}

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum OfferState {
    /// Being made; an event may have told its id already.
    Making { work: Option<AgentWorkId> },
    /// The rep's console rings.
    Ringing { work: AgentWorkId, until: Timestamp },
    /// It exists, or may exist, and cannot be named.
    IdUnknown { certain: bool, until: Timestamp },
    /// Being taken back.
    TakingBack { work: AgentWorkId, why: OfferEndReason, call: InFlight },
    /// To be taken back, and could not be yet: its rep can still accept.
    CancelOwed { work: AgentWorkId, why: OfferEndReason },
    /// It cannot be taken back, for it is not open any more; word of the rep's answer is awaited.
    CancelRefused { work: AgentWorkId, why: OfferEndReason, until: Timestamp },
    /// Given up on, but should its id come up, it will be taken back.
    Abandoned {
        until: Timestamp,
        /// Whether it certainly exists. An older release did not keep that.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        certain: bool,
    },
    /// The rep accepted.
    Accepted { work: Option<AgentWorkId> },
    /// The rep accepted too late and is being taken out.
    Removing { work: Option<AgentWorkId>, call: InFlight },
    /// The rep accepted too late, and could not be taken out yet.
    RemovalOwed { work: Option<AgentWorkId> },
    /// Nobody can accept it any more.
    Over { work: Option<AgentWorkId>, why: OfferEndReason },
}

/// Where the call stands that makes an offer. It may outlive what it has made: where an answer was lost
/// and an event told of the offer, the rep can be done with it before the call is tried again, and that
/// try makes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum Creation {
    /// Not answered yet.
    Asked(InFlight),
    /// Answered, so that until then another offer may yet show up.
    Unsure { until: Timestamp },
    /// Over.
    Done,
}

impl Offer {
    pub(super) const fn new(rep: RepId, call: InFlight) -> Self {
        Self { rep, state: OfferState::Making { work: None }, creation: Creation::Asked(call) }
    }

    /// The id, where it is known.
    pub(super) fn work(&self) -> Option<AgentWorkId> {
        match self.state {
            OfferState::Ringing { work, .. }
            | OfferState::TakingBack { work, .. }
            | OfferState::CancelOwed { work, .. }
            | OfferState::CancelRefused { work, .. } => Some(work),
            OfferState::Making { work }
            | OfferState::Accepted { work }
            | OfferState::Removing { work, .. }
            | OfferState::RemovalOwed { work }
            | OfferState::Over { work, .. } => work,
            OfferState::IdUnknown { .. } | OfferState::Abandoned { .. } => None,
        }
    }

    /// Whether its rep may still accept.
    pub(super) fn is_open(&self) -> bool {
        matches!(
            self.state,
            OfferState::Making { .. }
                | OfferState::Ringing { .. }
                | OfferState::IdUnknown { .. }
                | OfferState::TakingBack { .. }
                | OfferState::CancelOwed { .. }
                | OfferState::CancelRefused { .. }
        )
    }

    /// Whether it takes a seat that nobody else may be offered: it is open, or may yet be made again.
    pub(super) fn holds_seat(&self) -> bool {
        self.is_open() || (self.creation != Creation::Done && !self.has_joined())
    }

    /// Whether it exists and only its id is missing.
    pub(super) fn lacks_id(&self) -> bool {
        matches!(
            self.state,
            OfferState::Accepted { work: None }
                | OfferState::Removing { work: None, .. }
                | OfferState::RemovalOwed { work: None }
                | OfferState::Over { work: None, why: OfferEndReason::Removed }
        )
    }

    fn has_joined(&self) -> bool {
        matches!(
            self.state,
            OfferState::Accepted { .. } | OfferState::Removing { .. } | OfferState::RemovalOwed { .. }
        )
    }

    /// Whether its id is missing, so that an event with one that is not known yet is about it.
    pub(super) fn awaits_name(&self) -> bool {
        self.is_open() && self.work().is_none()
    }

    /// Whether an event with an id that is not known yet could be about it all the same, and its rep may accept it:
    /// it was given up on, or may have been made again.
    pub(super) fn may_get_name(&self) -> bool {
        self.creation != Creation::Done || matches!(self.state, OfferState::Abandoned { .. })
    }

    /// Whether it was given up on and certainly exists: its rep's console rings, and nobody can take it back.
    pub(super) const fn rings_without_a_name(&self) -> bool {
        matches!(self.state, OfferState::Abandoned { certain: true, .. })
    }

    /// Whether nothing of it is left to wait for.
    pub(super) fn is_settled(&self) -> bool {
        self.creation == Creation::Done
            && matches!(self.state, OfferState::Accepted { .. } | OfferState::Over { .. })
    }

    /// What the fact makes of its state; `None` where it does not fit.
    pub(super) fn after(&self, fact: &RequestFact) -> Option<OfferState> {
        use OfferState as S;
        use RequestFact as F;
        let work = self.work();
        Some(match (fact, self.state) {
            (
                &F::OfferMade { work, until, .. },
                S::Making { .. } | S::IdUnknown { .. } | S::Abandoned { .. },
            )
            | (&F::OfferRepeated { work, until, .. }, _) => S::Ringing { work, until },
            (&F::OfferIdUnknown { certain, until, .. }, S::Making { .. }) => S::IdUnknown { certain, until },
            (&F::OfferIdLearned { work, .. }, state) => named(state, work)?,
            (
                F::OfferAccepted(_),
                S::Accepted { .. }
                | S::Removing { .. }
                | S::RemovalOwed { .. }
                | S::Over { why: OfferEndReason::Declined | OfferEndReason::Removed, .. },
            )
            | (
                F::OfferEnded(..),
                S::Accepted { .. } | S::Removing { .. } | S::RemovalOwed { .. } | S::Over { .. },
            ) => return None,
            (F::OfferAccepted(_), _) => S::Accepted { work },
            (&F::OfferEnded(_, why), _) => S::Over { work, why },
            (F::RepRefused { .. }, S::Making { .. }) => S::Over { work, why: OfferEndReason::Refused },
            (&F::OfferCancelRefused { until, .. }, S::TakingBack { work, why, .. }) => {
                S::CancelRefused { work, why, until }
            }
            (&F::OfferAbandoned { until, .. }, S::IdUnknown { certain, .. }) => {
                S::Abandoned { until, certain }
            }
            (F::RepRemoved(_), S::Removing { work, .. } | S::RemovalOwed { work }) => {
                S::Over { work, why: OfferEndReason::Removed }
            }
            (F::OfferAnswered { .. }, state) if self.creation != Creation::Done => state,
            _ => return None,
        })
    }

    /// What the fact makes of its creation.
    pub(super) fn creation_after(&self, fact: &RequestFact) -> Creation {
        let asked = matches!(self.creation, Creation::Asked(_));
        let making = matches!(self.state, OfferState::Making { .. });
        match fact {
            RequestFact::OfferAnswered { unsure_until: Some(until), .. } => {
                Creation::Unsure { until: *until }
            }
            RequestFact::OfferAnswered { unsure_until: None, .. } => Creation::Done,
            // Only an answer tells these of an offer that is being made.
            RequestFact::OfferMade { .. } | RequestFact::OfferIdUnknown { .. } if making && asked => {
                Creation::Done
            }
            RequestFact::OfferEnded(_, OfferEndReason::Refused) | RequestFact::RepRefused { .. } if asked => {
                Creation::Done
            }
            // Who is in is offered nothing.
            RequestFact::OfferAccepted(_) if !asked => Creation::Done,
            _ => self.creation,
        }
    }
}

/// The state with the id that was missing in it.
fn named(state: OfferState, work: AgentWorkId) -> Option<OfferState> {
    let work = Some(work);
    Some(match state {
        OfferState::Making { work: None } => OfferState::Making { work },
        OfferState::Accepted { work: None } => OfferState::Accepted { work },
        OfferState::Removing { work: None, call } => OfferState::Removing { work, call },
        OfferState::RemovalOwed { work: None } => OfferState::RemovalOwed { work },
        OfferState::Over { work: None, why: OfferEndReason::Removed } => {
            OfferState::Over { work, why: OfferEndReason::Removed }
        }
        _ => return None,
    })
}
