//! One webhook: a request, its tries, its answer.

use std::fmt;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use reqwest::{Response, Url};
use serde::Serialize;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::Context;
use super::failure::Failure;
use super::health::{Health, Kind};
use super::settings::{self, Error, Settings};
use super::signing::Signer;
use super::tries::until_taken;
use crate::model::time::{Clock as _, SystemClock};
use crate::outbound::{http_for, in_full, status_label};

/// Where a webhook is, and how it is asked.
#[derive(Clone)]
pub(super) struct Hook {
    http: reqwest::Client,
    url: Url,
    timeout: Duration,
    health: Health,
    signer: Option<Signer>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Hook {
    pub(super) fn new(kind: Kind, url: &str, settings: &Settings) -> Result<Self, Error> {
        let field = kind.setting();
        let url = settings::url(field, url)?;
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, json.clone()), (ACCEPT, json)]);
        if let Some(secret) = settings::authorization(field, &url, settings.secret.as_ref())? {
            headers.insert(AUTHORIZATION, secret);
        }
        let http = http_for(&url).gzip(true).default_headers(headers).timeout(settings.timeout).build();
        let http = http.map_err(|error| Error::Http(in_full(&error)))?;
        let signer = settings::signer(&settings.signing_secrets)?;
        Ok(Self { http, url, timeout: settings.timeout, health: Health::new(kind), signer })
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Asks on somebody's behalf, as often as it takes within `patience`; an answer has at most `largest` bytes, and
    /// `read` says whether it is one.
    pub(super) async fn ask<T>(
        &self,
        whose: &Context,
        body: &impl Serialize,
        patience: Duration,
        largest: usize,
        read: fn(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let request = Request::of(Uuid::new_v4(), body)?;
        let answer = until_taken(patience, request.seed(), || async {
            let answered = match self.one_question(&request, largest).await {
                Ok(body) => read(&body),
                Err(failure) => Err(failure),
            };
            self.health.tried(whose, &answered);
            answered
        });
        self.health.ended(answer.await)
    }

    async fn one_question(&self, request: &Request, largest: usize) -> Result<Vec<u8>, Failure> {
        let response = self.send(request).await?;
        if let Some(coding) = response.headers().get(CONTENT_ENCODING).filter(|coding| *coding != "identity")
        {
            let coding = coding.to_str().unwrap_or("?").chars().take(20).collect::<String>();
            return Err(Failure::Invalid(format!(
                "Content-Encoding is {coding}; only gzip or none is accepted"
            )));
        }
        self.read(response, largest).await
    }

    /// Tells, as often as it takes within `patience`, under an id that is the same whenever it is told; whatever is
    /// answered with 2xx will do. A try takes one of the seats.
    pub(super) async fn tell(
        &self,
        whose: &Context,
        id: Uuid,
        body: &impl Serialize,
        patience: Duration,
        seats: &Semaphore,
    ) -> Result<(), Failure> {
        let request = Request::of(id, body)?;
        let told = until_taken(patience, request.seed(), || async {
            // It is never closed; were it, a try without a seat does no harm.
            let _seat = seats.acquire().await.ok();
            let sent = self.send(&request).await.map(drop);
            self.health.tried(whose, &sent);
            sent
        });
        self.health.ended(told.await)
    }

    async fn send(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.id.to_string();
        // `webhook-id` is what Standard Webhooks calls it.
        let mut post = self.http.post(self.url.clone()).header("RequestId", &id).header("webhook-id", &id);
        if let Some(signer) = &self.signer {
            let (timestamp, signature) = signer.headers(&id, SystemClock.now(), &request.body);
            post = post.header("webhook-timestamp", timestamp).header("webhook-signature", signature);
        }
        let post = post.body(request.body.clone());
        let answer = post.send().await;
        let status = answer.as_ref().map_or(0, |response| response.status().as_u16());
        let hook = self.health.kind().setting();
        metrics::counter!("byoc_webhook_tries_total", "hook" => hook, "status" => status_label(status))
            .increment(1);
        let response = answer.map_err(|error| self.no_answer(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|wish| wish.to_str().ok());
        let retry_after = retry_after.and_then(|wish| wish.trim().parse().ok()).map(Duration::from_secs);
        Err(Failure::Status { status: status.as_u16(), retry_after })
    }

    async fn read(&self, mut response: Response, largest: usize) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_answer(error))? {
            if body.len().saturating_add(chunk.len()) > largest {
                return Err(Failure::TooLarge(largest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn no_answer(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() {
            return Failure::NoAnswer(format!("none within {} ms", self.timeout.as_millis()));
        }
        Failure::NoAnswer(in_full(&error.without_url()))
    }
}

/// One request, the same in all its tries.
struct Request {
    id: Uuid,
    body: Vec<u8>,
}

impl Request {
    fn of(id: Uuid, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::Invalid(error.to_string()))?;
        Ok(Self { id, body })
    }

    /// Spreads the tries of requests that failed together.
    fn seed(&self) -> u64 {
        self.id.as_u64_pair().1
    }
}
