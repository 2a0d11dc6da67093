//! `byoc doctor`: what it finds wrong with an org, and that it leaves it as it was.

use byoc_connector::emulator::{LedgerEvent, Operation};
use byoc_connector::model::roster::Roster;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::world::World;
use crate::support::replaying::command::{byoc, stderr, stdout};

pub(super) async fn world() -> World {
    let roster: Roster = serde_json::from_value(json!({ "reps": [{ "id": "005000000000001" }] })).unwrap();
    World::start(roster, "").await
}

/// What it says, and its exit code.
fn doctor(world: &World, args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = byoc();
    command.current_dir(world.path("")).arg("doctor").args(args).envs(variables.iter().copied());
    let output = command.env("NO_PROXY", "127.0.0.1").output().unwrap();
    assert_eq!(stderr(&output), "");
    let said = stdout(&output);
    assert!(!said.contains("PRIVATE KEY") && !said.contains("00DHu0000012345!"), "a secret is shown: {said}");
    (output.status.code(), said)
}

/// Its findings: for each step whether it is fine, and all that is said of it.
pub(super) fn findings(world: &World, variables: &[(&str, &str)]) -> Vec<(String, bool, String)> {
    let (code, said) = doctor(world, &["--json"], variables);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(code, Some(i32::from(said["ok"] != true)), "{said}");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = said["findings"].as_array().unwrap().iter();
    findings
        .map(|it| {
            let told = format!("{} > {}", text(it, "found"), text(it, "advice"));
            (text(it, "step"), it["ok"] == true, told)
        })
        .collect()
}

/// Of all steps, that one alone finds something, with these words.
pub(super) fn only_problem(world: &World, variables: &[(&str, &str)], step: &str, words: &[&str]) {
    let all = findings(world, variables);
    let problems: Vec<_> = all.iter().filter(|(_, ok, _)| !ok).collect();
    let [(found, _, told)] = problems.as_slice() else { panic!("{variables:?}: {all:?}") };
    assert_eq!(found, step, "{told}");
    for word in words {
        assert!(told.contains(word), "{word} is not in: {told}");
    }
}

fn steps(findings: &[(String, bool, String)]) -> Vec<&str> {
    findings.iter().map(|(step, ..)| step.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_org_that_is_well_is_said_to_be_and_left_as_it_was() {
    let world = world().await;
    let (code, said) = doctor(&world, &[], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ok       org, rights: this is byoc emulator"), "{said}");
    assert!(said.ends_with("All is well.\n"), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("ok ")).count(), 9, "{said}");
    let all = findings(&world, &[]);
    let steps = steps(&all);
    assert_eq!(steps, ["store", "disk", "listen", "clock", "token", "rights", "channel", "calls", "events"]);
    world.emulator.with(|salesforce, _| {
        let books = salesforce.books();
        let other = |booked: &LedgerEvent| {
            !matches!(booked, LedgerEvent::Call { operation: Some(Operation::UpdateAgentWork), .. })
        };
        assert_eq!((books.calls(Operation::UpdateAgentWork), books.count(other)), (2, 0));
    });
    let left: Vec<_> = std::fs::read_dir(world.path("")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["byoc.toml"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_refused_is_explained_and_nothing_more_is_asked() {
    let world = world().await;
    let key = [("BYOC_ORG_CONSUMER_KEY", "another")];
    only_problem(&world, &key, "token", &["invalid_client_id", "check consumer_key"]);
    let user = [("BYOC_ORG_USERNAME", "nobody@example.com")];
    only_problem(&world, &user, "token", &["invalid_grant", "pre-authorized", "check username"]);
    let audience = [("BYOC_ORG_AUDIENCE", "https://acme.example")];
    only_problem(
        &world,
        &audience,
        "token",
        &["or to https://login.salesforce.com", "https://test.salesforce.com"],
    );
    world.emulator.refuse_logins(true);
    only_problem(&world, &[], "token", &["user hasn't approved this consumer", "pre-authorized"]);
    assert_eq!(steps(&findings(&world, &[])), ["store", "disk", "listen", "clock", "token", "channel"]);
    let (code, said) = doctor(&world, &[], &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("problem  org, token: ") && said.ends_with("1 problem found.\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_the_org_does_not_know_so_is_found() {
    let world = world().await;
    let name = [("BYOC_CHANNEL_DEFINITION_DEVELOPER_NAME", "devorg_Other")];
    only_problem(
        &world,
        &name,
        "calls",
        &["10001: The channel definition", "devorg_Other", "developer name"],
    );
    let event = [("BYOC_CHANNEL_DEFINITION_CUSTOM_PLATFORM_EVENT", "devorg__Other__e")];
    only_problem(&world, &event, "events", &["/event/devorg__Other__e", "check custom_platform_event"]);
    let field = [("BYOC_CHANNEL_DEFINITION_CUSTOM_EVENT_PAYLOAD_FIELD", "devorg__Paylod__c")];
    only_problem(&world, &field, "events", &["has no devorg__Paylod__c", "devorg__Payload__c"]);
    let org = [("BYOC_ORG_ID", "00DHu0000099999")];
    let all = findings(&world, &org);
    let told: Vec<&str> = all.iter().filter(|(_, ok, _)| !ok).map(|(.., told)| told.as_str()).collect();
    let [calls, events] = told.as_slice() else { panic!("{all:?}") };
    assert!(calls.contains("10005: ") && events.contains("check id and instance_url"), "{all:?}");
    let owner = [("BYOC_CHANNEL_DEFINITION_ROUTING_OWNER", "Salesforce")];
    only_problem(&world, &owner, "channel", &["RoutingOwner is Salesforce"]);
    let conference = [("BYOC_CHANNEL_DEFINITION_IS_CONFERENCE_SUPPORTED", "false")];
    only_problem(&world, &conference, "channel", &["IsConferenceSupported is false"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_where_something_else_answers_is_found() {
    let world = world().await;
    let other = MockServer::start().await;
    let url = other.uri();
    let calls = [("BYOC_ORG_INTERACTION_URL", url.as_str())];
    only_problem(&world, &calls, "calls", &["is not the Interaction Service", "check interaction_url"]);
    let to = ResponseTemplate::new(302).insert_header("location", "https://acme.example/login");
    let page = |status| ResponseTemplate::new(status).set_body_raw("<html>Log in</html>", "text/html");
    for (answer, words) in [
        (page(200), "is not the Interaction Service: HTTP 200, an HTML page"),
        (page(403), "(HTTP 403, with an HTML page)"),
        (ResponseTemplate::new(403), "(HTTP 403, without a message)"),
        (to, "(HTTP 302, a redirect, and redirects are not followed)"),
    ] {
        let other = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&other).await;
        let url = other.uri();
        let calls = [("BYOC_ORG_INTERACTION_URL", url.as_str())];
        only_problem(&world, &calls, "calls", &[words, "check interaction_url"]);
    }
    let events = [("BYOC_ORG_PUBSUB_ENDPOINT", url.as_str())];
    only_problem(&world, &events, "events", &["check pubsub_endpoint"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_wrong_is_found() {
    let world = world().await;
    let long_ago = MockServer::start().await;
    let answer =
        ResponseTemplate::new(400).insert_header("date", "Wed, 21 Oct 2015 07:28:00 GMT").set_body_json(
            json!({ "error": "invalid_grant", "error_description": "expired authorization code" }),
        );
    Mock::given(any()).respond_with(answer).mount(&long_ago).await;
    let url = format!("{}/token", long_ago.uri());
    let all = findings(&world, &[("BYOC_ORG_TOKEN_URL", &url)]);
    let [_, _, _, (_, false, clock), (_, false, token), _] = all.as_slice() else { panic!("{all:?}") };
    assert!(clock.contains("ahead of Salesforce's > set the clock"), "{clock}");
    assert!(token.contains("set this machine's clock"), "{token}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_where_nothing_can_be_written_is_found() {
    let world = world().await;
    only_problem(
        &world,
        &[("BYOC_STORE_PATH", "/proc/byoc.db")],
        "store",
        &["/proc/byoc.db", "the right to write"],
    );
}
