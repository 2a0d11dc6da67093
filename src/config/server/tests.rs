//! What the tests of this room show.

use secrecy::ExposeSecret as _;

use super::*;
use crate::config::keys;

const LONG: &str = "0123456789abcdef0123456789abcdef";

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<ServerSettings, Vec<String>> {
    parse_in(Path::new("byoc.toml"), text, variables)
}

fn parse_in(path: &Path, text: &str, variables: &[(&str, &str)]) -> Result<ServerSettings, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut document = Document::parse(path, text, &variables);
    let settings = read(&mut document, path, &variables, Some(Vec::new()));
    let mistakes = document.finish();
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes.iter().map(ToString::to_string).collect()) }
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
    let told = parse_in(&folder.path().join("byoc.toml"), text, &[("BYOC_SERVER_EVENTS_SECRET", "brief")]);
    let told = told.unwrap_err().join("\n").replace(&format!("{}/", folder.path().display()), "");
    assert!(!told.contains("hush") && !told.contains("brief"), "{told}");
    insta::assert_snapshot!(told, @r"
    byoc.toml, line 2, server.listen: it is 'localhost:8080'; it must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080
    byoc.toml, line 3, server.allowed_origins: it has 'acme.lightning.force.com', which is not a valid origin; it must be one such as https://acme.lightning.force.com
    byoc.toml, line 3, server.allowed_origins: it has 'https://acme.my.salesforce.com/x', which is not a valid origin; it must be https://acme.my.salesforce.com, as browsers spell it, without a path
    byoc.toml, line 3, server.allowed_origins: it has 'http://acme.example', which is not a valid origin; it must be https; plain http is only allowed for localhost
    byoc.toml, line 5, server.session_jwks_url: it is 'http://idp.example/keys'; it must be an https URL; plain http is only allowed for localhost, because tokens are sent there
    byoc.toml, line 5, server.session_jwks_url: it and session_secret_file are both set; remove one: a session token is checked with only one of them
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
    let told = parse("[server]\nlisten = 8080\nallowed_origins = 5\nlogin_url = true\n", &[]).unwrap_err();
    insta::assert_snapshot!(told.join("\n"), @r#"
    byoc.toml, line 2, server.listen: invalid type: integer `8080`, expected a string, e.g. "127.0.0.1:8080"
    byoc.toml, line 3, server.allowed_origins: invalid type: integer `5`, expected a list of origins, such as ["https://acme.lightning.force.com"]
    byoc.toml, line 4, server.login_url: invalid type: boolean `true`, expected a string, e.g. "https://host.example"
    "#);
    let exposed = [("BYOC_SERVER_LISTEN", "0.0.0.0:80")];
    let told = parse("", &exposed).unwrap_err();
    insta::assert_snapshot!(told.join("\n"), @"the variable BYOC_SERVER_LISTEN: it is 0.0.0.0:80, which other machines can reach, so anyone could act as a rep; set session_secret_file or session_jwks_url for the reps' browsers, events_secret_file for your backend, or both, or listen on loopback, such as 127.0.0.1:80");
    let told = parse("", &[exposed[0], ("BYOC_SERVER_SESSION_SECRET", "brief")]).unwrap_err();
    assert_eq!(told.len(), 1, "that it is exposed follows from the other: {told:?}");
    assert_eq!(parse("server = 5", &[]).unwrap_err().len(), 1);
}
