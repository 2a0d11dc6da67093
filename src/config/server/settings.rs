//! What the connector's own HTTP server works with, as values that have been checked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use reqwest::Url;
use secrecy::SecretString;

use crate::local::is_loopback_host;
use crate::model::ids::OrgId;

/// The `aud` that a session token must have where nothing else is set.
pub const AUDIENCE: &str = "byoc-connector";

/// How many bytes a secret must have: as many as HS256 has bits, by eight (RFC 7518, section 3.2).
pub const SHORTEST_SECRET: usize = 32;

/// The server: where it listens, and whom it lets in.
///
/// A group of routes whose credential is not set is open while the server listens on loopback, and closed
/// otherwise.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where health and numbers can be had besides, with seats of their own.
    pub health_listen: Option<SocketAddr>,
    /// How many connections may be open at once; as many as the system allows, up to 2,048, where not set.
    pub connections: Option<usize>,
    /// Who may embed the connector page and call its API from a page of theirs: Salesforce's origins.
    pub allowed_origins: Vec<Origin>,
    /// How a rep's browser shows who it is.
    pub session: Option<SessionAuth>,
    /// The `aud` of a session token.
    pub audience: String,
    /// The `iss` of a session token, where it is to be checked.
    pub issuer: Option<String>,
    /// What the partner's backend shows, at `/v1/events` and `/v1/reps`: it speaks for all orgs and channels.
    pub events_secret: Option<SecretString>,
    /// Keys that the partner's backends may show instead, each for some orgs and channels.
    pub partner_keys: Vec<PartnerKey>,
    /// What an operator shows, at the operator's page and what it reads, and at `/metrics`.
    pub operator_secret: Option<SecretString>,
    /// Where a rep without a session token logs in.
    pub login_url: Option<String>,
}

/// A key of the partner's backend, and for whom it may speak.
#[derive(Debug, Clone)]
pub struct PartnerKey {
    /// What it is called in messages.
    pub name: String,
    /// What is shown.
    pub secret: SecretString,
    /// The orgs that it is for.
    pub orgs: Vec<OrgId>,
    /// The channels of these orgs that it is for, by developer name; all of them where none is named.
    pub channels: Vec<String>,
}

impl PartnerKey {
    /// Whether it is for that channel, whatever the org.
    pub fn takes_channel(&self, channel: &str) -> bool {
        self.channels.is_empty() || self.channels.iter().any(|own| own == channel)
    }

    /// Whether it may speak for that channel of that org.
    pub fn is_for(&self, org: OrgId, channel: &str) -> bool {
        self.orgs.contains(&org) && self.takes_channel(channel)
    }
}

/// How a session token is checked.
#[derive(Debug, Clone)]
pub enum SessionAuth {
    /// By a secret that the partner signs with: HS256.
    Secret(SecretString),
    /// By the public keys of the partner's identity provider, which are at this URL: RS256 or ES256.
    Jwks(String),
}

/// Listening where others can reach it, with nobody having to say who they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "listen is {listen}, which other machines can reach, so anyone could act as a rep; set \
     session_secret_file or session_jwks_url for the reps' browsers, events_secret_file for your backend, or \
     both, or listen on loopback, such as 127.0.0.1:{}", listen.port()
)]
pub struct Exposed {
    /// Where it would listen.
    pub listen: SocketAddr,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            health_listen: None,
            connections: None,
            allowed_origins: Vec::new(),
            session: None,
            audience: AUDIENCE.to_owned(),
            issuer: None,
            events_secret: None,
            partner_keys: Vec::new(),
            operator_secret: None,
            login_url: None,
        }
    }
}

impl ServerSettings {
    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.listen.ip().to_canonical().is_loopback()
    }

    /// Whether the partner's backend has to show anything.
    pub fn has_partner_credential(&self) -> bool {
        self.events_secret.is_some() || !self.partner_keys.is_empty()
    }

    /// Refuses to be open to the world.
    ///
    /// # Errors
    /// Where it listens on another address than loopback, and neither reps nor backend have to show
    /// anything.
    pub fn check(&self) -> Result<(), Exposed> {
        let anybody = self.session.is_none() && !self.has_partner_credential();
        if anybody && !self.is_loopback() { Err(Exposed { listen: self.listen }) } else { Ok(()) }
    }
}

/// An origin, as browsers spell it: `https://acme.lightning.force.com`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}', which is not a valid origin; {wanted}")]
pub struct NoOrigin {
    text: String,
    wanted: String,
}

impl Origin {
    /// The origin.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Origin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        const WANTED: &str = "it must be one such as https://acme.lightning.force.com";
        let wrong = |wanted: String| {
            let text =
                if text.contains('@') { "(not shown)".to_owned() } else { text.chars().take(100).collect() };
            NoOrigin { text, wanted }
        };
        if text.contains('*') {
            return Err(wrong("each origin must be named, without a wildcard".to_owned()));
        }
        let url = Url::parse(text).map_err(|_| wrong(WANTED.to_owned()))?;
        let host = url.host_str().unwrap_or_default();
        let plain =
            !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
        if !plain || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(WANTED.to_owned()));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback_host(host) => {}
            "http" => {
                return Err(wrong("it must be https; plain http is only allowed for localhost".to_owned()));
            }
            _ => return Err(wrong(WANTED.to_owned())),
        }
        let spelled = url.origin().ascii_serialization();
        if text.trim_end_matches('/') == spelled {
            Ok(Self(spelled))
        } else {
            Err(wrong(format!("it must be {spelled}, as browsers spell it, without a path")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_as_browsers_spell_it() {
        for good in [
            "https://acme.lightning.force.com",
            "https://acme--sandbox.sandbox.lightning.force.com",
            "https://example.com:8443",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:8080",
        ] {
            assert_eq!(good.parse::<Origin>().unwrap().as_str(), good);
        }
        let slash = "https://acme.lightning.force.com/".parse::<Origin>().unwrap();
        assert_eq!(slash.as_str(), "https://acme.lightning.force.com");
        for (bad, why) in [
            ("acme.lightning.force.com", "such as https://"),
            ("/connector", "such as https://"),
            ("null", "such as https://"),
            ("", "such as https://"),
            ("https://*.force.com", "without a wildcard"),
            ("https://acme.lightning.force.com/x/", "must be https://acme.lightning.force.com,"),
            ("https://acme.lightning.force.com/lightning/page", "without a path"),
            ("https://acme.lightning.force.com:443", "must be https://acme.lightning.force.com,"),
            ("https://ACME.lightning.force.com", "must be https://acme.lightning.force.com,"),
            ("http://acme.lightning.force.com", "plain http is only allowed for localhost"),
            ("http://localhost.example.com", "plain http is only allowed for localhost"),
            ("ftp://example.com", "such as https://"),
            ("https://a;script-src", "such as https://"),
            ("data:text/html,x", "such as https://"),
        ] {
            let error = bad.parse::<Origin>().unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
        let error = "https://user:hush@example.com".parse::<Origin>().unwrap_err().to_string();
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn without_credentials_it_stays_on_this_machine() {
        let open = ServerSettings::default();
        assert_eq!(open.check(), Ok(()));
        let told = |listen: &str| ServerSettings { listen: listen.parse().unwrap(), ..open.clone() }.check();
        assert_eq!(told("[::1]:80"), Ok(()));
        for exposed in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80"] {
            let error = told(exposed).unwrap_err().to_string();
            assert!(error.contains(exposed) && error.contains("127.0.0.1:80"), "{error}");
        }
        let secret = || Some(SecretString::from("x".repeat(SHORTEST_SECRET)));
        let listen = "0.0.0.0:80".parse().unwrap();
        assert_eq!(ServerSettings { listen, events_secret: secret(), ..open.clone() }.check(), Ok(()));
        let operator_alone = ServerSettings { listen, operator_secret: secret(), ..open };
        assert!(operator_alone.check().is_err(), "it protects no rep");
    }
}
