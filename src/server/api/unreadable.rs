//! Conversations that cannot be read: an operator sees what may be open of them, and gives them up.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::line::{ListQuery, OfChannel, cut};
use super::select::{ChannelSelector, MOST, limit};
use crate::model::ids::{ConversationId, OrgId};
use crate::server::Server;
use crate::server::access::Operator;
use crate::server::body::Params;
use crate::server::refused::Refused;
use crate::service::GivenUp;
use crate::store::Unreadable;

#[derive(Serialize)]
pub(in crate::server) struct Listed {
    conversations: Vec<OfChannel<Unreadable>>,
    /// Whether there are more.
    more: bool,
}

/// Those that cannot be read, with what may be open at Salesforce.
pub(in crate::server) async fn unreadable(
    _: Operator,
    State(server): State<Server>,
    Params(wanted): Params<ListQuery>,
) -> Result<Answer<Listed>, Refused> {
    let limit = limit(wanted.limit, MOST)?;
    let place = ChannelSelector { org: wanted.org, channel: wanted.channel };
    let mut conversations = Vec::new();
    for running in place.find_all(&server)? {
        conversations.extend(OfChannel::each(running.key(), running.lost().all()));
    }
    let more = cut(&mut conversations, limit);
    Ok(Answer(Listed { conversations, more }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::server) struct GiveUpQuery {
    #[serde(default)]
    org: Option<OrgId>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    insist: bool,
}

/// Undoes what may be open of one, and gives it up.
pub(in crate::server) async fn give_up(
    _: Operator,
    State(server): State<Server>,
    Path(id): Path<String>,
    Params(asked): Params<GiveUpQuery>,
) -> Result<Answer<GivenUp>, Refused> {
    let id = ConversationId::parse(&id)
        .map_err(|error| Refused::bad_request(error.to_string(), "the id of a conversation").field("id"))?;
    let place = ChannelSelector { org: asked.org, channel: asked.channel };
    for running in place.find_all(&server)? {
        if let Some(given) = running.give_up(&id, asked.insist).await? {
            return Ok(Answer(given));
        }
    }
    let hint = "GET /v1/unreadable-conversations lists them";
    let error = "no unreadable conversation has this id";
    Err(Refused::new(StatusCode::NOT_FOUND, error, hint).field("id"))
}
