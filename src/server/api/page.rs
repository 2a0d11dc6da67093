//! What the connector page in a rep's browser asks and tells.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Place, accepted, no_channel};
use crate::model::contact::{ContactsFilter, ContactsResult};
use crate::model::ids::{AgentWorkId, OrgId, RepId, WorkItemId};
use crate::model::words::Availability;
use crate::server::access::Page;
use crate::server::backend::{AgentWork, Channel, Taken, Trouble};
use crate::server::body::{Json, Params};
use crate::server::refused::Refused;
use crate::server::Server;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct SessionView {
    org: OrgId,
    channel: String,
    rep: Option<RepId>,
    conference_supported: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::server) struct ContactsAsked {
    #[serde(default)]
    filter: Option<ContactsFilter>,
    #[serde(default)]
    work_item_id: Option<WorkItemId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::server) struct AgentWorkTold {
    work_item_id: WorkItemId,
    work_id: AgentWorkId,
    work_event: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::server) struct PresenceTold {
    availability: Availability,
    #[serde(default)]
    user_id: Option<RepId>,
}

impl Page {
    fn rep(&self) -> Option<RepId> {
        self.0.as_ref().map(|session| session.rep)
    }

    /// The channel that the session is for; without a session, or where the token names none, the one that
    /// the query names.
    fn channel(&self, server: &Server, place: Place) -> Result<Channel, Refused> {
        let Some(session) = &self.0 else { return place.find(server) };
        let foreign = |field: &str| {
            let error = format!("the session token is not for this {field}");
            Err(Refused::forbidden(error, "leave it out of the query: the token names it").field(field))
        };
        if place.org.is_some_and(|org| org != session.org) {
            return foreign("org");
        }
        let channel = match (place.channel, &session.channel) {
            (Some(asked), Some(own)) if asked != *own => return foreign("channel"),
            (Some(asked), _) => Some(asked),
            (None, own) => own.clone(),
        };
        server
            .backend()
            .find(Some(&session.org), channel.as_deref())
            .map_err(|error| no_channel(StatusCode::FORBIDDEN, &error))
    }
}

pub(in crate::server) async fn session(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<Place>,
) -> Result<Answer<SessionView>, Refused> {
    let Channel { key, conference_supported } = page.channel(&server, place)?;
    let channel = key.channel.to_string();
    Ok(Answer(SessionView { org: key.org, channel, rep: page.rep(), conference_supported }))
}

pub(in crate::server) async fn contacts(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<Place>,
    Json(asked): Json<ContactsAsked>,
) -> Result<Answer<ContactsResult>, Refused> {
    let channel = page.channel(&server, place)?.key;
    let filter = asked.filter.unwrap_or_default();
    Ok(Answer(server.backend().contacts(&channel, filter, asked.work_item_id).await?))
}

pub(in crate::server) async fn agent_work(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<Place>,
    Json(told): Json<AgentWorkTold>,
) -> Result<(StatusCode, Answer<Value>), Refused> {
    let channel = page.channel(&server, place)?.key;
    let told = AgentWork {
        work_item: told.work_item_id,
        work: told.work_id,
        event: told.work_event,
        rep: page.rep(),
    };
    Ok(accepted(server.backend().agent_work(&channel, told).await?))
}

/// Where a router of the partner's own knows the reps, it knows who is there: what the page says is then of
/// no use, and no error of the page's.
pub(in crate::server) async fn presence(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<Place>,
    Json(told): Json<PresenceTold>,
) -> Result<(StatusCode, Answer<Value>), Refused> {
    let channel = page.channel(&server, place)?.key;
    let rep = match (page.rep(), told.user_id) {
        (Some(rep), Some(other)) if rep != other => {
            let error = "the session token is another rep's";
            return Err(Refused::forbidden(error, "leave userId out: the token names the rep").field("userId"));
        }
        (Some(rep), _) | (None, Some(rep)) => rep,
        (None, None) => {
            let error = "whose presence it is, is not said";
            return Err(Refused::bad_request(error, "without a session token, userId says it").field("userId"));
        }
    };
    match server.backend().set_presence(&channel, rep, told.availability) {
        Ok(()) => Ok(accepted(Taken::Done)),
        Err(Trouble::NoPeople) => Ok(accepted(Taken::PassedBy(Trouble::NoPeople.to_string()))),
        Err(trouble) => Err(trouble.into()),
    }
}
