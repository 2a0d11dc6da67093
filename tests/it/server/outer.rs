//! What is refused around the routes: a page of an allowed origin can read why, nothing long is repeated, and what is
//! not UTF-8 is not read as such.

use axum::body::Body;
use axum::http::Method;
use futures_util::stream::pending;
use serde_json::json;

use super::rig::{ANNA, Answer, EVENTS_SECRET, OPERATOR_SECRET, Rig, guarded};
use super::sessions::token;

const ORIGIN: &str = "https://acme.lightning.force.com";

fn allowed(answer: &Answer) -> &str {
    answer.header("access-control-allow-origin")
}

#[tokio::test(start_paused = true)]
async fn a_page_of_an_allowed_origin_can_read_every_refusal() {
    let rig = Rig::new(guarded()).await;
    let session = token(&json!({}));
    let long = format!("/v1/session?channel={}", "x".repeat(8 * 1024));
    let ask = |path: &str, origin: &str| rig.ask(Method::GET, path).header("origin", origin).bearer(&session);
    let too_long = ask(&long, ORIGIN).send().await;
    assert_eq!((too_long.status.as_u16(), allowed(&too_long)), (414, ORIGIN));
    assert!(too_long.header("vary").contains("origin"));
    let never = Body::from_stream(pending::<Result<Vec<u8>, std::io::Error>>());
    let late = rig.ask(Method::POST, "/v1/contacts").header("origin", ORIGIN).bearer(&session).body(never);
    let late = late.send().await;
    assert_eq!((late.status.as_u16(), allowed(&late)), (503, ORIGIN), "{}", late.text);
    let fine = ask("/v1/session", ORIGIN).send().await;
    assert_eq!(fine.headers.get_all("access-control-allow-origin").iter().count(), 1, "once");

    assert_eq!(allowed(&ask(&long, "https://elsewhere.example").send().await), "", "no other origin");
    let others = format!("/v1/owed?channel={}", "x".repeat(8 * 1024));
    assert_eq!(allowed(&ask(&others, ORIGIN).send().await), "", "nothing but what is for pages");
}

#[tokio::test]
async fn what_was_sent_is_not_repeated_at_length() {
    let rig = Rig::new(guarded()).await;
    let long = "x".repeat(100_000);
    let told = json!({ "workItemId": "0Mw000000000001", "workId": "0Bz000000000001", "workEvent": long });
    let told = rig.ask(Method::POST, "/v1/agent-work").bearer(&token(&json!({}))).json(&told).send().await;
    assert_eq!(told.status.as_u16(), 202, "{}", told.text);
    let ignored = told.body["ignored"].as_str().unwrap();
    assert!(ignored.starts_with("workEvent xxx") && ignored.len() < 200, "{} bytes", ignored.len());

    let change = json!({ "availability": long });
    let change =
        rig.ask(Method::PUT, &format!("/v1/reps/{ANNA}")).bearer(EVENTS_SECRET).json(&change).send().await;
    assert!(change.status.as_u16() == 400 && change.text.len() < 2_000, "{} bytes", change.text.len());
    let mut unknown = serde_json::Map::new();
    unknown.insert(long, json!(1));
    let unknown =
        rig.ask(Method::PUT, &format!("/v1/reps/{ANNA}")).bearer(EVENTS_SECRET).json(&unknown.into());
    let unknown = unknown.send().await;
    assert!(unknown.status.as_u16() == 400 && unknown.text.len() < 2_000, "{} bytes", unknown.text.len());
}

#[tokio::test]
async fn a_body_that_is_said_not_to_be_utf_8_is_refused() {
    let rig = Rig::new(guarded()).await;
    for (kind, status) in
        [("application/json; charset=utf-16", 415), ("application/json; charset=UTF-8", 200)]
    {
        let change = rig.ask(Method::PUT, &format!("/v1/reps/{ANNA}")).bearer(EVENTS_SECRET);
        let change = change.json(&json!({ "name": "Anna" })).header("content-type", kind).send().await;
        assert_eq!(change.status.as_u16(), status, "{kind}: {}", change.text);
    }
}

#[tokio::test]
async fn every_list_of_an_operator_takes_the_same_limits() {
    let rig = Rig::new(guarded()).await;
    for path in ["/v1/routing-requests", "/v1/owed", "/v1/unreadable-conversations"] {
        let ask = |limit: &str| {
            rig.ask(Method::GET, &format!("{path}?limit={limit}")).bearer(OPERATOR_SECRET).send()
        };
        for (limit, status) in [("1", 200), ("500", 200), ("0", 400), ("501", 400), ("many", 400)] {
            let answer = ask(limit).await;
            assert_eq!(answer.status.as_u16(), status, "{path} {limit}: {}", answer.text);
            if status == 200 {
                assert_eq!(answer.body["more"], false);
            } else {
                assert_eq!(answer.field(), "limit");
            }
        }
    }
}
