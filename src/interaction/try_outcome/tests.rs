//! What every form of a response means for each call.

use serde_json::json;

use super::*;
use crate::model::call::{
    ChangeSession, ClearRoute, CreateAgentWork, RemoveParticipant, ReportResult, Route, RouteBy, Routed,
    RoutingOutcome, SessionChange, UpdateAgentWork,
};
use crate::model::ids::{
    AgentWorkId, ChannelAddressId, ConversationId, EventId, PsrId, QueueId, RepId, Subject, WorkItemId,
};
use crate::model::words::{CancelReason, OperationBy, RoutingType};

fn conversation() -> ConversationId {
    ConversationId::parse("c-1").unwrap()
}

fn route() -> Call {
    let by = RouteBy::ChannelSetting;
    Call::Route(Route { conversation: conversation(), routing_type: RoutingType::Conference, by })
}

fn clear() -> Call {
    Call::ClearRoute(ClearRoute { conversation: conversation(), reason: CancelReason::Decline })
}

fn offer() -> Call {
    Call::CreateAgentWork(CreateAgentWork {
        rep: RepId::parse("005000000000001").unwrap(),
        work_item: WorkItemId::parse("0Mw000000000001").unwrap(),
        conversation: conversation(),
        routing_type: RoutingType::Conference,
        correlation: EventId::parse("e-1").unwrap(),
        capacity: None,
    })
}

fn cancel() -> Call {
    Call::UpdateAgentWork(UpdateAgentWork::cancel(AgentWorkId::parse("0Bz000000000001").unwrap()))
}

fn removal() -> Call {
    let rep = RepId::parse("005000000000001").unwrap();
    Call::RemoveParticipant(RemoveParticipant::rep(conversation(), rep))
}

fn end_of_session() -> Call {
    Call::ChangeSession(ChangeSession {
        channel: ChannelAddressId::parse("a-1").unwrap(),
        conversation: conversation(),
        end_user: Subject::parse("u-1").unwrap(),
        change: SessionChange::End(None),
        by: OperationBy::System,
    })
}

fn report() -> Call {
    Call::ReportResult(ReportResult {
        conversation: conversation(),
        work_item: WorkItemId::parse("0Mw000000000001").unwrap(),
        routing_type: RoutingType::Conference,
        result: RoutingOutcome::Routed,
    })
}

fn rejected(status: u16, code: impl Into<Option<u32>>, message: &str) -> Rejection {
    Rejection { status, code: code.into(), message: message.into() }
}

fn refused(status: u16, code: impl Into<Option<u32>>, message: &str) -> TryOutcome {
    TryOutcome::Refused(rejected(status, code, message))
}

fn again(may_have_happened: bool, what: Rejection) -> TryOutcome {
    TryOutcome::Retry { after: None, may_have_happened, what }
}

fn decoded(call: &Call, status: u16, body: &Value) -> TryOutcome {
    decode(call, status, None, body.to_string().as_bytes())
}

#[test]
fn a_yes_tells_what_can_be_read_of_it() {
    let psr = PsrId::parse("0JR000000000001").unwrap();
    let rep = RepId::parse("005000000000002").unwrap();
    let queue = QueueId::parse("00G000000000001").unwrap();
    let work = AgentWorkId::parse("0Bz000000000001").unwrap();
    let work_item = WorkItemId::parse("0Mw000000000001").unwrap();
    let routed = |routed: Routed| TryOutcome::Done(Reply::Routed(routed));
    let table = [
        (route(), json!({"success": true}), routed(Routed::default())),
        (
            route(),
            json!({"success": true, "psrId": psr.to_18(), "workItemId": "0Mw000000000001",
                   "routingCorrelationId": "e-2", "contextParamMap": {"userId": rep, "queueId": queue}}),
            routed(Routed {
                psr: Some(psr),
                rep: Some(rep),
                queue: Some(queue),
                work_item: Some(work_item),
                correlation: Some(EventId::parse("e-2").unwrap()),
            }),
        ),
        (
            route(),
            json!({"psrId": "0Bz000000000001", "workItemId": null, "contextParamMap": {"userId": 5, "queueId": ""}}),
            routed(Routed::default()),
        ),
        (
            route(),
            json!({"psrId": psr, "contextParamMap": "?"}),
            routed(Routed { psr: Some(psr), ..Routed::default() }),
        ),
        (
            offer(),
            json!({"id": "x", "agentWorkId": work, "success": true}),
            TryOutcome::Done(Reply::Offered(Some(work))),
        ),
        (offer(), json!({"agentWorkId": "0Bz-broken"}), TryOutcome::Done(Reply::Offered(None))),
        (report(), json!({"success": true, "errorDetail": null}), TryOutcome::Done(Reply::Ok)),
        (end_of_session(), json!({"success": true}), TryOutcome::Done(Reply::Ok)),
    ];
    for (call, body, verdict) in table {
        assert_eq!(decoded(&call, 202, &body), verdict, "{body}");
    }
}

#[test]
fn a_yes_that_is_not_the_apis_is_no_yes() {
    let table: [(&[u8], &str); 6] = [
        (b"<html>Log in</html>", "<html>Log in</html>"),
        (b"OK", "OK"),
        (b"\xff<html>", "\u{fffd}<html>"),
        (br#"{"success":true,"x":"breaks of"#, r#"{"success":true,"x":"breaks of"#),
        (b"[]", "[]"),
        (br#""odd""#, r#""odd""#),
    ];
    for call in [route(), clear(), offer(), cancel(), report(), removal()] {
        for (body, said) in table {
            let what = rejected(202, None, said);
            let undoes =
                matches!(call, Call::ClearRoute(_) | Call::UpdateAgentWork(_) | Call::RemoveParticipant(_));
            let verdict = if undoes { TryOutcome::Unclear(what) } else { again(true, what) };
            assert_eq!(decode(&call, 202, None, body), verdict, "{call:?} {said}");
        }
    }
}

#[test]
fn a_2xx_that_says_no_is_a_refusal_with_its_reason() {
    let table = [
        (
            report(),
            json!({"success": false, "errorDetail": {"code": 15110, "message": "m"}}),
            Some(15110),
            "m",
        ),
        (
            route(),
            json!({"success": false, "errors": {"errorMessage": "m", "errorType": "T", "apiErrorCode": "10032"}}),
            Some(10032),
            "m",
        ),
        (route(), json!({"success": false, "reasonForNotRouting": "no queue"}), None, "no queue"),
        (offer(), json!({"success": false, "errorReason": "full"}), None, "full"),
        (
            offer(),
            json!({"success": false, "errorReason": {"code": 10014, "message": "m"}}),
            Some(10014),
            "m",
        ),
        (report(), json!({"errorDetail": {"code": 10034, "message": "m"}}), Some(10034), "m"),
        (clear(), json!({"success": false}), None, r#"{"success":false}"#),
    ];
    for (call, body, code, message) in table {
        assert_eq!(decoded(&call, 202, &body), refused(202, code, message), "{body}");
    }
}

#[test]
fn a_no_keeps_status_and_body_whatever_the_body_is() {
    let long = "é".repeat(4_000);
    let table: [(&[u8], TryOutcome); 6] = [
        (br#"{"code":10030,"message":"m"}"#, refused(400, 10030, "m")),
        (br#"[{"errorCode":"10030","message":"m"}]"#, refused(400, 10030, "m")),
        (b"<html>\nBad Gateway</html>", refused(400, None, "<html> Bad Gateway</html>")),
        (br#"{"code":-1,"message":7}"#, refused(400, None, r#"{"code":-1,"message":7}"#)),
        (b"", refused(400, None, "")),
        (long.as_bytes(), refused(400, None, &"é".repeat(500))),
    ];
    for (body, verdict) in table {
        assert_eq!(decode(&offer(), 400, None, body), verdict);
    }
}

#[test]
fn what_is_worth_another_try_says_whether_it_may_have_happened() {
    let table = [
        (429, json!({}), again(false, rejected(429, None, "{}"))),
        (
            403,
            json!({"message": "Interaction request rate limit exceeded"}),
            again(false, rejected(403, None, "Interaction request rate limit exceeded")),
        ),
        (400, json!({"code": 10019, "message": "m"}), again(false, rejected(400, 10019, "m"))),
        (503, json!({"code": 10019, "message": "m"}), again(false, rejected(503, 10019, "m"))),
        (400, json!({"code": 10055, "message": "m"}), again(true, rejected(400, 10055, "m"))),
        (400, json!({"code": 10056, "message": "m"}), again(true, rejected(400, 10056, "m"))),
        (400, json!({"code": 10094, "message": "m"}), again(true, rejected(400, 10094, "m"))),
        (400, json!({"code": 500, "message": "m"}), again(true, rejected(400, 500, "m"))),
        (500, json!({"code": 500, "message": "m"}), again(true, rejected(500, 500, "m"))),
        (502, json!("x"), again(true, rejected(502, None, "\"x\""))),
        (408, json!({}), again(true, rejected(408, None, "{}"))),
        (
            202,
            json!({"success": false, "errorDetail": {"code": 10055, "message": "m"}}),
            again(true, rejected(202, 10055, "m")),
        ),
        (401, json!({}), TryOutcome::Unauthorized(rejected(401, None, "{}"))),
        (400, json!({"code": 10004, "message": "m"}), TryOutcome::Unauthorized(rejected(400, 10004, "m"))),
        (403, json!({"code": 10003, "message": "m"}), refused(403, 10003, "m")),
        (400, json!({"code": 99_999, "message": "m"}), refused(400, 99_999, "m")),
        (302, json!({}), refused(302, None, "{}")),
    ];
    for (status, body, verdict) in table {
        assert_eq!(decoded(&offer(), status, &body), verdict, "{status} {body}");
    }
    let after = Some(Duration::from_secs(3));
    let what = rejected(429, None, "");
    let verdict = TryOutcome::Retry { after, may_have_happened: false, what };
    assert_eq!(decode(&offer(), 429, after, b""), verdict);
}

#[test]
fn there_is_none_is_a_success_for_a_clear_and_a_cancel_alone() {
    let ok = || TryOutcome::Done(Reply::Ok);
    let coded = |code: u32| json!({"code": code, "message": "m"});
    let table = [
        (clear(), 404, json!({}), refused(404, None, "{}")),
        (clear(), 404, json!({"message": "no such page"}), refused(404, None, "no such page")),
        (clear(), 404, coded(10017), refused(404, 10017, "m")),
        (clear(), 400, coded(10071), ok()),
        (clear(), 400, coded(15111), ok()),
        (clear(), 400, coded(10082), ok()),
        (clear(), 400, coded(10018), refused(400, 10018, "m")),
        (clear(), 404, coded(10082), ok()),
        (cancel(), 404, json!("<html>"), refused(404, None, "\"<html>\"")),
        (cancel(), 400, coded(10082), ok()),
        (cancel(), 202, json!({"success": false, "errorDetail": coded(10082)}), ok()),
        (cancel(), 400, coded(10085), refused(400, 10085, "m")),
        (end_of_session(), 400, coded(10071), ok()),
        (end_of_session(), 400, coded(10018), refused(400, 10018, "m")),
        (cancel(), 202, json!({"success": false}), refused(202, None, r#"{"success":false}"#)),
        (offer(), 404, json!({}), refused(404, None, "{}")),
        (report(), 400, coded(15111), refused(400, 15111, "m")),
        (route(), 400, coded(10071), refused(400, 10071, "m")),
    ];
    for (call, status, body, verdict) in table {
        assert_eq!(decoded(&call, status, &body), verdict, "{status} {body} {call:?}");
    }
}

#[test]
fn a_session_that_is_said_in_a_word_not_to_be_there_is_over() {
    let said =
        |reason: &str| decoded(&end_of_session(), 200, &json!({"success": false, "errorReason": reason}));
    let ok = TryOutcome::Done(Reply::Ok);
    assert_eq!(said("SESSION_NOT_FOUND"), ok);
    assert_eq!(said("ACTIVE_CONVERSATION_NOT_FOUND"), ok);
    let reason = "CONVERSATION_PRECONDITION_FAILED";
    assert_eq!(said(reason), again(true, rejected(200, 10055, reason)));
    assert_eq!(said("INTERNAL_ERROR"), again(true, rejected(200, 500, "INTERNAL_ERROR")));
    assert_eq!(said("NO_ACCESS"), refused(200, 10104, "NO_ACCESS"));
    for reason in ["END_SESSION_FAILED", "ORG_NOT_FOUND", "A_WORD_OF_TOMORROW"] {
        assert_eq!(said(reason), refused(200, None, reason));
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = Timestamp::parse_rfc3339("2026-06-01T12:00:00Z").unwrap();
    for (text, seconds) in [
        ("7", Some(7)),
        (" 0 ", Some(0)),
        ("Mon, 01 Jun 2026 12:00:30 GMT", Some(30)),
        ("Mon, 01 Jun 2026 11:00:00 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
        ("", None),
    ] {
        assert_eq!(parse_retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_and_no_status_make_it_fail(status: u16, body: Vec<u8>, call in 0_usize..5) {
        let call = [route(), clear(), offer(), cancel(), report()][call].clone();
        let verdict = decode(&call, status, None, &body);
        let yes = (200..300).contains(&status);
        proptest::prop_assert!(yes || !matches!(verdict, TryOutcome::Done(_)), "{verdict:?}");
    }

    #[test]
    fn no_date_makes_it_fail(value: String) {
        parse_retry_after(&value, Timestamp::MAX);
    }
}
