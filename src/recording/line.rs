//! What a line of a recording says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Json, Slice};
use crate::events::{self, Decoded, Decoder};
use crate::model::event::SkillRequirement;
use crate::model::ids::{QueueId, RepId, WorkItemId};
use crate::model::roster::Roster;
use crate::model::time::Timestamp;

/// One line of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When it happened: an event arrived, an answer arrived.
    pub at: Timestamp,
    /// Its number in the file, counted from 1; 0 where it was not read from one.
    pub number: u64,
    /// What happened.
    pub source: Source,
}

impl Line {
    /// Reads the event in it, and takes the field names from it where it is a channel's definition. `None`
    /// where it is no event.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn decode(&self, decoder: &mut Decoder) -> Result<Option<Decoded>, events::Error> {
        match &self.source {
            Source::PlatformEvent { event, .. } => {
                decoder.decode(event.get(), self.at, self.replay_id()).map(Some)
            }
            Source::AgentWork(work) => work.decode().map(Some),
            Source::ChannelDefinition(definition) => {
                decoder.learn(definition.get());
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// A platform event's place in the stream.
    pub fn replay_id(&self) -> Option<&str> {
        match &self.source {
            Source::PlatformEvent { replay_id, .. } => replay_id.as_deref(),
            _ => None,
        }
    }
}

/// What a line records.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `pubsub`: a platform event arrived.
    PlatformEvent {
        /// The topic; the same text is shared by all lines of a reader.
        topic: Arc<str>,
        /// Base64, as it was received.
        replay_id: Option<Slice>,
        /// The event's fields; [`events::Decoder`] reads them.
        event: Json,
    },
    /// `connector-api`, `AGENT_WORK_EVENT`: a rep's browser told of an offer.
    AgentWork(Box<AgentWork>),
    /// `connector-api`, `GET_CONTACTS`: a rep opened a list.
    GetContacts {
        /// The filter.
        filter: Option<Json>,
        /// The conversation's work item.
        work_item: Option<WorkItemId>,
    },
    /// `rep-finder`: the partner's router answered.
    RepFinder(Box<RepFinder>),
    /// `interaction-service`: one try of a call, and its answer. `at` is when the answer came.
    Exchange(Box<Exchange>),
    /// `channel-definition`: the channel's settings from here on.
    ChannelDefinition(Json),
    /// `config`: the people and places of the recording.
    Config(Box<Config>),
    /// A source or message that is not known here, kept whole.
    Unknown {
        /// The source, and the message where there is one.
        source: Box<str>,
        /// The whole line.
        text: Json,
    },
}

/// An agent work event, in the browser's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentWork {
    /// The work item.
    pub work_item_id: Box<str>,
    /// The offer.
    pub work_id: Box<str>,
    /// What happened to it: `ASSIGNED`, `ACCEPTED`, `DECLINED`, …
    pub work_event: Box<str>,
    /// Whose browser it was, where that was recorded.
    pub rep: Option<RepId>,
}

impl AgentWork {
    /// Reads it as an event.
    ///
    /// # Errors
    /// As [`events::agent_work_event`].
    pub fn decode(&self) -> Result<Decoded, events::Error> {
        events::agent_work_event(&self.work_item_id, &self.work_id, &self.work_event, self.rep)
    }
}

/// A question to the rep finder, and its answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RepFinder {
    /// The queue that was asked about.
    pub queue: Option<QueueId>,
    /// The skills that were asked for.
    pub skills: Vec<SkillRequirement>,
    /// The reps who were not wanted.
    pub exclude: Vec<RepId>,
    /// Who was found; nobody where it is empty.
    pub reps: Vec<RepId>,
}

/// One try of a call to the Interaction Service. Tries of the same call share the `RequestId` header.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// `POST`, `PATCH`, `DELETE`, …
    pub method: Box<str>,
    /// The path, e.g. `/api/v1/route`.
    pub path: Box<str>,
    /// The headers, without `Authorization`.
    pub headers: BTreeMap<String, String>,
    /// The request's body.
    pub body: Option<Json>,
    /// The answer; `None` where it was lost, whether or not the call was carried out.
    pub response: Option<Response>,
}

impl Exchange {
    /// The `RequestId` header: the same for all tries of one call.
    pub fn request_id(&self) -> Option<&str> {
        header(&self.headers, "RequestId")
    }
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The headers that were recorded.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Option<Json>,
}

impl Response {
    /// How long `Retry-After` asks to wait, where it gives seconds. A date is not read.
    pub fn retry_after(&self) -> Option<Duration> {
        header(&self.headers, "Retry-After")?.trim().parse().ok().map(Duration::from_secs)
    }
}

fn header<'a>(headers: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The people and places of a recording, and how it routes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// Reps, queues, flows, outside contacts.
    pub roster: Roster,
    /// The routing settings that differ from the defaults, e.g. `{"ring": "all"}`.
    pub routing: Option<Json>,
}
