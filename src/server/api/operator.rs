//! What an operator looks at: requests, open and ended.

use std::cmp::Reverse;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::model::ids::{EventId, OrgId};
use crate::server::access::Operator;
use crate::server::backend::{RequestState, RequestView};
use crate::server::body::Params;
use crate::server::refused::Refused;
use crate::server::Server;

/// How many requests are listed at most.
const MOST: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct Asked {
    #[serde(default)]
    org: Option<OrgId>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    state: Option<RequestState>,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(in crate::server) struct RequestsView {
    requests: Vec<RequestView>,
    /// Whether there are more than are listed.
    more: bool,
}

pub(in crate::server) async fn requests(
    _: Operator,
    State(server): State<Server>,
    Params(asked): Params<Asked>,
) -> Result<Answer<RequestsView>, Refused> {
    let limit = asked.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        let error = format!("{limit} requests cannot be listed");
        return Err(Refused::bad_request(error, format!("1 to {MOST}")).field("limit"));
    }
    let place = Place { org: asked.org, channel: asked.channel };
    let mut requests = Vec::new();
    for channel in place.find_all(&server)? {
        // One more than is wanted tells whether there are more.
        requests.extend(server.backend().requests(&channel.key, asked.state, limit + 1).await?);
    }
    requests.sort_by_key(|request| Reverse(request.ending.as_ref().map(|ending| ending.at).or(request.created)));
    let more = requests.len() > limit;
    requests.truncate(limit);
    Ok(Answer(RequestsView { requests, more }))
}

pub(in crate::server) async fn request(
    _: Operator,
    State(server): State<Server>,
    Path(id): Path<String>,
    Params(place): Params<Place>,
) -> Result<Answer<RequestView>, Refused> {
    let id = EventId::parse(&id).map_err(|error| {
        Refused::bad_request(error.to_string(), "the eventId of a routing request").field("id")
    })?;
    for channel in place.find_all(&server)? {
        if let Some(request) = server.backend().request(&channel.key, &id).await? {
            return Ok(Answer(request));
        }
    }
    let hint = "ended requests are forgotten after a while; GET /v1/routing-requests lists those that are known";
    Err(Refused::new(StatusCode::NOT_FOUND, "no routing request is known by this id", hint).field("id"))
}
