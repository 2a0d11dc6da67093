//! The token endpoint: OAuth 2.0 JWT bearer flow (PROTOCOL: "Three surfaces"). Checks the assertion's
//! signature and claims as Salesforce does, and its time against the emulator's clock. The errors have the
//! words that Salesforce's users report.
//!
//! Three audiences are taken, in Salesforce's spelling, and no other: the two login hosts, and the org's My
//! Domain, which is the emulator's address as the client names it.

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::atomic::Ordering;

use super::Emulator;
use super::app::{Denied, NOT_APPROVED};
use super::breakable::ConnectionBreaker;
use crate::local::sent_to;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    assertion: Option<String>,
}

pub(super) async fn token(
    State(emulator): State<Emulator>,
    ConnectInfo(connection): ConnectInfo<ConnectionBreaker>,
    uri: Uri,
    headers: HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Response {
    let address = format!("{}://{}", connection.scheme(), sent_to(&headers, &uri).unwrap_or("localhost"));
    let Ok(Form(request)) = form else {
        return denied(("invalid_request", "the body must be application/x-www-form-urlencoded"));
    };
    if request.grant_type.as_deref() != Some(GRANT_TYPE) {
        return denied(("unsupported_grant_type", "grant type not supported"));
    }
    let Some(assertion) = request.assertion.filter(|text| !text.is_empty()) else {
        return denied(("invalid_request", "assertion is missing"));
    };
    let app = &emulator.0.options.app;
    let checked = emulator.0.verifier.check(app, &address, emulator.0.clock.now(), &assertion);
    if let Err(error) = checked {
        return denied(error);
    }
    if emulator.0.logins_refused.load(Ordering::Relaxed) {
        return denied(NOT_APPROVED);
    }
    let (token, org) = emulator.with(|salesforce, now| {
        let token = salesforce.issue_token(now + app.token_lifetime);
        (token, salesforce.settings().org)
    });
    let body = json!({
        "access_token": token,
        "scope": "interaction_api",
        "instance_url": address,
        "id": format!("{address}/id/{}", org.to_18()),
        "token_type": "Bearer",
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Whose token it is: the one user's, in the one org.
pub(super) async fn user_info(State(emulator): State<Emulator>, headers: HeaderMap) -> Response {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = shown.strip_prefix("Bearer ").unwrap_or_default();
    let org = emulator.with(|salesforce, now| {
        salesforce.takes_token(now, token).then(|| salesforce.settings().org.to_18())
    });
    match org {
        Some(org) => {
            let username = &emulator.0.options.app.username;
            Json(json!({ "organization_id": org, "preferred_username": username })).into_response()
        }
        None => (StatusCode::FORBIDDEN, "Bad_OAuth_Token").into_response(),
    }
}

fn denied((error, description): Denied) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (StatusCode::BAD_REQUEST, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
