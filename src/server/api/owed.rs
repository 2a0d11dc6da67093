//! What is owed at Salesforce, for operators: to be looked at, tried at once or struck out; and the end of a
//! request that is stuck.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::line::{ListQuery, OfChannel, cut};
use super::select::{ChannelSelector, MOST, limit};
use crate::model::ids::EventId;
use crate::routing::{OperatorOrder, OwedView};
use crate::server::Server;
use crate::server::access::Operator;
use crate::server::body::Params;
use crate::server::refused::Refused;

#[derive(Serialize)]
pub(in crate::server) struct Listed {
    owed: Vec<OfChannel<OwedView>>,
    /// Whether there is more.
    more: bool,
}

/// What was ordered is durable, and being carried out.
type Ordered = (StatusCode, Answer<Value>);

fn ordered(what: &str) -> Ordered {
    (StatusCode::ACCEPTED, Answer(json!({ "ordered": what })))
}

/// What is owed for the longest comes first.
pub(in crate::server) async fn owed(
    _: Operator,
    State(server): State<Server>,
    Params(asked): Params<ListQuery>,
) -> Result<Answer<Listed>, Refused> {
    let limit = limit(asked.limit, MOST)?;
    let place = ChannelSelector { org: asked.org, channel: asked.channel };
    let mut owed = Vec::new();
    for running in place.find_all(&server)? {
        // One more than is wanted tells whether there is more.
        owed.extend(OfChannel::each(running.key(), running.owed(limit.saturating_add(1)).await?));
    }
    owed.sort_by_key(|line| line.what.since);
    let more = cut(&mut owed, limit);
    Ok(Answer(Listed { owed, more }))
}

/// Tries at once what would be tried later.
pub(in crate::server) async fn try_owed(
    operator: Operator,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Ordered, Refused> {
    carry_out(operator, &server, &id, OperatorOrder::TryNow).await?;
    Ok(ordered("try"))
}

/// Tries it no more: it was seen to by hand.
pub(in crate::server) async fn strike_out(
    operator: Operator,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Ordered, Refused> {
    carry_out(operator, &server, &id, OperatorOrder::StrikeOut).await?;
    Ok(ordered("strike-out"))
}

async fn carry_out(
    _: Operator,
    server: &Server,
    id: &str,
    order: fn(Uuid) -> OperatorOrder,
) -> Result<(), Refused> {
    let id = Uuid::try_parse(id).map_err(|error| {
        Refused::bad_request(format!("the id is not valid: {error}"), "an id from GET /v1/owed").field("id")
    })?;
    for running in server.service().channels().iter().filter(|running| running.owes().is_some()) {
        if running.order_owed(id, order(id)).await? {
            return Ok(());
        }
    }
    let hint = "it may be done by now, or is being tried for the first time; GET /v1/owed lists what is owed";
    Err(Refused::new(StatusCode::NOT_FOUND, "nothing with this id is owed", hint).field("id"))
}

/// Ends a request that is stuck. One that is undecided is cancelled, and what it has made at Salesforce is
/// undone; of one that is decided, what it owes is struck out.
pub(in crate::server) async fn end_request(
    _: Operator,
    State(server): State<Server>,
    Path(id): Path<String>,
    Params(place): Params<ChannelSelector>,
) -> Result<Ordered, Refused> {
    let id = EventId::parse(&id).map_err(|error| {
        Refused::bad_request(error.to_string(), "the eventId of a routing request").field("id")
    })?;
    for running in place.find_all(&server)? {
        if running.end_request(&id).await? {
            return Ok(ordered("end"));
        }
    }
    let hint = "GET /v1/routing-requests?state=open lists those that are open";
    Err(Refused::new(StatusCode::NOT_FOUND, "no open routing request has this id", hint).field("id"))
}
