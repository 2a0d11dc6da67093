//! `PATCH /agentWork`: takes an unanswered offer back, or closes accepted work. That there is none is no error.
//!
//! A cancel answered 10085 (*status not valid*) is a refusal: an offer that a rep has accepted or declined is still
//! there, and whoever asked has to look before another rep is rung.

use serde_json::{Value, json};

use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::{AgentWorkUpdate, UpdateAgentWork};
use crate::model::error_codes::ErrorCode;
use crate::model::words::{AgentWorkContext, AgentWorkStatus};

impl ApiCall for UpdateAgentWork {
    const OPERATION: Operation = Operation {
        name: "patch-agent-work",
        method: Method::Patch,
        path: "/api/v1/agentWork",
        headers: &[("authorizationcontexttype", "ConversationChannelDefinition")],
        form: Form::Json,
        priority: Priority::First,
        // The session is gone, and its offers with it; or Salesforce knows no such agent work.
        effect: Effect::TakesBack {
            none_there: &[
                ErrorCode::SESSION_NOT_FOUND,
                ErrorCode::WORK_ITEM_NOT_FOUND,
                ErrorCode::WORK_NOT_VALID,
            ],
        },
    };

    type Reply = ();

    /// It names its offer alone.
    fn line(&self) -> Line {
        Line::Offer(self.work)
    }

    fn body(&self) -> Value {
        let status = match self.change {
            AgentWorkUpdate::Cancel => AgentWorkStatus::Cancel,
            AgentWorkUpdate::Close => AgentWorkStatus::Close,
        };
        json!({"workId": self.work, "contextType": AgentWorkContext::Agent, "status": status})
    }
}
