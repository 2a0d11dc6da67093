//! The running connector: any number of orgs and channels in one process, each with its own login, limiter,
//! stream and state.
//!
//! Wires the parts together and knows how each of them is doing. It decides nothing about a request, and must
//! never know what HTTP server stands before it.
//!
//! Invariants
//! 1. Everything is checked and taken up from the store before the first stream is opened: there is no
//!    half-started service.
//! 2. A platform event counts as processed only when what follows from it is durable, in the order of its
//!    stream.
//! 3. A channel that Salesforce itself routes (`RoutingOwner = Salesforce`) has no stream, and says so once.
//! 4. What one org or channel suffers from does not touch another.
//!
//! Elsewhere: state machines in `routing`, order and durability in `connector`, the stream itself in
//! `events::pubsub`.

mod cause;
mod clock;
mod ended;
mod error;
mod observe;
mod plan;
mod readiness;
mod refused;
mod running;
mod stream;
mod tokens;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, broadcast, watch};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use ended::ENDED_KEPT;
pub use ended::{EndedView, RequestEnded};
pub use error::Error;
pub use plan::{ChannelPlan, OrgPlan, Plan, PlanError, Ports};
pub use readiness::{Check, Part, Readiness};
pub use running::{Processed, RunningChannel};
pub use tokens::{OrgCredentials, WatchedTokens};

use crate::config::{DECLINES_HINT, DECLINES_NOT_HEARD};
use crate::connector::Channel;
pub use crate::connector::GivenUp;
use crate::model::ids::OrgId;
use crate::model::time::Clock;
use crate::notices::{Notice, Notices, Subject};
use crate::store::{self, OutcomeId, OutcomeRecord, Store};

/// How many endings a slow watcher may fall behind.
const WATCHERS_BEHIND: usize = 4096;

/// A running connector. A clone is the same one.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    channels: Vec<RunningChannel>,
    orgs: Vec<(OrgId, WatchedTokens)>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    notices: Notices,
    told: broadcast::Sender<RequestEnded>,
    stopping: watch::Sender<bool>,
    /// What must end before the service has ended.
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    streams: Vec<JoinHandle<()>>,
    channels: Vec<Channel>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("channels", &self.0.channels.len()).finish_non_exhaustive()
    }
}

/// Which channel is meant cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoChannel {
    /// There are several, and it was not said which.
    #[error("there are {0} channels; name one")]
    Several(usize),
    /// There is none of that name.
    #[error("channel {channel} of org {org} is not configured")]
    Unknown {
        /// The org that was named, or `any`.
        org: String,
        /// The channel that was named, or `any`.
        channel: String,
    },
}

impl Service {
    /// Takes up every channel where the store says that it was left, and opens the streams.
    ///
    /// # Errors
    /// Where the store cannot be read. Nothing is left running then.
    pub async fn start(plan: Plan) -> Result<Self, store::Error> {
        let Plan { orgs, store, clock, notices, aside } = plan;
        let told = broadcast::Sender::new(WATCHERS_BEHIND);
        let stopping = watch::Sender::new(false);
        let history = history(&*store).await;
        let mut tasks = Tasks::default();
        let mut positions = Vec::new();
        for (org, channel) in each(&orgs) {
            match Channel::start(channel.parts(org.id, &store, &clock)).await {
                Ok(channel) => {
                    positions.push(channel.positions().to_vec());
                    tasks.channels.push(channel);
                }
                Err(error) => {
                    tasks.stop().await;
                    return Err(error);
                }
            }
        }
        let mut channels = Vec::new();
        for (((org, plan), channel), positions) in each(&orgs).zip(&tasks.channels).zip(&positions) {
            // Whatever the stream says, it says whose it is.
            let span = tracing::info_span!(parent: None, "stream", org = %org.id, channel = %plan.name);
            let source = span.in_scope(|| plan.subscribe(org.pubsub.as_ref(), positions, &aside));
            let health = source.as_ref().map(|(_, source)| source.health()).unwrap_or_default();
            let running = RunningChannel::new(org.id, plan, channel.handle(), health, (&store, &clock));
            for record in history.iter().filter(|record| record.channel == *running.key()) {
                running.keep(record.conversation.clone(), &record.ending, None);
            }
            tasks.streams.push(tokio::spawn(running.clone().tell(told.clone(), stopping.subscribe())));
            if let Some((topic, source)) = source {
                let reader = running.reader(&topic, source, stopping.subscribe());
                tasks.streams.push(tokio::spawn(reader.run().instrument(span)));
            }
            notice_declines(plan, &running, &notices, &*clock);
            channels.push(running);
        }
        let watching = clock::watch(Arc::clone(&clock), notices.clone(), stopping.subscribe());
        tasks.streams.push(tokio::spawn(watching));
        let orgs = orgs.into_iter().map(|org| (org.id, org.tokens)).collect();
        let tasks = Mutex::new(tasks);
        Ok(Self(Arc::new(Inner { channels, orgs, store, clock, notices, told, stopping, tasks })))
    }

    /// All channels of all orgs.
    pub fn channels(&self) -> &[RunningChannel] {
        &self.0.channels
    }

    /// The channel of that org and developer name. What is not named need not be where only one can be meant.
    ///
    /// # Errors
    /// Where none or several can be meant.
    pub fn find(&self, org: Option<&OrgId>, channel: Option<&str>) -> Result<&RunningChannel, NoChannel> {
        let fits = |running: &&RunningChannel| {
            org.is_none_or(|org| running.key().org == *org)
                && channel.is_none_or(|name| &*running.key().channel == name)
        };
        let mut fitting = self.0.channels.iter().filter(fits);
        match (fitting.next(), fitting.count()) {
            (Some(only), 0) => Ok(only),
            (Some(_), others) => Err(NoChannel::Several(others.saturating_add(1))),
            (None, _) => Err(NoChannel::Unknown {
                org: org.map_or_else(|| "any".to_owned(), ToString::to_string),
                channel: channel.unwrap_or("any").to_owned(),
            }),
        }
    }

    /// What ends from now on.
    pub fn told(&self) -> broadcast::Receiver<RequestEnded> {
        self.0.told.subscribe()
    }

    /// The store, for its history.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The clock that the service goes by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Where whatever somebody should look at is raised.
    pub fn notices(&self) -> &Notices {
        &self.0.notices
    }

    /// Whether it can do its work, and what is in the way.
    pub fn readiness(&self) -> Readiness {
        let mut notices = self.0.notices.all();
        notices.extend(self.0.channels.iter().filter_map(RunningChannel::unreadable_notice));
        notices.extend(self.0.channels.iter().filter_map(RunningChannel::refused_notice));
        notices.extend(clock::notices(&self.0.channels));
        readiness::of(&self.0.channels, &self.0.orgs, &self.0.store.health(), notices, self.0.clock.now())
    }

    /// Reads no more, lets what was read become durable, and ends, within `patience` even where the store
    /// stands still. What is not finished is taken up by the next start.
    pub async fn stop(&self, patience: Duration) {
        self.0.stopping.send_replace(true);
        tracing::info!("stopping: no more events are read");
        let mut tasks = std::mem::take(&mut *self.0.tasks.lock().await);
        let store = &self.0.store;
        let ended = tokio::time::timeout(patience, async {
            tasks.stop().await;
            if let Err(error) = store.close().await {
                tracing::warn!(%error, "the store was not closed cleanly; stored data is intact");
            }
        });
        if ended.await.is_ok() {
            tracing::info!("stopped");
        } else {
            tracing::warn!("stop timed out; the next start resumes from the store");
        }
    }
}

/// What ended last. Only to be looked at: where it cannot be read, the service runs without.
async fn history(store: &dyn Store) -> Vec<OutcomeRecord> {
    let last = match store.last_outcome().await {
        Ok(last) => last,
        Err(error) => {
            tracing::warn!(%error, "requests that ended before the start cannot be read");
            return Vec::new();
        }
    };
    let from = OutcomeId::from_number(last.number().saturating_sub(i64::try_from(ENDED_KEPT).unwrap_or(0)));
    store.outcomes(from, ENDED_KEPT).await.unwrap_or_default()
}

/// Puts on the board that declines will not be heard, where Salesforce was not told to tell of them.
fn notice_declines(plan: &ChannelPlan, running: &RunningChannel, notices: &Notices, clock: &dyn Clock) {
    if !plan.is_ours() || plan.definition.is_routing_work_result_supported {
        return;
    }
    let key = running.key();
    let subject = Subject::of_channel("declines-not-heard", key.org, &key.channel);
    let (problem, hint) = (DECLINES_NOT_HEARD.to_owned(), Some(DECLINES_HINT.to_owned()));
    notices.raise(Notice { subject, since: Some(clock.now()), problem, hint });
}

fn each(orgs: &[OrgPlan]) -> impl Iterator<Item = (&OrgPlan, &ChannelPlan)> {
    orgs.iter().flat_map(|org| org.channels.iter().map(move |channel| (org, channel)))
}

impl Tasks {
    async fn stop(&mut self) {
        for stream in self.streams.drain(..) {
            stream.await.ok();
        }
        for channel in self.channels.drain(..) {
            channel.stop().await;
        }
    }
}
