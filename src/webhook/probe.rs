//! Whether the webhooks can be reached, take the secret, and are at their paths: asked without asking anything.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;
use uuid::Uuid;

use super::settings::{self, Settings};
use super::{Context, Error};
use crate::model::time::{Clock as _, SystemClock};
use crate::outbound::{http_for, in_full};

/// How long a probe waits, whatever the webhooks' own time is: their first answer may be slow.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a probe of one webhook found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeResult {
    /// The setting that says where it is.
    pub field: &'static str,
    /// Where it is.
    pub url: String,
    /// How it answered.
    pub answer: Answered,
}

/// How a webhook answered a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It takes what it is sent: 2xx, or a 4xx that means the body alone.
    Well(u16),
    /// It is there, and something about it is not as it should be.
    Badly {
        /// HTTP status.
        status: u16,
        /// What that means, and what to do.
        advice: &'static str,
    },
    /// It cannot be reached.
    NotAtAll(String),
    /// It cannot even be asked.
    Mistaken(Error),
}

impl Answered {
    fn of(status: u16) -> Self {
        let advice = match status {
            300..=399 => {
                "it redirects; redirects are not followed, because that would send the secret along; configure the final address"
            }
            401 | 403 => {
                "it rejects the secret or the signature: compare secret_file with what your platform expects as Authorization: Bearer, and signing_secrets_file with what it verifies with"
            }
            404 | 410 => "nothing at this path: correct it",
            405 => "POST is not allowed there: correct the path, or the route",
            415 => "it rejects application/json",
            500.. => {
                "it fails: see its own log; a probe that names no rep should be answered with 400 or 2xx"
            }
            _ => return Self::Well(status),
        };
        Self::Badly { status, advice }
    }
}

/// Sends each webhook that is set a body that asks nothing and tells nothing: `{"org", "channel", "probe": true}`.
pub async fn probe(settings: &Settings, context: &Context) -> Vec<ProbeResult> {
    let mut all = Vec::new();
    for (field, url) in settings.urls() {
        let answer = one(settings, context, field, url).await;
        all.push(ProbeResult { field, url: crate::outbound::shown(url), answer });
    }
    all
}

async fn one(settings: &Settings, context: &Context, field: &'static str, url: &str) -> Answered {
    let prepared = settings::url(field, url).and_then(|url| {
        let secret = settings::authorization(field, &url, settings.secret.as_ref())?;
        let http = http_for(&url).timeout(PATIENCE).build().map_err(|error| Error::Http(in_full(&error)))?;
        let signer = settings::signer(&settings.signing_secrets)?;
        Ok((http, url, secret, signer))
    });
    let (http, url, secret, signer) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Answered::Mistaken(error),
    };
    let body = json!({ "org": context.org, "channel": context.channel, "probe": true });
    let (id, body) = (Uuid::new_v4().to_string(), body.to_string());
    let mut request = http
        .request(Method::POST, url)
        .header(CONTENT_TYPE, "application/json")
        .header("RequestId", &id)
        .header("webhook-id", &id);
    if let Some(signer) = signer {
        let (timestamp, signature) = signer.headers(&id, SystemClock.now(), body.as_bytes());
        request = request.header("webhook-timestamp", timestamp).header("webhook-signature", signature);
    }
    request = request.body(body);
    if let Some(secret) = secret {
        request = request.header(AUTHORIZATION, secret);
    }
    match request.send().await {
        Ok(response) => Answered::of(response.status().as_u16()),
        Err(error) => Answered::NotAtAll(in_full(&error.without_url())),
    }
}
