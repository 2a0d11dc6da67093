//! What the server logs: the route and the status, and nothing about a person or a secret.

use axum::http::Method;
use serde_json::json;
use tracing::Level;

use super::rig::{ANNA, BO, EVENTS_SECRET, OPERATOR_SECRET, ORG, Rig, SESSION_SECRET, guarded};
use super::sessions::token;
use crate::support::log::Lines;

#[tokio::test]
async fn a_request_is_logged_by_its_route_without_secret_id_or_name() {
    let rig = Rig::new(guarded()).await;
    let session = token(&json!({}));
    let lines = Lines::default();
    let listening = lines.keep(Level::TRACE);
    for (method, path, credential, body) in [
        (
            Method::POST,
            format!("/v1/contacts?org={ORG}"),
            &*session,
            json!({ "filter": { "contains": "Hilde" } }),
        ),
        (Method::POST, "/v1/presence".to_owned(), &session, json!({ "availability": "BUSY", "userId": BO })),
        (Method::POST, "/v1/agent-work".to_owned(), &session, json!({ "workItemId": "0Mw000000000077" })),
        (Method::POST, "/v1/contacts".to_owned(), "wrong-token", json!({})),
        (Method::PUT, format!("/v1/reps/{ANNA}"), EVENTS_SECRET, json!({ "name": "Hilde" })),
        (
            Method::POST,
            "/v1/events".to_owned(),
            EVENTS_SECRET,
            json!({ "acme__EventType__c": 5, "Hilde": 1 }),
        ),
    ] {
        rig.ask(method, &path).bearer(credential).json(&body).send().await;
    }
    rig.ask(Method::GET, "/v1/routing-requests/conversation-77").bearer(OPERATOR_SECRET).send().await;
    rig.ask(Method::GET, "/Hilde").send().await;
    drop(listening);
    let logged = lines.whole();
    for told in ["/v1/contacts", "/v1/reps/{id}", "/v1/routing-requests/{id}", "status=401", "status=200"] {
        assert!(logged.contains(told), "{told} is not in\n{logged}");
    }
    let secrets = [SESSION_SECRET, EVENTS_SECRET, OPERATOR_SECRET, &session, "wrong-token"];
    let people = [ANNA, BO, ORG, "Hilde", "Anna", "0Mw000000000077", "conversation-77"];
    for hidden in secrets.into_iter().chain(people) {
        assert!(!logged.contains(hidden), "{hidden} is in\n{logged}");
    }
}
