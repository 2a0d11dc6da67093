//! Keeps one channel running: starts it, and starts it again where a part of it panics.
//!
//! Knows the parts of a channel (its task, its stream, the task that keeps what ended). Must never know what
//! other channels there are, and decides nothing about a request.
//!
//! Invariants
//! 1. A panic in one channel ends that channel's parts alone, and it is taken up from the store again after a
//!    growing wait; nothing else of the process notices.
//! 2. An event that panics every time is set aside (`panics`), so that it does not restart its channel for ever.
//! 3. The parts of one start have ended before the next start reads the store.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::Instrument as _;

use super::panics::Panics;
use super::plan::ChannelPlan;
use super::running::RunningChannel;
use super::shared::Shared;
use crate::config::{DECLINES_HINT, DECLINES_NOT_HEARD};
use crate::connector::Channel;
use crate::events::pubsub::PubSub;
use crate::model::ids::OrgId;
use crate::notices::{Notice, Subject};
use crate::store::{self, OutcomeRecord};

/// How long to wait before a channel that failed is started again; doubles up to the second figure.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A channel that has run for so long since it failed is well again.
const STEADY: Duration = Duration::from_secs(600);

/// What is needed to start a channel, however often.
pub(super) struct Recipe {
    pub(super) org: OrgId,
    pub(super) plan: ChannelPlan,
    pub(super) pubsub: Option<PubSub>,
    pub(super) panics: Arc<Panics>,
    pub(super) shared: Arc<Shared>,
}

/// The parts of one start.
struct Parts {
    channel: Channel,
    streams: JoinSet<()>,
    stopping: watch::Sender<bool>,
}

/// A channel that is kept running.
pub(super) struct Supervised {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Keeps a channel running; `taken_up` where it was read from the store already.
    pub(super) fn new(recipe: Recipe, taken_up: Option<(Channel, &[OutcomeRecord])>) -> Self {
        let stop = watch::Sender::new(false);
        let parts = taken_up.map(|(channel, history)| recipe.open(channel, history));
        recipe.notice_declines();
        let task = tokio::spawn(recipe.run(parts, stop.subscribe()));
        Self { stop, task }
    }

    /// Says that it should stop, without waiting for it.
    pub(super) fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until what was read is durable and all parts have ended.
    pub(super) async fn stop(self) {
        self.ask_to_stop();
        self.task.await.ok();
    }
}

impl Recipe {
    /// Reads where the channel was left.
    pub(super) async fn take_up(&self) -> Result<Channel, store::Error> {
        let Self { org, plan, panics, shared, .. } = self;
        Channel::start(plan.parts(*org, &shared.store, &shared.clock, Arc::clone(panics) as _)).await
    }

    /// Opens the stream of a channel that was taken up, and puts the channel among those that run.
    fn open(&self, channel: Channel, history: &[OutcomeRecord]) -> Parts {
        let Self { org, plan, pubsub, shared, .. } = self;
        // Whatever the stream says, it says whose it is.
        let span = tracing::info_span!(parent: None, "stream", %org, channel = %plan.name);
        let source = span.in_scope(|| plan.subscribe(pubsub.as_ref(), channel.positions(), &shared.aside));
        let health = source.as_ref().map(|(_, source)| source.health()).unwrap_or_default();
        let running =
            RunningChannel::new(*org, plan, channel.handle(), health, (&shared.store, &shared.clock));
        for record in history.iter().filter(|record| record.channel == *running.key()) {
            running.keep(record.conversation.clone(), &record.ending, None);
        }
        let stopping = watch::Sender::new(false);
        let mut streams = JoinSet::new();
        streams.spawn(running.clone().tell(shared.told.clone(), stopping.subscribe()));
        if let Some((topic, source)) = source {
            let reader = running.reader(&topic, source, stopping.subscribe());
            streams.spawn(reader.run().instrument(span));
        }
        shared.set.put(running);
        Parts { channel, streams, stopping }
    }

    /// Until it is told to stop, which is the one change that `stop` knows.
    async fn run(self, mut parts: Option<Parts>, mut stop: watch::Receiver<bool>) {
        let mut wait = Duration::ZERO;
        let mut failed = false;
        loop {
            let Some(mut running) = parts.take() else {
                tokio::select! {
                    biased;
                    _ = stop.changed() => return,
                    () = tokio::time::sleep(wait) => {}
                }
                wait = wait.saturating_mul(2).clamp(WAITS.0, WAITS.1);
                match self.take_up().await {
                    Ok(channel) => parts = Some(self.open(channel, &self.shared.history().await)),
                    Err(error) => {
                        failed = true;
                        self.notice_failure(&format!("it cannot be read from the store: {error}"));
                    }
                }
                continue;
            };
            tokio::select! {
                biased;
                _ = stop.changed() => return running.stop().await,
                why = running.failed() => {
                    failed = true;
                    wait = wait.max(WAITS.0);
                    self.notice_failure(&why);
                    running.stop().await;
                }
                () = tokio::time::sleep(STEADY), if failed => {
                    (failed, wait) = (false, Duration::ZERO);
                    self.shared.notices.lower(&self.subject("channel-failed"));
                    parts = Some(running);
                }
            }
        }
    }

    fn subject(&self, what: &'static str) -> Subject {
        Subject::of_channel(what, self.org, &self.plan.name)
    }

    fn notice_failure(&self, why: &str) {
        let (org, channel) = (self.org, &*self.plan.name);
        tracing::error!(%org, channel, why, "channel failed; it is started again from the store");
        metrics::counter!("byoc_channel_failures_total", "org" => org.to_string(), "channel" => channel.to_owned())
            .increment(1);
        self.shared.notices.raise(Notice {
            subject: self.subject("channel-failed"),
            since: Some(self.shared.clock.now()),
            problem: format!("the channel {channel} failed and is started again: {why}"),
            hint: Some(
                "a panic is a bug: report it with the log around it and a recording (byoc record)".to_owned(),
            ),
        });
    }

    /// Puts on the board that declines will not be heard, where Salesforce was not told to tell of them.
    fn notice_declines(&self) {
        if !self.plan.is_ours() || self.plan.definition.is_routing_work_result_supported {
            return;
        }
        let (problem, hint) = (DECLINES_NOT_HEARD.to_owned(), Some(DECLINES_HINT.to_owned()));
        let since = Some(self.shared.clock.now());
        self.shared.notices.raise(Notice {
            subject: self.subject("declines-not-heard"),
            since,
            problem,
            hint,
        });
    }
}

impl Parts {
    /// Ready when a part has panicked, and says which and why. Never ready for a part that ended as it should.
    async fn failed(&mut self) -> String {
        loop {
            tokio::select! {
                why = self.channel.failed() => return why,
                ended = self.streams.join_next(), if !self.streams.is_empty() => {
                    if let Some(Err(error)) = ended {
                        return error.to_string();
                    }
                }
            }
        }
    }

    /// The streams first: what they read is processed by the channel.
    async fn stop(mut self) {
        self.stopping.send_replace(true);
        while self.streams.join_next().await.is_some() {}
        self.channel.stop().await;
    }
}
