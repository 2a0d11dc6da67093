//! How a command asks a connector that runs.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::Error;
use crate::outbound::{http_for, in_full, secret_worthy_url};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a connector is asked.
pub(super) struct Question<'a> {
    pub(super) method: Method,
    /// The parts of the path, as they are: whatever is in an id stays in its part.
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
}

/// A connector that runs.
pub(super) struct Connector<'a> {
    /// Where it is.
    pub(super) url: &'a str,
    /// What it wants to see.
    pub(super) secret: Option<SecretString>,
}

impl Connector<'_> {
    /// Asks it, and gives the status and what it said.
    pub(super) fn ask(&self, question: Question<'_>) -> Result<(u16, Value), Error> {
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Error::new(format_args!("the runtime cannot be started: {error}")))?;
        runtime.block_on(self.send(question))
    }

    async fn send(&self, question: Question<'_>) -> Result<(u16, Value), Error> {
        let Question { method, path, query, body } = question;
        let wrong = |error: &dyn std::fmt::Display| Error::new(format_args!("--url {error}"));
        let mut url = secret_worthy_url(self.url).map_err(|error| wrong(&error))?;
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        let http = http_for(&url).timeout(PATIENCE).build().map_err(|error| wrong(&in_full(&error)))?;
        let mut request = http.request(method, url).query(query);
        if let Some(secret) = &self.secret {
            request = request.bearer_auth(secret.expose_secret().trim());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let no_answer = |error: reqwest::Error| {
            Error::new(format_args!("{}: no answer: {}", self.url, in_full(&error.without_url())))
        };
        let answer = request.send().await.map_err(no_answer)?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.unwrap_or_default()))
    }
}

/// The secret that is in the file, or in the variable.
pub(super) fn secret(file: Option<&Path>, variable: &str) -> Result<Option<SecretString>, Error> {
    let Some(file) = file else { return Ok(std::env::var(variable).ok().map(SecretString::from)) };
    let text = std::fs::read_to_string(file);
    let text =
        text.map_err(|error| Error::new(format_args!("{}: cannot be read: {error}", file.display())))?;
    Ok(Some(SecretString::from(text)))
}

/// Why it refused.
pub(super) fn said(body: &Value) -> String {
    let text = |key| body.get(key).and_then(Value::as_str).unwrap_or("no reason was given");
    format!("{}; {}", text("error"), text("hint"))
}
