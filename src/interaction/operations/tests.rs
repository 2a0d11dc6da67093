//! What each call is on the wire.

use serde_json::json;

use super::*;
use crate::interaction::wire::Method;
use crate::model::call::{Capacity, Removable, RouteBy, RoutingOutcome, SessionChange};
use crate::model::ids::{
    AgentWorkId, ChannelAddressId, ConversationId, EventId, FlowId, QueueId, RepId, Subject, WorkItemId,
};
use crate::model::words::{CancelReason, OperationBy, RoutingType};

fn conversation() -> ConversationId {
    ConversationId::parse("b6fd18c4-0000-4000-8000-000000000001").unwrap()
}

fn route(by: RouteBy) -> Call {
    Call::Route(Route { conversation: conversation(), routing_type: RoutingType::Conference, by })
}

fn offer(capacity: Option<Capacity>) -> Call {
    Call::CreateAgentWork(CreateAgentWork {
        rep: RepId::parse("005000000000001").unwrap(),
        work_item: WorkItemId::parse(&WorkItemId::parse("0Mw000000000AbC").unwrap().to_18()).unwrap(),
        conversation: conversation(),
        routing_type: RoutingType::Conference,
        correlation: EventId::parse("e-1").unwrap(),
        capacity,
    })
}

fn result(result: RoutingOutcome) -> Call {
    Call::ReportResult(ReportResult {
        conversation: conversation(),
        work_item: WorkItemId::parse("0Mw000000000001").unwrap(),
        routing_type: RoutingType::Conference,
        result,
    })
}

fn clear(reason: CancelReason) -> Call {
    Call::ClearRoute(ClearRoute { conversation: conversation(), reason })
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
            Call::UpdateAgentWork(UpdateAgentWork::cancel(AgentWorkId::parse("0Bz000000000001").unwrap())),
            ("patch-agent-work", Patch, "/api/v1/agentWork"),
            json!({"workId": "0Bz000000000001", "contextType": "Agent", "status": "Cancel"}),
        ),
        (
            Call::UpdateAgentWork(UpdateAgentWork::close(AgentWorkId::parse("0Bz000000000001").unwrap())),
            ("patch-agent-work", Patch, "/api/v1/agentWork"),
            json!({"workId": "0Bz000000000001", "contextType": "Agent", "status": "Close"}),
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
            Call::RemoveParticipant(RemoveParticipant::rep(
                conversation(),
                RepId::parse("005000000000001").unwrap(),
            )),
            ("post-participant", Post, "/api/v1/participant"),
            json!({"conversationIdentifier": id, "operation": "Remove",
                   "participants": [{"appType": "agent", "subject": "005000000000001", "role": "Agent"}]}),
        ),
        (
            Call::RemoveParticipant(RemoveParticipant {
                conversation: conversation(),
                who: Removable::Bot(Subject::parse("bot-1").unwrap()),
            }),
            ("post-participant", Post, "/api/v1/participant"),
            json!({"conversationIdentifier": id, "operation": "Remove",
                   "participants": [{"appType": "chatbot", "subject": "bot-1", "role": "Chatbot"}]}),
        ),
    ];
    for (call, (name, method, path), body) in table {
        let request = encode(&call);
        assert_eq!(Operation::of(&call).name, name, "{call:?}");
        assert_eq!((request.method, request.path), (method, path), "{call:?}");
        assert_eq!(request.body, body, "{call:?}");
        assert_eq!(request.headers.len(), usize::from(method == Patch), "{call:?}");
    }
}

#[test]
fn a_session_is_named_where_it_is_known() {
    let session = WorkItemId::parse(&WorkItemId::parse("0Mw000000000AbC").unwrap().to_18()).unwrap();
    for (change, by, operation) in [
        (SessionChange::End(None), OperationBy::EndUser, "End"),
        (SessionChange::End(Some(session)), OperationBy::System, "End"),
        (SessionChange::Inactivate(session), OperationBy::System, "Inactivate"),
    ] {
        let call = Call::ChangeSession(ChangeSession {
            channel: ChannelAddressId::parse("72a6a4ec").unwrap(),
            conversation: conversation(),
            end_user: Subject::parse("customer-7").unwrap(),
            change,
            by,
        });
        let mut body = json!({
            "channelAddressIdentifier": "72a6a4ec", "conversationIdentifier": conversation(),
            "endUserClientId": "customer-7", "operation": operation, "operationBy": by.as_str(),
        });
        if change != SessionChange::End(None) {
            body["sessionId"] = json!("0Mw000000000AbC");
        }
        let request = encode(&call);
        assert_eq!((request.method, request.path), (Method::Post, "/api/v1/messagingSession"));
        assert_eq!((request.body, request.headers), (body, [].as_slice()));
        assert_eq!(
            (Line::of(&call), Priority::of(&call)),
            (Line::Conversation(conversation()), Priority::Later)
        );
    }
}
