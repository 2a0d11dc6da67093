//! Where the Pub/Sub API is, and how a subscription behaves.

use std::net::IpAddr;
use std::time::Duration;

use tonic::transport::{ClientTlsConfig, Endpoint, Uri};

use crate::model::ids::OrgId;
use crate::outbound::in_full;

/// Where production orgs and sandboxes find the Pub/Sub API.
pub const PRODUCTION_ENDPOINT: &str = "https://api.pubsub.salesforce.com:7443";

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a ping may go without an answer, or as long as it is to the next one if that is less.
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection is silent before the operating system asks whether it still stands, and how often it
/// asks again: no server minds that, and the device in between that would forget the connection hears it.
const TCP_KEEPALIVE: (Duration, u32) = (Duration::from_secs(30), 3);

/// What a [`PubSub`](super::PubSub) is built from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://host:port`; `http` is for this machine alone.
    pub endpoint: String,
    /// The org's own address, e.g. `https://acme.my.salesforce.com`.
    pub instance_url: String,
    /// The org.
    pub org: OrgId,
    /// How many events may be under way or waiting for the consumer, in each subscription.
    pub buffered: usize,
    /// The wait before the first try after a cut; the next ones double.
    pub first_wait: Duration,
    /// The longest wait between two tries.
    pub longest_wait: Duration,
    /// How long a stream may say nothing before it counts as dead. Salesforce speaks every 270 s.
    pub silence: Duration,
    /// How long an event whose schema Salesforce does not have is waited for, with everything behind it, before it is
    /// set aside. The schema is asked for again meanwhile, with growing waits. Where Salesforce does not answer at
    /// all there is no such bound. Counted anew in each process.
    pub schema_patience: Duration,
    /// How often the connection is asked by an HTTP/2 ping whether it still stands, so that a dead one is
    /// noticed before `silence` is over. `None` where the server takes offence (`too_many_pings`).
    pub ping_every: Option<Duration>,
}

impl Settings {
    /// For an org at Salesforce's own endpoint, with 200 events under way at most.
    pub fn new(org: OrgId, instance_url: impl Into<String>) -> Self {
        Self {
            endpoint: PRODUCTION_ENDPOINT.to_owned(),
            instance_url: instance_url.into(),
            org,
            buffered: 200,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(30),
            silence: Duration::from_secs(330),
            schema_patience: Duration::from_secs(600),
            ping_every: Some(Duration::from_secs(60)),
        }
    }

    /// The endpoint, checked.
    pub(super) fn connector(&self) -> Result<Endpoint, Error> {
        if self.buffered == 0 {
            return Err(Error::NothingBuffered);
        }
        let wrong = |wanted| Error::Endpoint { endpoint: shown(&self.endpoint), wanted };
        let uri: Uri = self
            .endpoint
            .trim()
            .parse()
            .map_err(|_| wrong("a URL such as https://api.pubsub.salesforce.com:7443"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_loopback(&uri) => false,
            Some("http") => {
                return Err(wrong(
                    "an https URL; plain http is only allowed for localhost, because tokens are sent there",
                ));
            }
            _ => return Err(wrong("an https URL")),
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("a URL without user name and password"));
        }
        let (keepalive, times) = TCP_KEEPALIVE;
        let mut endpoint = Endpoint::from(uri)
            .user_agent(concat!("byoc-connector/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| Error::Tls(in_full(&error)))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(Some(keepalive))
            .tcp_keepalive_interval(Some(keepalive))
            .tcp_keepalive_retries(Some(times))
            .tcp_nodelay(true);
        if let Some(interval) = self.ping_every {
            endpoint =
                endpoint.http2_keep_alive_interval(interval).keep_alive_timeout(interval.min(PING_TIMEOUT));
        }
        if !tls {
            return Ok(endpoint);
        }
        endpoint
            .tls_config(ClientTlsConfig::new().with_native_roots())
            .map_err(|error| Error::Tls(in_full(&error)))
    }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// A URL with a password in it is not repeated.
fn shown(text: &str) -> String {
    if text.contains('@') { "(not shown)".to_owned() } else { text.chars().take(100).collect() }
}

/// Why there can be no connection with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint is not one that a token may be sent to.
    #[error("endpoint is '{endpoint}'; it must be {wanted}")]
    Endpoint {
        /// What it is.
        endpoint: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The org's address cannot be sent.
    #[error("instance_url is '{0}'; it must be a URL such as https://acme.my.salesforce.com")]
    InstanceUrl(String),
    /// Nothing could ever be asked for.
    #[error("buffered is 0; it must be 1 or more, or no event can come in")]
    NothingBuffered,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(endpoint: &str) -> Result<Endpoint, Error> {
        let org = OrgId::parse("00DHu0000012345").unwrap();
        let settings =
            Settings { endpoint: endpoint.to_owned(), ..Settings::new(org, "https://acme.example") };
        settings.connector()
    }

    #[test]
    fn tokens_go_over_tls_or_to_this_machine() {
        for good in [
            PRODUCTION_ENDPOINT,
            "https://api.deu.pubsub.salesforce.com:7443",
            "http://localhost:7011",
            "http://127.0.0.1:1",
            "http://[::1]:7011",
        ] {
            assert!(checked(good).is_ok(), "{good}: {:?}", checked(good));
        }
        for bad in [
            "http://api.pubsub.salesforce.com:7443",
            "http://localhost.example.com:7011",
            "http://10.0.0.1:7011",
            "api.pubsub.salesforce.com:7443",
            "ftp://localhost",
            "",
        ] {
            let error = checked(bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("endpoint is '{bad}'; it must be ")), "{error}");
        }
        let error = checked("https://user:hush@example.com").unwrap_err().to_string();
        assert!(!error.contains("hush"), "{error}");
    }
}
