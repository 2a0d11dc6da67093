//! The table `[server]`: the connector's own HTTP server.
//!
//! Every key is also a variable (`BYOC_SERVER_LISTEN`; several origins are separated by commas). A secret
//! stands in a file that a key names, or in a variable of its own: `BYOC_SERVER_SESSION_SECRET`,
//! `BYOC_SERVER_EVENTS_SECRET`, `BYOC_SERVER_OPERATOR_SECRET`. The variable wins.

mod settings;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::Environment;
use super::document::{Document, Source};
use crate::outbound::secret_worthy_url;

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
struct Elsewhere {
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
    let given = Elsewhere {
        session: variable("SESSION_SECRET"),
        events: variable("EVENTS_SECRET"),
        operator: variable("OPERATOR_SECRET"),
        partner_keys: partner_keys.unwrap_or_default(),
        is_wrong: false,
    };
    let given = Elsewhere { is_wrong, ..given };
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
fn settings(written: &Written, given: &Elsewhere, folder: &Path) -> (ServerSettings, Vec<String>) {
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
            "health_listen is {address}, which can be reached from other machines, and /metrics is there too; set \
             operator_secret_file, or listen on loopback, such as 127.0.0.1:{}",
            address.port()
        )
    })
}

/// Two kinds of callers with one secret would be one kind.
fn shared_secrets(settings: &ServerSettings) -> Vec<String> {
    let session = match &settings.session {
        Some(SessionAuth::Secret(secret)) => Some(secret),
        _ => None,
    };
    let mut known: Vec<(String, &SecretString)> = settings
        .partner_keys
        .iter()
        .map(|key| (format!("the partner key {}", key.name), &key.secret))
        .collect();
    let mut wrong = Vec::new();
    for (key, secret) in [
        ("events_secret_file", settings.events_secret.as_ref()),
        ("operator_secret_file", settings.operator_secret.as_ref()),
        ("session_secret_file", session),
    ] {
        let Some(secret) = secret else { continue };
        if let Some((other, _)) = known.iter().find(|(_, it)| it.expose_secret() == secret.expose_secret()) {
            wrong.push(format!("{key} holds the secret of {other} as well; each must have its own"));
        }
        known.push((key.to_owned(), secret));
    }
    wrong
}

fn session(
    written: &Written,
    given: &Elsewhere,
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
            "session_jwks_url is set, and {other} as well; a session token is checked by one of them, leave the other \
             out"
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

fn secret_file(key: &str, folder: &Path, file: &Path, wrong: &mut Vec<String>) -> Option<SecretString> {
    match secret_in_file(folder, file) {
        Ok(secret) => Some(secret),
        Err(problem) => {
            wrong.push(format!("{key} names {}, which {problem}", file.display()));
            None
        }
    }
}

/// The secret in a file beside the configuration, or what is wrong with it.
pub(super) fn secret_in_file(folder: &Path, file: &Path) -> Result<SecretString, String> {
    let text =
        std::fs::read_to_string(folder.join(file)).map_err(|error| format!("cannot be read: {error}"))?;
    secret(&text)
}

/// A secret, without the line's end that an editor leaves behind it.
fn secret(text: &str) -> Result<SecretString, String> {
    let text = text.trim();
    match text.len() {
        SHORTEST_SECRET.. => Ok(SecretString::from(text)),
        bytes => Err(format!(
            "holds a secret of {bytes} bytes; it must have {SHORTEST_SECRET} or more, e.g. from `openssl rand -base64 48`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<ServerSettings, Vec<String>> {
        parse_in(Path::new("byoc.toml"), text, variables)
    }

    fn parse_in(path: &Path, text: &str, variables: &[(&str, &str)]) -> Result<ServerSettings, Vec<String>> {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut document = Document::parse(path, text, &variables);
        let settings = read(&mut document, path, &variables, Some(Vec::new()));
        let mistakes = document.finish();
        if mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(mistakes.iter().map(ToString::to_string).collect())
        }
    }

    #[test]
    fn without_the_table_it_listens_on_this_machine_alone() {
        let settings = parse("", &[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.audience, "byoc-connector");
        assert!(settings.session.is_none() && settings.events_secret.is_none());
    }

    #[test]
    fn every_key_is_also_a_variable() {
        let mut keys = keys::known::<Written>().to_vec();
        keys.sort_unstable();
        let mut variables = KEYS.to_vec();
        variables.sort_unstable();
        assert_eq!(variables, keys);
    }

    #[test]
    fn the_sample_shows_every_key_and_the_defaults() {
        let sample =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/serve.toml")).unwrap();
        let (_, table) = sample.split_once("# [server]\n").unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        let settings: Vec<&str> = table.lines().map(|line| line.strip_prefix("# ").unwrap()).collect();
        let shown: Vec<&str> = settings.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(shown, KEYS);
        // What has no default is shown by example.
        let defaults: Vec<&str> = settings.into_iter().filter(|line| !line.contains("# not set")).collect();
        let read = parse(&format!("[server]\n{}\n", defaults.join("\n")), &[]).unwrap();
        let default = ServerSettings::default();
        assert_eq!((read.listen, read.audience), (default.listen, default.audience));
    }

    #[test]
    fn secrets_come_from_files_beside_the_configuration_or_from_variables() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("session"), format!("{LONG}\n")).unwrap();
        std::fs::write(folder.path().join("events"), LONG).unwrap();
        let text = "[server]\nlisten = '0.0.0.0:443'\nsession_secret_file = 'session'\nevents_secret_file = 'events'\n\
                    allowed_origins = ['https://acme.lightning.force.com']\nsession_issuer = 'idp'\n";
        let path = folder.path().join("byoc.toml");
        let other = LONG.repeat(2);
        let settings = parse_in(&path, text, &[("BYOC_SERVER_EVENTS_SECRET", &other)]).unwrap();
        let Some(SessionAuth::Secret(session)) = &settings.session else { panic!("{settings:?}") };
        assert_eq!(session.expose_secret(), LONG, "without the line's end");
        assert_eq!(settings.events_secret.as_ref().unwrap().expose_secret(), other, "the variable wins");
        assert_eq!(settings.issuer.as_deref(), Some("idp"));
        assert!(!format!("{settings:?}").contains(LONG), "{settings:?}");
    }

    #[test]
    fn a_variable_may_hold_several_origins_and_stand_alone() {
        let variables = [
            ("BYOC_SERVER_ALLOWED_ORIGINS", "https://a.lightning.force.com, https://b.lightning.force.com"),
            ("BYOC_SERVER_SESSION_SECRET", LONG),
            ("BYOC_SERVER_LISTEN", "[::]:9000"),
        ];
        let settings = parse("", &variables).unwrap();
        assert_eq!(settings.allowed_origins.len(), 2);
        assert_eq!(settings.listen.port(), 9000);
    }

    #[test]
    fn every_mistake_is_told_with_its_key_and_what_would_be_right() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("short"), "hush").unwrap();
        let text = r#"[server]
listen = "localhost:8080"
allowed_origins = ["acme.lightning.force.com", "https://acme.my.salesforce.com/x", "http://acme.example"]
session_secret_file = "short"
session_jwks_url = "http://idp.example/keys"
session_audience = " "
events_secret_file = "none-such"
operator_secret_file = "short"
login_url = "/login"
sesion_issuer = "idp"
"#;
        let told =
            parse_in(&folder.path().join("byoc.toml"), text, &[("BYOC_SERVER_EVENTS_SECRET", "brief")]);
        let told = told.unwrap_err().join("\n").replace(&format!("{}/", folder.path().display()), "");
        assert!(!told.contains("hush") && !told.contains("brief"), "{told}");
        insta::assert_snapshot!(told, @r"
        byoc.toml, line 2, server.listen: it is 'localhost:8080'; it must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080
        byoc.toml, line 3, server.allowed_origins: it has 'acme.lightning.force.com', which is not a valid origin; it must be one such as https://acme.lightning.force.com
        byoc.toml, line 3, server.allowed_origins: it has 'https://acme.my.salesforce.com/x', which is not a valid origin; it must be https://acme.my.salesforce.com, as browsers spell it, without a path
        byoc.toml, line 3, server.allowed_origins: it has 'http://acme.example', which is not a valid origin; it must be https; plain http is for localhost alone
        byoc.toml, line 5, server.session_jwks_url: it is 'http://idp.example/keys'; it must be an https URL; plain http is for localhost alone, for tokens are sent there
        byoc.toml, line 5, server.session_jwks_url: it is set, and session_secret_file as well; a session token is checked by one of them, leave the other out
        byoc.toml, line 6, server.session_audience: it is empty; leave it out, or set it
        byoc.toml, line 7, server.events_secret_file: it names none-such, which cannot be read: No such file or directory (os error 2)
        byoc.toml, line 8, server.operator_secret_file: it names short, which holds a secret of 4 bytes; it must have 32 or more, e.g. from `openssl rand -base64 48`
        byoc.toml, line 9, server.login_url: it is '/login'; it must be a whole URL, such as https://host.example
        byoc.toml, line 10, server.sesion_issuer: unknown key; the keys are listen, health_listen, connections, allowed_origins, session_secret_file, session_jwks_url, session_audience, session_issuer, events_secret_file, operator_secret_file, login_url
        the variable BYOC_SERVER_EVENTS_SECRET: it holds a secret of 5 bytes; it must have 32 or more, e.g. from `openssl rand -base64 48`
        ");
    }

    #[test]
    fn what_is_of_another_kind_is_told_too() {
        let told =
            parse("[server]\nlisten = 8080\nallowed_origins = 5\nlogin_url = true\n", &[]).unwrap_err();
        insta::assert_snapshot!(told.join("\n"), @r#"
        byoc.toml, line 2, server.listen: invalid type: integer `8080`, expected a string, e.g. "127.0.0.1:8080"
        byoc.toml, line 3, server.allowed_origins: invalid type: integer `5`, expected a list of origins, such as ["https://acme.lightning.force.com"]
        byoc.toml, line 4, server.login_url: invalid type: boolean `true`, expected a string, e.g. "https://host.example"
        "#);
        let exposed = [("BYOC_SERVER_LISTEN", "0.0.0.0:80")];
        let told = parse("", &exposed).unwrap_err();
        insta::assert_snapshot!(told.join("\n"), @"the variable BYOC_SERVER_LISTEN: it is 0.0.0.0:80, which can be reached from other machines, where anybody could act as a rep; set session_secret_file or session_jwks_url for the reps' browsers, events_secret_file for your backend, or both, or listen on loopback, such as 127.0.0.1:80");
        let told = parse("", &[exposed[0], ("BYOC_SERVER_SESSION_SECRET", "brief")]).unwrap_err();
        assert_eq!(told.len(), 1, "that it is exposed follows from the other: {told:?}");
        assert_eq!(parse("server = 5", &[]).unwrap_err().len(), 1);
    }
}
