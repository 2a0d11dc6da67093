//! The live client of one org: takes a call through token, turn, HTTP and retries to its answer.
//!
//! Decides nothing about a response or about the next try; that is the pure half's.

mod builder;
mod typed;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Response, Url};
use uuid::Uuid;

pub use builder::Builder;
pub use typed::Attempt;

use super::attempt::{CallAttempt, RejectedToken, Tried, Try};
use super::auth::{AccessToken, TokenSource};
use super::limiter::Limiter;
use super::line::{Line, Priority};
use super::operations::{Operation, encode};
use super::skew::Skew;
use super::sleep::Sleeper;
use super::try_outcome::{Rejection, TryOutcome, decode, parse_retry_after};
use super::until_answered::until_answered;
use super::wire::{Method, WireRequest};
use super::witness::{Exchanged, Witness};
use crate::model::call::{Answer, Call};
use crate::model::error_codes::ErrorCode;
use crate::model::ids::OrgId;
use crate::model::time::{Clock, Timestamp};
use crate::outbound::{in_full, status_label};

/// How much of a response is read. Salesforce's are below a kilobyte.
const LARGEST_RESPONSE: usize = 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("requestid");

/// A client of one org's Interaction Service. A clone shares connections, token and limiter.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    base: Url,
    org: OrgId,
    tokens: Arc<dyn TokenSource>,
    limiter: Limiter,
    try_timeout: Duration,
    clock: Arc<dyn Clock>,
    skew: Skew,
    sleeper: Arc<dyn Sleeper>,
    witness: Option<Arc<dyn Witness>>,
}

/// One try on its way.
struct Sending<'a> {
    call: &'a Call,
    line: &'a Line,
    request_id: Uuid,
    wire: WireRequest,
    content_type: String,
    body: Vec<u8>,
    give_up_at: Timestamp,
    priority: Priority,
}

impl Client {
    /// How far our clock is from Salesforce's. A clone of the client shares it.
    pub fn skew(&self) -> &Skew {
        &self.inner.skew
    }

    /// Makes a call, with as many tries as it takes, until `give_up_at` at the latest.
    ///
    /// `request_id` is the call's identity at Salesforce: every try carries it, and a call that is
    /// made again after a crash should have the one that it had before.
    pub async fn send(
        &self,
        request_id: Uuid,
        call: &Call,
        give_up_at: Timestamp,
        priority: Priority,
    ) -> Answer {
        let attempt = CallAttempt::new(request_id, Arc::new(call.clone()), give_up_at, false);
        self.make_attempt(attempt, priority).await
    }

    /// Makes a call that was given before a restart: it may have been tried already.
    pub async fn resume(
        &self,
        request_id: Uuid,
        call: &Call,
        give_up_at: Timestamp,
        priority: Priority,
    ) -> Answer {
        let attempt = CallAttempt::new(request_id, Arc::new(call.clone()), give_up_at, true);
        self.make_attempt(attempt, priority).await
    }

    async fn make_attempt(&self, attempt: CallAttempt, priority: Priority) -> Answer {
        let Inner { clock, sleeper, .. } = &*self.inner;
        let send = |one: Try| async move { self.try_once(&one, priority).await };
        until_answered(attempt, &**clock, &**sleeper, send).await
    }

    /// Makes one try of a call. Whether there is another is for its caller to see to, with a [`CallAttempt`].
    pub async fn try_once(&self, attempt: &Try, priority: Priority) -> Tried {
        let Try { request_id, call, give_up_at, line, rejected, resumed: _ } = attempt;
        let wire = encode(call);
        let (content_type, body) = wire.payload(*request_id);
        let sending = Sending {
            call,
            line,
            request_id: *request_id,
            wire,
            content_type,
            body,
            give_up_at: *give_up_at,
            priority,
        };
        let (outcome, token) = self.one_try(&sending, rejected.as_ref()).await;
        tracing::debug!(operation = Operation::of(call).name, %request_id, ?outcome, "a try");
        Tried { outcome, token }
    }

    /// One try, and the token that it used.
    async fn one_try(
        &self,
        sending: &Sending<'_>,
        rejected: Option<&RejectedToken>,
    ) -> (TryOutcome, Option<AccessToken>) {
        let token = match self.in_time(sending, self.token(rejected)).await {
            Some(Ok(token)) => token,
            Some(Err(verdict)) => return (verdict, None),
            None => return (TryOutcome::not_sent("no access token in time"), None),
        };
        let asked = tokio::time::Instant::now();
        let turn = self.inner.limiter.turn(sending.line.clone(), sending.priority);
        if self.in_time(sending, turn).await.is_none() {
            let why = "timed out in the queue: more calls were made than the org's limit";
            return (TryOutcome::not_sent(why), None);
        }
        metrics::histogram!("byoc_limiter_wait_seconds", "org" => self.inner.org.to_string())
            .record(asked.elapsed());
        let begin = tokio::time::Instant::now();
        let verdict = self.exchange(sending, &token).await;
        self.count(sending, &verdict, begin.elapsed());
        (verdict, Some(token))
    }

    /// Counts a try by what came of it.
    fn count(&self, sending: &Sending<'_>, verdict: &TryOutcome, took: Duration) {
        let name = Operation::of(sending.call).name;
        let org = self.inner.org.to_string();
        let (status, code) = match verdict {
            TryOutcome::Done(_) => ("2xx".to_owned(), None),
            TryOutcome::Refused(what)
            | TryOutcome::Retry { what, .. }
            | TryOutcome::Unclear(what)
            | TryOutcome::Unauthorized(what) => (status_label(what.status).to_owned(), what.code),
        };
        let code = code.map_or_else(String::new, |code| ErrorCode(code).label());
        metrics::counter!(
            "byoc_calls_total",
            "org" => org.clone(), "operation" => name, "status" => status, "code" => code
        )
        .increment(1);
        metrics::histogram!("byoc_call_seconds", "org" => org, "operation" => name).record(took);
    }

    /// Without a token nothing is sent, so nothing has happened.
    async fn token(&self, rejected: Option<&RejectedToken>) -> Result<AccessToken, TryOutcome> {
        let got = match rejected {
            Some(RejectedToken { token, .. }) => self.inner.tokens.refresh(token).await,
            None => self.inner.tokens.token().await,
        };
        got.map_err(|error| match rejected {
            _ if error.retry() => TryOutcome::not_sent(error.to_string()),
            // What Salesforce said of the old token tells more than that there is no new one.
            Some(RejectedToken { what, .. }) => {
                let message = format!("{}; {error}", what.message).into();
                TryOutcome::Unauthorized(Rejection { message, ..what.clone() })
            }
            None => {
                let message = error.to_string().into();
                TryOutcome::Refused(Rejection { status: error.status(), code: None, message })
            }
        })
    }

    fn time_left(&self, sending: &Sending<'_>) -> Duration {
        sending.give_up_at.since(self.inner.clock.now())
    }

    async fn in_time<T>(&self, sending: &Sending<'_>, step: impl Future<Output = T>) -> Option<T> {
        let left = self.time_left(sending);
        if left.is_zero() { None } else { tokio::time::timeout(left, step).await.ok() }
    }

    async fn exchange(&self, sending: &Sending<'_>, token: &AccessToken) -> TryOutcome {
        let left = self.time_left(sending).min(self.inner.try_timeout);
        if left.is_zero() {
            return TryOutcome::not_sent("it timed out before it could be sent");
        }
        let request = match self.request(sending, token, left) {
            Ok(request) => request,
            Err(message) => return TryOutcome::Refused(Rejection::without_response(message)),
        };
        let asked = self.inner.clock.now();
        let response = match self.inner.http.execute(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return TryOutcome::not_sent(in_full(&error)),
            Err(error) => {
                self.witnessed(sending, None, &[]);
                return lost(error, left);
            }
        };
        if let Some(theirs) = date_of(&response) {
            self.inner.skew.responded(asked, self.inner.clock.now(), theirs);
        }
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|value| parse_retry_after(value, self.inner.clock.now()));
        let (body, broken_off) = bounded(response).await;
        self.witnessed(sending, Some(status.as_u16()), &body);
        match (body, broken_off) {
            // A yes whose body broke off may have been going to say no, or which PSR there is now.
            (_, Some(error)) if status.is_success() => lost(error, left),
            (body, _) => decode(sending.call, status.as_u16(), retry_after, &body),
        }
    }

    fn witnessed(&self, sending: &Sending<'_>, status: Option<u16>, body: &[u8]) {
        if let Some(witness) = &self.inner.witness {
            let request = &sending.wire;
            witness.exchanged(&Exchanged { request_id: sending.request_id, request, status, body });
        }
    }

    fn request(
        &self,
        sending: &Sending<'_>,
        token: &AccessToken,
        timeout: Duration,
    ) -> Result<reqwest::Request, String> {
        let mut url = self.inner.base.clone();
        url.set_path(sending.wire.path);
        let method = match sending.wire.method {
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| "the access token has characters that an HTTP header cannot carry".to_owned())?;
        bearer.set_sensitive(true);
        let mut request = reqwest::Request::new(method, url);
        *request.timeout_mut() = Some(timeout);
        *request.body_mut() = Some(sending.body.clone().into());
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, bearer);
        let mut buffer = Uuid::encode_buffer();
        let id = sending.request_id.hyphenated().encode_lower(&mut buffer);
        headers.insert(REQUEST_ID, HeaderValue::from_str(id).map_err(|error| error.to_string())?);
        let content_type = HeaderValue::try_from(&sending.content_type).map_err(|error| error.to_string())?;
        headers.insert(CONTENT_TYPE, content_type);
        for &(name, value) in sending.wire.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Ok(request)
    }
}

/// A request that went out, and whose response did not come in full within that time.
fn lost(error: reqwest::Error, within: Duration) -> TryOutcome {
    if error.is_timeout() {
        return TryOutcome::answer_lost(format!("no answer within {} s", within.as_secs().max(1)));
    }
    TryOutcome::answer_lost(in_full(&error.without_url()))
}

/// When the other side sent a response, by its own clock.
fn date_of(response: &Response) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(response.headers().get(DATE)?.to_str().ok()?).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base.as_str())
            .field("org", &self.inner.org)
            .finish_non_exhaustive()
    }
}

/// Reads a body up to [`LARGEST_RESPONSE`]; what is read stays where the rest breaks off.
async fn bounded(mut response: Response) -> (Vec<u8>, Option<reqwest::Error>) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = LARGEST_RESPONSE.saturating_sub(body.len());
                body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if chunk.len() > room {
                    return (body, None);
                }
            }
            Ok(None) => return (body, None),
            Err(error) => return (body, Some(error)),
        }
    }
}
