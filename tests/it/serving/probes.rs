//! What doctor finds beside the org: webhooks, the identity provider's keys, the server's address, the origins, the
//! store.

use std::net::TcpListener;

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::doctor::{findings, only_problem, world};

/// The modulus of the public key in RFC 7517, appendix A.1.
const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3\
                 oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA\
                 ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-\
                 kEgU8awapJzKnqDKgw";

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// An address where nobody answers.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_is_dead_or_refuses_is_found_whichever_it_is() {
    let world = world().await;
    for variable in
        ["BYOC_WEBHOOKS_REP_FINDER_URL", "BYOC_WEBHOOKS_DIRECTORY_URL", "BYOC_WEBHOOKS_END_USER_NOTIFIER_URL"]
    {
        let dead = nobody();
        only_problem(&world, &[(variable, &dead)], "webhooks", &["does not answer", "check the URL"]);
    }
    for (status, words) in [
        (401, "it rejects the secret"),
        (403, "it rejects the secret"),
        (404, "nothing at this path"),
        (405, "POST is not allowed"),
        (302, "redirects are not followed"),
        (500, "see its own log"),
    ] {
        let partner = answering(ResponseTemplate::new(status)).await;
        let url = format!("{}/find", partner.uri());
        let variables = [("BYOC_WEBHOOKS_REP_FINDER_URL", url.as_str())];
        only_problem(&world, &variables, "webhooks", &[&format!("HTTP {status}"), words]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_sent_a_probe_that_asks_and_tells_nothing_with_the_secret() {
    let world = world().await;
    for status in [200, 204, 400, 422] {
        let partner = answering(ResponseTemplate::new(status)).await;
        let url = format!("{}/tell", partner.uri());
        let variables = [("BYOC_WEBHOOKS_END_USER_NOTIFIER_URL", &*url), ("BYOC_WEBHOOKS_SECRET", "hush")];
        let all = findings(&world, &variables);
        assert!(all.iter().all(|(_, ok, told)| *ok && !told.contains("hush")), "{all:?}");
        let asked = partner.received_requests().await.unwrap();
        let [probe] = asked.as_slice() else { panic!("{} requests", asked.len()) };
        assert_eq!(probe.headers["authorization"], "Bearer hush");
        let body: Value = serde_json::from_slice(&probe.body).unwrap();
        let expected =
            json!({ "org": "00DHu0000012345", "channel": "devorg_PartnerMessaging", "probe": true });
        assert_eq!(body, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_cannot_be_had_are_found() {
    let world = world().await;
    let keys =
        json!({ "keys": [{ "kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": N, "e": "AQAB" }] });
    let good = answering(ResponseTemplate::new(200).set_body_json(keys)).await;
    let all = findings(&world, &[("BYOC_SERVER_SESSION_JWKS_URL", &good.uri())]);
    assert!(
        all.iter().any(|(step, ok, told)| step == "keys" && *ok && told.contains("gives 1 keys")),
        "{all:?}"
    );
    let page = answering(ResponseTemplate::new(200).set_body_string("<html>")).await;
    for url in [page.uri(), nobody()] {
        let variables = [("BYOC_SERVER_SESSION_JWKS_URL", url.as_str())];
        only_problem(&world, &variables, "keys", &["cannot fetch keys", "check session_jwks_url"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_something_else_has_is_found_and_our_own_is_known() {
    let world = world().await;
    let taken = answering(ResponseTemplate::new(200)).await;
    let address = taken.address().to_string();
    let variables = [("BYOC_SERVER_LISTEN", address.as_str())];
    only_problem(&world, &variables, "listen", &["cannot listen on", "another program listens there"]);

    let serve = world.serve();
    serve.until_ready().await;
    let address = serve.address().await.trim_start_matches("http://").to_owned();
    let all = findings(&world, &[("BYOC_SERVER_LISTEN", &address)]);
    let told = |step: &str| all.iter().find(|(found, ..)| found == step).unwrap().2.clone();
    assert!(told("listen").contains("a connector is already serving on"), "{}", told("listen"));
    assert!(told("store").contains("a connector is using it"), "{}", told("store"));
    assert!(serve.get("/readyz").await.contains("\"ready\":true"), "it was not disturbed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_store_is_found() {
    let world = world().await;
    std::fs::write(world.path("text.db"), "These are some lines of text.\n").unwrap();
    let path = world.path("text.db").display().to_string();
    only_problem(&world, &[("BYOC_STORE_PATH", &path)], "store", &["is not a store", "name another file"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_legal_and_cannot_work_is_to_be_looked_at() {
    let world = world().await;
    let variables = [("BYOC_ROUTING_RING", "all"), ("BYOC_ROUTING_RING_ALL_AT_MOST", "1")];
    let all = findings(&world, &variables);
    let (_, ok, told) = all.iter().find(|(step, ..)| step == "configuration").unwrap();
    assert!(*ok && told.contains("reps ring one at a time"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_that_does_not_answer_is_to_be_looked_at() {
    let world = world().await;
    let (there, not_there) = (answering(ResponseTemplate::new(404)).await.uri(), nobody());
    let both = format!("{there},{not_there}");
    let all = findings(&world, &[("BYOC_SERVER_ALLOWED_ORIGINS", &both)]);
    let told: Vec<&str> =
        all.iter().filter(|(step, ..)| step == "origins").map(|(.., told)| told.as_str()).collect();
    let [there, not_there] = told.as_slice() else { panic!("{all:?}") };
    assert!(there.ends_with("answers > ") && not_there.contains("does not answer"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_declines_will_not_be_heard_is_said_by_doctor_and_readyz() {
    let roster = serde_json::from_value(json!({ "reps": [{ "id": "005000000000001" }] })).unwrap();
    let world = super::world::World::start_without_work_results(roster, "").await;
    let all = findings(&world, &[]);
    let (_, ok, told) = all.iter().find(|(step, ..)| step == "channel").unwrap();
    let hint = "set EventCapabilitiesIsRoutingWorkResultSupported to true";
    assert!(
        *ok && told.contains("declines come only from the connector page") && told.contains(hint),
        "{told}"
    );
    let serve = world.serve();
    serve.until_ready().await;
    let readyz: Value = serde_json::from_str(&serve.get("/readyz").await).unwrap();
    let [notice] = readyz["notices"].as_array().unwrap().as_slice() else { panic!("{readyz}") };
    assert_eq!(notice["what"], "declines-not-heard");
    assert!(notice["hint"].as_str().unwrap().starts_with(hint), "{notice}");
    let log = std::fs::read_to_string(world.path("serve.log")).unwrap();
    assert!(
        log.contains("declines come only from the connector page"),
        "a start warns of what cannot work: {log}"
    );
}
