//! What the partner's backend does to a conversation by name: its end, a rep taken out, a rep's work closed.
//!
//! Each is asked of Salesforce while the caller waits, and its answer is theirs. Asking again does no harm.

use axum::Json as Answered;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::select::ChannelSelector;
use crate::model::call::Removable;
use crate::model::ids::{self, AgentWorkId, ChannelAddressId, ConversationId, RepId, Subject, WorkItemId};
use crate::model::words::OperationBy;
use crate::server::Server;
use crate::server::access::Partner;
use crate::server::body::{Id, Json, Params};
use crate::server::refused::Refused;
use crate::service::SessionOrder;

/// What is known of a session that is to end, or to become inactive.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::server) struct SessionBody {
    channel_address_identifier: ChannelAddressId,
    end_user_client_id: Option<Subject>,
    session_id: Option<WorkItemId>,
    by: OperationBy,
}

/// Salesforce has carried it out.
type Carried = Result<Answered<Value>, Refused>;

/// Ends a conversation's session.
pub(in crate::server) async fn end_conversation(
    partner: Partner,
    State(server): State<Server>,
    Id(id): Id,
    Params(place): Params<ChannelSelector>,
    Json(body): Json<SessionBody>,
) -> Carried {
    change_session(&partner, &server, &id, &place, body, true).await
}

/// Makes a conversation's session inactive, until the end user writes again.
pub(in crate::server) async fn inactivate_conversation(
    partner: Partner,
    State(server): State<Server>,
    Id(id): Id,
    Params(place): Params<ChannelSelector>,
    Json(body): Json<SessionBody>,
) -> Carried {
    change_session(&partner, &server, &id, &place, body, false).await
}

async fn change_session(
    partner: &Partner,
    server: &Server,
    id: &str,
    place: &ChannelSelector,
    body: SessionBody,
    ends: bool,
) -> Carried {
    let conversation = id_of(ConversationId::parse(id), "id", "a conversationIdentifier")?;
    let SessionBody {
        channel_address_identifier: channel,
        end_user_client_id: end_user,
        session_id: session,
        by,
    } = body;
    let order = SessionOrder { conversation, channel, end_user, session, ends, by };
    partner.channel(server, place)?.change_session(order).await?;
    Ok(Answered(json!({ "session": if ends { "ended" } else { "inactive" } })))
}

/// Takes a rep or a bot out of a conversation.
pub(in crate::server) async fn remove_participant(
    partner: Partner,
    State(server): State<Server>,
    Path((id, participant)): Path<(String, String)>,
    Params(place): Params<ChannelSelector>,
) -> Carried {
    let conversation = id_of(ConversationId::parse(&id), "id", "a conversationIdentifier")?;
    let who = match RepId::parse(&participant) {
        Ok(rep) => Removable::Rep(rep),
        Err(_) => Removable::Bot(id_of(
            Subject::parse(&participant),
            "participant",
            "a rep's user id, 005..., or a bot's",
        )?),
    };
    partner.channel(&server, &place)?.remove_participant(conversation, who).await?;
    Ok(Answered(json!({ "removed": participant })))
}

/// Closes a rep's work, which frees the rep's capacity.
pub(in crate::server) async fn close_agent_work(
    partner: Partner,
    State(server): State<Server>,
    Id(id): Id,
    Params(place): Params<ChannelSelector>,
) -> Carried {
    let work = id_of(AgentWorkId::parse(&id), "id", "an agentWorkId, 0Bz...")?;
    partner.channel(&server, &place)?.close_agent_work(work).await?;
    Ok(Answered(json!({ "closed": work })))
}

fn id_of<T>(parsed: Result<T, ids::Error>, field: &str, wanted: &str) -> Result<T, Refused> {
    parsed.map_err(|error| Refused::bad_request(error.to_string(), wanted).field(field))
}
