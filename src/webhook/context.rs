//! On whose behalf a webhook is asked.

use serde::Serialize;

use crate::model::ids::OrgId;

/// On whose behalf a webhook is asked. It stands in every body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Context {
    /// The org.
    pub org: OrgId,
    /// The channel definition's developer name.
    pub channel: String,
}
