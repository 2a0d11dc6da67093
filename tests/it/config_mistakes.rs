//! Every mistake of a configuration is named at once: none hides another.

use std::path::Path;

use byoc_connector::config::{Environment, Error, Serving};

/// Some of an org, and a file beside it that holds its key.
const ORG: &str = "interaction_url = 'https://acme.my.salesforce-scrt.com'\nconsumer_key = 'key'\n\
                   private_key_file = 'keys/sample-private-key.pem'\n";

const DEFINITION: &str = "[channel_definition]\ndeveloper_name = 'Acme'\nrouting_owner = 'Partner'\n\
                          custom_platform_event = 'acme__Routing__e'\n";

/// The keys that are named, with what is said of each up to the first semicolon.
fn told(text: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/x.toml");
    let Err(Error::Mistaken { mistakes }) = Serving::parse(&path, text, &Environment::new()) else {
        panic!("no mistake is told: {text}")
    };
    let said = mistakes.iter().map(|mistake| {
        let problem = mistake.problem.split(';').next().unwrap();
        format!("{}: {problem}", mistake.key.as_deref().unwrap())
    });
    said.collect()
}

#[test]
fn an_unknown_key_of_the_org_hides_nothing() {
    let org =
        format!("[org]\nid = '00DHs0000000001'\ninstance_url = 'acme'\nusername = ' '\nusernme = 'u'\n{ORG}");
    let org = org.replace("sample-private", "no-such-private");
    assert_eq!(
        told(&org),
        [
            "channel_definition: it is missing",
            "org.instance_url: it is 'acme'",
            "org.username: it is empty",
            "org.usernme: unknown key",
            "org.private_key_file: it is keys/no-such-private-key.pem, which cannot be read: No such file or directory (os error 2)",
        ]
    );
}

#[test]
fn what_is_missing_hides_neither_what_else_is_missing_nor_what_is_wrong() {
    let org = format!("{DEFINITION}[org]\ninstance_url = 'acme'\n{ORG}[[orgs]]\ntoken_url = 'x'\n");
    let said = told(&org);
    for line in [
        "org.id: it is missing",
        "org.username: it is missing",
        "org.instance_url: it is 'acme'",
        "orgs[0].id: it is missing",
        "orgs[0].instance_url: it is missing",
        "orgs[0].interaction_url: it is missing",
        "orgs[0].consumer_key: it is missing",
        "orgs[0].private_key_file: it is missing",
        "orgs[0].channels: it is missing",
        "orgs[0].token_url: it is 'x'",
    ] {
        assert!(said.iter().any(|told| told == line), "{line} is not in {said:#?}");
    }
}

#[test]
fn what_is_wrong_is_not_told_as_missing_too() {
    let org = format!(
        "{DEFINITION}[org]\nid = '00X'\nusername = 5\ninstance_url = 'https://acme.my.salesforce.com'\n{ORG}"
    );
    let said = told(&org);
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said[0].starts_with("org.id: '00X' is not a valid org id"), "{said:#?}");
    assert!(said[1].starts_with("org.username: invalid type"), "{said:#?}");
}

#[test]
fn what_is_wrong_elsewhere_does_not_hide_that_there_is_no_org_and_no_channel() {
    let said = told("[routing]\nring = 'every'\n");
    assert_eq!(said[0], "org: it is missing");
    assert_eq!(said[1], "routing.ring: unknown variant `every`, expected `one at a time` or `all`");
    let unknown = format!(
        "[org]\nid = '00DHs0000000001'\ninstance_url = 'https://acme.my.salesforce.com'\nusername = 'u'\n{ORG}\
                           [store]\npth = 'x'\noutcome_days = 0\n[server]\nconnections = 1\nlisten = '0.0.0.0:80'\n\
                           [webhooks]\nrep_finder_url = 'nowhere'\nsecret_file = 'no-such'\n"
    );
    let said = told(&unknown);
    let keys: Vec<&str> = said.iter().map(|told| told.split(": ").next().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "channel_definition",
            "store.pth",
            "store.outcome_days",
            "server.connections",
            "server.listen",
            "webhooks.rep_finder_url",
            "webhooks.secret_file",
        ]
    );
}

#[test]
fn an_unknown_key_of_a_rep_or_a_partner_key_hides_nothing() {
    let org = format!(
        "{DEFINITION}[org]\nid = '00DHs0000000001'\ninstance_url = 'https://acme.my.salesforce.com'\nusername = 'u'\n{ORG}"
    );
    let said = told(&format!(
        "{org}[[partner_keys]]\nnme = 'x'\nsecret_file = 'no-such'\norgs = ['00DHs0000000002']\n\
         [[reps]]\nid = '005000000000001'\ncapicity = 1\ncapacity_used = -1\n"
    ));
    let keys: Vec<&str> = said.iter().map(|told| told.split(": ").next().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "partner_keys[0].name",
            "partner_keys[0].nme",
            "partner_keys[0].secret_file",
            "partner_keys[0].orgs",
            "reps[0].capacity_used",
            "reps[0].capicity",
        ]
    );
}
