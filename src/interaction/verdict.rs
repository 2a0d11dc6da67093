//! What one response means for its call: carried out, refused, worth another try, or a token that
//! is not taken (PROTOCOL: "Failures of a call").
//!
//! Knows one try of one call. How many tries there are, and when, is [`super::Tries`]' business.
//!
//! Invariants
//! 1. No bytes can make this fail: what cannot be read is left out, and status and start of the body
//!    are kept.
//! 2. A code that may mean "the rep accepted already" is never read as a cancel that worked.

use std::time::Duration;

use serde_json::Value;

use crate::model::call::{Call, Reply, Routed};
use crate::model::error_codes::ErrorCode;
use crate::model::ids::{AgentWorkId, Error as IdError, EventId, PsrId, QueueId, RepId, WorkItemId};
use crate::model::time::Timestamp;

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Carried out.
    Done(Reply),
    /// A "no" that another try would not change.
    Refused(Rejection),
    /// Another try is worth it.
    Retry {
        /// How long Salesforce asked to wait.
        after: Option<Duration>,
        /// Whether this try may have been carried out all the same.
        may_have_happened: bool,
        /// What went wrong.
        what: Rejection,
    },
    /// The token was not taken. A fresh one may help, once.
    Unauthorized(Rejection),
}

impl Verdict {
    /// The request never reached Salesforce, e.g. no connection could be made.
    pub fn not_sent(message: impl Into<Box<str>>) -> Self {
        let what = Rejection::without_response(message);
        Self::Retry { after: None, may_have_happened: false, what }
    }

    /// The request went out and no response came back, e.g. a timeout or a reset.
    pub fn answer_lost(message: impl Into<Box<str>>) -> Self {
        let what = Rejection::without_response(message);
        Self::Retry { after: None, may_have_happened: true, what }
    }
}

/// Why one try did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// HTTP status; 0 where there was no response.
    pub status: u16,
    /// Salesforce's code, where one was readable.
    pub code: Option<u32>,
    /// Salesforce's message, or the start of the raw body.
    pub message: Box<str>,
}

impl Rejection {
    /// Something that went wrong before there was a response.
    pub fn without_response(message: impl Into<Box<str>>) -> Self {
        Self { status: 0, code: None, message: message.into() }
    }
}

/// What a response means for the call that it answers.
///
/// `retry_after` is the response's own wish, read with [`parse_retry_after`].
///
/// A 2xx whose body is no JSON object has been written by something between us and Salesforce (a login page, a
/// proxy), or is cut off: it is no yes. Nor is a 404 without a code a "there is none": an address that is wrong
/// answers the same. An empty body says nothing else than the status.
///
/// "There is none" is what a clear, a cancel or a removal wants to hear, so these are carried out:
/// - 10071 and 15111: the session is gone, and its PSR and offers with it;
/// - 10082: Salesforce knows no such agent work;
/// - a removal, 10036: it knows no such participant.
///
/// A cancel answered 10085 (*status not valid*) is a refusal: an offer that a rep has accepted or
/// declined is still there, and whoever asked has to look before another rep is rung. So is any
/// other code, on a 404 too, for it names another reason (10017: the channel address is wrong).
pub fn decode(call: &Call, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Verdict {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let success = (200..300).contains(&status);
    let is_apis = body.trim_ascii().is_empty() || json.as_ref().is_some_and(Value::is_object);
    if success && is_apis && !says_no(json.as_ref()) {
        return Verdict::Done(reply(call, json.as_ref()));
    }
    let what = rejection(status, json.as_ref(), body);
    let code = what.code.map(ErrorCode);
    if nothing_there(call, code) {
        return Verdict::Done(Reply::Ok);
    }
    if success && !is_apis {
        return Verdict::Retry { after: retry_after, may_have_happened: true, what };
    }
    if status == 401 || code == Some(ErrorCode::TOKEN_NOT_VALID) {
        return Verdict::Unauthorized(what);
    }
    if status == 429 || is_rate_limit(&what.message) || code == Some(ErrorCode::READ_ONLY) {
        return Verdict::Retry { after: retry_after, may_have_happened: false, what };
    }
    if status >= 500 || status == 408 || code.is_some_and(ErrorCode::retry) {
        return Verdict::Retry { after: retry_after, may_have_happened: true, what };
    }
    Verdict::Refused(what)
}

/// Reads a `Retry-After` header: seconds, or an HTTP date.
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()).since(now))
}

/// A 2xx says no with `success: false`, or with an error where `success` was left out.
fn says_no(json: Option<&Value>) -> bool {
    let Some(json) = json else { return false };
    match json.get("success").and_then(truth) {
        Some(success) => !success,
        None => ["errorDetail", "errors", "errorReason"]
            .iter()
            .any(|key| json.get(key).is_some_and(says_something)),
    }
}

/// Yes or no, also as a word or as 0 and 1.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => fields.values().any(says_something),
        Value::Array(items) => items.iter().any(says_something),
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn nothing_there(call: &Call, code: Option<ErrorCode>) -> bool {
    let undone = matches!(
        code,
        Some(ErrorCode::SESSION_NOT_FOUND | ErrorCode::WORK_ITEM_NOT_FOUND | ErrorCode::WORK_NOT_VALID)
    );
    match call {
        Call::ClearRoute { .. } | Call::CancelAgentWork { .. } => undone,
        Call::RemoveParticipant { .. } => undone || code == Some(ErrorCode::PARTICIPANT_NOT_FOUND),
        Call::Route { .. } | Call::CreateAgentWork { .. } | Call::ReportResult { .. } => false,
    }
}

/// Salesforce documents the message of its rate limit, and no status for it.
fn is_rate_limit(message: &str) -> bool {
    message.to_ascii_lowercase().contains("rate limit exceeded")
}

/// Reads code and message from wherever Salesforce puts them: the top of an error body, or one of
/// the four fields of a 2xx that says no.
fn rejection(status: u16, json: Option<&Value>, body: &[u8]) -> Rejection {
    let places: [Option<&Value>; 4] = [
        json,
        json.and_then(|j| j.get("errorDetail")),
        json.and_then(|j| j.get("errors")),
        json.and_then(|j| j.get("errorReason")),
    ];
    // An error may come wrapped in a list, as Salesforce's older REST APIs have it.
    let places = places.map(|place| place.and_then(|p| p.as_array().map_or(Some(p), |list| list.first())));
    let code = places.iter().flatten().find_map(|place| {
        ["code", "apiErrorCode", "errorCode"].iter().find_map(|key| number_of(place.get(key)?))
    });
    let said = places.iter().flatten().find_map(|place| {
        ["message", "errorMessage", "errorType"].iter().find_map(|key| text_of(place.get(key)?))
    });
    let reason = || ["errorReason", "reasonForNotRouting"].iter().find_map(|key| text_of(json?.get(key)?));
    let message = said.or_else(reason).map_or_else(|| start_of(body), shorten);
    Rejection { status, code, message: message.into() }
}

fn number_of(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// How much of a message or of a raw body is kept, in characters.
const KEPT: usize = 500;

fn shorten(text: &str) -> String {
    text.chars().take(KEPT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The start of a body that is not what it should be, in a form that fits a line.
fn start_of(body: &[u8]) -> String {
    // Four bytes a character at most: enough for KEPT characters whatever they are.
    let start = body.get(..KEPT * 4).unwrap_or(body);
    shorten(String::from_utf8_lossy(start).trim())
}

fn reply(call: &Call, json: Option<&Value>) -> Reply {
    match call {
        Call::Route { .. } => Reply::Routed(json.map(routed).unwrap_or_default()),
        Call::CreateAgentWork { .. } => {
            Reply::Offered(json.and_then(|j| id(j, "agentWorkId", AgentWorkId::parse)))
        }
        _ => Reply::Ok,
    }
}

fn routed(json: &Value) -> Routed {
    let context = json.get("contextParamMap").unwrap_or(&Value::Null);
    // An object in a text is an object.
    let inner: Option<Value> = context.as_str().and_then(|text| serde_json::from_str(text).ok());
    let context = inner.as_ref().unwrap_or(context);
    Routed {
        psr: id(json, "psrId", PsrId::parse),
        rep: id(context, "userId", RepId::parse),
        queue: id(context, "queueId", QueueId::parse),
        work_item: id(json, "workItemId", WorkItemId::parse),
        correlation: id(json, "routingCorrelationId", EventId::parse),
    }
}

/// An id of a response. One that is malformed is left out: the call was carried out all the same, and
/// most ids come again with an event.
fn id<T>(from: &Value, key: &'static str, parse: impl Fn(&str) -> Result<T, IdError>) -> Option<T> {
    let text = text_of(from.get(key)?)?;
    match parse(text) {
        Ok(id) => Some(id),
        Err(error) => {
            tracing::debug!(field = key, %error, "an id of a response was left out");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::call::{RouteBy, RoutingOutcome};
    use crate::model::ids::ConversationId;
    use crate::model::words::{CancelReason, RoutingType};

    fn conversation() -> ConversationId {
        ConversationId::parse("c-1").unwrap()
    }

    fn route() -> Call {
        let by = RouteBy::ChannelSetting;
        Call::Route { conversation: conversation(), routing_type: RoutingType::Conference, by }
    }

    fn clear() -> Call {
        Call::ClearRoute { conversation: conversation(), reason: CancelReason::Decline }
    }

    fn offer() -> Call {
        Call::CreateAgentWork {
            rep: RepId::parse("005000000000001").unwrap(),
            work_item: WorkItemId::parse("0Mw000000000001").unwrap(),
            conversation: conversation(),
            routing_type: RoutingType::Conference,
            correlation: EventId::parse("e-1").unwrap(),
            capacity: None,
        }
    }

    fn cancel() -> Call {
        Call::CancelAgentWork { work: AgentWorkId::parse("0Bz000000000001").unwrap() }
    }

    fn removal() -> Call {
        let rep = RepId::parse("005000000000001").unwrap();
        Call::RemoveParticipant { conversation: conversation(), rep }
    }

    fn report() -> Call {
        Call::ReportResult {
            conversation: conversation(),
            work_item: WorkItemId::parse("0Mw000000000001").unwrap(),
            routing_type: RoutingType::Conference,
            result: RoutingOutcome::Routed,
        }
    }

    fn rejected(status: u16, code: impl Into<Option<u32>>, message: &str) -> Rejection {
        Rejection { status, code: code.into(), message: message.into() }
    }

    fn refused(status: u16, code: impl Into<Option<u32>>, message: &str) -> Verdict {
        Verdict::Refused(rejected(status, code, message))
    }

    fn again(may_have_happened: bool, what: Rejection) -> Verdict {
        Verdict::Retry { after: None, may_have_happened, what }
    }

    fn decoded(call: &Call, status: u16, body: &Value) -> Verdict {
        decode(call, status, None, body.to_string().as_bytes())
    }

    #[test]
    fn a_yes_tells_what_can_be_read_of_it() {
        let psr = PsrId::parse("0JR000000000001").unwrap();
        let rep = RepId::parse("005000000000002").unwrap();
        let queue = QueueId::parse("00G000000000001").unwrap();
        let work = AgentWorkId::parse("0Bz000000000001").unwrap();
        let work_item = WorkItemId::parse("0Mw000000000001").unwrap();
        let routed = |routed: Routed| Verdict::Done(Reply::Routed(routed));
        let table = [
            (route(), json!({}), routed(Routed::default())),
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
                Verdict::Done(Reply::Offered(Some(work))),
            ),
            (offer(), json!({"agentWorkId": "0Bz-broken"}), Verdict::Done(Reply::Offered(None))),
            (report(), json!({"success": true, "errorDetail": null}), Verdict::Done(Reply::Ok)),
        ];
        for (call, body, verdict) in table {
            assert_eq!(decoded(&call, 202, &body), verdict, "{body}");
        }
        assert_eq!(decode(&report(), 202, None, b""), Verdict::Done(Reply::Ok));
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
                let verdict = again(true, rejected(202, None, said));
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
        let table: [(&[u8], Verdict); 6] = [
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
            (401, json!({}), Verdict::Unauthorized(rejected(401, None, "{}"))),
            (400, json!({"code": 10004, "message": "m"}), Verdict::Unauthorized(rejected(400, 10004, "m"))),
            (403, json!({"code": 10003, "message": "m"}), refused(403, 10003, "m")),
            (400, json!({"code": 99_999, "message": "m"}), refused(400, 99_999, "m")),
            (302, json!({}), refused(302, None, "{}")),
        ];
        for (status, body, verdict) in table {
            assert_eq!(decoded(&offer(), status, &body), verdict, "{status} {body}");
        }
        let after = Some(Duration::from_secs(3));
        let what = rejected(429, None, "");
        let verdict = Verdict::Retry { after, may_have_happened: false, what };
        assert_eq!(decode(&offer(), 429, after, b""), verdict);
    }

    #[test]
    fn there_is_none_is_a_success_for_a_clear_and_a_cancel_alone() {
        let ok = || Verdict::Done(Reply::Ok);
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
            proptest::prop_assert!(yes || !matches!(verdict, Verdict::Done(_)), "{verdict:?}");
        }

        #[test]
        fn no_date_makes_it_fail(value: String) {
            parse_retry_after(&value, Timestamp::MAX);
        }
    }
}
