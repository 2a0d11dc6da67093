//! A live side for a replay: an org, or `byoc emulator` at an address.
//!
//! Calls are made for real, and virtual time moves on by as long as they take. An emulator is told,
//! through its control API, of the recording's people and of what they did; an org knows its own.

mod login;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::emulator::Act;
use crate::interaction::{Client, Exchanged, Priority, TokenSource, Witness};
use crate::model::call::{Call, CreateAgentWork};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::event::{Event, EventKind, Participant, RoutingRequested, Target};
use crate::model::ids::{AgentWorkId, ConversationId, FlowId, OrgId, RepId};
use crate::model::roster::{Roster, Script};
use crate::model::time::{Clock, SystemClock, Timestamp};
use crate::model::words::{CancelReason, SessionStatus, WorkChange};
use crate::replay::{Arrival, Side, Try};
use crate::routing::Conversation;

pub(super) use login::{OrgArgs, connect};

/// What went wrong with a live side.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {what}")]
pub(super) struct Error {
    address: String,
    what: String,
}

/// The last exchange that the client made.
#[derive(Debug, Default)]
struct LastExchange(Mutex<Option<(Option<u16>, Vec<u8>)>>);

impl Witness for LastExchange {
    fn exchanged(&self, exchange: &Exchanged<'_>) {
        let seen = (exchange.status, exchange.body.to_vec());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

impl LastExchange {
    fn take(&self) -> Option<(Option<u16>, Vec<u8>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A side at an address.
pub(super) struct Live {
    address: String,
    runtime: Runtime,
    http: reqwest::Client,
    /// What an emulator said of itself; `None` for an org.
    emulator: Option<Value>,
    org: OrgId,
    developer_name: Option<String>,
    /// Whether the developer name may still be learnt from the recording.
    learns_name: bool,
    tokens: Arc<dyn TokenSource>,
    client: Option<Client>,
    last: Arc<LastExchange>,
    recorded_reps: bool,
    known_reps: HashSet<RepId>,
    known_flows: HashSet<FlowId>,
}

fn reached_not(error: &reqwest::Error) -> String {
    let mut text = "cannot connect".to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        text = format!("cannot connect: {why}");
        cause = why.source();
    }
    text
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

impl Live {
    fn error(&self, what: impl Into<String>) -> Error {
        Error { address: self.address.clone(), what: what.into() }
    }

    fn client(&mut self) -> Result<Client, Error> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let name = self.developer_name.clone().ok_or_else(|| {
            self.error(
                "--channel-definition-name is required: the recording does not name its channel definition",
            )
        })?;
        let witness: Arc<dyn Witness> = Arc::clone(&self.last) as _;
        let client = Client::builder(&self.address, self.org, name, Arc::clone(&self.tokens))
            .witness(witness)
            .build()
            .map_err(|error| self.error(error.to_string()))?;
        self.client = Some(client.clone());
        Ok(client)
    }

    /// Tells an emulator something; an org is told nothing.
    fn control(&self, path: &str, body: &Value) -> Result<(), Error> {
        if self.emulator.is_none() {
            return Ok(());
        }
        let url = format!("{}/emulator/v1/{path}", self.address);
        let answer = self
            .runtime
            .block_on(async { self.http.post(url).json(body).send().await })
            .map_err(|error| self.error(reached_not(&error)))?;
        // What the emulator will not do again (a conversation that is there, an offer that is over)
        // shows in its answers to the calls; only an emulator that is gone ends the replay.
        if !answer.status().is_success() {
            tracing::debug!(path, status = answer.status().as_u16(), "the emulator refused");
        }
        Ok(())
    }

    fn act(&self, act: &Act) -> Result<(), Error> {
        let body = serde_json::to_value(act).map_err(|error| self.error(error.to_string()))?;
        self.control("acts", &body)
    }

    fn know_rep(&mut self, rep: RepId) -> Result<(), Error> {
        if !self.known_reps.insert(rep) {
            return Ok(());
        }
        self.control("roster", &json!({ "reps": [{ "id": rep }] }))
    }

    fn adopt(
        &self,
        conversation: &ConversationId,
        known: Option<&Conversation>,
        requested: Option<&RoutingRequested>,
    ) -> Result<(), Error> {
        let participants = known.map(Conversation::participants).unwrap_or_default();
        let work_item =
            known.and_then(Conversation::work_item).or(requested.and_then(|asked| asked.work_item));
        self.control(
            "conversations",
            &json!({
                "conversation": conversation,
                "workItem": work_item,
                "endUser": requested.and_then(|asked| asked.end_user.clone()),
                "reps": participants.iter().filter_map(Participant::as_rep).collect::<Vec<_>>(),
            }),
        )
    }
}

impl Side for Live {
    type Error = Error;

    fn on_roster(&mut self, _now: Timestamp, roster: &Roster) -> Result<(), Error> {
        let mut roster = roster.clone();
        if self.recorded_reps {
            roster.reps.iter_mut().for_each(|rep| rep.script = Script::Wait);
        }
        self.known_reps.extend(roster.reps.iter().map(|rep| rep.id));
        self.known_flows.extend(roster.flows.iter().map(|flow| flow.id));
        let body = serde_json::to_value(&roster).map_err(|error| self.error(error.to_string()))?;
        self.control("roster", &body)
    }

    fn on_definition(&mut self, definition: &ChannelDefinition) -> Result<(), Error> {
        if self.learns_name && definition.developer_name.is_some() {
            self.developer_name.clone_from(&definition.developer_name);
            self.client = None;
        }
        Ok(())
    }

    fn on_request(
        &mut self,
        _now: Timestamp,
        conversation: &ConversationId,
        known: Option<&Conversation>,
        requested: &RoutingRequested,
    ) -> Result<(), Error> {
        self.adopt(conversation, known, Some(requested))?;
        // A recording need not bring everybody whom it names.
        match &requested.target {
            Target::Rep(rep) => self.know_rep(*rep),
            Target::Queue(queue) => self.control("roster", &json!({ "queues": [{ "id": queue }] })),
            Target::Flow { flow, fallback } if !self.known_flows.contains(flow) => {
                let flow = json!({ "id": flow, "queue": fallback });
                self.control("roster", &json!({ "flows": [flow] }))
            }
            _ => Ok(()),
        }
    }

    fn on_event(
        &mut self,
        _now: Timestamp,
        known: Option<&Conversation>,
        event: &Event,
    ) -> Result<(), Error> {
        let conversation = || event.conversation.clone();
        match &event.what {
            EventKind::WorkChanged(change) => match change.change {
                WorkChange::Accepted => self.act(&Act::Accept { work: change.work }),
                WorkChange::Declined => self.act(&Act::Decline { work: change.work }),
                _ => Ok(()),
            },
            EventKind::RoutingCancelled(cancelled) if cancelled.reason == CancelReason::EndUserEnded => {
                conversation().map_or(Ok(()), |conversation| self.act(&Act::EndUserLeaves { conversation }))
            }
            EventKind::SessionChanged { status: SessionStatus::Ended, .. } => {
                conversation().map_or(Ok(()), |conversation| self.act(&Act::EndSession { conversation }))
            }
            EventKind::SessionChanged { status: SessionStatus::Waiting, .. } => {
                conversation().map_or(Ok(()), |conversation| self.adopt(&conversation, known, None))
            }
            _ => Ok(()),
        }
    }

    fn call(&mut self, now: Timestamp, tried: &Try<'_>) -> Result<Arrival, Error> {
        let client = self.client()?;
        if let Call::CreateAgentWork(CreateAgentWork { rep, .. }) = tried.call {
            self.know_rep(*rep)?;
        }
        // The time that is left in the recording is the time that is left in the world.
        let give_up_at = SystemClock.now() + tried.give_up_at.since(now);
        let began = Instant::now();
        self.last.take();
        let priority = Priority::of(tried.call);
        let answer =
            self.runtime.block_on(client.send(tried.id.request_id(), tried.call, give_up_at, priority));
        let (status, body) = self.last.take().unwrap_or_default();
        let response = serde_json::from_slice(&body).ok();
        Ok(Arrival::Answer { after: began.elapsed(), answer, status, response })
    }

    fn offers(&self, _conversation: &ConversationId) -> Vec<(RepId, AgentWorkId)> {
        Vec::new()
    }

    fn deadline(&self) -> Option<Timestamp> {
        None
    }

    fn advance(&mut self, _now: Timestamp) -> Result<Vec<Event>, Error> {
        Ok(Vec::new())
    }
}
