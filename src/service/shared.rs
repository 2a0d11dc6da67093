//! What all channels of a service share.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::ended::{ENDED_KEPT, RequestEnded};
use super::set::Set;
use crate::events::quarantine::Quarantine;
use crate::model::time::Clock;
use crate::notices::Notices;
use crate::store::{OutcomeId, OutcomeRecord, Store};

/// What all channels share.
pub(super) struct Shared {
    pub(super) set: Set,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) notices: Notices,
    pub(super) aside: Quarantine,
    pub(super) told: broadcast::Sender<RequestEnded>,
}

impl Shared {
    /// What ended last. Only to be looked at: where it cannot be read, the service runs without.
    pub(super) async fn history(&self) -> Vec<OutcomeRecord> {
        let last = match self.store.last_outcome().await {
            Ok(last) => last,
            Err(error) => {
                tracing::warn!(%error, "requests that ended before the start cannot be read");
                return Vec::new();
            }
        };
        let from =
            OutcomeId::from_number(last.number().saturating_sub(i64::try_from(ENDED_KEPT).unwrap_or(0)));
        self.store.outcomes(from, ENDED_KEPT).await.unwrap_or_default()
    }
}
