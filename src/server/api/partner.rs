//! What the partner's backend brings: platform events, and who its reps are.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::{Place, accepted};
use crate::model::ids::{QueueId, RepId};
use crate::model::roster::{Rep, Skill};
use crate::model::words::Availability;
use crate::people::{self, People, RepChange};
use crate::server::Server;
use crate::server::access::Partner;
use crate::server::body::{Json, Params, Whole};
use crate::server::refused::Refused;

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
        let hint = "GET /v1/reps has the reps as they are; openapi/connector.yaml has an example";
        let refused = Self::new(status, error.to_string(), hint);
        match error.field() {
            Some(field) => refused.field(field),
            None => refused,
        }
    }
}

pub(in crate::server) async fn events(
    _: Partner,
    State(server): State<Server>,
    Params(place): Params<Place>,
    Whole(event): Whole,
) -> Result<(StatusCode, Answer<Value>), Refused> {
    Ok(accepted(&place.find(&server)?.platform_event(&event).await?))
}

pub(in crate::server) async fn reps(
    _: Partner,
    State(server): State<Server>,
    Params(place): Params<Place>,
) -> Result<Answer<RepsView>, Refused> {
    let reps = people(&server, &place)?.reps();
    Ok(Answer(RepsView { reps: reps.into_iter().map(RepView::from).collect() }))
}

pub(in crate::server) async fn change_rep(
    _: Partner,
    State(server): State<Server>,
    Path(id): Path<String>,
    Params(place): Params<Place>,
    Json(change): Json<RepChange>,
) -> Result<Answer<RepView>, Refused> {
    let id = rep_id(&id)?;
    Ok(Answer(people(&server, &place)?.set(id, change)?.into()))
}

pub(in crate::server) async fn remove_rep(
    _: Partner,
    State(server): State<Server>,
    Path(id): Path<String>,
    Params(place): Params<Place>,
) -> Result<Answer<RepView>, Refused> {
    let id = rep_id(&id)?;
    match people(&server, &place)?.remove(id) {
        Some(gone) => Ok(Answer(gone.into())),
        None => {
            let hint = "GET /v1/reps has the reps as they are";
            Err(Refused::new(StatusCode::NOT_FOUND, format!("there is no rep {id}"), hint).field("id"))
        }
    }
}

fn people<'a>(server: &'a Server, place: &Place) -> Result<&'a People, Refused> {
    place.find(server)?.people().ok_or_else(|| {
        let error = "the reps of this channel are kept by a router of your own";
        Refused::new(StatusCode::CONFLICT, error, "tell that router; nothing is asked of the reps here")
    })
}

fn rep_id(text: &str) -> Result<RepId, Refused> {
    RepId::parse(text)
        .map_err(|error| Refused::bad_request(error.to_string(), "a rep's user id, 005...").field("id"))
}
