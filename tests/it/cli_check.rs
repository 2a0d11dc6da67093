//! `byoc serve --check` names what is legal and cannot work, and with `--json` mistakes are JSON, for every command
//! that reads a configuration.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use toml::Table;

use crate::support::replaying::command::{byoc, stderr, stdout};

/// A configuration in which nothing is amiss.
const GOOD: &str = "
    [channel_definition]
    developer_name = 'acme_Messaging'
    routing_owner = 'Partner'
    is_conference_supported = true
    custom_platform_event = 'acme__Routing__e'
    custom_event_type_field = 'acme__Type__c'
    custom_event_payload_field = 'acme__Payload__c'
    event_capabilities_is_routing_work_result_supported = true
    [org]
    id = '00DHs0000000001'
    instance_url = 'https://acme.my.salesforce.com'
    interaction_url = 'https://acme.my.salesforce-scrt.com'
    consumer_key = 'key'
    username = 'user@acme.example'
    private_key_file = 'key.pem'
    [store]
    path = 'byoc.db'
    [server]
    listen = '127.0.0.1:0'
    [[queues]]
    id = '00G000000000001'
    [[reps]]
    id = '005000000000001'
    queues = ['00G000000000001']
";

struct Place(TempDir);

impl Place {
    fn with(change: impl FnOnce(&mut Table)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/sample-private-key.pem");
        std::fs::copy(key, folder.path().join("key.pem")).unwrap();
        std::fs::write(folder.path().join("secret"), "s".repeat(40)).unwrap();
        let mut config: Table = GOOD.parse().unwrap();
        change(&mut config);
        std::fs::write(folder.path().join("byoc.toml"), config.to_string()).unwrap();
        Self(folder)
    }

    /// What is said with `--json`, the exit code, and what people are told.
    fn json(&self, args: &[&str], variables: &[(&str, &str)]) -> (Value, Option<i32>, String) {
        let mut command = byoc();
        command.current_dir(self.0.path()).args(args).arg("--json").envs(variables.iter().copied());
        let output = command.output().unwrap();
        let said = stdout(&output);
        let value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"));
        (value, output.status.code(), stderr(&output))
    }

    fn warnings(&self) -> Vec<Value> {
        let (said, code, _) = self.json(&["serve", "--check"], &[]);
        assert_eq!((code, &said["ok"]), (Some(0), &json!(true)), "{said}");
        said["warnings"].as_array().unwrap().clone()
    }
}

/// A change to one value of a table that is there, or of a new one.
fn set(table: &'static str, key: &'static str, value: &'static str) -> impl FnOnce(&mut Table) {
    move |config| {
        let value = format!("it = {value}").parse::<Table>().unwrap()["it"].clone();
        let at = config.entry(table).or_insert_with(|| Table::new().into());
        let at = if at.is_array() { &mut at[0] } else { at };
        at.as_table_mut().unwrap().insert(key.to_owned(), value);
    }
}

#[test]
fn a_configuration_in_which_nothing_is_amiss_has_no_warnings() {
    assert_eq!(Place::with(|_| ()).warnings(), Vec::<Value>::new());
}

/// Table, key and value that are legal and cannot work; where that is said, and in which words.
const CANNOT_WORK: &[[&str; 5]] = &[
    ["channel_definition", "routing_owner", "'Salesforce'", "RoutingOwner", "the connector ignores them"],
    ["channel_definition", "is_conference_supported", "false", "IsConferenceSupported", "set it to true"],
    [
        "channel_definition",
        "event_capabilities_is_routing_work_result_supported",
        "false",
        "EventCapabilitiesIsRoutingWorkResultSupported",
        "declines come only from the connector page",
    ],
    [
        "channel_definition",
        "max_participants_for_cnfr_override",
        "2",
        "MaxParticipantsForCnfrOverride",
        "no room for a second rep",
    ],
    [
        "channel_definition",
        "custom_event_type_field",
        "'Type__c'",
        "CustomEventTypeField",
        "probably acme__Type__c",
    ],
    ["reps", "queues", "['00G000000000002']", "reps[0].queues", "queue 00G000000000002 is not in [[queues]]"],
    [
        "org",
        "instance_url",
        "'https://acme.lightning.force.com'",
        "org.instance_url",
        "not an org's own address",
    ],
    [
        "org",
        "instance_url",
        "'https://other.my.salesforce.com'",
        "org.interaction_url",
        "should be other.my.",
    ],
    ["org", "audience", "'https://acme.my.salesforce.com/services'", "org.audience", "has no path"],
    ["org", "token_url", "'https://acme.my.salesforce.com'", "org.token_url", "/services/oauth2/token"],
    [
        "server",
        "allowed_origins",
        "['https://other.lightning.force.com']",
        "server.allowed_origins",
        "https://acme.lightning.force.com is not in the list",
    ],
    ["server", "login_url", "'https://idp.example'", "server.login_url", "are not checked"],
];

#[test]
fn what_is_legal_and_cannot_work_is_named_with_its_key() {
    for &[table, key, value, at, words] in CANNOT_WORK {
        let warnings = Place::with(set(table, key, value)).warnings();
        let [warning] = warnings.as_slice() else { panic!("{key}: {warnings:?}") };
        let (told_at, problem) = (warning["key"].as_str().unwrap(), warning["problem"].as_str().unwrap());
        assert!(told_at.ends_with(at) && problem.contains(words), "{key}: {warning}");
    }
}

#[test]
fn an_audience_without_a_scheme_and_a_sandbox_at_productions_login_are_named() {
    let bare = Place::with(|config| {
        set("org", "token_url", "'https://acme.my.salesforce.com/services/oauth2/token'")(config);
        set("org", "audience", "'login.salesforce.com'")(config);
    });
    assert!(bare.warnings()[0]["problem"].as_str().unwrap().contains("such as https://login.salesforce.com"));
    let sandbox = Place::with(|config| {
        set("org", "instance_url", "'https://acme--uat.sandbox.my.salesforce.com'")(config);
        set("org", "interaction_url", "'https://acme--uat.sandbox.my.salesforce-scrt.com'")(config);
    });
    let warnings = sandbox.warnings();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning["problem"].as_str().unwrap().contains("https://test.salesforce.com"), "{warning}");
}

#[test]
fn rings_to_all_that_ring_one_are_named() {
    let place = Place::with(|config| {
        set("routing", "ring", "'all'")(config);
        set("routing", "ring_all_at_most", "1")(config);
    });
    let warnings = place.warnings();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(warning["key"], "routing.ring_all_at_most");
}

#[test]
fn a_public_address_without_origins_or_anybody_who_could_bring_reps_is_named() {
    let place = Place::with(|config| {
        set("server", "listen", "'0.0.0.0:0'")(config);
        set("server", "session_secret_file", "'secret'")(config);
        config.remove("reps");
    });
    let keys: Vec<Value> = place.warnings().iter().map(|warning| warning["key"].clone()).collect();
    assert_eq!(keys, ["org, reps", "server.allowed_origins"]);
}

#[test]
fn people_are_told_the_same_in_lines() {
    let place = Place::with(set("channel_definition", "is_conference_supported", "false"));
    let output = byoc().current_dir(place.0.path()).args(["serve", "--check"]).output().unwrap();
    let said = stdout(&output);
    assert!(said.starts_with("warning: org, acme_Messaging, IsConferenceSupported: it is false"), "{said}");
    assert!(said.ends_with("The configuration is valid, with warnings: 1 org, 1 channel.\n"), "{said}");
}

#[test]
fn with_json_mistakes_are_json_for_every_command_that_reads_a_configuration() {
    let place = Place::with(|config| {
        set("reps", "capacity", "-1")(config);
        config.insert("platform_participant_limit".to_owned(), 1.into());
    });
    let commands: &[&[&str]] = &[
        &["serve"],
        &["serve", "--check"],
        &["doctor"],
        &["record", "-o", "out.jsonl"],
        &["contacts"],
        &["emulator", "--config", "byoc.toml"],
    ];
    for args in commands {
        let (said, code, told) = place.json(args, &[]);
        assert_eq!((code, &said["ok"]), (Some(2), &json!(false)), "{args:?}: {said}");
        let errors = said["errors"].as_array().unwrap();
        assert_eq!((errors.len(), told.lines().count()), (2, 2), "{args:?}: {said}: {told}");
        let limit = errors.iter().find(|error| error["key"] == "platform_participant_limit").unwrap();
        assert!(limit["error"].as_str().unwrap().contains("2 or more"), "{limit}");
        assert!(limit["file"].as_str().unwrap().ends_with("byoc.toml") && limit["line"].is_u64(), "{limit}");
    }
    let (said, ..) = place.json(&["contacts"], &[("BYOC_PLATFORM_PARTICIPANT_LIMIT", "many")]);
    let variables: Vec<&Value> =
        said["errors"].as_array().unwrap().iter().map(|error| &error["variable"]).collect();
    assert!(variables.contains(&&json!("BYOC_PLATFORM_PARTICIPANT_LIMIT")), "{said}");
    let (said, code, _) = place.json(&["doctor", "--config", "none.toml"], &[]);
    assert_eq!((code, &said["ok"]), (Some(2), &json!(false)));
    assert!(said["errors"][0]["error"].as_str().unwrap().contains("cannot read the configuration"), "{said}");
}

#[test]
fn a_filter_of_log_lines_that_nothing_passes_is_refused() {
    let place = Place::with(|_| ());
    for (args, variables) in
        [(&["serve", "--log", "json"][..], &[][..]), (&["serve"][..], &[("BYOC_LOG", "inof")][..])]
    {
        let (said, code, _) = place.json(args, variables);
        assert_eq!(code, Some(2), "{said}");
        let told = said["errors"][0]["error"].as_str().unwrap();
        assert!(told.contains("lets no line through") && told.contains("--log-format"), "{told}");
    }
}

#[test]
fn the_sample_to_serve_has_nothing_to_warn_of() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/serve.toml");
    let output = byoc().args(["serve", "--check", "--json", "--config", file]).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &said["warnings"]), (Some(0), &json!([])), "{said}");
}
