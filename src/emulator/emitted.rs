//! What the org has told somebody: a platform event to the partner, or an agent work event to a rep's browser.

use serde::Serialize;
use serde_json::Value;

use crate::model::ids::{AgentWorkId, RepId, WorkItemId};
use crate::model::time::Timestamp;

/// Something that the org told somebody.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Emitted {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: Emission,
}

/// What the org tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Emission {
    /// An outbound custom platform event.
    Platform {
        /// Opaque.
        #[serde(serialize_with = "as_base64")]
        replay_id: Vec<u8>,
        /// Its fields.
        event: Value,
    },
    /// `AGENT_WORK_EVENT`, to one rep's browser.
    AgentWork {
        /// Whose browser.
        rep: RepId,
        /// `workItemId`.
        work_item_id: WorkItemId,
        /// `workId`.
        work_id: AgentWorkId,
        /// `workEvent`: `ASSIGNED`, `ACCEPTED`, …
        work_event: String,
    },
}

fn as_base64<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
}
