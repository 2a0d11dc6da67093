//! When somebody last joined or left.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::event::Participant;
use crate::model::time::Timestamp;

use super::time_bounds::TimeBounds;

/// How far Salesforce's clock may be ahead of this machine's without a move being taken for one of the future.
const CLOCKS_APART: Duration = Duration::from_secs(60);

/// The last time that a participant joined or left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct LastMove {
    pub(super) who: Participant,
    pub(super) joined: bool,
    /// The entry's own time, by Salesforce's clock.
    pub(super) at: Timestamp,
}

impl LastMove {
    /// Whether it lies further ahead than a move can: all that comes of that participant would be older.
    pub(super) fn is_beyond(&self, latest: &TimeBounds) -> bool {
        self.at > latest.created + CLOCKS_APART
    }

    /// Cuts it to what is allowed.
    pub(super) fn cut(&mut self, latest: &TimeBounds) {
        if self.is_beyond(latest) {
            self.at = latest.created;
        }
    }
}
