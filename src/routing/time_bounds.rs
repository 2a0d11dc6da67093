//! How far ahead a stored time may lie.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

use super::policy::{CLEAN_UP_WINDOW, SETTLE_WINDOW, Settings};

/// A clock may be that much behind the one before the restart without anything being cut.
const TOLERANCE: Duration = Duration::from_secs(5);

/// The latest moments that the rules allow, seen from one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TimeBounds {
    /// For the publishing of a request.
    pub created: Timestamp,
    /// For the end of a wait, such as that of an offer which rings.
    pub wait: Timestamp,
    /// For the end of a transfer that waits for its rep.
    #[serde(default)]
    pub transfer: Timestamp,
    /// For the last try of a command.
    pub command: Timestamp,
}

impl TimeBounds {
    pub(super) fn at(now: Timestamp, settings: &Settings) -> Self {
        let command = CLEAN_UP_WINDOW.max(settings.policy.search_for());
        Self {
            created: now,
            wait: now + settings.policy.ring_for() + SETTLE_WINDOW,
            transfer: now + settings.policy.transfer_wait().max(settings.policy.ring_for()) + SETTLE_WINDOW,
            command: now + command,
        }
    }

    pub(super) fn with_tolerance(self) -> Self {
        Self {
            created: self.created + TOLERANCE,
            wait: self.wait + TOLERANCE,
            transfer: self.transfer + TOLERANCE,
            command: self.command + TOLERANCE,
        }
    }
}
