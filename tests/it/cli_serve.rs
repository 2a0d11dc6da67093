//! `byoc serve` with a configuration that cannot be: nothing is started, and what is wrong is named with its key.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use byoc_connector::config::{Environment, Serving};
use proptest::prelude::*;
use rcgen::KeyPair;
use tempfile::TempDir;
use toml::Table;

use crate::support::replaying::command::{byoc, stderr, stdout};

/// A process that is still there after this is one that serves.
const HANGS: Duration = Duration::from_secs(20);

/// What all of the configuration but the org says.
const CHANNEL: &str = "
    [channel_definition]
    developer_name = 'Acme_Messaging'
    routing_owner = 'Partner'
    is_conference_supported = true
    custom_platform_event = 'acme__Routing__e'
    event_capabilities_is_routing_work_result_supported = true
    [store]
    path = 'byoc.db'
    [server]
    listen = '127.0.0.1:0'
";

const ORG: &str = "
    id = '00DHs0000000001'
    instance_url = 'https://acme.my.salesforce.com'
    interaction_url = 'https://acme.my.salesforce-scrt.com'
    consumer_key = 'key'
    username = 'user@acme.example'
    private_key_file = 'key.pem'
";

/// Each key with values that it cannot have, as TOML, and what is said of them. Those of an org stand for `[org]` and
/// for `[[orgs]]`.
const WRONG: &[(&str, &str, &str)] = &[
    ("platform_participant_limit", "1", "2 or more"),
    ("platform_participant_limit", "'many'", "expected a whole number"),
    ("org.id", "'00X'", "is not a valid org id: it has 3 characters"),
    ("org.id", "'005Hs0000000001'", "those start with 00D"),
    ("org.instance_url", "'acme.my.salesforce.com'", "must be a whole URL"),
    ("org.interaction_url", "'http://acme.example'", "plain http is for localhost alone"),
    ("org.interaction_url", "'https://acme.my.salesforce-scrt.com/api/v1'", "must be the host alone"),
    ("org.pubsub_endpoint", "'ftp://acme.example'", "must be an https URL"),
    ("org.consumer_key", "' '", "is empty; the app in Salesforce"),
    ("org.username", "''", "is empty; it must be the integration user's"),
    ("org.audience", "'login'", "must be a whole URL"),
    ("org.token_url", "'https://user:hush@acme.example'", "without user name and password"),
    ("org.private_key_file", "'none.pem'", "which cannot be read: No such file"),
    ("org.private_key_file", "'text.pem'", "which is not a valid PEM RSA key"),
    ("org.private_key_file", "'elliptic.pem'", "which is an elliptic-curve key"),
    ("org.begin", "'yesterday'", "expected `earliest` or `latest`"),
    ("org.channels", "['none.toml']", "none.toml cannot be read"),
    ("org.channels", "['text.pem']", "should end in .ConversationChannelDefinition-meta.xml"),
    ("org.channels", "'none.toml'", "expected a sequence"),
    ("org.roster", "'none.toml'", "cannot read the configuration"),
    ("store.path", "''", "is empty; it must be the path of a file"),
    ("store.outcome_days", "0", "must be 1 to 3650"),
    ("store.max_megabytes", "1", "must be 16 or more"),
    ("server.listen", "'localhost'", "must be an IP address and a port"),
    ("server.listen", "'0.0.0.0:0'", "can be reached from other machines"),
    ("server.health_listen", "'localhost'", "must be an IP address and a port"),
    ("server.health_listen", "'0.0.0.0:9090'", "and /metrics is there too"),
    ("server.connections", "1", "must be 16 to 1000000"),
    ("server.connections", "'many'", "expected a whole number"),
    ("server.allowed_origins", "'acme.lightning.force.com'", "must be one such as https://"),
    ("server.session_secret_file", "'none'", "cannot be read"),
    ("server.session_secret_file", "'text.pem'", "must have 32 or more"),
    ("server.session_jwks_url", "'http://idp.example/keys'", "plain http is for localhost alone"),
    ("server.session_audience", "' '", "is empty; leave it out"),
    ("server.session_issuer", "''", "is empty; leave it out"),
    ("server.events_secret_file", "'text.pem'", "must have 32 or more"),
    ("server.operator_secret_file", "'none'", "cannot be read"),
    ("server.login_url", "'/login'", "must be a whole URL"),
    ("webhooks.rep_finder_url", "'nowhere'", "must be a whole URL"),
    ("webhooks.directory_url", "'http://acme.example/contacts'", "plain http is for localhost alone"),
    ("webhooks.end_user_notifier_url", "'https://acme.example/?key=hush'", "must be without"),
    ("webhooks.timeout_milliseconds", "5", "must be 10 to 30000"),
    ("webhooks.secret_file", "'none'", "cannot be read"),
    ("people.choice", "'loudest'", "expected `most-available` or `least-active`"),
    ("routing.ring", "'loud'", "expected one of `one at a time`"),
    ("routing.report", "'never'", "expected"),
    ("routing.ring_seconds", "0", "must be 1 to 3600"),
    ("routing.margin_seconds", "60", "must be 1 to 50"),
    ("routing.route_waiting", "1", "expected true or false"),
    ("routing.search_seconds", "-1", "expected a whole number, 0 or more"),
    ("routing.ring_all_at_most", "65", "must be 1 to 64"),
    ("routing.owed_alert_seconds", "86401", "must be 0 to 86400"),
    ("routing.capacity_weight", "-0.5", "must be 0 or more"),
    ("routing.capacity_percentage", "101", "must be 0 to 100"),
    ("channel_definition.developer_name", "'Acme\u{e9}'", "must be such as Acme_Messaging"),
    ("channel_definition.routing_owner", "'Nobody'", "must be Partner or Salesforce"),
    ("channel_definition.consent_owner", "['Partner']", "must be"),
    ("channel_definition.is_conference_supported", "'perhaps'", "must be true or false"),
    ("channel_definition.max_participants_for_cnfr_override", "-1", "must be a whole number of participants"),
    ("channel_definition.custom_platform_event", "'Routing'", "ends in __e"),
    ("channel_definition.custom_event_type_field", "'Type'", "ends in __c"),
    ("channel_definition.custom_event_payload_field", "'Pay load__c'", "ends in __c"),
    (
        "channel_definition.event_capabilities_is_routing_work_result_supported",
        "'perhaps'",
        "must be true or false",
    ),
];

/// A folder with a good configuration, `byoc.toml`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/sample-private-key.pem");
        std::fs::copy(key, folder.path().join("key.pem")).unwrap();
        std::fs::write(folder.path().join("text.pem"), "hush").unwrap();
        std::fs::write(folder.path().join("elliptic.pem"), KeyPair::generate().unwrap().serialize_pem())
            .unwrap();
        let place = Self(folder);
        place.write(&good());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, config: &Table) {
        std::fs::write(self.path("byoc.toml"), config.to_string()).unwrap();
    }

    fn serve(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = byoc();
        command.current_dir(self.0.path()).arg("serve").args(args).envs(variables.iter().copied());
        command.timeout(HANGS).output().unwrap()
    }

    /// What it says as it refuses to start, having left nothing behind.
    fn refusal(&self, args: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.serve(args, variables);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?} {variables:?}: {told}");
        assert_eq!(stdout(&output), "", "{args:?} {variables:?}");
        assert!(told.lines().all(|line| line.starts_with("error: ")) && !told.is_empty(), "{told}");
        assert!(!told.contains("hush"), "a secret is shown: {told}");
        assert!(!self.path("byoc.db").exists(), "{args:?} {variables:?}: it made a store");
        told
    }

    /// As [`Place::refusal`], with a word of it expected.
    fn refused(&self, args: &[&str], variables: &[(&str, &str)], wanted: &str) {
        let told = self.refusal(args, variables);
        assert!(told.contains(wanted), "{wanted} is not in: {told}");
    }
}

fn good() -> Table {
    format!("{CHANNEL}[org]{ORG}").parse().unwrap()
}

/// The same with its org, and the channel definition in a file of its own.
fn good_with_orgs() -> Table {
    let mut config: Table = format!("{CHANNEL}[[orgs]]{ORG}channels = ['channel.toml']").parse().unwrap();
    config.remove("channel_definition");
    config
}

/// The configuration with that value; `orgs` stands for the first of them.
fn with(mut config: Table, key: &str, value: toml::Value) -> Table {
    let Some((table, name)) = key.split_once('.') else {
        // Else it would be taken for the last table's.
        let mut above = Table::from_iter([(key.to_owned(), value)]);
        above.extend(config);
        return above;
    };
    let table = config.entry(table).or_insert_with(|| Table::new().into());
    let table = if let Some(list) = table.as_array_mut() { &mut list[0] } else { table };
    table.as_table_mut().unwrap().insert(name.to_owned(), value);
    config
}

fn value(literal: &str) -> toml::Value {
    format!("it = {literal}").parse::<Table>().unwrap()["it"].clone()
}

/// A line that names a key, where it stands, and what would be right.
fn names(told: &str, place: &str, key: &str, wanted: &str) {
    let line = told.lines().find(|line| line.contains(place) && line.contains(key));
    assert!(line.is_some_and(|line| line.contains(wanted)), "{key}: {wanted}: {told}");
}

#[test]
fn every_wrong_value_is_named_with_its_key_and_its_line_and_nothing_is_started() {
    let place = Place::new();
    for (key, wrong, wanted) in WRONG {
        place.write(&with(good(), key, value(wrong)));
        for args in [&[][..], &["--check"]] {
            names(&place.refusal(args, &[]), "byoc.toml, line ", &format!(", {key}"), wanted);
        }
    }
}

#[test]
fn a_wrong_value_in_a_variable_names_the_variable() {
    let place = Place::new();
    for (key, wrong, wanted) in WRONG {
        let text = match value(wrong) {
            toml::Value::Array(_) => continue,
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        // These stand in the file alone.
        if ["org.channels", "org.roster"].contains(key) {
            continue;
        }
        let variable = format!("BYOC_{}", key.replace('.', "_").to_uppercase());
        let told = place.refusal(&["--check"], &[(&variable, &text)]);
        names(&told, &format!("the variable {variable}: "), "", wanted);
    }
    for (variable, wanted) in [
        ("BYOC_ORG_PRIVATE_KEY", "not a valid PEM RSA key"),
        ("BYOC_SERVER_SESSION_SECRET", "must have 32 or more"),
        ("BYOC_SERVER_EVENTS_SECRET", "must have 32 or more"),
        ("BYOC_SERVER_OPERATOR_SECRET", "must have 32 or more"),
    ] {
        let told = place.refusal(&[], &[(variable, "hush")]);
        names(&told, &format!("the variable {variable}: "), "", wanted);
    }
}

#[test]
fn an_org_of_several_is_checked_as_the_only_one_is() {
    let place = Place::new();
    let definition = good()["channel_definition"].as_table().unwrap().to_string();
    std::fs::write(place.path("channel.toml"), definition).unwrap();
    place.write(&good_with_orgs());
    assert_eq!(place.serve(&["--check"], &[]).status.code(), Some(0));
    for (key, wrong, wanted) in WRONG {
        let Some(key) = key.strip_prefix("org.") else { continue };
        place.write(&with(good_with_orgs(), &format!("orgs.{key}"), value(wrong)));
        names(&place.refusal(&[], &[]), "byoc.toml, line ", &format!(", orgs[0].{key}"), wanted);
    }
}

#[test]
fn no_key_was_forgotten_above() {
    let place = Place::new();
    let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (table, key) in WRONG.iter().filter_map(|(key, _, _)| key.split_once('.')) {
        keys.entry(table).or_default().push(key);
    }
    for (table, mut wrong) in keys {
        place.write(&with(good(), &format!("{table}.no_such_key"), value("1")));
        let told = place.refusal(&[], &[]);
        let (_, known) = told.trim().rsplit_once("there is no such key; there are ").unwrap();
        let mut known: Vec<&str> = known.split(", ").collect();
        known.sort_unstable();
        wrong.sort_unstable();
        wrong.dedup();
        assert_eq!(wrong, known, "{table}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let place = Place::new();
    let config = with(good(), "org.username", value("''"));
    let config = with(config, "store.outcome_days", value("0"));
    place.write(&with(config, "server.listen", value("'here'")));
    assert_eq!(place.refusal(&[], &[]).lines().count(), 3);
}

#[test]
fn a_configuration_that_cannot_be_found_or_read_is_named() {
    let place = Place::new();
    place.refused(&["--config", "none.toml"], &[], "cannot read the configuration none.toml: No such file");
    place.refused(&["--config", "."], &[], "cannot read the configuration .: Is a directory");
    std::fs::write(place.path("bytes.toml"), b"\xff\xfe\x00").unwrap();
    place.refused(&[], &[("BYOC_CONFIG", "bytes.toml")], "bytes.toml: stream did not contain valid UTF-8");
    std::fs::write(place.path("text.toml"), "id = \n[[reps]\n").unwrap();
    place.refused(&["--config", "text.toml"], &[], "text.toml, line 1: this is not TOML");
    std::fs::write(place.path("empty.toml"), "").unwrap();
    place.refused(&["--config", "empty.toml"], &[], "empty.toml, org: there is none; a connector needs");
    std::fs::remove_file(place.path("byoc.toml")).unwrap();
    place.refused(
        &[],
        &[],
        "there is no byoc.toml in this directory; name a configuration with --config FILE",
    );
    place.refused(&["--check"], &[], "or BYOC_CONFIG");
}

#[test]
fn a_filter_or_format_of_logs_that_is_none_is_named() {
    let place = Place::new();
    place.refused(&["--log", "a=b=c"], &[], "'a=b=c' is no filter of log lines");
    place.refused(&["--check"], &[("BYOC_LOG", "byoc=loud")], "it must be such as info");
    place.refused(&["--log-format", "xml"], &[], "possible values: text, json");
}

#[test]
fn a_store_that_cannot_be_had_is_named() {
    let place = Place::new();
    for args in [&[][..], &["--check"]] {
        let missing = [("BYOC_STORE_PATH", "no/such/byoc.db")];
        place.refused(
            args,
            &missing,
            "store.path: it is no/such/byoc.db, and there is no folder no/such; make",
        );
        place.refused(args, &[("BYOC_STORE_PATH", ".")], "store.path: it is ., which is no file");
    }
    std::fs::write(place.path("text.db"), "These are some lines of text, and no database.\n".repeat(90))
        .unwrap();
    place.refused(
        &[],
        &[("BYOC_STORE_PATH", "text.db")],
        "store.path: text.db cannot be used: the store is damaged",
    );
    let text = std::fs::read_to_string(place.path("text.db")).unwrap();
    assert!(text.starts_with("These are") && text.len() == 47 * 90, "somebody's file was written to");
}

/// A connector that serves, and is killed when it is dropped.
struct FirstOne(Child);

impl Drop for FirstOne {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_store_or_a_port_that_another_has_is_left_to_it() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = place.refusal(&[], &[("BYOC_SERVER_LISTEN", &address)]);
    names(&told, &format!("server.listen: cannot listen on {address}"), "", "stop what listens there");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_byoc"));
    // Nobody answers there, which is no reason not to start.
    let nobody = format!("http://{address}");
    for variable in ["INSTANCE_URL", "INTERACTION_URL", "PUBSUB_ENDPOINT", "TOKEN_URL"] {
        command.env(format!("BYOC_ORG_{variable}"), &nobody);
    }
    command.current_dir(place.0.path()).arg("serve").arg("--json").env("BYOC_STORE_PATH", "other.db");
    let announced = std::fs::File::create(place.path("announced")).unwrap();
    let child = command.stdin(Stdio::null()).stdout(announced).stderr(Stdio::null()).spawn().unwrap();
    let first = FirstOne(child);
    let begin = Instant::now();
    while std::fs::read_to_string(place.path("announced")).unwrap().is_empty() {
        assert!(begin.elapsed() < HANGS, "the first one does not serve");
        std::thread::sleep(Duration::from_millis(10));
    }
    let told = place.refusal(&[], &[("BYOC_STORE_PATH", "other.db")]);
    names(&told, "store.path: other.db cannot be used", "in use by another process", "stop the other one");
    drop(first);
}

#[test]
fn a_good_configuration_is_checked_and_nothing_is_started() {
    let place = Place::new();
    let output = place.serve(&["--check"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "The configuration is fine: 1 org, 1 channel.\n");
    let output = place.serve(&["--check", "--json"], &[]);
    let said: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(said, serde_json::json!({ "ok": true, "orgs": 1, "channels": 1, "warnings": [] }));
    assert!(!place.path("byoc.db").exists());
}

#[test]
fn a_variable_is_a_text_where_a_text_is_wanted_whatever_it_looks_like() {
    let place = Place::new();
    let variables = [
        ("BYOC_ORG_CONSUMER_KEY", "2026"),
        ("BYOC_ORG_USERNAME", "true"),
        ("BYOC_STORE_PATH", "1.5"),
        ("BYOC_SERVER_SESSION_AUDIENCE", "7"),
        ("BYOC_CHANNEL_DEFINITION_DEVELOPER_NAME", "12"),
    ];
    for variable in variables {
        let output = place.serve(&["--check"], &[variable]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
}

/// The sample configuration, whose key can be found from where a test reads it.
fn sample() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/serve.toml")).unwrap()
}

fn read(text: &str) -> Result<Serving, byoc_connector::config::Error> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/serve.toml");
    Serving::parse(&file, text, &Environment::new())
}

/// Either a configuration or reasons why not, each in one line that is not empty.
fn is_told(text: &str) {
    if let Err(error) = read(text) {
        let told = error.to_string();
        assert!(!told.is_empty() && told.lines().all(|line| line.len() > 20), "{told:?}");
    }
}

/// A change to a text: what is at a place is taken out, and something else is put there.
fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, String)>> {
    let put = prop_oneof![
        any::<String>(),
        "[\\[\\]{}='\"#,.\n0-9-]{0,6}",
        Just("nan".to_owned()),
        Just("\u{0}".to_owned()),
        Just("99999999999999999999".to_owned()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, put), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        is_told(&text);
    }

    #[test]
    fn no_toml_makes_it_panic(text in "(\\[{0,2}(org|orgs|store|server|webhooks|people|routing|reps|channel_definition)\\]{0,2}\n|(id|listen|channels|path|choice|begin|roster|ring) = ('[ -~]{0,9}'|-?[0-9]{1,20}|\\[\\]|true|\\{id = 1\\}|\\['x', 2\\])\n){0,12}") {
        is_told(&text);
    }

    #[test]
    fn no_change_to_a_good_one_makes_it_panic(changes in changes()) {
        let mut text: Vec<char> = sample().chars().collect();
        for (at, taken, put) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + taken).min(text.len());
            text.splice(at..end, put.chars());
        }
        is_told(&text.into_iter().collect::<String>());
    }
}
