//! Every setting is in one row, with what a change of it does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::config::Environment;
use crate::config::server::PartnerKey;
use crate::routing::Ring;

const FIRST: &str = "00DHs0000000001";
const SECOND: &str = "00DHs0000000002";
const THIRD: &str = "00DHs0000000003";

/// What a change does.
#[derive(Debug, Clone, Copy)]
enum Does {
    Nothing,
    /// The first org is replaced.
    ReplacesFirst,
    /// Every org is replaced.
    ReplacesAll,
    /// It counts from the next start.
    WaitsFor(&'static str),
}

type Change = fn(&mut Serving);

const ROWS: &[(&str, Does, Change)] = &[
    ("nothing", Does::Nothing, |_| {}),
    ("where an org stands in the file", Does::Nothing, |new| new.orgs.reverse()),
    ("how an org is called in messages", Does::Nothing, |new| new.orgs[0].place = "orgs[7]".to_owned()),
    ("a definition at the top of the file", Does::Nothing, |new| new.config.channel_definition = None),
    ("instance_url", Does::ReplacesFirst, |new| new.orgs[0].instance_url.push('x')),
    ("interaction_url", Does::ReplacesFirst, |new| new.orgs[0].interaction_url.push('x')),
    ("pubsub_endpoint", Does::ReplacesFirst, |new| new.orgs[0].pubsub_endpoint = Some("x".to_owned())),
    ("consumer_key", Does::ReplacesFirst, |new| new.orgs[0].consumer_key.push('x')),
    ("username", Does::ReplacesFirst, |new| new.orgs[0].username.push('x')),
    ("audience", Does::ReplacesFirst, |new| new.orgs[0].audience = Some("x".to_owned())),
    ("token_url", Does::ReplacesFirst, |new| new.orgs[0].token_url = Some("x".to_owned())),
    ("private key", Does::ReplacesFirst, |new| new.orgs[0].private_key = "another".into()),
    ("the same private key", Does::Nothing, |new| {
        new.orgs[0].private_key = new.orgs[0].private_key.expose_secret().into();
    }),
    ("begin", Does::ReplacesFirst, |new| new.orgs[0].from_earliest = true),
    ("reads_per_day", Does::ReplacesFirst, |new| new.orgs[0].reads.per_day += 1),
    ("reads_until_percent", Does::ReplacesFirst, |new| new.orgs[0].reads.until_percent += 1),
    ("a channel's setting", Does::ReplacesFirst, |new| {
        new.orgs[0].channels[0].is_conference_supported ^= true;
    }),
    ("a channel more", Does::ReplacesFirst, |new| {
        let channel = new.orgs[0].channels[0].clone();
        new.orgs[0].channels.push(channel);
    }),
    ("roster", Does::ReplacesFirst, |new| new.orgs[0].roster.reps.clear()),
    ("platform_participant_limit", Does::ReplacesAll, |new| new.config.platform_participant_limit = Some(9)),
    ("routing", Does::ReplacesAll, |new| new.config.routing.ring = Ring::All),
    ("people", Does::ReplacesAll, |new| new.config.people.choice = crate::rep_finder::Choice::LeastActive),
    ("rep_finder_url", Does::ReplacesAll, |new| new.webhooks.rep_finder_url = Some("x".to_owned())),
    ("directory_url", Does::ReplacesAll, |new| new.webhooks.directory_url = Some("x".to_owned())),
    ("end_user_notifier_url", Does::ReplacesAll, |new| {
        new.webhooks.end_user_notifier_url = Some("x".to_owned());
    }),
    ("webhooks.timeout", Does::ReplacesAll, |new| new.webhooks.timeout += Duration::from_secs(1)),
    ("webhooks.secret", Does::ReplacesAll, |new| new.webhooks.secret = Some("x".into())),
    ("listen", Does::WaitsFor("server"), |new| new.server.listen.set_port(1)),
    ("health_listen", Does::WaitsFor("server"), |new| new.server.health_listen = Some(new.server.listen)),
    ("connections", Does::WaitsFor("server"), |new| new.server.connections = Some(1)),
    ("allowed_origins", Does::WaitsFor("server"), |new| {
        new.server.allowed_origins.push("https://acme.lightning.force.com".parse().unwrap());
    }),
    ("no session", Does::WaitsFor("server"), |new| new.server.session = None),
    ("another session secret", Does::WaitsFor("server"), |new| {
        new.server.session = Some(SessionAuth::Secret("another".into()));
    }),
    ("the same session secret", Does::Nothing, |new| {
        new.server.session = Some(SessionAuth::Secret("session".into()));
    }),
    ("session_jwks", Does::WaitsFor("server"), |new| {
        new.server.session = Some(SessionAuth::Jwks("session".to_owned()));
    }),
    ("session audience", Does::WaitsFor("server"), |new| new.server.audience.push('x')),
    ("session issuer", Does::WaitsFor("server"), |new| new.server.issuer = Some("x".to_owned())),
    ("events_secret", Does::WaitsFor("server"), |new| new.server.events_secret = Some("x".into())),
    ("no partner key", Does::WaitsFor("server"), |new| new.server.partner_keys.clear()),
    ("a partner key's name", Does::WaitsFor("server"), |new| new.server.partner_keys[0].name.push('x')),
    ("a partner key's secret", Does::WaitsFor("server"), |new| {
        new.server.partner_keys[0].secret = "x".into();
    }),
    ("a partner key's orgs", Does::WaitsFor("server"), |new| new.server.partner_keys[0].orgs.clear()),
    ("a partner key's channels", Does::WaitsFor("server"), |new| {
        new.server.partner_keys[0].channels.push("x".to_owned());
    }),
    ("operator_secret", Does::WaitsFor("server"), |new| new.server.operator_secret = Some("x".into())),
    ("login_url", Does::WaitsFor("server"), |new| new.server.login_url = Some("x".to_owned())),
    ("store.path", Does::WaitsFor("store"), |new| new.store.path = PathBuf::from("other.db")),
    ("store.outcome_days", Does::WaitsFor("store"), |new| new.store.outcomes += Duration::from_secs(1)),
    ("store.max_megabytes", Does::WaitsFor("store"), |new| new.store.max_bytes = Some(1)),
];

fn id(org: &str) -> OrgId {
    OrgId::parse(org).unwrap()
}

/// Two orgs, with everything that a row changes.
fn serving() -> Serving {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let org = |id: &str| {
        format!(
            "[[orgs]]\nid = '{id}'\ninstance_url = 'https://acme.my.salesforce.com'\n\
             interaction_url = 'https://acme.my.salesforce-scrt.com'\nconsumer_key = 'key'\n\
             username = 'user@acme.example'\nprivate_key_file = 'keys/sample-private-key.pem'\n\
             channels = ['definitions/acme.toml']\nroster = 'byoc.toml'\n"
        )
    };
    let text = [FIRST, SECOND].map(org).concat();
    let mut serving = Serving::parse(&folder.join("x.toml"), &text, &Environment::new()).unwrap();
    serving.server.session = Some(SessionAuth::Secret("session".into()));
    serving.server.partner_keys = vec![PartnerKey {
        name: "crm".to_owned(),
        secret: "secret".into(),
        orgs: vec![id(FIRST)],
        channels: Vec::new(),
    }];
    serving
}

#[test]
fn each_setting_changes_what_it_is_about_and_nothing_else() {
    for (what, does, change) in ROWS {
        let old = serving();
        let mut new = old.clone();
        change(&mut new);
        let (first, second) = (vec![id(FIRST)], vec![id(SECOND)]);
        let all = || [first.clone(), second.clone()].concat();
        let mut expected = Difference { unchanged: all(), ..Difference::default() };
        match does {
            Does::Nothing => {}
            Does::ReplacesFirst => (expected.replaced, expected.unchanged) = (first.clone(), second.clone()),
            Does::ReplacesAll => (expected.replaced, expected.unchanged) = (all(), Vec::new()),
            Does::WaitsFor(table) => expected.needs_restart = vec![table],
        }
        for (one, other) in [(&old, &new), (&new, &old)] {
            let mut found = difference(one, other);
            found.unchanged.sort();
            assert_eq!(found, expected, "{what}");
        }
    }
}

#[test]
fn orgs_come_and_go_beside_those_that_stay() {
    let old = serving();
    let mut new = old.clone();
    new.orgs[0].id = id(THIRD);
    let expected = Difference {
        added: vec![id(THIRD)],
        removed: vec![id(FIRST)],
        unchanged: vec![id(SECOND)],
        ..Difference::default()
    };
    assert_eq!(difference(&old, &new), expected);
    new.config.routing.ring = Ring::All;
    new.store.path = PathBuf::from("other.db");
    let expected = Difference {
        replaced: vec![id(SECOND)],
        unchanged: Vec::new(),
        needs_restart: vec!["store"],
        ..expected
    };
    assert_eq!(difference(&old, &new), expected, "and beside rules that have changed");
}
