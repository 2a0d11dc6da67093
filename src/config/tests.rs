//! What the tests of this room show.

use std::path::PathBuf;

use super::*;
use crate::rep_finder::Choice;
use crate::routing::{Report, Ring};

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(Path::new("byoc.toml"), text, &variables).map_err(|error| match error {
        Error::Mistaken { mistakes } => mistakes.iter().map(ToString::to_string).collect(),
        Error::Unreadable { .. } => vec![error.to_string()],
    })
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

#[test]
fn an_empty_file_is_a_configuration() {
    assert_eq!(parse("", &[]), Ok(Config::default()));
}

#[test]
fn the_sample_says_what_it_says() {
    let config = Config::load(&fixture("byoc.toml"), &Environment::new()).unwrap();
    assert_eq!(config.platform_participant_limit, Some(6));
    assert_eq!(config.participant_limit(), Some(4), "the channel's own limit is the lower one");
    assert!(config.channel_definition.unwrap().is_conference_supported);
    let roster = config.roster;
    let counts = (roster.reps.len(), roster.queues.len(), roster.flows.len(), roster.contacts.len());
    assert_eq!(counts, (6, 2, 1, 3));
    assert!(roster.reps[0].capacity_used > 2.9);
    assert_eq!(roster.queues.first().unwrap().accepted_last_10_minutes, 31);
}

#[test]
fn every_mistake_is_told_with_its_line_its_key_and_what_would_be_right() {
    let text = r#"platform_participant_limit = 1
channel_definiton = "x.toml"

[channel_definition]
routing_owner = "Nobody"

[[reps]]
id = "005"
availability = "ASLEEP"
capicity = 3

[[reps]]
name = "No id"
capacity = -1

[[reps]]
id = "005000000000001"
capacity = nan

[[reps]]
id = "005000000000001"

[[contacts]]
id = " "

[queues]
"#;
    insta::assert_snapshot!(parse(text, &[]).unwrap_err().join("\n"), @r"
    byoc.toml, line 1, platform_participant_limit: 1 is not a valid limit; it must be a whole number of participants, 2 or more
    byoc.toml, line 2, channel_definiton: unknown key; the keys are channel_definition, contacts, flows, org, orgs, partner_keys, people, platform_participant_limit, queues, reps, routing, server, store, webhooks
    byoc.toml, line 5, channel_definition.routing_owner: it is 'Nobody'; it must be Partner or Salesforce
    byoc.toml, line 8, reps[0].id: '005' is not a valid rep id: it has 3 characters, not 15 or 18
    byoc.toml, line 9, reps[0].availability: unknown variant `ASLEEP`, expected `AVAILABLE`, `BUSY` or `OFFLINE`
    byoc.toml, line 10, reps[0].capicity: unknown key; the keys are id, user_id, name, availability, presence, messaging, capacity, capacity_used, queues, skills, script
    byoc.toml, line 12, reps[1]: missing field `id`
    byoc.toml, line 16, reps[2].capacity: NaN is not a valid capacity; it must be a number, 0 or more
    byoc.toml, line 20, reps[3].id: 005000000000001 is the id of reps[2] already; ids must differ
    byoc.toml, line 23, contacts[0].id: it is empty; it must be your own id for the contact
    byoc.toml, line 26, queues: it must be a list of tables, [[queues]]
    ");
}

#[test]
fn what_is_no_toml_is_named_line_by_line() {
    insta::assert_snapshot!(parse("a = \n\n[[reps]\nid = 5\n", &[]).unwrap_err().join("\n"), @r"
    byoc.toml, line 1: this is not TOML: string values must be quoted, expected literal string
    byoc.toml, line 3: this is not TOML: unclosed array table, expected `]`
    ");
}

#[test]
fn a_variable_wins_over_the_file() {
    let file = "platform_participant_limit = 6\n[channel_definition]\nis_conference_supported = true\n";
    let variables = [
        ("BYOC_PLATFORM_PARTICIPANT_LIMIT", "8"),
        ("BYOC_CHANNEL_DEFINITION_IS_CONFERENCE_SUPPORTED", "false"),
        ("BYOC_CHANNEL_DEFINITION_ROUTING_OWNER", "Partner"),
    ];
    let config = parse(file, &variables).unwrap();
    assert_eq!(config.platform_participant_limit, Some(8));
    let definition = config.channel_definition.unwrap();
    assert!(!definition.is_conference_supported);
    assert_eq!(definition.routing_owner.as_str(), "Partner");
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    let variables = [
        ("BYOC_PLATFORM_PARTICIPANT_LIMIT", "many"),
        ("BYOC_CHANNEL_DEFINITION_IS_CONFERENCE_SUPPORTED", "perhaps"),
    ];
    insta::assert_snapshot!(parse("", &variables).unwrap_err().join("\n"), @r#"
    the variable BYOC_PLATFORM_PARTICIPANT_LIMIT: invalid type: string "many", expected a whole number
    the variable BYOC_CHANNEL_DEFINITION_IS_CONFERENCE_SUPPORTED: it is 'perhaps'; it must be true or false
    "#);
}

#[test]
fn the_policy_is_read_from_the_file_and_the_variables() {
    let file = "[routing]\nring = 'all'\nring_seconds = 20\nsearch_seconds = 90\n";
    let variables = [("BYOC_ROUTING_RING_SECONDS", "25"), ("BYOC_ROUTING_REPORT", "accepted")];
    let expected = Policy {
        ring: Ring::All,
        report: Report::Accepted,
        ring_seconds: 25,
        search_seconds: 90,
        ..Policy::default()
    };
    assert_eq!(parse(file, &variables).unwrap().routing, expected);
    assert_eq!(parse("", &variables[..1]).unwrap().routing.ring_seconds, 25, "the file may have no table");
}

#[test]
fn every_key_of_the_policy_is_also_a_variable() {
    let mut keys = keys::known::<Policy>().to_vec();
    keys.sort_unstable();
    let mut variables = ROUTING_KEYS.to_vec();
    variables.sort_unstable();
    assert_eq!(variables, keys);
}

#[test]
fn a_mistake_in_the_policy_names_its_key_and_its_line_or_its_variable() {
    let file = "[routing]\nring = 'loud'\nring_seconds = 0\nmargin_secs = 5\ncapacity_percentage = 101\n";
    let told = parse(file, &[("BYOC_ROUTING_MARGIN_SECONDS", "soon")]).unwrap_err();
    insta::assert_snapshot!(told.join("\n"), @r#"
    byoc.toml, line 2, routing.ring: unknown variant `loud`, expected `one at a time` or `all`
    byoc.toml, line 3, routing.ring_seconds: it must be 1 to 3600
    byoc.toml, line 4, routing.margin_secs: unknown key; the keys are ring, report, ring_seconds, margin_seconds, search_seconds, route_waiting, transfer_wait_seconds, ring_all_at_most, owed_alert_seconds, capacity_weight, capacity_percentage
    byoc.toml, line 5, routing.capacity_percentage: it must be 0 to 100
    the variable BYOC_ROUTING_MARGIN_SECONDS: invalid type: string "soon", expected a whole number, 0 or more
    "#);
    let file = "[routing]\nring_seconds = 0\ncapacity_percentage = 101\n";
    let variables = [("BYOC_ROUTING_MARGIN_SECONDS", "60"), ("BYOC_ROUTING_CAPACITY_WEIGHT", "-1")];
    insta::assert_snapshot!(parse(file, &variables).unwrap_err().join("\n"), @r"
    byoc.toml, line 2, routing.ring_seconds: it must be 1 to 3600
    byoc.toml, line 3, routing.capacity_percentage: it must be 0 to 100
    the variable BYOC_ROUTING_MARGIN_SECONDS: it must be 1 to 50: it is taken from Salesforce's 60
    the variable BYOC_ROUTING_CAPACITY_WEIGHT: it must be 0 or more
    ");
    insta::assert_snapshot!(parse("routing = 'all'", &[]).unwrap_err().join("\n"), @"byoc.toml, line 1, routing: it is a string; it must be a table, [routing]");
}

#[test]
fn the_choice_of_a_rep_is_read_from_the_file_and_the_variables() {
    let choice = |text, variables: &[_]| parse(text, variables).map(|config| config.people.choice);
    assert_eq!(choice("", &[]), Ok(Choice::MostAvailable));
    assert_eq!(choice("[people]\nchoice = 'least-active'", &[]), Ok(Choice::LeastActive));
    assert_eq!(choice("", &[("BYOC_PEOPLE_CHOICE", "least-active")]), Ok(Choice::LeastActive));
    insta::assert_snapshot!(choice("[people]\nchoice = 'any'\nchoise = 1", &[]).unwrap_err().join("\n"), @r"
    byoc.toml, line 2, people.choice: unknown variant `any`, expected `most-available` or `least-active`
    byoc.toml, line 3, people.choise: unknown key; the keys are choice
    ");
}

#[test]
fn the_sample_shows_every_key_of_the_policy_with_its_default() {
    let sample = std::fs::read_to_string(fixture("byoc.toml")).unwrap();
    let (_, table) = sample.split_once("# [routing]\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let mut shown: Vec<&str> = Vec::new();
    let mut text = "[routing]\n".to_owned();
    for line in table.lines() {
        let setting = line.strip_prefix("# ").unwrap();
        shown.push(setting.split(' ').next().unwrap());
        // What has no default is shown by example.
        if !setting.contains("# not set") {
            text.push_str(setting);
            text.push('\n');
        }
    }
    assert_eq!(shown, ROUTING_KEYS);
    assert_eq!(parse(&text, &[]).unwrap().routing, Policy::default());
}

#[test]
fn a_channel_definition_can_be_in_a_file_beside_this_one() {
    let beside = fixture("byoc.toml");
    let text = "channel_definition = \"definitions/acme.toml\"";
    let config = Config::parse(&beside, text, &Environment::new()).unwrap();
    assert_eq!(config.channel_definition.unwrap().developer_name.as_deref(), Some("Acme_Messaging"));
    let name = "BYOC_CHANNEL_DEFINITION_ROUTING_OWNER";
    let missing = parse("channel_definition = \"no/such.toml\"", &[(name, "Partner")]).unwrap_err();
    insta::assert_snapshot!(missing.join("\n"), @r"
    byoc.toml, line 1, channel_definition: no/such.toml cannot be read: No such file or directory (os error 2)
    the variable BYOC_CHANNEL_DEFINITION_ROUTING_OWNER: the channel definition is in its own file; set it there
    ");
}

#[test]
fn one_mistake_made_a_thousand_times_is_told_a_hundred_times() {
    let told = parse(&"[[flows]]\nid = 1\n".repeat(1_000), &[]).unwrap_err();
    assert_eq!(told.len(), 101);
    assert_eq!(told.last().unwrap(), "byoc.toml: 900 more mistakes; correct these first");
}

#[test]
fn both_spellings_of_a_key_are_read() {
    for text in [
        "[[queues]]\nid = '00G000000000001'\nwait_seconds = 5",
        "[[queues]]\nqueueId = '00G000000000001'\nwaitSeconds = 5",
    ] {
        assert_eq!(parse(text, &[]).unwrap().roster.queues[0].wait_seconds, Some(5));
    }
}
