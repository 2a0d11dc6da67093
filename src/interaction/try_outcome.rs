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

use super::fields::text_of;
use super::operations::{Effect, Operation, reply};
use crate::model::call::{Call, Reply};
use crate::model::error_codes::ErrorCode;
use crate::model::time::Timestamp;
use crate::model::words::SessionErrorReason;
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
/// "There is none" is what takes something back wants to hear: it is carried out ([`Effect::TakesBack`]). Any other code
/// is a refusal, on a 404 too, for it names another reason (10017: the channel address is wrong).
pub fn decode(call: &Call, status: u16, retry_after: Option<Duration>, body: &[u8]) -> TryOutcome {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let success = (200..300).contains(&status);
    let is_apis = body.trim_ascii().is_empty() || json.as_ref().is_some_and(Value::is_object);
    let no = says_no(json.as_ref());
    let effect = Operation::of(call).effect;
    if let Some(yes) = json.as_ref().filter(|json| success && is_apis && !no && says_yes(effect, json)) {
        return TryOutcome::Done(reply(call, yes));
    }
    let what = rejection(status, json.as_ref(), body);
    let code = what.code.map(ErrorCode);
    if matches!((effect, code), (Effect::TakesBack { none_there }, Some(code)) if none_there.contains(&code))
    {
        return TryOutcome::Done(Reply::Ok);
    }
    if success && ((is_apis && !no) || (!is_apis && effect.undoes())) {
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

/// A 2xx says yes with `success: true`. What makes something need not say it (in the schemas of the answers it is not
/// required): what they name is there.
fn says_yes(effect: Effect, json: &Value) -> bool {
    json.get("success").and_then(truth).unwrap_or(match effect {
        Effect::Makes { named_in } | Effect::Adds { named_in, .. } => {
            json.get(named_in).and_then(text_of).is_some()
        }
        Effect::TakesBack { .. } | Effect::Sets | Effect::Answers => false,
    })
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
    let code = code.or_else(|| code_of_reason(json?.get("errorReason")?));
    let said = places.iter().flatten().find_map(|place| {
        ["message", "errorMessage", "errorType"].iter().find_map(|key| text_of(place.get(key)?))
    });
    let reason = || ["errorReason", "reasonForNotRouting"].iter().find_map(|key| text_of(json?.get(key)?));
    let message = said.or_else(reason).map_or_else(|| start_of(body), |said| shorten(said, KEPT));
    Rejection { status, code, message: message.into() }
}

/// A reason that is said in a word of Salesforce's (`POST /messagingSession`).
fn code_of_reason(value: &Value) -> Option<u32> {
    let reason = SessionErrorReason::from_name(text_of(value)?)?;
    ErrorCode::of_reason(reason).map(|ErrorCode(code)| code)
}

fn number_of(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
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

#[cfg(test)]
mod tests;
