//! The org's REST API, as far as a connector reads it: SOQL over what the model holds, with pages, errors and the daily
//! limit of API requests.
//!
//! Every refusal is one of Salesforce's own (REST API Developer Guide, "Status Codes and Error Responses"). Nothing is
//! changed here: what can be written, is by the Interaction Service.

mod plan;
mod query;
mod tables;

use std::collections::VecDeque;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Emulator;
use super::org::State as OrgState;
pub(super) use plan::Rest;
pub use plan::RestPlan;
use query::Asked;
use tables::Table;

/// One of Salesforce's refusals.
struct Refusal {
    status: StatusCode,
    code: String,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }
}

impl Emulator {
    /// How the org's REST API behaves from now on.
    pub fn plan_rest(&self, plan: RestPlan) {
        self.with_state(|state, _| state.rest.plan = plan);
    }

    /// How it behaves, and how many requests were made.
    pub fn rest_plan(&self) -> RestPlan {
        self.with_state(|state, _| state.rest.plan.clone())
    }
}

pub(super) fn router() -> Router<Emulator> {
    Router::new()
        .route("/services/data/{version}/query", get(data_query))
        .route("/services/data/{version}/query/{cursor}", get(next_page))
        .route("/services/data/{version}/tooling/query", get(tooling_query))
        .route("/services/data/{version}/sobjects/{object}/describe", get(describe))
        .route(
            "/services/data/{version}/tooling/sobjects/ConversationChannelDefinition/{id}",
            get(channel_definition),
        )
}

#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    q: String,
}

async fn data_query(
    State(emulator): State<Emulator>,
    Path(version): Path<String>,
    headers: HeaderMap,
    Query(question): Query<Question>,
) -> Response {
    answer(&emulator, &headers, |state, roster| ask(state, roster, &version, &question.q, false))
}

async fn tooling_query(
    State(emulator): State<Emulator>,
    Path(version): Path<String>,
    headers: HeaderMap,
    Query(question): Query<Question>,
) -> Response {
    answer(&emulator, &headers, |state, roster| ask(state, roster, &version, &question.q, true))
}

async fn next_page(
    State(emulator): State<Emulator>,
    Path((version, cursor)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(&emulator, &headers, |state, _| {
        let rest = &mut state.rest;
        let text = "invalid query locator";
        let unknown = || Refusal::new(StatusCode::BAD_REQUEST, "INVALID_QUERY_LOCATOR", text);
        rest.next_page(&version, &cursor).ok_or_else(unknown)
    })
}

async fn describe(
    State(emulator): State<Emulator>,
    Path((_, object)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(&emulator, &headers, |state, _| {
        let is_known = Table::named(&object, false).is_some() && !state.rest.plan.hidden.contains(&object);
        if is_known {
            Ok(json!({ "name": object, "queryable": true, "updateable": true }))
        } else {
            Err(Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist"))
        }
    })
}

async fn channel_definition(
    State(emulator): State<Emulator>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    answer(&emulator, &headers, |state, _| {
        let hidden = state.rest.plan.hidden.iter().any(|object| object == "ConversationChannelDefinition");
        if hidden || id != tables::DEFINITION_ID {
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "The requested resource does not exist",
            ));
        }
        Ok(tables::channel_definition(state.salesforce.settings()))
    })
}

/// What every request goes through: the token, the limit, what was planned.
fn answer(
    emulator: &Emulator,
    headers: &HeaderMap,
    work: impl FnOnce(&mut OrgState, &crate::model::roster::Roster) -> Result<Value, Refusal>,
) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let (result, used, limit) = emulator.with_state(|state, now| {
        let is_in = bearer.is_some_and(|token| state.salesforce.takes_token(now, token));
        let result = admitted(&mut state.rest.plan, is_in);
        let result = result.and_then(|()| work(state, &emulator.0.options.roster));
        (result, state.rest.plan.used, state.rest.plan.daily_limit)
    });
    let usage = [("Sforce-Limit-Info", format!("api-usage={used}/{limit}"))];
    match result {
        Ok(body) => (usage, Json(body)).into_response(),
        Err(Refusal { status, code, message }) => {
            (status, usage, Json(json!([{ "message": message, "errorCode": code }]))).into_response()
        }
    }
}

fn admitted(plan: &mut RestPlan, is_in: bool) -> Result<(), Refusal> {
    if !is_in {
        let text = "Session expired or invalid";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "INVALID_SESSION_ID", text));
    }
    if plan.used >= plan.daily_limit {
        let text = "TotalRequests Limit exceeded.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", text));
    }
    plan.used = plan.used.saturating_add(1);
    match &plan.refuse {
        Some(code) => {
            let status = match code.as_str() {
                "INVALID_SESSION_ID" => StatusCode::UNAUTHORIZED,
                "MALFORMED_QUERY" | "INVALID_TYPE" | "INVALID_FIELD" => StatusCode::BAD_REQUEST,
                "SERVER_UNAVAILABLE" => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::FORBIDDEN,
            };
            Err(Refusal::new(status, code, "refused, as planned"))
        }
        None => Ok(()),
    }
}

fn ask(
    state: &mut OrgState,
    roster: &crate::model::roster::Roster,
    version: &str,
    question: &str,
    tooling: bool,
) -> Result<Value, Refusal> {
    let bad = |code: &str, text: String| Refusal::new(StatusCode::BAD_REQUEST, code, text);
    let asked = Asked::parse(question).map_err(|why| bad("MALFORMED_QUERY", why))?;
    let table =
        Table::named(&asked.object, tooling).filter(|_| !state.rest.plan.hidden.contains(&asked.object));
    let Some(table) = table else {
        return Err(bad("INVALID_TYPE", format!("sObject type '{}' is not supported.", asked.object)));
    };
    if let Some(unknown) = asked.names().find(|name| !table.fields().contains(name)) {
        return Err(bad(
            "INVALID_FIELD",
            format!("No such column '{unknown}' on entity '{}'.", asked.object),
        ));
    }
    let rows: VecDeque<Value> = asked.among(table.fields(), table.rows(&state.salesforce, roster)).into();
    Ok(state.rest.page(version, rows.len(), rows, None))
}
