//! The API below `/v1`: each function is one operation of `openapi/connector.yaml`.

mod operator;
mod owed;
mod page;
mod partner;
mod unreadable;

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Server;
use super::refused::Refused;
use crate::events;
use crate::model::ids::OrgId;
use crate::routing::RequestView;
use crate::service::{EndedView, Error, NoChannel, Processed, RunningChannel, Service};
use crate::store::ChannelKey;

pub(super) use operator::{request, requests};
pub(super) use owed::{end_request, owed, strike_out, try_owed};
pub(super) use page::{agent_work, contacts, presence, session};
pub(super) use partner::{change_rep, events, remove_rep, reps};
pub(super) use unreadable::{give_up, unreadable};

/// How many things are listed at most.
const MOST: usize = 500;

/// How many things to list: what was asked for, else as many as usual.
fn limit(asked: Option<usize>, usual: usize) -> Result<usize, Refused> {
    let limit = asked.unwrap_or(usual);
    if !(1..=MOST).contains(&limit) {
        let error = format!("limit {limit} is out of range");
        return Err(Refused::bad_request(error, format!("1 to {MOST}")).field("limit"));
    }
    Ok(limit)
}

/// Which channel is meant, where there are several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelSelector {
    #[serde(default)]
    pub(super) org: Option<OrgId>,
    #[serde(default)]
    pub(super) channel: Option<String>,
}

impl ChannelSelector {
    pub(super) fn is_of(&self, key: &ChannelKey) -> bool {
        self.org.is_none_or(|org| org == key.org)
            && self.channel.as_deref().is_none_or(|channel| channel == &*key.channel)
    }

    /// The one channel that is meant.
    fn find<'a>(&self, server: &'a Server) -> Result<&'a RunningChannel, Refused> {
        let found = server.service().find(self.org.as_ref(), self.channel.as_deref());
        found.map_err(|error| self.no_channel(server.service(), &error))
    }

    /// The one channel that is meant, among those that are allowed.
    fn find_among<'a>(
        &self,
        server: &'a Server,
        allowed: impl Fn(&ChannelKey) -> bool,
    ) -> Result<&'a RunningChannel, Refused> {
        let channels = server.service().channels().iter();
        let mut fitting = channels.filter(|running| self.is_of(running.key()) && allowed(running.key()));
        let error = match (fitting.next(), fitting.count()) {
            (Some(only), 0) => return Ok(only),
            (Some(_), others) => NoChannel::Several(others + 1),
            (None, _) => NoChannel::Unknown {
                org: self.org.map_or_else(|| "any".to_owned(), |org| org.to_string()),
                channel: self.channel.clone().unwrap_or_else(|| "any".to_owned()),
            },
        };
        Err(self.no_channel(server.service(), &error))
    }

    /// Every channel that is meant: all of them where nothing is said.
    fn find_all<'a>(&self, server: &'a Server) -> Result<Vec<&'a RunningChannel>, Refused> {
        let channels = server.service().channels().iter();
        let meant: Vec<_> = channels.filter(|running| self.is_of(running.key())).collect();
        if meant.is_empty() && (self.org.is_some() || self.channel.is_some()) {
            // Whoever looks for one says best why there is none.
            self.find(server)?;
        }
        Ok(meant)
    }

    fn no_channel(&self, service: &Service, error: &NoChannel) -> Refused {
        let orgs = || service.channels().iter().map(|running| running.key().org);
        let status = match error {
            NoChannel::Unknown { .. } => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        let field = match self.org {
            Some(org) if !orgs().any(|known| known == org) => "org",
            None if self.channel.is_none() && orgs().any(|org| Some(org) != orgs().next()) => "org",
            _ => "channel",
        };
        let hint = "?org=00D...&channel=<developer name of the channel definition>";
        Refused::new(status, error.to_string(), hint).field(field)
    }
}

/// A routing request in a list, and where it is.
#[derive(Serialize)]
pub(super) struct RequestLine {
    org: OrgId,
    channel: String,
    #[serde(flatten)]
    request: State,
}

#[derive(Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum State {
    Open(Box<RequestView>),
    Ended(Box<EndedView>),
}

impl RequestLine {
    fn open(key: &ChannelKey, request: RequestView) -> Self {
        Self { org: key.org, channel: key.channel.to_string(), request: State::Open(Box::new(request)) }
    }

    pub(super) fn ended(key: &ChannelKey, request: EndedView) -> Self {
        Self { org: key.org, channel: key.channel.to_string(), request: State::Ended(Box::new(request)) }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let problem = error.to_string();
        match error {
            Error::UnknownWorkItem(_) => {
                let hint = "send it again in a second: the event that announces it may not have arrived yet";
                Self::new(StatusCode::NOT_FOUND, problem, hint).field("workItemId")
            }
            Error::Event(error) => {
                let refused = Self::bad_request(problem, "openapi/connector.yaml has an example");
                match error {
                    events::Error::Malformed { field, .. }
                    | events::Error::Missing { field, .. }
                    | events::Error::Id { field, .. } => refused.field(field),
                }
            }
            Error::AnothersOffer(_) => {
                let hint = "a page may only report its own rep's offers";
                Self::forbidden(problem, hint).field("workId")
            }
            Error::AnothersWorkItem(_) => {
                let hint = "a page may only ask about its own rep's conversations; a rep who just joined asks again in \
                            a second, because the event may not have arrived yet";
                Self::forbidden(problem, hint).field("workItemId")
            }
            Error::Directory(_) => Self::unavailable(problem, "ask again in a second", 1),
            Error::Channel(_) => {
                let hint = "send the same again: repeating is safe; /readyz says what is wrong";
                Self::unavailable(problem, hint, 1)
            }
        }
    }
}

/// Something was taken in: 202, with the reason where it was of no use.
fn accepted(taken: &Processed) -> (StatusCode, Json<Value>) {
    match taken {
        Processed::Stored => (StatusCode::ACCEPTED, Json(json!({}))),
        Processed::Ignored(reason) => ignored(&reason.to_string()),
    }
}

fn ignored(reason: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::ACCEPTED, Json(json!({ "ignored": reason })))
}

/// Reads a body as each of those that are taken, for the fuzzer.
#[cfg(fuzzing)]
pub fn read_bodies(body: &[u8]) {
    use super::body::parse;
    drop(parse::<page::ContactsAsked>(body));
    drop(parse::<page::AgentWorkTold>(body));
    drop(parse::<page::PresenceTold>(body));
    drop(parse::<crate::people::RepChange>(body));
    drop(parse::<crate::model::roster::Rep>(body));
    drop(parse::<serde::de::IgnoredAny>(body));
}
