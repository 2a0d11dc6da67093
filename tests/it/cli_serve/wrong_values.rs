//! Each value that is wrong is named with its key and its line, and nothing is started.

use std::collections::BTreeMap;

use super::*;

/// Each key with values that it cannot have, as TOML, and what is said of them. Those of an org stand for `[org]` and
/// for `[[orgs]]`.
const WRONG: &[(&str, &str, &str)] = &[
    ("platform_participant_limit", "1", "2 or more"),
    ("platform_participant_limit", "'many'", "expected a whole number"),
    ("org.id", "'00X'", "is not a valid org id: it has 3 characters"),
    ("org.id", "'005Hs0000000001'", "those start with 00D"),
    ("org.instance_url", "'acme.my.salesforce.com'", "must be a whole URL"),
    ("org.interaction_url", "'http://acme.example'", "plain http is only allowed for localhost"),
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
    ("org.reads_per_day", "-1", "expected a whole number, 0 or more"),
    ("org.reads_until_percent", "0", "must be 1 to 100"),
    ("org.channels", "['none.toml']", "none.toml cannot be read"),
    ("org.channels", "['text.pem']", "must end in .ConversationChannelDefinition-meta.xml"),
    ("org.channels", "'none.toml'", "expected a sequence"),
    ("org.roster", "'none.toml'", "cannot read the configuration"),
    ("store.path", "''", "is empty; it must be the path of a file"),
    ("store.outcome_days", "0", "must be 1 to 3650"),
    ("store.max_megabytes", "1", "must be 16 or more"),
    ("server.listen", "'localhost'", "must be an IP address and a port"),
    ("server.listen", "'0.0.0.0:0'", "other machines can reach"),
    ("server.health_listen", "'localhost'", "must be an IP address and a port"),
    ("server.health_listen", "'0.0.0.0:9090'", "including /metrics"),
    ("server.connections", "1", "must be 16 to 1000000"),
    ("server.connections", "'many'", "expected a whole number"),
    ("server.allowed_origins", "'acme.lightning.force.com'", "must be one such as https://"),
    ("server.session_secret_file", "'none'", "cannot be read"),
    ("server.session_secret_file", "'text.pem'", "must have 32 or more"),
    ("server.session_jwks_url", "'http://idp.example/keys'", "plain http is only allowed for localhost"),
    ("server.session_audience", "' '", "is empty; leave it out"),
    ("server.session_issuer", "''", "is empty; leave it out"),
    ("server.events_secret_file", "'text.pem'", "must have 32 or more"),
    ("server.operator_secret_file", "'none'", "cannot be read"),
    ("server.login_url", "'/login'", "must be a whole URL"),
    ("webhooks.rep_finder_url", "'nowhere'", "must be a whole URL"),
    ("webhooks.directory_url", "'http://acme.example/contacts'", "plain http is only allowed for localhost"),
    (
        "webhooks.end_user_notifier_url",
        "'https://acme.example/?key=hush'",
        "has a query or a fragment; remove it",
    ),
    ("webhooks.timeout_milliseconds", "5", "must be 10 to 30000"),
    ("webhooks.secret_file", "'none'", "cannot be read"),
    ("webhooks.signing_secrets_file", "'text.pem'", "must be whsec_ and 24 to 64 bytes"),
    ("people.choice", "'loudest'", "expected `most-available` or `least-active`"),
    ("routing.ring", "'loud'", "expected `one at a time` or `all`"),
    ("routing.report", "'never'", "expected"),
    ("routing.ring_seconds", "0", "must be 1 to 3600"),
    ("routing.margin_seconds", "60", "must be 1 to 50"),
    ("routing.route_waiting", "1", "expected true or false"),
    ("routing.transfer_wait_seconds", "59", "must be 60 to 86400"),
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

/// The same with its org, and the channel definition in a file of its own.
fn good_with_orgs() -> Table {
    let mut config: Table = format!("{CHANNEL}[[orgs]]{ORG}channels = ['channel.toml']").parse().unwrap();
    config.remove("channel_definition");
    config
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
        let (_, known) = told.trim().rsplit_once("unknown key; the keys are ").unwrap();
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
