//! Every recorded answer of the Interaction Service.

use std::collections::BTreeSet;

use byoc_connector::interaction::{TryOutcome, decode};
use byoc_connector::model::call::{
    Call, ChangeSession, ClearRoute, CreateAgentWork, RemoveParticipant, Reply, ReportResult, Route, RouteBy,
    RoutingOutcome, SessionChange, UpdateAgentWork,
};
use byoc_connector::model::ids::{
    AgentWorkId, ChannelAddressId, ConversationId, EventId, RepId, Subject, WorkItemId,
};
use byoc_connector::model::words::{CancelReason, OperationBy, RoutingType};
use serde_json::Value;

use super::{odd_values, places, with, words};
use crate::support::replaying::{Recording, names};

/// What is read of an answer: whether it says no, why, and what it names.
const NEEDED: &[&str] = &[
    "agentWorkId",
    "code",
    "contextParamMap",
    "contextParamMap.queueId",
    "contextParamMap.userId",
    "errorDetail",
    "errorReason",
    "errors",
    "message",
    "psrId",
    "routingCorrelationId",
    "success",
    "workItemId",
];

/// Any call of the operation; what it says has no part in how its answer is read.
fn call(method: &str, path: &str) -> Call {
    let conversation = ConversationId::parse("c-1").unwrap();
    let rep = RepId::parse("005000000000001").unwrap();
    let work_item = WorkItemId::parse("0Mw000000000001").unwrap();
    let routing_type = RoutingType::Conference;
    match (method, path) {
        ("POST", "/api/v1/route") => {
            Call::Route(Route { conversation, routing_type, by: RouteBy::ChannelSetting })
        }
        ("DELETE", "/api/v1/route") => {
            Call::ClearRoute(ClearRoute { conversation, reason: CancelReason::Decline })
        }
        ("POST", "/api/v1/agentWork") => Call::CreateAgentWork(CreateAgentWork {
            rep,
            work_item,
            conversation,
            routing_type,
            correlation: EventId::parse("e-1").unwrap(),
            capacity: None,
        }),
        ("PATCH", "/api/v1/agentWork") => {
            Call::UpdateAgentWork(UpdateAgentWork::cancel(AgentWorkId::parse("0Bz000000000001").unwrap()))
        }
        ("POST", "/api/v1/routingResult") => Call::ReportResult(ReportResult {
            conversation,
            work_item,
            routing_type,
            result: RoutingOutcome::Routed,
        }),
        ("POST", "/api/v1/messagingSession") => Call::ChangeSession(ChangeSession {
            channel: ChannelAddressId::parse("a-1").unwrap(),
            conversation,
            end_user: Subject::parse("u-1").unwrap(),
            change: SessionChange::Inactivate(work_item),
            by: OperationBy::System,
        }),
        ("POST", "/api/v1/participant") => Call::RemoveParticipant(RemoveParticipant::rep(conversation, rep)),
        other => panic!("{other:?} is recorded and not known here"),
    }
}

/// What is done because of it: why somebody said no is for people, unless it has a number.
fn decided(call: &Call, status: u16, body: &Value) -> String {
    match decode(call, status, None, body.to_string().as_bytes()) {
        TryOutcome::Refused(why) => format!("refused {} {:?}", why.status, why.code),
        other => format!("{other:?}"),
    }
}

#[test]
fn only_what_is_needed_of_an_answer_may_change_what_is_made_of_it() {
    let (mut changed, mut tried, mut seen) = (BTreeSet::new(), 0, BTreeSet::new());
    for name in names() {
        let recording = Recording::load(&name);
        for place in recording.exchanges() {
            let exchange = &recording.lines[place];
            let (request, response) = (&exchange["request"], &exchange["response"]);
            let (Some(status), true) = (response["status"].as_u64(), response["body"].is_object()) else {
                continue;
            };
            let text = |key: &str| request[key].as_str().unwrap();
            let fields: Vec<String> = places(&response["body"]);
            if !seen.insert((text("method").to_owned(), text("path").to_owned(), status, fields.clone())) {
                continue;
            }
            let (call, status) = (call(text("method"), text("path")), u16::try_from(status).unwrap());
            let usual = decided(&call, status, &response["body"]);
            for field in fields {
                for odd in odd_values() {
                    tried += 1;
                    let shown = format!("{field} = {odd:?} in {response}");
                    if decided(&call, status, &with(&response["body"], &field, odd)) != usual {
                        assert!(NEEDED.contains(&words(&field).as_str()), "{shown}");
                        changed.insert(words(&field));
                    }
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
    for field in ["agentWorkId", "psrId", "success", "code"] {
        assert!(changed.contains(field), "{field} makes no difference");
    }
}

#[test]
fn a_no_is_a_no_however_it_is_written() {
    let call = call("POST", "/api/v1/agentWork");
    for no in [
        r#"{"success": false}"#,
        r#"{"success": "false"}"#,
        r#"{"success": "False"}"#,
        r#"{"success": "no"}"#,
        r#"{"success": "0"}"#,
        r#"{"success": 0}"#,
    ] {
        let verdict = decode(&call, 202, None, no.as_bytes());
        assert!(matches!(verdict, TryOutcome::Refused(_)), "{no}: {verdict:?}");
    }
    for yes in [r#"{"success": true}"#, r#"{"success": "true"}"#, r#"{"success": 1, "agentWorkId": 7}"#] {
        let verdict = decode(&call, 202, None, yes.as_bytes());
        assert_eq!(verdict, TryOutcome::Done(Reply::Offered(None)), "{yes}");
    }
    // What usually is an object and stands in a text is read all the same.
    let route = self::call("POST", "/api/v1/route");
    let body = r#"{"success": true, "contextParamMap": "{\"userId\": \"005000000000001\"}"}"#;
    let TryOutcome::Done(Reply::Routed(routed)) = decode(&route, 202, None, body.as_bytes()) else {
        panic!("no")
    };
    assert_eq!(routed.rep, RepId::parse("005000000000001").ok());
}

#[test]
fn only_a_word_of_success_is_one() {
    let all = [
        ("POST", "/api/v1/route"),
        ("DELETE", "/api/v1/route"),
        ("POST", "/api/v1/agentWork"),
        ("PATCH", "/api/v1/agentWork"),
        ("POST", "/api/v1/routingResult"),
        ("POST", "/api/v1/participant"),
        ("POST", "/api/v1/messagingSession"),
    ];
    for (method, path) in all {
        let call = call(method, path);
        for nothing in
            ["", " ", "{}", r#"{"success": null}"#, r#"{"success": []}"#, r#"{"errorDetail": null}"#]
        {
            for status in [200, 202, 204] {
                let verdict = decode(&call, status, None, nothing.as_bytes());
                assert!(
                    matches!(verdict, TryOutcome::Unclear(_)),
                    "{method} {path} {status} {nothing}: {verdict:?}"
                );
            }
        }
        let yes = decode(&call, 202, None, br#"{"success": true}"#);
        assert!(matches!(yes, TryOutcome::Done(_)), "{method} {path}: {yes:?}");
    }
    // Of these two the schema does not require it, and what they made is there.
    for (path, made) in
        [("/api/v1/agentWork", r#"{"agentWorkId": "0Bz-odd"}"#), ("/api/v1/route", r#"{"psrId": "0JR-odd"}"#)]
    {
        let verdict = decode(&call("POST", path), 202, None, made.as_bytes());
        assert!(matches!(verdict, TryOutcome::Done(_)), "{verdict:?}");
    }
}
