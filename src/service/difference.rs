//! What a configuration that was read again has changed.

use serde::Serialize;

use crate::model::ids::OrgId;
use crate::routing::LeftOpen;

/// What a configuration that was read again has changed, org by org.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Orgs that were not there before.
    pub added: Vec<OrgId>,
    /// Orgs that were stopped and started again with other settings.
    pub replaced: Vec<OrgId>,
    /// Orgs that are not there any more. What the store has of them stays there.
    pub removed: Vec<OrgId>,
    /// Orgs that nothing was done to.
    pub unchanged: Vec<OrgId>,
    /// Tables that have changed and count from the next start only: `server`, `store`.
    pub needs_restart: Vec<&'static str>,
    /// What is open at Salesforce of channels that are not there any more. It is taken up again when the channel comes
    /// back.
    pub left_open: LeftOpen,
}

/// Reads the configuration again, and applies what has changed. The server asks for it on an operator's behalf.
#[async_trait::async_trait]
pub trait Reload: Send + Sync {
    /// All of it, or nothing: where the configuration has a mistake, what runs is left as it is.
    ///
    /// # Errors
    /// With every mistake in the configuration.
    async fn reload(&self) -> Result<Difference, Vec<String>>;
}
