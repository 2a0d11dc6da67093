//! One line: its types, and reading it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Json, Problem};
use crate::events::json::{Text, locate};
use crate::events::quick::{Envelope, Quick};
use crate::events::{self, Decoded, Decoder, FieldNames};
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
        replay_id: Option<Box<str>>,
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

/// Everything that any line may hold. What only some sources have is read once the source is known, so
/// that a source of tomorrow may use the same name for another thing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    at: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow, default)]
    topic: Option<&'a RawValue>,
    #[serde(borrow, default)]
    replay_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    agent_work: Option<&'a RawValue>,
    #[serde(borrow, default)]
    filter: Option<&'a RawValue>,
    #[serde(borrow, default)]
    work_item_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    queue_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    skills: Option<&'a RawValue>,
    #[serde(borrow, default)]
    exclude: Option<&'a RawValue>,
    #[serde(borrow, default)]
    rep: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reps: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    definition: Option<&'a RawValue>,
    #[serde(borrow, default)]
    routing: Option<&'a RawValue>,
}

/// A problem, and the byte of the line that it is at.
pub(super) type Found = (Problem, Option<usize>);

/// Reads lines; remembers the last topic, so that a million lines share it.
#[derive(Debug, Default)]
pub(super) struct LineParser {
    topic: Option<Arc<str>>,
}

impl LineParser {
    /// Reads one line that is not blank.
    pub(super) fn parse(&mut self, number: u64, text: &str) -> Result<Line, Found> {
        const SHAPE: &str = r#"a line is one object with "at" and "source""#;
        if !text.starts_with('{') {
            return Err(wrong("", "not an object".to_owned(), SHAPE));
        }
        let wire: Wire<'_> =
            serde_json::from_str(text).map_err(|error| malformed(text, 0, "", &error, SHAPE))?;
        let at = Timestamp::parse_rfc3339(&wire.at).ok_or_else(|| {
            let what = format!("\"{}\" is no time", wire.at.escape_debug());
            wrong("at", what, "RFC 3339 is wanted, e.g. 2026-06-01T12:00:00.250Z")
        })?;
        let source = match &*wire.source {
            "pubsub" => self.platform_event(text, &wire)?,
            "connector-api" => connector_api(text, &wire)?,
            "rep-finder" => Source::RepFinder(Box::new(rep_finder(text, &wire)?)),
            "interaction-service" => Source::Exchange(Box::new(exchange(text, &wire)?)),
            "channel-definition" => {
                Source::ChannelDefinition(needed(wire.definition, "definition", "{…}")?.into())
            }
            "config" => Source::Config(Box::new(config(text, &wire)?)),
            _ => unknown(text, &wire)?,
        };
        Ok(Line { at, number, source })
    }

    fn platform_event(&mut self, line: &str, wire: &Wire<'_>) -> Result<Source, Found> {
        let event = needed(wire.event, "event", r#"{"CreatedDate": …, …}"#)?;
        if !event.get().starts_with('{') {
            let what = "the event is not an object".to_owned();
            return Err(wrong("event", what, r#"{"CreatedDate": …, …} is wanted"#));
        }
        let topic: Option<Text<'_>> =
            typed(line, wire.topic, "topic", "a topic's name, e.g. \"/event/X__e\"")?;
        let replay_id: Option<Text<'_>> = typed(line, wire.replay_id, "replayId", "base64 text")?;
        let topic = self.shared_topic(topic.as_deref().unwrap_or_default());
        Ok(Source::PlatformEvent { topic, replay_id: replay_id.map(|id| (&*id).into()), event: event.into() })
    }

    /// Reads a line that is an ordinary platform event, with the fields in the format's own order; `None`
    /// where it is anything else.
    pub(super) fn parse_event<'a>(
        &mut self,
        number: u64,
        text: &'a str,
        names: &FieldNames,
    ) -> Option<(Line, Envelope<'a>)> {
        let mut quick = Quick::new(text);
        quick.take("{\"at\":")?;
        let at = Timestamp::parse_rfc3339(quick.plain()?)?;
        quick.take(",\"source\":\"pubsub\",\"topic\":")?;
        let topic = quick.plain()?;
        quick.take(",\"replayId\":")?;
        let replay_id = quick.plain()?;
        quick.take(",\"event\":")?;
        let (event, envelope) = quick.event(names)?;
        quick.take("}").filter(|()| quick.rest().is_empty())?;
        let (topic, replay_id) = (self.shared_topic(topic), Some(replay_id.into()));
        let source = Source::PlatformEvent { topic, replay_id, event: Json::checked(event) };
        Some((Line { at, number, source }, envelope))
    }

    fn shared_topic(&mut self, name: &str) -> Arc<str> {
        match &self.topic {
            Some(topic) if **topic == *name => Arc::clone(topic),
            _ => {
                let topic: Arc<str> = name.into();
                self.topic = Some(Arc::clone(&topic));
                topic
            }
        }
    }
}

fn connector_api(line: &str, wire: &Wire<'_>) -> Result<Source, Found> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WireAgentWork<'a> {
        #[serde(borrow)]
        work_item_id: Text<'a>,
        #[serde(borrow)]
        work_id: Text<'a>,
        #[serde(borrow)]
        work_event: Text<'a>,
        #[serde(default, alias = "userId")]
        rep: Option<RepId>,
    }
    let message: Option<Text<'_>> = typed(line, wire.message, "message", "AGENT_WORK_EVENT or GET_CONTACTS")?;
    match message.as_deref() {
        Some("AGENT_WORK_EVENT") => {
            const SHAPE: &str = r#"{"workItemId": "0Mw…", "workId": "0Bz…", "workEvent": "ACCEPTED"}"#;
            let raw = needed(wire.agent_work, "agentWork", SHAPE)?;
            let work: WireAgentWork<'_> = parsed(line, raw, "agentWork", SHAPE)?;
            Ok(Source::AgentWork(Box::new(AgentWork {
                work_item_id: (&*work.work_item_id).into(),
                work_id: (&*work.work_id).into(),
                work_event: (&*work.work_event).into(),
                rep: work.rep,
            })))
        }
        Some("GET_CONTACTS") => Ok(Source::GetContacts {
            filter: wire.filter.map(Json::from),
            work_item: typed(line, wire.work_item_id, "workItemId", "a work item's id, 0Mw…")?,
        }),
        _ => unknown(line, wire),
    }
}

fn rep_finder(line: &str, wire: &Wire<'_>) -> Result<RepFinder, Found> {
    let one: Option<RepId> = typed(line, wire.rep, "rep", "a rep's id, 005…, or null for nobody")?;
    let several: Option<Vec<RepId>> = typed(line, wire.reps, "reps", "a list of reps' ids, 005…")?;
    let exclude: Option<Vec<RepId>> = typed(line, wire.exclude, "exclude", "a list of reps' ids, 005…")?;
    let skills = typed(line, wire.skills, "skills", r#"a list of skills, {"id": "0C5…"}"#)?;
    Ok(RepFinder {
        queue: typed(line, wire.queue_id, "queueId", "a queue's id, 00G…")?,
        skills: skills.unwrap_or_default(),
        exclude: exclude.unwrap_or_default(),
        reps: several.unwrap_or_else(|| one.into_iter().collect()),
    })
}

fn exchange(line: &str, wire: &Wire<'_>) -> Result<Exchange, Found> {
    #[derive(Deserialize)]
    struct WireRequest<'a> {
        #[serde(borrow)]
        method: Text<'a>,
        #[serde(borrow)]
        path: Text<'a>,
        #[serde(default)]
        headers: Option<BTreeMap<String, String>>,
        #[serde(borrow, default)]
        body: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct WireResponse<'a> {
        status: u16,
        #[serde(default)]
        headers: Option<BTreeMap<String, String>>,
        #[serde(borrow, default)]
        body: Option<&'a RawValue>,
    }
    const REQUEST: &str = r#"{"method": "POST", "path": "/api/v1/route", "headers": {…}, "body": {…}}"#;
    const RESPONSE: &str = r#"{"status": 202, "body": {…}}, or null where the answer was lost"#;
    let request: WireRequest<'_> =
        parsed(line, needed(wire.request, "request", REQUEST)?, "request", REQUEST)?;
    let response: Option<WireResponse<'_>> = typed(line, wire.response, "response", RESPONSE)?;
    Ok(Exchange {
        method: (&*request.method).into(),
        path: (&*request.path).into(),
        headers: without_authorization(request.headers),
        body: request.body.map(Json::from),
        response: response.map(|response| Response {
            status: response.status,
            headers: without_authorization(response.headers),
            body: response.body.map(Json::from),
        }),
    })
}

fn without_authorization(headers: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut headers = headers.unwrap_or_default();
    headers.retain(|name, _| !is_secret(name));
    headers
}

/// Whether a header may not be in a recording.
pub(super) fn is_secret(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("authorization")
}

fn config(line: &str, wire: &Wire<'_>) -> Result<Config, Found> {
    const SHAPE: &str = r#"{"reps": […], "queues": […], "flows": […], "contacts": […]} is wanted"#;
    let roster = serde_json::from_str(line).map_err(|error| malformed(line, 0, "", &error, SHAPE))?;
    Ok(Config { roster, routing: wire.routing.map(Json::from) })
}

fn unknown(line: &str, wire: &Wire<'_>) -> Result<Source, Found> {
    let message = wire.message.and_then(|raw| serde_json::from_str::<Text<'_>>(raw.get()).ok());
    let source = match message {
        Some(message) => format!("{} {}", &*wire.source, &*message).into(),
        None => (&*wire.source).into(),
    };
    let text =
        Json::parse(line).map_err(|error| malformed(line, 0, "", &error, "one JSON object is wanted"))?;
    Ok(Source::Unknown { source, text })
}

fn wrong(field: &str, what: String, instead: &str) -> Found {
    (Problem::Malformed { field: field.to_owned(), what, instead: instead.to_owned() }, None)
}

fn needed<'a>(raw: Option<&'a RawValue>, field: &'static str, shape: &str) -> Result<&'a RawValue, Found> {
    raw.ok_or_else(|| wrong(field, "it is missing".to_owned(), &format!("{shape} is wanted")))
}

/// Reads a field that may be absent or null.
fn typed<'a, T: Deserialize<'a>>(
    line: &str,
    raw: Option<&'a RawValue>,
    field: &'static str,
    shape: &str,
) -> Result<Option<T>, Found> {
    raw.map(|raw| parsed(line, raw, field, shape)).transpose()
}

fn parsed<'a, T: Deserialize<'a>>(
    line: &str,
    raw: &'a RawValue,
    field: &'static str,
    shape: &str,
) -> Result<T, Found> {
    serde_json::from_str(raw.get()).map_err(|error| {
        let start = (raw.get().as_ptr().addr()).saturating_sub(line.as_ptr().addr());
        malformed(raw.get(), start, field, &error, &format!("{shape} is wanted"))
    })
}

/// An error in `text`, which starts `start` bytes into the line, in the field `within`.
fn malformed(text: &str, start: usize, within: &str, error: &serde_json::Error, instead: &str) -> Found {
    let found = locate(within, text, error);
    let problem = Problem::Malformed { field: found.path, what: found.what, instead: instead.to_owned() };
    (problem, Some(start + found.offset.max(1)))
}
