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
//! 4. What one org or channel suffers from does not touch another: each is kept running by itself, and started,
//!    stopped and replaced while the others go on.
//!
//! Elsewhere: state machines in `routing`, order and durability in `connector`, the stream itself in
//! `events::pubsub`.

mod clock;
mod difference;
mod ended;
mod error;
mod observe;
mod panics;
mod plan;
mod readiness;
mod refused;
mod running;
mod set;
mod shared;
mod stream;
mod supervised;
mod tokens;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, broadcast, watch};

pub use difference::{Difference, Reload};
pub use ended::{EndedView, RequestEnded};
pub use error::Error;
pub use plan::{ChannelPlan, OrgPlan, Plan, PlanError, Ports};
pub use readiness::{Check, Part, Readiness};
pub use running::{BegunView, ConversationState, FirstMessage, Processed, RunningChannel, SessionOrder};
pub use tokens::{OrgCredentials, WatchedTokens};

pub use crate::connector::GivenUp;
use crate::model::ids::OrgId;
use crate::model::time::Clock;
use crate::notices::Notices;
use crate::routing::LeftOpen;
use crate::store::{self, Store};

use panics::Panics;
use set::Set;
use shared::Shared;
use supervised::{Recipe, Supervised};

/// How many endings a slow watcher may fall behind.
const WATCHERS_BEHIND: usize = 4096;

/// A running connector. A clone is the same one.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
    /// What is kept running. Held while orgs are started and stopped, so that only one does so at a time.
    supervised: Mutex<BTreeMap<OrgId, Vec<Supervised>>>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("channels", &self.channels().len()).finish_non_exhaustive()
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
        let shared = Arc::new(Shared { set: Set::default(), store, clock, notices, aside, told });
        let history = shared.history().await;
        let mut taken_up = Vec::new();
        for recipe in orgs.iter().flat_map(|org| recipes(org, &shared)) {
            match recipe.take_up().await {
                Ok(channel) => taken_up.push((recipe, channel)),
                Err(error) => {
                    for (_, channel) in taken_up {
                        channel.stop().await;
                    }
                    return Err(error);
                }
            }
        }
        let mut supervised = BTreeMap::<_, Vec<_>>::new();
        for (recipe, channel) in taken_up {
            let of_org = supervised.entry(recipe.org).or_default();
            of_org.push(Supervised::new(recipe, Some((channel, &history))));
        }
        for org in orgs {
            shared.set.put_org(org.id, org.tokens);
        }
        let stopping = watch::Sender::new(false);
        let watching = clock::watch(Arc::clone(&shared.clock), shared.notices.clone(), stopping.subscribe());
        tokio::spawn(watching);
        Ok(Self(Arc::new(Inner { shared, stopping, supervised: Mutex::new(supervised) })))
    }

    /// Stops those orgs, and starts these, while all others go on. An org that is in both is replaced: what it had
    /// read is durable before it is taken up again. A channel that cannot be taken up is tried again and again.
    ///
    /// Returns what is open at Salesforce of channels that are not there any more.
    pub async fn change(&self, gone: &[OrgId], orgs: Vec<OrgPlan>) -> LeftOpen {
        let mut supervised = self.0.supervised.lock().await;
        if *self.0.stopping.borrow() {
            return LeftOpen::default();
        }
        let shared = &self.0.shared;
        let mut left = LeftOpen::default();
        for running in self.channels().iter().filter(|running| gone.contains(&running.key().org)) {
            if !stays(&orgs, running.key().org).contains(&running.key().channel) {
                left.add(running.left_open().await.unwrap_or_default());
            }
        }
        let stopped: Vec<_> = gone.iter().filter_map(|org| supervised.remove(org)).flatten().collect();
        stopped.iter().for_each(Supervised::ask_to_stop);
        for one in stopped {
            one.stop().await;
        }
        for org in gone {
            shared.notices.lower_of(*org);
            shared.set.keep_of(*org, &stays(&orgs, *org));
        }
        for org in orgs {
            let started = recipes(&org, shared).map(|recipe| Supervised::new(recipe, None)).collect();
            supervised.insert(org.id, started);
            shared.set.put_org(org.id, org.tokens);
        }
        left
    }

    /// All channels of all orgs, as they are now.
    pub fn channels(&self) -> Arc<[RunningChannel]> {
        self.0.shared.set.channels()
    }

    /// The channel of that org and developer name. What is not named need not be where only one can be meant.
    ///
    /// # Errors
    /// Where none or several can be meant.
    pub fn find(&self, org: Option<&OrgId>, channel: Option<&str>) -> Result<RunningChannel, NoChannel> {
        let channels = self.channels();
        let fits = |running: &&RunningChannel| {
            org.is_none_or(|org| running.key().org == *org)
                && channel.is_none_or(|name| &*running.key().channel == name)
        };
        let mut fitting = channels.iter().filter(fits);
        match (fitting.next(), fitting.count()) {
            (Some(only), 0) => Ok(only.clone()),
            (Some(_), others) => Err(NoChannel::Several(others.saturating_add(1))),
            (None, _) => Err(NoChannel::Unknown {
                org: org.map_or_else(|| "any".to_owned(), ToString::to_string),
                channel: channel.unwrap_or("any").to_owned(),
            }),
        }
    }

    /// What ends from now on.
    pub fn told(&self) -> broadcast::Receiver<RequestEnded> {
        self.0.shared.told.subscribe()
    }

    /// The store, for its history.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.shared.store
    }

    /// The clock that the service goes by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.shared.clock
    }

    /// Where whatever somebody should look at is raised.
    pub fn notices(&self) -> &Notices {
        &self.0.shared.notices
    }

    /// Whether it can do its work, and what is in the way.
    pub fn readiness(&self) -> Readiness {
        let (channels, shared) = (self.channels(), &self.0.shared);
        let mut notices = shared.notices.all();
        notices.extend(channels.iter().filter_map(RunningChannel::unreadable_notice));
        notices.extend(channels.iter().filter_map(RunningChannel::refused_notice));
        notices.extend(clock::notices(&channels));
        readiness::of(&channels, &shared.set.orgs(), &shared.store.health(), notices, shared.clock.now())
    }

    /// Reads no more, lets what was read become durable, and ends, within `patience` even where the store
    /// stands still. What is not finished is taken up by the next start.
    pub async fn stop(&self, patience: Duration) {
        self.0.stopping.send_replace(true);
        tracing::info!("stopping: no more events are read");
        let store = &self.0.shared.store;
        let ended = tokio::time::timeout(patience, async {
            let supervised = std::mem::take(&mut *self.0.supervised.lock().await);
            supervised.values().flatten().for_each(Supervised::ask_to_stop);
            for one in supervised.into_values().flatten() {
                one.stop().await;
            }
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

/// How to start each channel of an org.
fn recipes<'a>(org: &'a OrgPlan, shared: &'a Arc<Shared>) -> impl Iterator<Item = Recipe> + 'a {
    org.channels.iter().map(|plan| Recipe {
        org: org.id,
        plan: plan.clone(),
        pubsub: org.pubsub.clone(),
        panics: Arc::new(Panics::new(plan.key(org.id), Arc::clone(shared))),
        shared: Arc::clone(shared),
    })
}

/// The channels that an org has afterwards.
fn stays(orgs: &[OrgPlan], org: OrgId) -> Vec<Arc<str>> {
    let of_org = orgs.iter().filter(|plan| plan.id == org).flat_map(|plan| &plan.channels);
    of_org.map(|channel| Arc::clone(&channel.name)).collect()
}
