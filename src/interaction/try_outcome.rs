//! What one response means for its call: carried out, refused, worth another try, or a token that
//! is not taken (PROTOCOL: "Failures of a call").
//!
//! Knows one try of one call. How many tries there are, and when, is [`super::Tries`]' business.
//!
//! Invariants
//! 1. No bytes can make this fail: what cannot be read is left out, and status and start of the body
//!    are kept.
//! 2. A code that may mean "the rep accepted already" is never read as a cancel that worked.
//! 3. Only a word of success is one: that nothing was said is never read as done.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::model::call::{Call, Reply, Routed};
use crate::model::error_codes::ErrorCode;
use crate::model::ids::{AgentWorkId, Error as IdError, EventId, PsrId, QueueId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::outbound::Body;

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryOutcome {
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
    /// A 2xx that does not tell whether the call was carried out. One more try may tell.
    Unclear(Rejection),
    /// The token was not taken. A fresh one may help, once.
    Unauthorized(Rejection),
}

impl TryOutcome {
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

    /// What came, in a few words, for whoever sees to what could not be done: `503 Service Unavailable`. Nothing of a
    /// raw body is in it.
    pub(super) fn in_short(&self) -> Box<str> {
        let Self { status, code, message } = self;
        if let Some(code) = code {
            return shorten(&format!("error {code}: {message}"), IN_SHORT).into();
        }
        let reason = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
        let body = match Body::of(message.as_bytes()) {
            _ if *status == 0 => return shorten(message, IN_SHORT).into(),
            Body::Html => ", with an HTML page",
            Body::Empty if (200..300).contains(status) => ", without a body",
            Body::Json | Body::Other if (200..300).contains(status) => ", without confirmation in the body",
            Body::Empty | Body::Json | Body::Other => "",
        };
        format!("{status}{reason}{body}").into()
    }
}

/// What a response means for the call that it answers.
///
/// `retry_after` is the response's own wish, read with [`parse_retry_after`].
///
/// A 2xx is a yes where its body says `success: true`, or names what was made. One that says neither yes nor no, or has
/// no body, is unclear. One whose body is no JSON object has been written by something between us and Salesforce (a
/// login page, a proxy), or is cut off: it is no yes either. Nor is a 404 without a code a "there is none": an address
/// that is wrong answers the same.
///
/// "There is none" is what a clear, a cancel or a removal wants to hear, so these are carried out:
/// - 10071 and 15111: the session is gone, and its PSR and offers with it;
/// - 10082: Salesforce knows no such agent work;
/// - a removal, 10036: it knows no such participant.
///
/// A cancel answered 10085 (*status not valid*) is a refusal: an offer that a rep has accepted or
/// declined is still there, and whoever asked has to look before another rep is rung. So is any
/// other code, on a 404 too, for it names another reason (10017: the channel address is wrong).
pub fn decode(call: &Call, status: u16, retry_after: Option<Duration>, body: &[u8]) -> TryOutcome {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let success = (200..300).contains(&status);
    let is_apis = body.trim_ascii().is_empty() || json.as_ref().is_some_and(Value::is_object);
    let no = says_no(json.as_ref());
    if success && is_apis && !no && says_yes(call, json.as_ref()) {
        return TryOutcome::Done(reply(call, json.as_ref()));
    }
    let what = rejection(status, json.as_ref(), body);
    let code = what.code.map(ErrorCode);
    if nothing_there(call, code) {
        return TryOutcome::Done(Reply::Ok);
    }
    if success && ((is_apis && !no) || (!is_apis && is_undoing(call))) {
        return TryOutcome::Unclear(what);
    }
    if success && !is_apis {
        return TryOutcome::Retry { after: retry_after, may_have_happened: true, what };
    }
    if status == 401 || code == Some(ErrorCode::TOKEN_NOT_VALID) {
        return TryOutcome::Unauthorized(what);
    }
    if status == 429 || is_rate_limit(&what.message) || code == Some(ErrorCode::READ_ONLY) {
        return TryOutcome::Retry { after: retry_after, may_have_happened: false, what };
    }
    if status >= 500 || status == 408 || code.is_some_and(ErrorCode::retry) {
        return TryOutcome::Retry { after: retry_after, may_have_happened: true, what };
    }
    TryOutcome::Refused(what)
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

/// A 2xx says yes with `success: true`. The two that make something need not say it (in the schemas of their answers it
/// is not required): what they name is there.
fn says_yes(call: &Call, json: Option<&Value>) -> bool {
    let Some(json) = json else { return false };
    let names = |key| json.get(key).and_then(text_of).is_some();
    json.get("success").and_then(truth).unwrap_or(match call {
        Call::Route { .. } => names("psrId"),
        Call::CreateAgentWork { .. } => names("agentWorkId"),
        _ => false,
    })
}

/// Whether it takes something back that may be there. What does not work now is tried again later.
fn is_undoing(call: &Call) -> bool {
    match call {
        Call::ClearRoute { .. } | Call::CancelAgentWork { .. } | Call::RemoveParticipant { .. } => true,
        Call::Route { .. } | Call::CreateAgentWork { .. } | Call::ReportResult { .. } => false,
    }
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
    let message = said.or_else(reason).map_or_else(|| start_of(body), |said| shorten(said, KEPT));
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

/// How much of it is kept of a call that got no answer, in characters.
const IN_SHORT: usize = 200;

fn shorten(text: &str, most: usize) -> String {
    text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The start of a body that is not what it should be, in a form that fits a line.
fn start_of(body: &[u8]) -> String {
    // Four bytes a character at most: enough for KEPT characters whatever they are.
    let start = body.get(..KEPT.saturating_mul(4)).unwrap_or(body);
    shorten(String::from_utf8_lossy(start).trim(), KEPT)
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
mod tests;
