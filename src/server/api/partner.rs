//! What the partner's backend brings: platform events, and who its reps are.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::answer::accepted;
use super::select::ChannelSelector;
use crate::model::ids::{QueueId, RepId};
use crate::model::roster::{Rep, Skill};
use crate::model::words::Availability;
use crate::people::{self, People, RepChange};
use crate::server::Server;
use crate::server::access::Partner;
use crate::server::body::{Id, Json, Params, RawObject};
use crate::server::refused::Refused;
use crate::service::RunningChannel;

/// A rep as this connector has them; what only the emulator reads of a rep is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server) struct RepView {
    id: RepId,
    name: String,
    availability: Availability,
    messaging: bool,
    capacity: f64,
    capacity_used: f64,
    queues: Vec<QueueId>,
    skills: Vec<Skill>,
}

#[derive(Serialize)]
pub(in crate::server) struct RepsView {
    reps: Vec<RepView>,
}

impl From<Rep> for RepView {
    fn from(rep: Rep) -> Self {
        let Rep { id, name, availability, messaging, capacity, capacity_used, queues, skills, script: _ } =
            rep;
        Self { id, name, availability, messaging, capacity, capacity_used, queues, skills }
    }
}

impl From<people::Error> for Refused {
    fn from(error: people::Error) -> Self {
        let status = match &error {
            people::Error::NotThere { .. } => StatusCode::NOT_FOUND,
            people::Error::Full => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        let hint = "GET /v1/reps lists the reps; openapi/connector.yaml has an example";
        let refused = Self::new(status, error.to_string(), hint);
        match error.field() {
            Some(field) => refused.field(field),
            None => refused,
        }
    }
}

impl Partner {
    /// The channel that is meant, where the key is for it. Of what a key is not for, not even whether it is there
    /// is told.
    pub(super) fn channel(
        &self,
        server: &Server,
        place: &ChannelSelector,
    ) -> Result<RunningChannel, Refused> {
        let Some(key) = &self.0 else { return place.find(server) };
        let foreign = |field: &str, hint: String| {
            let error = format!("the key {} is not for this {field}", key.name);
            Err(Refused::forbidden(error, hint).field(field))
        };
        if place.org.is_some_and(|org| !key.orgs.contains(&org)) {
            return foreign("org", "orgs of [[partner_keys]] names the orgs that a key is for".to_owned());
        }
        if place.channel.as_deref().is_some_and(|channel| !key.takes_channel(channel)) {
            return foreign("channel", format!("this key is for {}", key.channels.join(", ")));
        }
        place.find_among(server, |known| key.is_for(known.org, &known.channel))
    }

    /// The same, to change its reps. All channels of an org have the same, so that a key must be for all of them.
    fn channel_with_reps(&self, server: &Server, place: &ChannelSelector) -> Result<RunningChannel, Refused> {
        let running = self.channel(server, place)?;
        let Some(key) = &self.0 else { return Ok(running) };
        let org = running.key().org;
        let channels = server.service().channels();
        let mut keys = channels.iter().map(RunningChannel::key);
        if let Some(other) = keys.find(|known| known.org == org && !key.is_for(org, &known.channel)) {
            let error = format!(
                "the key {} is not for the channel {}, which has the same reps",
                key.name, other.channel
            );
            let hint = "use a key that covers all channels of the org";
            return Err(Refused::forbidden(error, hint).field("channel"));
        }
        Ok(running)
    }
}

pub(in crate::server) async fn events(
    partner: Partner,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
    RawObject(event): RawObject,
) -> Result<(StatusCode, Answer<Value>), Refused> {
    Ok(accepted(&partner.channel(&server, &place)?.platform_event(&event).await?))
}

pub(in crate::server) async fn reps(
    partner: Partner,
    State(server): State<Server>,
    Params(place): Params<ChannelSelector>,
) -> Result<Answer<RepsView>, Refused> {
    let reps = people(&partner.channel(&server, &place)?)?.reps();
    Ok(Answer(RepsView { reps: reps.into_iter().map(RepView::from).collect() }))
}

pub(in crate::server) async fn change_rep(
    partner: Partner,
    State(server): State<Server>,
    Id(id): Id,
    Params(place): Params<ChannelSelector>,
    Json(change): Json<RepChange>,
) -> Result<Answer<RepView>, Refused> {
    let id = rep_id(&id)?;
    Ok(Answer(people(&partner.channel_with_reps(&server, &place)?)?.set(id, change)?.into()))
}

pub(in crate::server) async fn remove_rep(
    partner: Partner,
    State(server): State<Server>,
    Id(id): Id,
    Params(place): Params<ChannelSelector>,
) -> Result<Answer<RepView>, Refused> {
    let id = rep_id(&id)?;
    match people(&partner.channel_with_reps(&server, &place)?)?.remove(id) {
        Some(gone) => Ok(Answer(gone.into())),
        None => {
            let hint = "GET /v1/reps lists the reps";
            Err(Refused::new(StatusCode::NOT_FOUND, format!("no rep {id}"), hint).field("id"))
        }
    }
}

fn people(running: &RunningChannel) -> Result<&People, Refused> {
    running.people().ok_or_else(|| {
        let error = "this channel's reps are kept by your own router";
        Refused::new(StatusCode::CONFLICT, error, "update that router; reps stored here are not used")
    })
}

fn rep_id(text: &str) -> Result<RepId, Refused> {
    RepId::parse(text)
        .map_err(|error| Refused::bad_request(error.to_string(), "a rep's user id, 005...").field("id"))
}
