//! What the partner did not take, for operators: to be looked at, sent again or dropped.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::line::{ListQuery, OfChannel, cut};
use super::select::{ChannelSelector, MOST, limit};
use crate::model::ids::ConversationId;
use crate::model::time::{Timestamp, as_text};
use crate::routing::Announcement;
use crate::server::Server;
use crate::server::access::Operator;
use crate::server::body::Params;
use crate::server::refused::Refused;
use crate::service::Error;
use crate::store::{DeadLetter, TellingId};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct Listed {
    dead_letters: Vec<OfChannel<View>>,
    /// Whether there are more.
    more: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    id: Uuid,
    conversation: ConversationId,
    sequence: u64,
    news: Announcement,
    #[serde(serialize_with = "as_text")]
    at: Timestamp,
    #[serde(serialize_with = "as_text")]
    since: Timestamp,
    reason: String,
    resending: bool,
}

impl From<DeadLetter> for View {
    fn from(letter: DeadLetter) -> Self {
        let DeadLetter { telling, sequence, at, given_up: since, why: reason } = letter;
        let (id, news, resending) = (telling.id.uuid(), telling.announcement, telling.resent);
        Self { id, conversation: news.conversation.clone(), sequence, news, at, since, reason, resending }
    }
}

/// What was ordered is durable.
type Ordered = (StatusCode, Answer<Value>);

/// What was given up first comes first.
pub(in crate::server) async fn dead_letters(
    _: Operator,
    State(server): State<Server>,
    Params(asked): Params<ListQuery>,
) -> Result<Answer<Listed>, Refused> {
    let limit = limit(asked.limit, MOST)?;
    let place = ChannelSelector { org: asked.org, channel: asked.channel };
    let mut dead_letters = Vec::new();
    for running in place.find_all(&server)? {
        // One more than is wanted tells whether there is more.
        let all = running.dead_letters().all(limit.saturating_add(1)).await.map_err(Error::from)?;
        let all = all.into_iter().map(View::from).collect();
        dead_letters.extend(OfChannel::each(running.key(), all));
    }
    dead_letters.sort_by_key(|line| line.what.since);
    let more = cut(&mut dead_letters, limit);
    Ok(Answer(Listed { dead_letters, more }))
}

/// Sends one again, under the same id.
pub(in crate::server) async fn resend(
    _: Operator,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Ordered, Refused> {
    let id = parse(&id)?;
    for running in server.service().channels().iter() {
        if running.dead_letters().resend(id).await.map_err(Error::from)? {
            return Ok((StatusCode::ACCEPTED, Answer(json!({ "ordered": "resend" }))));
        }
    }
    Err(unknown())
}

/// Drops one: the partner never hears of it.
pub(in crate::server) async fn drop_dead_letter(
    _: Operator,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Ordered, Refused> {
    let id = parse(&id)?;
    for running in server.service().channels().iter() {
        if running.dead_letters().drop_one(id).await.map_err(Error::from)? {
            return Ok((StatusCode::ACCEPTED, Answer(json!({ "ordered": "drop" }))));
        }
    }
    Err(unknown())
}

fn parse(id: &str) -> Result<TellingId, Refused> {
    TellingId::parse(id).map_err(|_| {
        let hint = "an id from GET /v1/dead-letters";
        Refused::bad_request("the id is not valid: it is no UUID", hint).field("id")
    })
}

fn unknown() -> Refused {
    let hint = "it may have been taken, dropped or sent by now; GET /v1/dead-letters lists them";
    Refused::new(StatusCode::NOT_FOUND, "no dead letter has this id", hint).field("id")
}
