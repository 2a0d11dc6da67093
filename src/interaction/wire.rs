//! A call as HTTP carries it: method, path and body, exactly as Salesforce's schema has them.
//!
//! Knows nothing of headers with secrets in them, of hosts, or of time.
//!
//! Invariants
//! 1. A body holds only what is set: no nulls, no empty objects.
//! 2. Record ids are sent in their 15-character form.

use serde_json::{Map, Value, json};

use crate::model::call::{Call, Capacity, RouteBy, RoutingOutcome};
use crate::model::words::CancelReason;

/// An HTTP method that the Interaction Service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`, with a body
    Delete,
}

impl Method {
    /// As HTTP spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request, but for its host and the headers that all requests share.
#[derive(Debug, Clone, PartialEq)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The path below the host, e.g. `/api/v1/route`.
    pub path: &'static str,
    /// The JSON body.
    pub body: Value,
    /// Whether the operation requires the `AuthorizationContextType` header.
    pub context_type: bool,
}

/// What a call is on the wire.
pub fn encode(call: &Call) -> WireRequest {
    let (method, path, body) = match call {
        Call::Route { conversation, routing_type, by } => {
            let mut body = json!({"conversationIdentifier": conversation, "routingType": routing_type});
            if let Some(info) = routing_info(*by) {
                set(&mut body, "routingInfo", info);
            }
            (Method::Post, "/api/v1/route", body)
        }
        Call::ClearRoute { conversation, reason } => {
            let body = json!({"conversationIdentifier": conversation, "cancelReason": sendable(*reason)});
            (Method::Delete, "/api/v1/route", body)
        }
        Call::CreateAgentWork { rep, work_item, conversation, routing_type, correlation, capacity } => {
            let mut body = json!({
                "userId": rep,
                "workItemId": work_item,
                "routingContext": {
                    "conversationIdentifier": conversation,
                    "routingType": routing_type,
                    "routingCorrelationId": correlation,
                },
            });
            match capacity {
                Some(Capacity::Weight(weight)) => set(&mut body, "capacityWeight", number(*weight)),
                Some(Capacity::Percentage(share)) => set(&mut body, "capacityPercentage", number(*share)),
                None => {}
            }
            (Method::Post, "/api/v1/agentWork", body)
        }
        Call::CancelAgentWork { work } => {
            let body = json!({"workId": work, "contextType": "Agent", "status": "Cancel"});
            (Method::Patch, "/api/v1/agentWork", body)
        }
        Call::ReportResult { conversation, work_item, routing_type, result } => {
            let mut body = json!({
                "conversationIdentifier": conversation,
                "workItemId": work_item,
                "routingType": routing_type,
                "success": !matches!(result, RoutingOutcome::Failed(_)),
                "externallyRouted": matches!(result, RoutingOutcome::RoutedExternally),
            });
            if let RoutingOutcome::Failed(message) = result {
                set(&mut body, "errorMessage", Value::from(message.as_ref()));
            }
            (Method::Post, "/api/v1/routingResult", body)
        }
        Call::RemoveParticipant { conversation, rep } => {
            let body = json!({
                "conversationIdentifier": conversation,
                "operation": "Remove",
                "participants": [{"appType": "agent", "subject": rep, "role": "Agent"}],
            });
            (Method::Post, "/api/v1/participant", body)
        }
    };
    WireRequest { method, path, body, context_type: matches!(call, Call::CancelAgentWork { .. }) }
}

/// Salesforce's name of the operation that a call is.
pub const fn operation(call: &Call) -> &'static str {
    match call {
        Call::Route { .. } => "post-route",
        Call::ClearRoute { .. } => "delete-route",
        Call::CreateAgentWork { .. } => "post-agent-work",
        Call::CancelAgentWork { .. } => "patch-agent-work",
        Call::ReportResult { .. } => "post-routing-result",
        Call::RemoveParticipant { .. } => "post-participant",
    }
}

fn routing_info(by: RouteBy) -> Option<Value> {
    match by {
        RouteBy::ChannelSetting => None,
        RouteBy::Queue(queue) => Some(json!({"queueId": queue})),
        RouteBy::Flow { flow, fallback } => Some(json!({"flow": {"flowId": flow, "queueId": fallback}})),
    }
}

/// The schema of `DELETE /route` has no `EndUserEnded`: that word is only ever told to us.
const fn sendable(reason: CancelReason) -> CancelReason {
    match reason {
        CancelReason::EndUserEnded => CancelReason::Cancel,
        other => other,
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

fn set(body: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = body {
        insert_set(fields, key, value);
    }
}

/// What JSON cannot say (a capacity that is not a number) is left out: Salesforce then names the
/// missing capacity (10013), which is clearer than a null.
fn insert_set(fields: &mut Map<String, Value>, key: &str, value: Value) {
    if !value.is_null() {
        fields.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{AgentWorkId, ConversationId, EventId, FlowId, QueueId, RepId, WorkItemId};
    use crate::model::words::RoutingType;

    fn conversation() -> ConversationId {
        ConversationId::parse("b6fd18c4-0000-4000-8000-000000000001").unwrap()
    }

    fn route(by: RouteBy) -> Call {
        Call::Route { conversation: conversation(), routing_type: RoutingType::Conference, by }
    }

    fn offer(capacity: Option<Capacity>) -> Call {
        Call::CreateAgentWork {
            rep: RepId::parse("005000000000001").unwrap(),
            work_item: WorkItemId::parse(&WorkItemId::parse("0Mw000000000AbC").unwrap().to_18()).unwrap(),
            conversation: conversation(),
            routing_type: RoutingType::Conference,
            correlation: EventId::parse("e-1").unwrap(),
            capacity,
        }
    }

    fn result(result: RoutingOutcome) -> Call {
        Call::ReportResult {
            conversation: conversation(),
            work_item: WorkItemId::parse("0Mw000000000001").unwrap(),
            routing_type: RoutingType::Conference,
            result,
        }
    }

    fn clear(reason: CancelReason) -> Call {
        Call::ClearRoute { conversation: conversation(), reason }
    }

    fn offer_body(extra: Option<(&str, Value)>) -> Value {
        let mut body = json!({
            "userId": "005000000000001",
            "workItemId": "0Mw000000000AbC",
            "routingContext": {
                "conversationIdentifier": "b6fd18c4-0000-4000-8000-000000000001",
                "routingType": "Conference",
                "routingCorrelationId": "e-1",
            },
        });
        if let Some((key, value)) = extra {
            body[key] = value;
        }
        body
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn each_call_is_the_request_that_the_schema_asks_for() {
        use Method::{Delete, Patch, Post};
        let id = "b6fd18c4-0000-4000-8000-000000000001";
        let queue = QueueId::parse("00G000000000001").unwrap();
        let flow = FlowId::parse("300000000000001").unwrap();
        let table = [
            (
                route(RouteBy::ChannelSetting),
                ("post-route", Post, "/api/v1/route"),
                json!({"conversationIdentifier": id, "routingType": "Conference"}),
            ),
            (
                route(RouteBy::Queue(queue)),
                ("post-route", Post, "/api/v1/route"),
                json!({"conversationIdentifier": id, "routingType": "Conference", "routingInfo": {"queueId": queue}}),
            ),
            (
                route(RouteBy::Flow { flow, fallback: queue }),
                ("post-route", Post, "/api/v1/route"),
                json!({"conversationIdentifier": id, "routingType": "Conference",
                       "routingInfo": {"flow": {"flowId": flow, "queueId": queue}}}),
            ),
            (
                clear(CancelReason::Decline),
                ("delete-route", Delete, "/api/v1/route"),
                json!({"conversationIdentifier": id, "cancelReason": "Decline"}),
            ),
            (
                clear(CancelReason::EndUserEnded),
                ("delete-route", Delete, "/api/v1/route"),
                json!({"conversationIdentifier": id, "cancelReason": "Cancel"}),
            ),
            (offer(None), ("post-agent-work", Post, "/api/v1/agentWork"), offer_body(None)),
            (
                offer(Some(Capacity::Weight(1.0))),
                ("post-agent-work", Post, "/api/v1/agentWork"),
                offer_body(Some(("capacityWeight", json!(1)))),
            ),
            (
                offer(Some(Capacity::Percentage(12.5))),
                ("post-agent-work", Post, "/api/v1/agentWork"),
                offer_body(Some(("capacityPercentage", json!(12.5)))),
            ),
            (
                offer(Some(Capacity::Weight(f64::NAN))),
                ("post-agent-work", Post, "/api/v1/agentWork"),
                offer_body(None),
            ),
            (
                Call::CancelAgentWork { work: AgentWorkId::parse("0Bz000000000001").unwrap() },
                ("patch-agent-work", Patch, "/api/v1/agentWork"),
                json!({"workId": "0Bz000000000001", "contextType": "Agent", "status": "Cancel"}),
            ),
            (
                result(RoutingOutcome::Routed),
                ("post-routing-result", Post, "/api/v1/routingResult"),
                json!({"conversationIdentifier": id, "workItemId": "0Mw000000000001", "routingType": "Conference",
                       "success": true, "externallyRouted": false}),
            ),
            (
                result(RoutingOutcome::RoutedExternally),
                ("post-routing-result", Post, "/api/v1/routingResult"),
                json!({"conversationIdentifier": id, "workItemId": "0Mw000000000001", "routingType": "Conference",
                       "success": true, "externallyRouted": true}),
            ),
            (
                result(RoutingOutcome::Failed("nobody is free".into())),
                ("post-routing-result", Post, "/api/v1/routingResult"),
                json!({"conversationIdentifier": id, "workItemId": "0Mw000000000001", "routingType": "Conference",
                       "success": false, "externallyRouted": false, "errorMessage": "nobody is free"}),
            ),
            (
                Call::RemoveParticipant {
                    conversation: conversation(),
                    rep: RepId::parse("005000000000001").unwrap(),
                },
                ("post-participant", Post, "/api/v1/participant"),
                json!({"conversationIdentifier": id, "operation": "Remove",
                       "participants": [{"appType": "agent", "subject": "005000000000001", "role": "Agent"}]}),
            ),
        ];
        for (call, (name, method, path), body) in table {
            let request = encode(&call);
            assert_eq!(operation(&call), name, "{call:?}");
            assert_eq!((request.method, request.path), (method, path), "{call:?}");
            assert_eq!(request.body, body, "{call:?}");
            assert_eq!(request.context_type, method == Patch, "{call:?}");
        }
    }
}
