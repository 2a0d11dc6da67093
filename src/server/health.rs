//! Whether the connector lives, whether it works, and its figures.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::Server;
use super::access::Operator;
use crate::notices::{Notice, Subject};
use crate::service::{Check, Readiness};

pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Everybody may ask, for a load balancer has no secret; whose stream it is that stands still, an operator
/// alone is told.
pub(super) async fn readyz(State(server): State<Server>, headers: HeaderMap) -> impl IntoResponse {
    let mut readiness = server.service().readiness();
    if !Operator::is(&headers, &server) {
        readiness = in_short(&readiness);
    }
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

/// One check and one notice a kind, without names and words.
fn in_short(readiness: &Readiness) -> Readiness {
    let mut checks: Vec<Check> = Vec::new();
    for check in &readiness.checks {
        match checks.iter_mut().find(|known| known.what == check.what) {
            Some(known) => known.ok &= check.ok,
            None => {
                checks.push(Check { org: None, channel: None, since: None, problem: None, ..check.clone() });
            }
        }
    }
    let mut notices: Vec<Notice> = Vec::new();
    for Notice { subject: Subject { what, .. }, .. } in &readiness.notices {
        if !notices.iter().any(|known| known.subject.what == *what) {
            let subject = Subject::of_all(what);
            notices.push(Notice { subject, since: None, problem: String::new(), hint: None });
        }
    }
    Readiness { ready: readiness.ready, checks, notices }
}

pub(super) async fn metrics(_: Operator, State(server): State<Server>) -> impl IntoResponse {
    server.service().observe().await;
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (server.0.parts.metrics)())
}
