//! Reading one line.
//!
//! Knows the names of the format's fields. Must never know where lines come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::writer::is_secret;
use super::{AgentWork, Config, Exchange, Json, Line, Problem, RepFinder, Response, Slice, Source};
use crate::events::FieldNames;
use crate::events::json::{Text, locate};
use crate::events::quick::{Envelope, Quick};
use crate::model::event::SkillRequirement;
use crate::model::ids::{RepId, SkillId};
use crate::model::time::Timestamp;

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
            let what = format!("\"{}\" is not a valid time", wire.at.escape_debug());
            wrong("at", what, "it must be RFC 3339, e.g. 2026-06-01T12:00:00.250Z")
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
            return Err(wrong("event", what, r#"it must be {"CreatedDate": …, …}"#));
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
        batch: &Arc<str>,
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
        let (topic, replay_id) = (self.shared_topic(topic), Some(Slice::of(batch, replay_id)));
        let source =
            Source::PlatformEvent { topic, replay_id, event: Json::checked(Slice::of(batch, event)) };
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

/// A skill that was asked for: its id alone, or with level and priority.
#[derive(Deserialize)]
#[serde(untagged)]
enum WireSkill {
    Id(SkillId),
    Requirement(SkillRequirement),
}

impl From<WireSkill> for SkillRequirement {
    fn from(skill: WireSkill) -> Self {
        match skill {
            WireSkill::Id(id) => Self { id, level: None, priority: None, additional: false },
            WireSkill::Requirement(requirement) => requirement,
        }
    }
}

fn rep_finder(line: &str, wire: &Wire<'_>) -> Result<RepFinder, Found> {
    let one: Option<RepId> = typed(line, wire.rep, "rep", "a rep's id, 005…, or null for nobody")?;
    let several: Option<Vec<RepId>> = typed(line, wire.reps, "reps", "a list of reps' ids, 005…")?;
    let exclude: Option<Vec<RepId>> = typed(line, wire.exclude, "exclude", "a list of reps' ids, 005…")?;
    let wanted = r#"a list of skills, "0C5…" or {"id": "0C5…", "level": 5}"#;
    let skills: Option<Vec<WireSkill>> = typed(line, wire.skills, "skills", wanted)?;
    Ok(RepFinder {
        queue: typed(line, wire.queue_id, "queueId", "a queue's id, 00G…")?,
        skills: skills.unwrap_or_default().into_iter().map(SkillRequirement::from).collect(),
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

fn config(line: &str, wire: &Wire<'_>) -> Result<Config, Found> {
    const SHAPE: &str = r#"it must be {"reps": […], "queues": […], "flows": […], "contacts": […]}"#;
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
        Json::parse(line).map_err(|error| malformed(line, 0, "", &error, "it must be one JSON object"))?;
    Ok(Source::Unknown { source, text })
}

fn wrong(field: &str, what: String, instead: &str) -> Found {
    (Problem::Malformed { field: field.to_owned(), what, instead: instead.to_owned() }, None)
}

fn needed<'a>(raw: Option<&'a RawValue>, field: &'static str, shape: &str) -> Result<&'a RawValue, Found> {
    raw.ok_or_else(|| wrong(field, "it is missing".to_owned(), &format!("it must be {shape}")))
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
        malformed(raw.get(), start, field, &error, &format!("it must be {shape}"))
    })
}

/// An error in `text`, which starts `start` bytes into the line, in the field `within`.
fn malformed(text: &str, start: usize, within: &str, error: &serde_json::Error, instead: &str) -> Found {
    let found = locate(within, text, error);
    let problem = Problem::Malformed { field: found.path, what: found.what, instead: instead.to_owned() };
    (problem, Some(start.saturating_add(found.offset.max(1))))
}
