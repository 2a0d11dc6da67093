//! Salesforce's REST API: one read after another, each counted, each answer within its bounds.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::budget::Budget;
use super::error::{Closed, Error};
use super::soql::Soql;
use crate::interaction::TokenSource;
use crate::model::time::Clock;
use crate::outbound::{http_for, in_full, secret_worthy_url, without_slashes};

/// The version of the REST API: the first that has the update of AgentWork by the Interaction Service.
const VERSION: &str = "/services/data/v64.0";

/// How long one read may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How large an answer may be. A description of AgentWork has some 100 KiB, a page of 2,000 rows about 1 MiB.
const LARGEST: usize = 4 << 20;

/// How many pages one question may have.
const MOST_PAGES: usize = 20;

/// How many rows one question may have.
const MOST_ROWS: usize = 20_000;

/// Which of Salesforce's two APIs for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Data: people, queues, sessions, work.
    Data,
    /// How the org is built; it wants more rights.
    Tooling,
}

impl Api {
    const fn path(self) -> &'static str {
        match self {
            Self::Data => "",
            Self::Tooling => "/tooling",
        }
    }
}

/// An org's REST API. A clone counts with it.
#[derive(Clone)]
pub struct RestApi {
    base: String,
    http: reqwest::Client,
    tokens: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    budget: Budget,
}

impl std::fmt::Debug for RestApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestApi").field("base", &self.base).finish_non_exhaustive()
    }
}

/// One page of rows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    records: Vec<T>,
    next_records_url: Option<String>,
}

impl RestApi {
    /// The API of the org with this address of its own (`instance_url`). Nothing is sent yet.
    ///
    /// # Errors
    /// Where no token may be sent to that address.
    pub fn new(
        instance_url: &str,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        budget: Budget,
    ) -> Result<Self, Error> {
        let base = without_slashes(instance_url).to_owned();
        let url = secret_worthy_url(&base).map_err(|error| Error::Unreachable(error.to_string()))?;
        let http = http_for(&url).timeout(PATIENCE).build();
        let http = http.map_err(|error| Error::Unreachable(in_full(&error)))?;
        Ok(Self { base, http, tokens, clock, budget })
    }

    /// How much is read.
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// All rows of a question, page by page.
    ///
    /// # Errors
    /// Where one of its pages cannot be read, or there are too many.
    pub async fn rows<T: DeserializeOwned>(&self, api: Api, question: &Soql) -> Result<Vec<T>, Error> {
        let mut url = self.url(&format!("{VERSION}{}/query", api.path()))?;
        url.query_pairs_mut().append_pair("q", question.as_str());
        let mut rows = Vec::new();
        for _ in 0..MOST_PAGES {
            let Page { records, next_records_url } = self.read(url).await?;
            rows.extend::<Vec<T>>(records);
            if rows.len() > MOST_ROWS {
                return Err(Error::TooLarge(format!("more than {MOST_ROWS} rows")));
            }
            let Some(next) = next_records_url else { return Ok(rows) };
            url = self.next_page(&next)?;
        }
        Err(Error::TooLarge(format!("more than {MOST_PAGES} pages")))
    }

    /// One record or description, by its path behind the version: words of ours and typed values.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        self.read(self.url(&format!("{VERSION}{path}"))?).await
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        Url::parse(&format!("{}{path}", self.base))
            .map_err(|_| Error::Unreachable("instance_url is not a valid URL".to_owned()))
    }

    /// Salesforce names the next page by its path. Anything else would send the token elsewhere.
    fn next_page(&self, next: &str) -> Result<Url, Error> {
        let is_path = next.starts_with("/services/data/") && !next.contains("..");
        if is_path { self.url(next) } else { Err(Error::Unreadable("nextRecordsUrl is no path".to_owned())) }
    }

    async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, Error> {
        let token = || async { self.tokens.token().await.map_err(|error| Error::NoToken(error.problem())) };
        let first = token().await?;
        let mut answered = self.fetch(url.clone(), first.expose()).await?;
        if answered.0 == StatusCode::UNAUTHORIZED {
            // Somebody may have had it replaced meanwhile. To replace it is not a read's: the calls would suffer where
            // the token is good for them and lacks the scope for this.
            let second = token().await?;
            if !second.is(&first) {
                answered = self.fetch(url, second.expose()).await?;
            }
        }
        let (status, body) = answered;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| Error::Unreadable(in_full(&error)));
        }
        Err(self.refused(status, &body))
    }

    async fn fetch(&self, url: Url, token: &str) -> Result<(StatusCode, Vec<u8>), Error> {
        self.budget.take(self.clock.now())?;
        metrics::counter!("byoc_org_reads_total").increment(1);
        let broken = |error: reqwest::Error| Error::Unreachable(in_full(&error.without_url()));
        let mut response = self.http.get(url).bearer_auth(token).send().await.map_err(broken)?;
        self.heard(response.headers());
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len().saturating_add(chunk.len()) > LARGEST {
                return Err(Error::TooLarge(format!("more than {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }

    fn heard(&self, headers: &HeaderMap) {
        if let Some(info) = headers.get("Sforce-Limit-Info").and_then(|info| info.to_str().ok()) {
            self.budget.heard(self.clock.now(), info);
        }
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> Error {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Said {
            error_code: String,
        }
        let said: Vec<Said> = serde_json::from_slice(body).unwrap_or_default();
        let code = said.first().map(|said| said.error_code.as_str()).unwrap_or_default();
        let (now, status) = (self.clock.now(), status.as_u16());
        match code {
            "NOT_FOUND" | "INVALID_TYPE" => Error::Hidden,
            "INVALID_SESSION_ID"
            | "INSUFFICIENT_ACCESS"
            | "API_DISABLED_FOR_ORG"
            | "FUNCTIONALITY_NOT_ENABLED" => {
                if code != "INSUFFICIENT_ACCESS" {
                    self.budget.close(now, Closed::NotAllowed);
                }
                Error::NotAllowed(status)
            }
            "REQUEST_LIMIT_EXCEEDED" => {
                self.budget.close(now, Closed::OrgAtLimit);
                Error::Refused { status, code: code.to_owned() }
            }
            other => {
                let code = other.chars().filter(char::is_ascii_graphic).take(60).collect();
                Error::Refused { status, code }
            }
        }
    }
}
