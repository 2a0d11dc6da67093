//! `PATCH /agentWork`: an offer is cancelled, or work is closed.

use serde_json::json;

use super::super::act_error::ActError;
use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use crate::model::ids::AgentWorkId;
use crate::model::time::Timestamp;

impl Salesforce {
    pub(super) fn update_agent_work(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        let text = body.text("workId")?.unwrap_or_default();
        let unknown = || Refusal::new(10082, format!("the org has no agent work '{}'", shown(text)));
        let work = AgentWorkId::parse(text).map_err(|_| unknown())?;
        if !self.works.contains_key(&work) {
            return Err(unknown());
        }
        match body.text("contextType")? {
            Some("Agent") => {}
            other => {
                let text = format!("contextType '{}' is not Agent", shown(other.unwrap_or_default()));
                return Err(Refusal::new(10083, text));
            }
        }
        let status = body.text("status")?.unwrap_or_default();
        let done = match status {
            "Cancel" => self.cancel_offer(now, work),
            "Close" => self.close(now, work),
            // The schema has these two for bots; a rep answers at their own console (PROTOCOL: "The rest of the
            // channel").
            "Accept" | "Decline" => {
                return Err(Refusal::new(10085, format!("status '{status}' is not for contextType Agent")));
            }
            other => {
                let text = format!("status '{}' is none of Accept, Close, Decline, Cancel", shown(other));
                return Err(Refusal::new(10085, text));
            }
        };
        match done {
            Ok(()) => Ok(ApiResponse::json(202, json!({ "success": true }))),
            Err(error @ ActError::SessionOver { .. }) => Err(Refusal::new(10071, error.to_string())),
            Err(error) => Err(Refusal::new(10085, error.to_string())),
        }
    }
}
