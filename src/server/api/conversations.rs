//! Conversations that the partner's backend begins, and what is known of one.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::select::ChannelSelector;
use crate::model::call::{MessageText, RoutingAttributes};
use crate::model::ids::{ChannelAddressId, ConversationId, Subject};
use crate::server::Server;
use crate::server::access::Partner;
use crate::server::body::{Id, Json, Params};
use crate::server::refused::Refused;
use crate::service::{BegunView, ConversationState, FirstMessage};

/// The longest key, in bytes.
const LONGEST_KEY: usize = 255;

/// What the end user wrote.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::server) struct FirstMessageBrought {
    channel_address_identifier: ChannelAddressId,
    end_user: Subject,
    text: MessageText,
    #[serde(default)]
    routing_attributes: RoutingAttributes,
}

pub(in crate::server) async fn begin(
    partner: Partner,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
    headers: HeaderMap,
    Json(brought): Json<FirstMessageBrought>,
) -> Result<(StatusCode, Answer<BegunView>), Refused> {
    let running = partner.channel(&server, &place)?;
    let key = idempotency_key(&headers)?;
    let message = FirstMessage {
        channel: brought.channel_address_identifier,
        end_user: brought.end_user,
        text: brought.text,
        attributes: brought.routing_attributes,
    };
    let begun = running.begin_conversation(key, message).await?;
    let status = if begun.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Answer(begun)))
}

pub(in crate::server) async fn conversation(
    partner: Partner,
    State(server): State<Server>,
    Id(id): Id,
    Params(place): Params<ChannelSelector>,
) -> Result<Answer<ConversationState>, Refused> {
    let running = partner.channel(&server, &place)?;
    let hint = "conversationIdentifier, as Salesforce's events and POST /v1/conversations name it";
    let known = match ConversationId::parse(&id) {
        Ok(id) => running.conversation(&id).await?,
        Err(_) => None,
    };
    known
        .map(Answer)
        .ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "no such conversation is known", hint).field("id"))
}

fn idempotency_key(headers: &HeaderMap) -> Result<&str, Refused> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).map(str::trim);
    key.filter(|key| (1..=LONGEST_KEY).contains(&key.len())).ok_or_else(|| {
        let hint = format!(
            "a text of 1 to {LONGEST_KEY} ASCII characters, the same whenever the same is sent again"
        );
        Refused::bad_request("the header Idempotency-Key is missing or too long", hint)
            .field("Idempotency-Key")
    })
}
