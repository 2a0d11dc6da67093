//! The control API, `/emulator/v1`: how a test drives the org and looks into it.
//!
//! An error is `{error, field, hint}`: what was wrong, where (`null` where no field is to blame), and what
//! would be right.

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::org::State as EmulatorState;
use super::pubsub::StreamEnd;
use super::{Emulator, RestPlan, SAMPLE_PRIVATE_KEY, StreamFault};
use crate::emulator::{Act, ActError, AdoptedConversation, Done, Emitted, Fault};
use crate::model::ids::{ConversationId, RepId, Subject, WorkItemId};
use crate::model::roster::{Rep, Roster};

/// The longest that a caller may wait for events.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

pub(super) fn router() -> Router<Emulator> {
    Router::new()
        .route("/reset", post(reset))
        .route("/conversations", post(conversations))
        .route("/acts", post(acts))
        .route("/faults", post(faults).delete(clear_faults))
        .route("/streams", post(streams).get(stream_counts))
        .route("/reps", post(reps))
        .route("/roster", post(roster))
        .route("/tokens/revoke", post(revoke_tokens))
        .route("/logins", post(logins))
        .route("/rest", post(plan_rest).get(rest_plan))
        .route("/books", get(books))
        .route("/events", get(events))
        .route("/state", get(state))
        .route("/sample-credentials", get(sample_credentials))
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
}

/// Why a control call is refused.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) error: String,
    pub(super) field: Option<String>,
    pub(super) hint: &'static str,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "field": self.field, "hint": self.hint });
        (self.status, Json(body)).into_response()
    }
}

impl From<ActError> for Refused {
    fn from(error: ActError) -> Self {
        let (status, field) = match &error {
            ActError::UnknownConversation { .. } => (StatusCode::NOT_FOUND, Some("conversation")),
            ActError::UnknownRequest { .. } => (StatusCode::NOT_FOUND, Some("request")),
            ActError::UnknownWork { .. } => (StatusCode::NOT_FOUND, Some("work")),
            ActError::UnknownRep { .. } => (StatusCode::NOT_FOUND, Some("rep")),
            _ => (StatusCode::CONFLICT, None),
        };
        let hint = "GET /emulator/v1/state shows what the org holds";
        Self { status, error: error.to_string(), field: field.map(str::to_owned), hint }
    }
}

type Answer = Result<Json<Value>, Refused>;

/// Reads a JSON body; nothing and `null` are `{}`.
fn read<T: DeserializeOwned>(body: &Bytes, hint: &'static str) -> Result<T, Refused> {
    let text: &[u8] = if matches!(body.trim_ascii(), b"" | b"null") { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| {
        let error = error.to_string();
        // serde names the field that it stumbled over between the first two backticks.
        let field = error.split('`').nth(1).map(str::to_owned);
        Refused { status: StatusCode::BAD_REQUEST, error, field, hint }
    })
}

/// One, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(Box<T>),
}

/// Reads one or a list, with an error that names the field, which an untagged enum's own does not.
fn read_many<T: DeserializeOwned>(body: &Bytes, hint: &'static str) -> Result<Vec<T>, Refused> {
    match serde_json::from_slice(body) {
        Ok(OneOrMany::Many(all)) => Ok(all),
        Ok(OneOrMany::One(one)) => Ok(vec![*one]),
        Err(_) if body.trim_ascii_start().starts_with(b"[") => read(body, hint),
        Err(_) => read::<T>(body, hint).map(|one| vec![one]),
    }
}

pub(super) async fn identity(State(emulator): State<Emulator>) -> Json<Value> {
    let state = emulator.lock();
    Json(json!({
        "name": "byoc emulator",
        "version": env!("CARGO_PKG_VERSION"),
        "seed": state.seed,
        "org": state.salesforce.settings().org,
        "authorizationContext": state.salesforce.settings().channel.developer_name,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    #[serde(default)]
    seed: Option<u64>,
}

/// Back to the start: other tokens than the fixed ones are gone as well.
async fn reset(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let Reset { seed } = read(&body, r#"{"seed": 7}, or nothing for the seed of the start"#)?;
    let options = &emulator.0.options;
    let seed = seed.unwrap_or(options.seed);
    emulator.with_state(|state, _| {
        let last_event = state.last_event;
        // Event numbers go on, so that a reader's `after` stays good.
        *state = EmulatorState { last_event, ..EmulatorState::new(options, seed) };
    });
    // What a stream stands at is not there any more.
    emulator.end_streams(StreamEnd::Unavailable);
    Ok(Json(json!({ "seed": seed })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seed {
    #[serde(default)]
    conversation: Option<ConversationId>,
    #[serde(default)]
    work_item: Option<WorkItemId>,
    #[serde(default)]
    end_user: Option<Subject>,
    #[serde(default)]
    reps: Vec<RepId>,
}

/// With a `conversation`, takes over one that exists elsewhere, and tells nothing; without, starts one.
async fn conversations(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let hint = r#"{"conversation", "workItem", "endUser", "reps": [..]}, each of them optional"#;
    let Seed { conversation, work_item, end_user, reps } = read(&body, hint)?;
    let started = emulator.with(|salesforce, now| match conversation {
        None if work_item.is_some() => Err(Refused {
            status: StatusCode::BAD_REQUEST,
            error: "a work item without its conversation".to_owned(),
            field: Some("conversation".to_owned()),
            hint,
        }),
        None => Ok(salesforce.act(now, Act::StartConversation { end_user, reps })?),
        Some(conversation) => {
            let adopted =
                AdoptedConversation { conversation: conversation.clone(), work_item, end_user, reps };
            let work_item = salesforce.seed_conversation(now, adopted)?;
            Ok(Done::Started { conversation, work_item })
        }
    })?;
    Ok(Json(json!(started)))
}

async fn plan_rest(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let hint =
        r#"{"pageSize", "dailyLimit", "used", "refuse": "errorCode", "hidden": [..]}, each of them optional"#;
    let plan: RestPlan = read(&body, hint)?;
    emulator.plan_rest(plan);
    Ok(Json(json!(emulator.rest_plan())))
}

async fn rest_plan(State(emulator): State<Emulator>) -> Json<Value> {
    Json(json!(emulator.rest_plan()))
}

async fn acts(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let hint =
        r#"an act, e.g. {"act": "requestConference", "conversation": "..", "target": {"queueId": ".."}}"#;
    let act: Act = read(&body, hint)?;
    Ok(Json(json!(emulator.with(|salesforce, now| salesforce.act(now, act))?)))
}

async fn faults(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let hint = r#"a fault or a list of them, e.g. {"fault": "answerLost", "operation": "createAgentWork"}"#;
    let faults: Vec<Fault> = read_many(&body, hint)?;
    let planned = faults.len();
    emulator.with(|salesforce, _| faults.into_iter().for_each(|fault| salesforce.plan_fault(fault)));
    Ok(Json(json!({ "planned": planned })))
}

async fn clear_faults(State(emulator): State<Emulator>) -> Json<Value> {
    emulator.with(|salesforce, _| salesforce.clear_faults());
    Json(json!({ "done": "ok" }))
}

async fn streams(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let hint = r#"a fault of the Pub/Sub API or a list of them, e.g. {"fault": "cutAfter", "events": 3}; others: end, unavailable, refuseSubscribe, forgetReplayIds, changeSchema, refuseSchema, delay"#;
    let faults: Vec<StreamFault> = read_many(&body, hint)?;
    let done = faults.len();
    for fault in faults {
        emulator.stream_fault(fault);
    }
    Ok(Json(json!({ "done": done })))
}

async fn stream_counts(State(emulator): State<Emulator>) -> Json<Value> {
    let counts = *emulator.streams().borrow();
    Json(json!({ "streams": counts, "schemaId": emulator.schema_id() }))
}

async fn reps(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let hint = r#"a rep or a list of them, e.g. {"id": "005..", "script": {"does": "accept", "afterMilliseconds": 2000}}"#;
    let reps: Vec<Rep> = read_many(&body, hint)?;
    let count = reps.len();
    emulator.with(|salesforce, now| reps.into_iter().for_each(|rep| salesforce.upsert_rep(now, rep)));
    Ok(Json(json!({ "reps": count })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logins {
    refused: bool,
}

async fn logins(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let Logins { refused } = read(&body, r#"{"refused": true} gives nobody a token; false ends it"#)?;
    emulator.refuse_logins(refused);
    Ok(Json(json!({ "refused": refused })))
}

/// Adds people and places; who is there already is brought up to date.
async fn roster(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let roster: Roster = read(&body, r#"{"reps": [..], "queues": [..], "flows": [..]}"#)?;
    let Roster { reps, queues, flows, contacts: _ } = roster;
    let counts = json!({ "reps": reps.len(), "queues": queues.len(), "flows": flows.len() });
    emulator.with(|salesforce, now| {
        for rep in reps {
            salesforce.upsert_rep(now, rep);
        }
        for queue in queues {
            salesforce.add_queue(queue.id);
        }
        for flow in flows {
            salesforce.upsert_flow(flow);
        }
    });
    Ok(Json(counts))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    #[serde(default)]
    token: Option<String>,
}

/// Revokes one token, or all of them, the fixed ones included.
async fn revoke_tokens(State(emulator): State<Emulator>, body: Bytes) -> Answer {
    let Revoke { token } = read(&body, r#"{"token": ".."}, or nothing for all of them"#)?;
    let revoked = emulator.with(|salesforce, _| salesforce.revoke_tokens(token.as_deref()));
    Ok(Json(json!({ "revoked": revoked })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_milliseconds: u64,
}

type AfterQuery = Result<Query<After>, axum::extract::rejection::QueryRejection>;

fn read_after(query: AfterQuery) -> Result<After, Refused> {
    query.map(|Query(after)| after).map_err(|error| Refused {
        status: StatusCode::BAD_REQUEST,
        error: error.body_text(),
        field: None,
        hint: "?after=12, the number of the last entry that you have; for events also &waitMilliseconds=10000",
    })
}

async fn books(State(emulator): State<Emulator>, query: AfterQuery) -> Answer {
    let After { after, .. } = read_after(query)?;
    Ok(Json(emulator.with(|salesforce, _| {
        json!({ "entries": salesforce.books().after(after), "leftovers": salesforce.leftovers() })
    })))
}

#[derive(Serialize)]
struct Numbered<'a> {
    number: u64,
    #[serde(flatten)]
    event: &'a Emitted,
}

/// The events after a number; with `waitMilliseconds`, waits so long for the first.
async fn events(State(emulator): State<Emulator>, query: AfterQuery) -> Answer {
    let After { after, wait_milliseconds } = read_after(query)?;
    let wait = Duration::from_millis(wait_milliseconds).min(LONGEST_WAIT);
    let mut told = emulator.0.told.subscribe();
    let mut closing = emulator.0.closing.subscribe();
    tokio::select! {
        _ = told.wait_for(|last| *last > after) => {}
        _ = closing.wait_for(|closing| *closing) => {}
        () = tokio::time::sleep(wait) => {}
    }
    let state = emulator.lock();
    let from = state.events.partition_point(|(number, _)| *number <= after);
    let events: Vec<_> =
        state.events.range(from..).map(|(number, event)| Numbered { number: *number, event }).collect();
    Ok(Json(json!({ "events": events, "last": state.last_event })))
}

async fn state(State(emulator): State<Emulator>) -> Json<Value> {
    Json(emulator.with(|salesforce, _| salesforce.snapshot()))
}

/// What a client needs to get a token here. The private key is the sample one, and is given only where the
/// emulator checks with its other half.
async fn sample_credentials(State(emulator): State<Emulator>) -> Json<Value> {
    let app = &emulator.0.options.app;
    let sample = app.public_key == super::SAMPLE_PUBLIC_KEY;
    Json(json!({
        "consumerKey": app.consumer_key,
        "username": app.username,
        "audiences": app.audiences,
        "privateKey": sample.then_some(SAMPLE_PRIVATE_KEY),
    }))
}

async fn nothing_here() -> Refused {
    Refused {
        status: StatusCode::NOT_FOUND,
        error: "the control API has nothing at this path".to_owned(),
        field: None,
        hint: "reset, conversations, acts, faults, streams, reps, roster, tokens/revoke, books, events, state, sample-credentials",
    }
}

async fn other_method() -> Refused {
    Refused {
        status: StatusCode::METHOD_NOT_ALLOWED,
        error: "method not allowed here".to_owned(),
        field: None,
        hint: "GET for books, events, state, streams and sample-credentials, POST for the rest; DELETE clears faults",
    }
}
