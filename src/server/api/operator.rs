//! What an operator looks at: requests, open and ended.

use std::cmp::Reverse;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::line::{OfChannel, RequestAs, RequestLine, cut};
use super::select::{ChannelSelector, limit};
use crate::model::ids::{EventId, OrgId};
use crate::server::Server;
use crate::server::access::Operator;
use crate::server::body::{Id, Params};
use crate::server::refused::Refused;

/// How many are listed where the query does not say.
const USUAL: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RequestState {
    Open,
    Ended,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct ListQuery {
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
    requests: Vec<RequestLine>,
    /// Whether there are more.
    more: bool,
}

/// The open ones, the oldest first, then those that have ended lately, the newest first.
pub(in crate::server) async fn requests(
    _: Operator,
    State(server): State<Server>,
    Params(asked): Params<ListQuery>,
) -> Result<Answer<RequestsView>, Refused> {
    let limit = limit(asked.limit, USUAL)?;
    let channels = ChannelSelector { org: asked.org, channel: asked.channel }.find_all(&server)?;
    // One more than is wanted tells whether there are more.
    let enough = limit.saturating_add(1);
    let mut requests = Vec::new();
    if asked.state != Some(RequestState::Ended) {
        let mut open = Vec::new();
        for running in &channels {
            open.extend(OfChannel::each(running.key(), running.open_requests(enough).await?));
        }
        open.sort_by_key(|line| line.what.created);
        requests.extend(open.into_iter().map(|line| line.map(RequestAs::open)));
    }
    if asked.state != Some(RequestState::Open) {
        let mut ended = Vec::new();
        for running in &channels {
            ended.extend(OfChannel::each(running.key(), running.ended_requests(enough)));
        }
        ended.sort_by_key(|line| Reverse(line.what.at));
        requests.extend(ended.into_iter().map(|line| line.map(RequestAs::ended)));
    }
    let more = cut(&mut requests, limit);
    Ok(Answer(RequestsView { requests, more }))
}

pub(in crate::server) async fn request(
    _: Operator,
    State(server): State<Server>,
    Id(id): Id,
    Params(place): Params<ChannelSelector>,
) -> Result<Answer<RequestLine>, Refused> {
    let id = EventId::parse(&id).map_err(|error| {
        Refused::bad_request(error.to_string(), "the eventId of a routing request").field("id")
    })?;
    let channels = place.find_all(&server)?;
    // What has ended is known without the channel, which may stand still.
    for running in &channels {
        if let Some(view) = running.ended_request(&id) {
            return Ok(Answer(RequestLine::ended(running.key(), view)));
        }
    }
    for running in &channels {
        if let Some(view) = running.open_request(&id).await? {
            return Ok(Answer(OfChannel::new(running.key(), RequestAs::open(view))));
        }
    }
    let hint = "old requests are deleted; GET /v1/routing-requests lists those that are kept";
    Err(Refused::new(StatusCode::NOT_FOUND, "no routing request has this id", hint).field("id"))
}
