//! `POST /routingResult`: answers the routing request.
//!
//! A lost answer: Salesforce may have taken it, and takes no other.

use serde_json::{Value, json};

use super::super::fields::set;
use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::{ReportResult, RoutingOutcome};

impl ApiCall for ReportResult {
    const OPERATION: Operation = Operation {
        name: "post-routing-result",
        method: Method::Post,
        path: "/api/v1/routingResult",
        headers: &[],
        form: Form::Json,
        priority: Priority::First,
        effect: Effect::Answers,
    };

    type Reply = ();

    fn line(&self) -> Line {
        Line::Conversation(self.conversation.clone())
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "conversationIdentifier": self.conversation,
            "workItemId": self.work_item,
            "routingType": self.routing_type,
            "success": !matches!(self.result, RoutingOutcome::Failed(_)),
            "externallyRouted": matches!(self.result, RoutingOutcome::RoutedExternally),
        });
        if let RoutingOutcome::Failed(message) = &self.result {
            set(&mut body, "errorMessage", Value::from(message.as_ref()));
        }
        body
    }
}
