//! What the rep finder is asked: a queue or skills, and whom not to return.

use serde::{Deserialize, Serialize};

use super::event::SkillRequirement;
use super::ids::{QueueId, RepId};

/// A question to the partner's router: who can take this?
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepQuery {
    /// The queue to look in, where there is one.
    #[serde(default)]
    pub queue_id: Option<QueueId>,
    /// The skills that the rep must have, all of them.
    #[serde(default)]
    pub skills: Vec<SkillRequirement>,
    /// Reps who may not be returned: those who declined, are in the conversation or hold an offer for it.
    #[serde(default)]
    pub exclude: Vec<RepId>,
    /// How many reps are wanted at most; 1 where reps are rung one at a time.
    pub limit: usize,
}
