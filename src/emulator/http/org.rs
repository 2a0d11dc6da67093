//! The emulated org with what its faces share: one lock around the model, the clock, and what it has told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::app::{AppSettings, BadKey, Verifier};
use super::pubsub::{Bus, StreamCounts, StreamEnd, StreamPlan};
use super::rest::Rest;
use crate::emulator::{Emission, Emitted, Salesforce, SeededRandom, Settings};
use crate::model::roster::Roster;
use crate::model::time::{Clock, Timestamp};

/// How many of the last events are kept for whoever asks.
const EVENTS_KEPT: usize = 65_536;

/// What the emulator starts with, and what a reset goes back to.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed for generated ids.
    pub seed: u64,
    /// The people.
    pub roster: Roster,
    /// The org.
    pub settings: Settings,
    /// The connected app that may ask for tokens.
    pub app: AppSettings,
    /// Bearer tokens that are taken for ever.
    pub fixed_tokens: Vec<String>,
}

/// The emulated org behind its HTTP face. A clone is the same org.
#[derive(Clone)]
pub struct Emulator(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) options: Options,
    pub(super) verifier: Verifier,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: Mutex<State>,
    /// Whether nobody is given a token.
    pub(super) logins_refused: AtomicBool,
    /// The number of the last event.
    pub(super) told: watch::Sender<u64>,
    pub(super) closing: watch::Sender<bool>,
    /// Each change ends the streams that are open.
    pub(super) endings: watch::Sender<StreamEnd>,
    pub(super) streams: watch::Sender<StreamCounts>,
    /// Something may be due earlier than it was.
    pub(super) changed: Notify,
}

pub(super) struct State {
    pub(super) salesforce: Salesforce,
    pub(super) draws: SeededRandom,
    pub(super) seed: u64,
    pub(super) events: VecDeque<(u64, Emitted)>,
    pub(super) last_event: u64,
    pub(super) bus: Bus,
    pub(super) streams: StreamPlan,
    pub(super) rest: Rest,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("seed", &self.0.options.seed).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Sets the org up.
    ///
    /// # Errors
    /// Where the connected app's public key is not an RSA key in PEM.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Result<Self, BadKey> {
        let verifier = Verifier::new(&options.app)?;
        let state = State::new(&options, options.seed);
        Ok(Self(Arc::new(Inner {
            options,
            verifier,
            clock,
            state: Mutex::new(state),
            logins_refused: AtomicBool::new(false),
            told: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            endings: watch::Sender::new(StreamEnd::Quietly),
            streams: watch::Sender::default(),
            changed: Notify::new(),
        })))
    }

    /// Does something with the org at the time that it is now, and passes on what it told.
    pub fn with<R>(&self, work: impl FnOnce(&mut Salesforce, Timestamp) -> R) -> R {
        self.with_state(|state, now| work(&mut state.salesforce, now))
    }

    /// From now on, nobody is given a token; or everybody is again who may have one.
    pub fn refuse_logins(&self, refused: bool) {
        self.0.logins_refused.store(refused, Ordering::Relaxed);
    }

    /// What the org told behind the event of that number; the last of it is kept.
    pub fn told(&self, after: u64) -> Vec<Emitted> {
        let state = self.lock();
        let from = state.events.partition_point(|(number, _)| *number <= after);
        state.events.range(from..).map(|(_, told)| told.clone()).collect()
    }

    pub(super) fn with_state<R>(&self, work: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let now = self.0.clock.now();
        let mut state = self.lock();
        state.salesforce.advance(now);
        let result = work(&mut state, now);
        let last = state.collect();
        drop(state);
        self.0.told.send_if_modified(|told| std::mem::replace(told, last) != last);
        self.0.changed.notify_one();
        result
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets happen what is due by itself, for as long as it is polled.
    pub(super) async fn keep_time(self) {
        loop {
            let wait = {
                let now = self.0.clock.now();
                let mut state = self.lock();
                state.salesforce.advance(now);
                let last = state.collect();
                let deadline = state.salesforce.deadline();
                drop(state);
                self.0.told.send_if_modified(|told| std::mem::replace(told, last) != last);
                deadline.map_or(Duration::MAX, |at| at.since(now))
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.0.changed.notified() => {}
            }
        }
    }
}

impl State {
    pub(super) fn new(options: &Options, seed: u64) -> Self {
        let mut salesforce = Salesforce::new(seed, options.roster.clone(), options.settings.clone());
        for token in &options.fixed_tokens {
            salesforce.grant_token(token.clone(), Timestamp::MAX);
        }
        // The faults' chance must not move the ids, so it is a stream of its own.
        let draws = SeededRandom::new(seed ^ 0x005E_EDFA_17E5);
        Self {
            salesforce,
            draws,
            seed,
            events: VecDeque::new(),
            last_event: 0,
            bus: Bus::new(&options.settings.stream, &options.settings.events),
            streams: StreamPlan::default(),
            rest: Rest::default(),
        }
    }

    /// Numbers what the org told, and keeps the last of it.
    fn collect(&mut self) -> u64 {
        for told in self.salesforce.take_events() {
            self.last_event = self.last_event.saturating_add(1);
            if let Emission::Platform { replay_id, event } = &told.what {
                self.bus.publish(told.at, replay_id, event);
            }
            if self.events.len() == EVENTS_KEPT {
                self.events.pop_front();
            }
            self.events.push_back((self.last_event, told));
        }
        self.last_event
    }
}
