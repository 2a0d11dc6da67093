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
use crate::server::access::Partner;
use crate::server::backend::{RepChange, Trouble};
use crate::server::body::{Json, Object, Params};
use crate::server::refused::Refused;
use crate::server::Server;

/// How many queues, and how many skills, a rep may have here.
const MOST_OF_A_REP: usize = 1000;

/// How long a rep's name may be, in bytes.
const LONGEST_NAME: usize = 255;

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
        let Rep { id, name, availability, messaging, capacity, capacity_used, queues, skills, script: _ } = rep;
        Self { id, name, availability, messaging, capacity, capacity_used, queues, skills }
    }
}

pub(in crate::server) async fn events(
    _: Partner,
    State(server): State<Server>,
    Params(place): Params<Place>,
    Object(event): Object,
) -> Result<(StatusCode, Answer<Value>), Refused> {
    let channel = place.find(&server)?.key;
    Ok(accepted(server.backend().platform_event(&channel, &event).await?))
}

pub(in crate::server) async fn reps(
    _: Partner,
    State(server): State<Server>,
    Params(place): Params<Place>,
) -> Result<Answer<RepsView>, Refused> {
    let channel = place.find(&server)?.key;
    let reps = server.backend().reps(&channel)?;
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
    check(&change)?;
    let channel = place.find(&server)?.key;
    Ok(Answer(server.backend().change_rep(&channel, id, change)?.into()))
}

pub(in crate::server) async fn remove_rep(
    _: Partner,
    State(server): State<Server>,
    Path(id): Path<String>,
    Params(place): Params<Place>,
) -> Result<StatusCode, Refused> {
    let id = rep_id(&id)?;
    let channel = place.find(&server)?.key;
    if server.backend().remove_rep(&channel, id)? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        let refused = Refused::from(Trouble::UnknownRep(id));
        Err(refused.field("id"))
    }
}

fn rep_id(text: &str) -> Result<RepId, Refused> {
    RepId::parse(text)
        .map_err(|error| Refused::bad_request(error.to_string(), "a rep's user id, 005...").field("id"))
}

/// What is wrong beyond the types of the values.
fn check(change: &RepChange) -> Result<(), Refused> {
    for (field, units) in [("capacity", change.capacity), ("capacityUsed", change.capacity_used)] {
        if let Some(units) = units.filter(|units| !(units.is_finite() && *units >= 0.0)) {
            let error = format!("{units} is no capacity");
            return Err(Refused::bad_request(error, "a number, 0 or more").field(field));
        }
    }
    let sizes =
        [("queues", change.queues.as_ref().map(Vec::len)), ("skills", change.skills.as_ref().map(Vec::len))];
    for (field, size) in sizes {
        if size.is_some_and(|size| size > MOST_OF_A_REP) {
            let error = format!("a rep has at most {MOST_OF_A_REP} {field}");
            return Err(Refused::bad_request(error, "a shorter list").field(field));
        }
    }
    if change.name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
        let error = format!("a name has at most {LONGEST_NAME} bytes");
        return Err(Refused::bad_request(error, "a shorter name").field("name"));
    }
    Ok(())
}
