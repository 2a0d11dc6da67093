//! The API below `/v1`: each function is one operation of `openapi/connector.yaml`.

mod operator;
mod page;
mod partner;

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::backend::{Channel, NoChannel, Taken, Trouble};
use super::refused::Refused;
use super::Server;
use crate::model::ids::OrgId;

pub(super) use operator::{request, requests};
pub(super) use page::{agent_work, contacts, presence, session};
pub(super) use partner::{change_rep, events, remove_rep, reps};

/// Which channel is meant, where there are several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    #[serde(default)]
    pub(super) org: Option<OrgId>,
    #[serde(default)]
    pub(super) channel: Option<String>,
}

impl Place {
    pub(super) fn is_of(&self, org: &OrgId, channel: &str) -> bool {
        self.org.as_ref().is_none_or(|wanted| wanted == org)
            && self.channel.as_deref().is_none_or(|wanted| wanted == channel)
    }

    /// The one channel that is meant.
    fn find(&self, server: &Server) -> Result<Channel, Refused> {
        server.backend().find(self.org.as_ref(), self.channel.as_deref()).map_err(|error| {
            let status = if error.is_unknown() { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
            no_channel(status, &error)
        })
    }

    /// Every channel that is meant: all of them where nothing is said.
    fn find_all(&self, server: &Server) -> Result<Vec<Channel>, Refused> {
        let mut channels = server.backend().channels();
        if self.org.is_none() && self.channel.is_none() {
            return Ok(channels);
        }
        channels.retain(|channel| self.is_of(&channel.key.org, &channel.key.channel));
        if channels.is_empty() {
            // What is missing is said best by whoever looks for one.
            self.find(server)?;
        }
        Ok(channels)
    }
}

fn no_channel(status: StatusCode, error: &NoChannel) -> Refused {
    Refused::new(status, error.to_string(), "?org=00D...&channel=<developer name of the channel definition>")
        .field(error.field())
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        let error = trouble.to_string();
        match trouble {
            Trouble::UnknownWorkItem(_) => {
                let hint = "send it again in a second: the event that tells of it may still be on its way";
                Self::new(StatusCode::NOT_FOUND, error, hint).field("workItemId")
            }
            Trouble::UnknownRep(_) => {
                Self::new(StatusCode::NOT_FOUND, error, "PUT /v1/reps/{id} adds a rep").field("userId")
            }
            Trouble::Unreadable { field, .. } => {
                let refused = Self::bad_request(error, "openapi/connector.yaml has an example");
                match field {
                    Some(field) => refused.field(field),
                    None => refused,
                }
            }
            Trouble::NoPeople => {
                Self::new(StatusCode::CONFLICT, error, "tell that router, or leave it out of the configuration")
            }
            Trouble::Unavailable(_) => {
                Self::unavailable(error, "send the same again: twice does no harm; /readyz says what is wrong", 1)
            }
        }
    }
}

/// Something was taken in: 202, with the reason where it was of no use.
fn accepted(taken: Taken) -> (StatusCode, Json<Value>) {
    let body = match taken {
        Taken::Done => json!({}),
        Taken::PassedBy(reason) => json!({ "passedBy": reason }),
    };
    (StatusCode::ACCEPTED, Json(body))
}
