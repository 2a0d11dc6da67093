//! The table `[server]`: the connector's own HTTP server.
//!
//! Every key is also a variable (`BYOC_SERVER_LISTEN`; several origins are separated by commas). A secret
//! stands in a file that a key names, or in a variable of its own: `BYOC_SERVER_SESSION_SECRET`,
//! `BYOC_SERVER_EVENTS_SECRET`, `BYOC_SERVER_OPERATOR_SECRET`. The variable wins.

mod secrets;
mod settings;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::Environment;
use super::document::{Document, Source};
use crate::outbound::secret_worthy_url;

pub(super) use secrets::secret_in_file;
use secrets::{secret, secret_file, shared_secrets};
pub use settings::{
    AUDIENCE, Exposed, NoOrigin, Origin, PartnerKey, SHORTEST_SECRET, ServerSettings, SessionAuth,
};

const TABLE: &str = "server";

/// The values that a variable may set.
const KEYS: &[&str] = &[
    "listen",
    "health_listen",
    "connections",
    "allowed_origins",
    "session_secret_file",
    "session_jwks_url",
    "session_audience",
    "session_issuer",
    "events_secret_file",
    "operator_secret_file",
    "login_url",
];

/// The table as the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    listen: Option<String>,
    health_listen: Option<String>,
    connections: Option<usize>,
    allowed_origins: Origins,
    session_secret_file: Option<PathBuf>,
    session_jwks_url: Option<String>,
    session_audience: Option<String>,
    session_issuer: Option<String>,
    events_secret_file: Option<PathBuf>,
    operator_secret_file: Option<PathBuf>,
    login_url: Option<String>,
}

/// A list, or in a variable one text with commas.
#[derive(Debug, Default)]
struct Origins(Vec<String>);

impl<'de> Deserialize<'de> for Origins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Origins;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of origins, such as [\"https://acme.lightning.force.com\"]")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Origins, E> {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Ok(Origins(parts.map(str::to_owned).collect()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Origins, A::Error> {
                let mut origins = Vec::new();
                while let Some(origin) = list.next_element()? {
                    origins.push(origin);
                }
                Ok(Origins(origins))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// What stands elsewhere than in the table: secrets that variables hold themselves, and the partner's keys.
struct OutsideTable {
    session: Option<SecretString>,
    events: Option<SecretString>,
    operator: Option<SecretString>,
    partner_keys: Vec<PartnerKey>,
    /// Whether one of them cannot be used, which has been told.
    is_wrong: bool,
}

/// Reads the table, for which the partner's keys are read already; none where something is wrong with them. A
/// mistake is noted in the document; what is returned then is not to be used.
pub(super) fn read(
    document: &mut Document<'_>,
    path: &Path,
    environment: &Environment,
    partner_keys: Option<Vec<PartnerKey>>,
) -> ServerSettings {
    let mut is_wrong = partner_keys.is_none();
    let mut variable = |name: &str| {
        let name = format!("BYOC_SERVER_{name}");
        let text = environment.get(&name)?;
        match secret(text) {
            Ok(secret) => Some(secret),
            Err(problem) => {
                let key = name.trim_start_matches("BYOC_").to_lowercase();
                document.mistake(Source::Variable(name), key, format_args!("it {problem}"));
                is_wrong = true;
                None
            }
        }
    };
    let given = OutsideTable {
        session: variable("SESSION_SECRET"),
        events: variable("EVENTS_SECRET"),
        operator: variable("OPERATOR_SECRET"),
        partner_keys: partner_keys.unwrap_or_default(),
        is_wrong: false,
    };
    let given = OutsideTable { is_wrong, ..given };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut read = None;
    document.table::<Written>(TABLE, KEYS, |written| {
        let (settings, wrong) = settings(written, &given, folder);
        read = Some(settings);
        wrong
    });
    read.unwrap_or_else(|| settings(&Written::default(), &given, folder).0)
}

/// The settings, and what is wrong with them: sentences that begin with the key.
fn settings(written: &Written, given: &OutsideTable, folder: &Path) -> (ServerSettings, Vec<String>) {
    let mut wrong = Vec::new();
    let mut settings = ServerSettings::default();
    if let Some(listen) = address("listen", written.listen.as_deref(), &mut wrong) {
        settings.listen = listen;
    }
    settings.health_listen = address("health_listen", written.health_listen.as_deref(), &mut wrong);
    settings.connections = written.connections;
    if written.connections.is_some_and(|connections| !(16..=1_000_000).contains(&connections)) {
        wrong.push("connections must be 16 to 1000000".to_owned());
    }
    for text in &written.allowed_origins.0 {
        match text.parse() {
            Ok(origin) if settings.allowed_origins.contains(&origin) => {}
            Ok(origin) => settings.allowed_origins.push(origin),
            Err(error) => wrong.push(format!("allowed_origins has {error}")),
        }
    }
    settings.session = session(written, given, folder, &mut wrong);
    let mut text = |key: &str, value: &Option<String>| {
        let value = value.as_deref()?;
        if value.trim().is_empty() {
            wrong.push(format!("{key} is empty; leave it out, or set it"));
            return None;
        }
        Some(value.to_owned())
    };
    if let Some(audience) = text("session_audience", &written.session_audience) {
        settings.audience = audience;
    }
    settings.issuer = text("session_issuer", &written.session_issuer);
    settings.login_url = url("login_url", written.login_url.as_deref(), &mut wrong);
    let mut held = |key: &str, given: &Option<SecretString>, file: &Option<PathBuf>| match (given, file) {
        (Some(secret), _) => Some(secret.clone()),
        (None, Some(file)) => secret_file(key, folder, file, &mut wrong),
        (None, None) => None,
    };
    settings.events_secret = held("events_secret_file", &given.events, &written.events_secret_file);
    settings.operator_secret = held("operator_secret_file", &given.operator, &written.operator_secret_file);
    settings.partner_keys.clone_from(&given.partner_keys);
    wrong.extend(shared_secrets(&settings));
    wrong.extend(open_numbers(&settings).filter(|_| !given.is_wrong));
    // An address or a credential that is wrong is told already; that there is none would be told for nothing.
    let is_told =
        |problem: &String| ["listen ", "session_", "events_"].iter().any(|key| problem.starts_with(key));
    if !wrong.iter().any(is_told)
        && !given.is_wrong
        && let Err(exposed) = settings.check()
    {
        wrong.push(exposed.to_string());
    }
    (settings, wrong)
}

fn address(key: &str, text: Option<&str>, wrong: &mut Vec<String>) -> Option<SocketAddr> {
    let text = text?;
    let read = text.trim().parse().ok();
    if read.is_none() {
        wrong.push(format!(
            "{key} is '{text}'; it must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080"
        ));
    }
    read
}

/// Numbers that others can reach are for operators.
fn open_numbers(settings: &ServerSettings) -> Option<String> {
    let address = settings.health_listen.filter(|address| !address.ip().to_canonical().is_loopback())?;
    settings.operator_secret.is_none().then(|| {
        format!(
            "health_listen is {address}, which other machines can reach, including /metrics; set \
             operator_secret_file, or listen on loopback, such as 127.0.0.1:{}",
            address.port()
        )
    })
}

fn session(
    written: &Written,
    given: &OutsideTable,
    folder: &Path,
    wrong: &mut Vec<String>,
) -> Option<SessionAuth> {
    let jwks = url("session_jwks_url", written.session_jwks_url.as_deref(), wrong);
    if written.session_jwks_url.is_some()
        && (given.session.is_some() || written.session_secret_file.is_some())
    {
        let other =
            if given.session.is_some() { "BYOC_SERVER_SESSION_SECRET" } else { "session_secret_file" };
        wrong.push(format!(
            "session_jwks_url and {other} are both set; remove one: a session token is checked with only one of them"
        ));
        return None;
    }
    let secret = match (&given.session, &written.session_secret_file) {
        (Some(secret), _) => Some(secret.clone()),
        (None, Some(file)) => secret_file("session_secret_file", folder, file, wrong),
        (None, None) => None,
    };
    secret.map(SessionAuth::Secret).or(jwks.map(SessionAuth::Jwks))
}

fn url(key: &str, text: Option<&str>, wrong: &mut Vec<String>) -> Option<String> {
    match secret_worthy_url(text?) {
        Ok(url) => Some(url.into()),
        Err(error) => {
            wrong.push(format!("{key} {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests;
