//! What the connector page in a rep's browser asks and tells.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{accepted, ignored};
use super::select::ChannelSelector;
use crate::model::contact::{ContactsFilter, ContactsResult};
use crate::model::ids::{AgentWorkId, OrgId, RepId, WorkItemId};
use crate::model::words::Availability;
use crate::people::RepChange;
use crate::server::Server;
use crate::server::access::Page;
use crate::server::body::{Json, Params};
use crate::server::refused::Refused;
use crate::service::RunningChannel;

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
#[expect(clippy::struct_field_names, reason = "these are scv-connector-base's names")]
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
    fn channel(&self, server: &Server, asked: ChannelSelector) -> Result<RunningChannel, Refused> {
        let Some(session) = &self.0 else { return asked.find(server) };
        let foreign = |field: &str| {
            let error = format!("the session token is not for this {field}");
            Err(Refused::forbidden(error, "leave it out of the query: the token names it").field(field))
        };
        if asked.org.is_some_and(|org| org != session.org) {
            return foreign("org");
        }
        let channel = match (asked.channel, &session.channel) {
            (Some(asked), Some(own)) if asked != *own => return foreign("channel"),
            (Some(asked), _) => Some(asked),
            (None, own) => own.clone(),
        };
        ChannelSelector { org: Some(session.org), channel }.find(server)
    }
}

pub(in crate::server) async fn session(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
) -> Result<Answer<SessionView>, Refused> {
    let running = page.channel(&server, place)?;
    let (org, channel) = (running.key().org, running.key().channel.to_string());
    let conference_supported = running.settings().conference_supported;
    Ok(Answer(SessionView { org, channel, rep: page.rep(), conference_supported }))
}

pub(in crate::server) async fn contacts(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
    Json(asked): Json<ContactsAsked>,
) -> Result<Answer<ContactsResult>, Refused> {
    let running = page.channel(&server, place)?;
    if let (Some(work_item), Some(rep)) = (asked.work_item_id, page.rep()) {
        running.list_opened(work_item, rep).await?;
    }
    let filter = asked.filter.unwrap_or_default();
    Ok(Answer(running.contacts(filter, asked.work_item_id, page.rep()).await?))
}

pub(in crate::server) async fn agent_work(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
    Json(told): Json<AgentWorkTold>,
) -> Result<(StatusCode, Answer<Value>), Refused> {
    let running = page.channel(&server, place)?;
    let AgentWorkTold { work_item_id, work_id, work_event } = told;
    Ok(accepted(&running.agent_work(work_item_id, work_id, &work_event, page.rep()).await?))
}

/// Where this connector does not keep the rep, whoever does knows the presence: what the page says is then of
/// no use, and no mistake of the page's.
pub(in crate::server) async fn presence(
    page: Page,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
    Json(told): Json<PresenceTold>,
) -> Result<(StatusCode, Answer<Value>), Refused> {
    let running = page.channel(&server, place)?;
    let rep = match (page.rep(), told.user_id) {
        (Some(rep), Some(other)) if rep != other => {
            let error = "the session token belongs to another rep";
            return Err(
                Refused::forbidden(error, "leave userId out: the token names the rep").field("userId")
            );
        }
        (Some(rep), _) | (None, Some(rep)) => rep,
        (None, None) => {
            let error = "field `userId` missing";
            return Err(
                Refused::bad_request(error, "without a session token, userId names the rep").field("userId")
            );
        }
    };
    let Some(people) = running.people() else {
        return Ok(ignored("this channel's reps are kept by your own router"));
    };
    if people.get(rep).is_none() {
        return Ok(ignored("unknown rep; PUT /v1/reps/{id} adds one"));
    }
    people.set(rep, RepChange::to(told.availability))?;
    Ok((StatusCode::ACCEPTED, Answer(json!({}))))
}
