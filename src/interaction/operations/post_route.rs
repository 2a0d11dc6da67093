//! `POST /route`: has Salesforce make a PSR, and say who a flow chose.
//!
//! A lost answer: there may be a PSR, and one is cleared when the request ends.

use serde_json::{Value, json};

use super::super::fields::{id, set};
use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::{Reply, Route, RouteBy, Routed};
use crate::model::ids::{EventId, PsrId, QueueId, RepId, WorkItemId};

impl ApiCall for Route {
    const OPERATION: Operation = Operation {
        name: "post-route",
        method: Method::Post,
        path: "/api/v1/route",
        headers: &[],
        form: Form::Json,
        priority: Priority::Later,
        effect: Effect::Makes { named_in: "psrId" },
    };

    type Reply = Routed;

    fn line(&self) -> Line {
        Line::Conversation(self.conversation.clone())
    }

    fn body(&self) -> Value {
        let mut body = json!({"conversationIdentifier": self.conversation, "routingType": self.routing_type});
        let info = match self.by {
            RouteBy::ChannelSetting => Value::Null,
            RouteBy::Queue(queue) => json!({"queueId": queue}),
            RouteBy::Flow { flow, fallback } => json!({"flow": {"flowId": flow, "queueId": fallback}}),
        };
        set(&mut body, "routingInfo", info);
        body
    }

    fn reply(yes: &Value) -> Reply {
        let context = yes.get("contextParamMap").unwrap_or(&Value::Null);
        // An object in a text is an object.
        let inner: Option<Value> = context.as_str().and_then(|text| serde_json::from_str(text).ok());
        let context = inner.as_ref().unwrap_or(context);
        Reply::Routed(Routed {
            psr: id(yes, "psrId", PsrId::parse),
            rep: id(context, "userId", RepId::parse),
            queue: id(context, "queueId", QueueId::parse),
            work_item: id(yes, "workItemId", WorkItemId::parse),
            correlation: id(yes, "routingCorrelationId", EventId::parse),
        })
    }
}
