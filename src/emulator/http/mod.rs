//! The emulated org's face: token endpoint, Interaction Service API, Pub/Sub API (gRPC), a control API for
//! tests and a stand-in for the rep's console, all on one port.
//!
//! It owns what the model must not: the socket, the clock, the chance in "only likely" faults, and the
//! waiting that a delay asks for. It decides nothing about the org.
//!
//! Invariants
//! 1. One lock around the model: calls are carried out one after another, in the order of their arrival.
//! 2. What the model has due by itself happens without a call coming in.
//! 3. Shutting down waits for no long poll.

mod api;
mod breakable;
mod console;
mod control;
mod guard;
mod oauth;
mod pubsub;
mod tls;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, map_request};
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use super::{Emission, Emitted, Salesforce, SeededRandom, Settings};
use crate::model::roster::Roster;
use crate::model::time::{Clock, Timestamp};

pub use oauth::{AppSettings, SAMPLE_PRIVATE_KEY, SAMPLE_PUBLIC_KEY};
pub use pubsub::{StreamCounts, StreamFault};
pub use tls::{BadNames, Tls};

/// The most that a request's body may have, in bytes.
pub const BODY_LIMIT: usize = 1 << 20;

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
pub struct Emulator(Arc<Inner>);

struct Inner {
    options: Options,
    verifier: oauth::Verifier,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Whether nobody is given a token.
    logins_refused: AtomicBool,
    /// The number of the last event.
    told: watch::Sender<u64>,
    closing: watch::Sender<bool>,
    /// Each change ends the streams that are open.
    endings: watch::Sender<pubsub::StreamEnd>,
    streams: watch::Sender<StreamCounts>,
    /// Something may be due earlier than it was.
    changed: Notify,
}

struct State {
    salesforce: Salesforce,
    draws: SeededRandom,
    seed: u64,
    events: VecDeque<(u64, Emitted)>,
    last_event: u64,
    bus: pubsub::Bus,
    streams: pubsub::StreamPlan,
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
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Result<Self, oauth::BadKey> {
        let verifier = oauth::Verifier::new(&options.app)?;
        let state = State::new(&options, options.seed);
        Ok(Self(Arc::new(Inner {
            options,
            verifier,
            clock,
            state: Mutex::new(state),
            logins_refused: AtomicBool::new(false),
            told: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            endings: watch::Sender::new(pubsub::StreamEnd::Quietly),
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

    fn with_state<R>(&self, work: impl FnOnce(&mut State, Timestamp) -> R) -> R {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets happen what is due by itself, for as long as it is polled.
    async fn keep_time(self) {
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

    fn router(self) -> Router {
        let driven = Router::new()
            .route("/emulator/v1", get(control::identity))
            .nest("/emulator/v1", control::router())
            .merge(console::router())
            .layer(from_fn(guard::own_pages_alone));
        Router::new()
            .route("/services/oauth2/token", post(oauth::token))
            .route("/services/oauth2/userinfo", get(oauth::user_info))
            .merge(driven)
            .merge(pubsub::router(self.clone()))
            .fallback(any(api::call))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .with_state(self)
    }
}

impl State {
    fn new(options: &Options, seed: u64) -> Self {
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
            bus: pubsub::Bus::new(&options.settings.stream, &options.settings.events),
            streams: pubsub::StreamPlan::default(),
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

/// Serves the org until `shutdown` is ready; then what is under way is finished first.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    emulator: Emulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_with(listener, emulator, Router::new(), shutdown).await
}

/// As [`serve`], over TLS: nothing is answered without.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_tls(
    listener: TcpListener,
    tls: &Tls,
    emulator: Emulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_all(listener, Some(tls), emulator, Router::new(), shutdown).await
}

/// Serves the org and something else on one port: what `beside` has a route for goes there, all the rest
/// to the org. A fallback of `beside` is never asked, and its layers do not reach the org.
///
/// Handlers of `beside` may extract `ConnectInfo<SocketAddr>`. At `shutdown` they are to end their streams
/// themselves: whoever is served is waited for.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_with(
    listener: TcpListener,
    emulator: Emulator,
    beside: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_all(listener, None, emulator, beside, shutdown).await
}

async fn serve_all(
    listener: TcpListener,
    tls: Option<&Tls>,
    emulator: Emulator,
    beside: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // An org that was served before, and is again.
    emulator.0.closing.send_replace(false);
    let closing = emulator.clone();
    let stop = async move {
        shutdown.await;
        closing.0.closing.send_replace(true);
    };
    let time = emulator.clone().keep_time();
    let service = beside
        .fallback_service(emulator.router())
        .layer(map_request(breakable::tell_address))
        .into_make_service_with_connect_info::<breakable::ConnectionBreaker>();
    let listener = breakable::BreakableListener::new(listener, tls.map(|tls| tls.acceptor.clone()));
    let server = axum::serve(listener, service).with_graceful_shutdown(stop);
    tokio::select! {
        result = server.into_future() => result,
        () = time => Ok(()),
    }
}
