//! `POST /agentWork`: offers the work item to a rep. The id may come with an event only.
//!
//! A lost answer: the rep may be rung, and keeps their seat until more is known. A refusal with code 15109 after a lost
//! try says that the first try worked.

use serde_json::{Value, json};

use super::super::fields::{id, set};
use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::{Capacity, CreateAgentWork, Reply};
use crate::model::ids::AgentWorkId;

impl ApiCall for CreateAgentWork {
    const OPERATION: Operation = Operation {
        name: "post-agent-work",
        method: Method::Post,
        path: "/api/v1/agentWork",
        headers: &[],
        form: Form::Json,
        priority: Priority::Later,
        effect: Effect::Makes { named_in: "agentWorkId" },
    };

    type Reply = Option<AgentWorkId>;

    fn line(&self) -> Line {
        Line::Conversation(self.conversation.clone())
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "userId": self.rep,
            "workItemId": self.work_item,
            "routingContext": {
                "conversationIdentifier": self.conversation,
                "routingType": self.routing_type,
                "routingCorrelationId": self.correlation,
            },
        });
        match self.capacity {
            Some(Capacity::Weight(weight)) => set(&mut body, "capacityWeight", number(weight)),
            Some(Capacity::Percentage(share)) => set(&mut body, "capacityPercentage", number(share)),
            None => {}
        }
        body
    }

    fn reply(yes: &Value) -> Reply {
        Reply::Offered(id(yes, "agentWorkId", AgentWorkId::parse))
    }
}

/// A capacity as the shortest JSON number that says it: a weight of one is `1`, as people write it.
fn number(value: f64) -> Value {
    const WHOLE_BELOW: f64 = 1e9;
    if value.fract() == 0.0 && value.abs() < WHOLE_BELOW {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below a billion")]
        let whole = value as i64;
        Value::from(whole)
    } else {
        Value::from(value)
    }
}
