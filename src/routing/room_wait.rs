//! What is known of a rep who has no room for a transfer, and when they are asked again.

use serde::{Deserialize, Serialize};

use crate::model::ids::RepId;
use crate::model::time::Timestamp;

/// That a rep has no room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RoomWait {
    pub(super) rep: RepId,
    /// How often Salesforce said so.
    pub(super) tries: u16,
    /// When the rep is asked again.
    pub(super) next: Timestamp,
}

impl RoomWait {
    /// The next try comes at that moment at the latest.
    pub(super) fn cut(&mut self, latest: Timestamp) {
        self.next = self.next.min(latest);
    }
}
