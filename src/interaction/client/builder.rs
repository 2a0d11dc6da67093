//! How a client is set up, and what is checked before the first call.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};

use super::{Client, Inner};
use crate::interaction::auth::TokenSource;
use crate::interaction::error::{Error, http_for, secret_worthy_url};
use crate::interaction::limiter::Limiter;
use crate::interaction::skew::Skew;
use crate::interaction::sleep::{ClockSleeper, Sleeper};
use crate::interaction::witness::Witness;
use crate::model::ids::OrgId;
use crate::model::time::{Clock, SystemClock};
use crate::outbound::{in_full, without_slashes};

/// How long one try may take.
///
/// Several must fit into the 60 s that a routing request has; an answer that takes longer is rare
/// enough to be called lost, which a retry with the same `RequestId` sorts out.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const ORG_ID: HeaderName = HeaderName::from_static("orgid");
const CONTEXT: HeaderName = HeaderName::from_static("authorizationcontext");

/// Sets up a [`Client`].
#[must_use = "a builder builds nothing by itself"]
pub struct Builder {
    base_url: String,
    org: OrgId,
    channel_definition: String,
    tokens: Arc<dyn TokenSource>,
    limiter: Option<Limiter>,
    try_timeout: Duration,
    connect_timeout: Duration,
    clock: Arc<dyn Clock>,
    sleeper: Option<Arc<dyn Sleeper>>,
    witness: Option<Arc<dyn Witness>>,
}

impl Client {
    /// A client of the org whose Interaction Service is at `base_url`
    /// (`https://{my-domain}.my.salesforce-scrt.com`), for the channel definition of that developer name.
    pub fn builder(
        base_url: impl Into<String>,
        org: OrgId,
        channel_definition: impl Into<String>,
        tokens: Arc<dyn TokenSource>,
    ) -> Builder {
        Builder {
            base_url: base_url.into(),
            org,
            channel_definition: channel_definition.into(),
            tokens,
            limiter: None,
            try_timeout: TRY_TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            clock: Arc::new(SystemClock),
            sleeper: None,
            witness: None,
        }
    }
}

impl Builder {
    /// The org's limiter, where several clients call the same org. A client has one of its own otherwise.
    pub fn limiter(self, limiter: Limiter) -> Self {
        Self { limiter: Some(limiter), ..self }
    }

    /// How long one try may take; 10 s by default.
    pub fn try_timeout(self, try_timeout: Duration) -> Self {
        Self { try_timeout, ..self }
    }

    /// How long a connection may take to come about; 5 s by default.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// The clock; the machine's by default.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// How to wait between tries; as Tokio does by default.
    pub fn sleeper(self, sleeper: Arc<dyn Sleeper>) -> Self {
        Self { sleeper: Some(sleeper), ..self }
    }

    /// Who sees every exchange; nobody by default.
    pub fn witness(self, witness: Arc<dyn Witness>) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// Checks the settings. No request is made.
    ///
    /// # Errors
    /// Where the base URL is not one to send tokens to, or more than a host; where the developer name
    /// cannot stand in a header.
    pub fn build(self) -> Result<Client, Error> {
        let base = secret_worthy_url("base_url", without_slashes(&self.base_url))?;
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            let wanted = "the host alone, such as https://example.my.salesforce-scrt.com";
            return Err(Error::Url { field: "base_url", url: self.base_url, wanted });
        }
        let http = http_for(&base)
            .default_headers(self.headers()?)
            .connect_timeout(self.connect_timeout)
            .build()
            .map_err(|error| Error::Http(in_full(&error)))?;
        let sleeper = self.sleeper.unwrap_or_else(|| Arc::new(ClockSleeper(Arc::clone(&self.clock))));
        let inner = Inner {
            http,
            base,
            org: self.org,
            tokens: self.tokens,
            limiter: self.limiter.unwrap_or_else(Limiter::for_org),
            try_timeout: self.try_timeout,
            clock: self.clock,
            skew: Skew::default(),
            sleeper,
            witness: self.witness,
        };
        Ok(Client { inner: Arc::new(inner) })
    }

    /// The headers that every call has (PROTOCOL: "Three surfaces").
    fn headers(&self) -> Result<HeaderMap, Error> {
        const NAME: &str = "a developer name such as Acme_Messaging";
        let name = self.channel_definition.trim();
        let wrong = || Error::Header { field: "channel_definition", wanted: NAME };
        let context = HeaderValue::from_str(name).ok().filter(|_| !name.is_empty()).ok_or_else(wrong)?;
        let org = HeaderValue::from_str(self.org.as_str())
            .map_err(|_| Error::Header { field: "org", wanted: "an org id" })?;
        Ok(HeaderMap::from_iter([
            (ORG_ID, org),
            (CONTEXT, context),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]))
    }
}
