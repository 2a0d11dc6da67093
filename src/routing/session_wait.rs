//! What is known of a session's waiting for a rep, and how long each attempt waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::ids::EventId;
use crate::model::time::Timestamp;

use super::time_bounds::TimeBounds;

/// The second attempt waits for so long, every later one twice as long as the one before.
const SECOND_WAIT: Duration = Duration::from_secs(5);

/// No attempt waits for longer: the end user is still there.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// What is known of a session's waiting for a rep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SessionWait {
    /// The event that told of it.
    pub(super) entry: EventId,
    /// How often it was routed anew because of that event.
    pub(super) attempts: u16,
    /// How often it was routed anew since it was last served for a good while.
    pub(super) lately: u16,
    pub(super) state: State,
    /// Whether a transfer left the customer without a rep: whoever else routes sessions that wait, this one is ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) after_transfer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum State {
    /// A request may bring a rep.
    Pursued,
    /// Nobody is looked for until then.
    Until(Timestamp),
    /// It has not waited since then.
    Over(Timestamp),
}

impl SessionWait {
    pub(super) fn new(entry: &EventId, lately: u16) -> Self {
        Self { entry: entry.clone(), attempts: 0, lately, state: State::Pursued, after_transfer: false }
    }

    /// Of a customer whom a transfer left without a rep.
    pub(super) fn after_transfer(entry: &EventId) -> Self {
        Self { after_transfer: true, ..Self::new(entry, 0) }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// Whether what it holds lies further ahead than it can.
    pub(super) fn is_beyond(&self, latest: &TimeBounds) -> bool {
        let mut cut = self.clone();
        cut.cut(latest);
        cut != *self
    }

    /// Cuts what it holds to what is allowed.
    pub(super) fn cut(&mut self, latest: &TimeBounds) {
        match &mut self.state {
            State::Until(at) => *at = (*at).min(latest.created + LONGEST_WAIT),
            State::Over(since) => *since = (*since).min(latest.created),
            State::Pursued => {}
        }
    }

    /// How long the next attempt waits.
    pub(super) fn pause(&self) -> Duration {
        match self.lately {
            0 => Duration::ZERO,
            times => SECOND_WAIT.saturating_mul(1 << times.saturating_sub(1).min(6)).min(LONGEST_WAIT),
        }
    }

    /// The name of the next request: that of the event, and later ones that follow from it.
    pub(super) fn next_name(&self) -> EventId {
        if self.attempts == 0 { self.entry.clone() } else { derived(&self.entry, &self.attempts.to_string()) }
    }
}

/// The name of what follows when a transfer leaves its customer alone.
pub(super) fn name_after(transfer: &EventId) -> EventId {
    derived(transfer, "alone")
}

/// A name that follows from another, and is the same each time.
fn derived(from: &EventId, what: &str) -> EventId {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6279_6f63_2d77_4169_8e74_696e_672d_3031);
    let name = Uuid::new_v5(&NAMESPACE, format!("{from}/{what}").as_bytes()).to_string();
    EventId::parse(&name).unwrap_or_else(|_| from.clone())
}
