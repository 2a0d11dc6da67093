//! Writing a recording.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::{AgentWork, Config, Exchange, Json, Line, RepFinder, Response, Source};
use crate::model::event::SkillRequirement;
use crate::model::ids::{QueueId, RepId, WorkItemId};
use crate::model::roster::Roster;
use crate::model::time::Timestamp;

/// Writes lines as they are read: UTF-8, RFC 3339 with milliseconds, never an `Authorization` header.
///
/// Each line reaches the output whole. Give it a `BufWriter`, and [`flush`](Self::flush) where a line must
/// not be lost.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        Self { output, line: Vec::new() }
    }

    /// Appends a line. Its number is the place where it ends up, whatever it says.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, &Wire::of(line))?;
        // Kept JSON may have been written over several lines; a line break in it can only stand between
        // its tokens.
        for byte in &mut self.line {
            if matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.line.push(b'\n');
        self.output.write_all(&self.line)
    }

    /// Hands everything on to the operating system.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Gives the output back.
    pub fn into_inner(self) -> W {
        self.output
    }
}

/// A line on the wire, in the order of fields that the format's description has.
#[derive(Serialize)]
#[serde(untagged)]
enum Wire<'a> {
    Known {
        #[serde(serialize_with = "rfc3339")]
        at: Timestamp,
        source: &'static str,
        #[serde(flatten)]
        body: Body<'a>,
    },
    Kept(&'a Json),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Body<'a> {
    PlatformEvent { topic: &'a str, replay_id: Option<&'a str>, event: &'a Json },
    AgentWork { message: &'static str, agent_work: WireAgentWork<'a> },
    GetContacts { message: &'static str, filter: Option<&'a Json>, work_item_id: Option<WorkItemId> },
    RepFinder(WireRepFinder<'a>),
    Exchange { request: WireRequest<'a>, response: Option<WireResponse<'a>> },
    ChannelDefinition { definition: &'a Json },
    Config(WireConfig<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireAgentWork<'a> {
    work_item_id: &'a str,
    work_id: &'a str,
    work_event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rep: Option<RepId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireRepFinder<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_id: Option<QueueId>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    skills: &'a [SkillRequirement],
    exclude: &'a [RepId],
    #[serde(flatten)]
    found: WireFound<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireFound<'a> {
    One { rep: Option<RepId> },
    Several { reps: &'a [RepId] },
}

#[derive(Serialize)]
struct WireRequest<'a> {
    method: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Json>,
}

#[derive(Serialize)]
struct WireResponse<'a> {
    status: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Json>,
}

#[derive(Serialize)]
struct WireConfig<'a> {
    #[serde(flatten)]
    roster: &'a Roster,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing: Option<&'a Json>,
}

impl<'a> Wire<'a> {
    fn of(line: &'a Line) -> Self {
        let (source, body) = match &line.source {
            Source::PlatformEvent { topic, replay_id, event } => {
                ("pubsub", Body::PlatformEvent { topic, replay_id: replay_id.as_deref(), event })
            }
            Source::AgentWork(work) => {
                let agent_work = agent_work(work);
                ("connector-api", Body::AgentWork { message: "AGENT_WORK_EVENT", agent_work })
            }
            Source::GetContacts { filter, work_item } => {
                let (filter, work_item_id) = (filter.as_ref(), *work_item);
                ("connector-api", Body::GetContacts { message: "GET_CONTACTS", filter, work_item_id })
            }
            Source::RepFinder(finder) => ("rep-finder", Body::RepFinder(rep_finder(finder))),
            Source::Exchange(exchange) => ("interaction-service", exchanged(exchange)),
            Source::ChannelDefinition(definition) => {
                ("channel-definition", Body::ChannelDefinition { definition })
            }
            Source::Config(config) => ("config", Body::Config(configured(config))),
            Source::Unknown { text, .. } => return Self::Kept(text),
        };
        Self::Known { at: line.at, source, body }
    }
}

fn agent_work(work: &AgentWork) -> WireAgentWork<'_> {
    WireAgentWork {
        work_item_id: &work.work_item_id,
        work_id: &work.work_id,
        work_event: &work.work_event,
        rep: work.rep,
    }
}

fn rep_finder(finder: &RepFinder) -> WireRepFinder<'_> {
    let found = match finder.reps.as_slice() {
        [] => WireFound::One { rep: None },
        [rep] => WireFound::One { rep: Some(*rep) },
        reps => WireFound::Several { reps },
    };
    WireRepFinder { queue_id: finder.queue, skills: &finder.skills, exclude: &finder.exclude, found }
}

fn exchanged(exchange: &Exchange) -> Body<'_> {
    let Exchange { method, path, headers, body, response } = exchange;
    let request = WireRequest { method, path, headers: open_headers(headers), body: body.as_ref() };
    let response = response.as_ref().map(|Response { status, headers, body }| WireResponse {
        status: *status,
        headers: open_headers(headers),
        body: body.as_ref(),
    });
    Body::Exchange { request, response }
}

fn open_headers(headers: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let open = headers.iter().filter(|(name, _)| !is_secret(name));
    open.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn configured(config: &Config) -> WireConfig<'_> {
    WireConfig { roster: &config.roster, routing: config.routing.as_ref() }
}

/// Whether a header may not be in a recording.
pub(super) fn is_secret(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("authorization")
}
