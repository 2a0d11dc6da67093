//! The subscription against the emulator's Pub/Sub API, over real gRPC streams.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options, StreamFault};
use byoc_connector::emulator::{Act, BearerRule, Emission, Settings as OrgSettings, StreamForm};
use byoc_connector::events::pubsub::{Credentials, NoToken, PubSub, Settings, Start, Subscription};
use byoc_connector::events::source::{EventSource, Health, ReceivedEvent, ReplayId, State, StreamItem};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::{Clock, SystemClock, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[cfg(feature = "cli")]
mod comes_back;
mod connections;
mod events;
mod rights;
mod schemas;
mod set_aside;

const ANNA: &str = "005Hu0000000001";

/// Long enough for a busy machine; nothing waits for it to pass.
const HANGS: Duration = Duration::from_secs(20);

/// An emulated org that is being served.
struct Org {
    emulator: Emulator,
    address: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Org {
    async fn start(stream: StreamForm) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self::start_at(listener, Self::emulator(stream))
    }

    fn emulator(stream: StreamForm) -> Emulator {
        let roster: Roster = serde_json::from_value(json!({ "reps": [{ "id": ANNA }] })).unwrap();
        let options = Options {
            seed: 7,
            roster,
            settings: OrgSettings { bearer: BearerRule::Granted, stream, ..OrgSettings::default() },
            app: AppSettings::default(),
            fixed_tokens: Vec::new(),
        };
        Emulator::new(options, Arc::new(SystemClock)).unwrap()
    }

    fn start_at(listener: TcpListener, emulator: Emulator) -> Self {
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served =
            tokio::spawn(http::serve(listener, emulator.clone(), async move { drop(stopped.await) }));
        Self { emulator, address, stop, served }
    }

    fn settings(&self) -> Settings {
        Settings {
            endpoint: self.address.clone(),
            first_wait: Duration::from_millis(2),
            longest_wait: Duration::from_millis(20),
            ..Settings::new(OrgSettings::default().org, "https://acme.my.salesforce.com")
        }
    }

    fn credentials(&self) -> Arc<Tokens> {
        Arc::new(Tokens {
            emulator: self.emulator.clone(),
            held: std::sync::Mutex::default(),
            refreshed: AtomicU32::new(0),
        })
    }

    fn connect(&self, settings: Settings) -> PubSub {
        PubSub::new(settings, self.credentials(), Arc::new(SystemClock)).unwrap()
    }

    fn subscribe(&self, start: Start) -> Subscription {
        self.connect(self.settings()).subscribe(&topic(), start)
    }

    /// Lets so many conversations start, each of which publishes two events.
    fn publish(&self, conversations: usize) {
        let before = self.published().len();
        for _ in 0..conversations {
            let act = Act::StartConversation { end_user: None, reps: Vec::new() };
            self.emulator.with(|salesforce, now| salesforce.act(now, act)).unwrap();
        }
        assert_eq!(self.published().len(), before + 2 * conversations);
    }

    /// Every platform event, as the control API has it.
    fn published(&self) -> Vec<(ReplayId, Value)> {
        let told = self.emulator.told(0);
        told.into_iter()
            .filter_map(|emitted| match emitted.what {
                Emission::Platform { replay_id, event } => Some((ReplayId::new(replay_id), event)),
                Emission::AgentWork { .. } => None,
            })
            .collect()
    }

    fn ids(&self) -> Vec<ReplayId> {
        self.published().into_iter().map(|(id, _)| id).collect()
    }

    async fn stops(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(HANGS, self.served).await.expect("the server stops").unwrap().unwrap();
    }
}

fn topic() -> String {
    OrgSettings::default().events.topic
}

/// A source of tokens as a real one is: it keeps the one that it has.
struct Tokens {
    emulator: Emulator,
    held: std::sync::Mutex<Option<String>>,
    refreshed: AtomicU32,
}

#[async_trait]
impl Credentials for Tokens {
    async fn token(&self) -> Result<SecretString, NoToken> {
        let mut held = self.held.lock().unwrap();
        let fresh = || self.emulator.with(|salesforce, _| salesforce.issue_token(Timestamp::MAX));
        Ok(held.get_or_insert_with(fresh).clone().into())
    }

    async fn refresh(&self, rejected: &SecretString) -> Result<SecretString, NoToken> {
        self.refreshed.fetch_add(1, Ordering::Relaxed);
        assert_eq!(self.held.lock().unwrap().take().as_deref(), Some(rejected.expose_secret()));
        self.token().await
    }
}

async fn next(source: &mut Subscription) -> StreamItem {
    let health = source.health();
    let delivery = tokio::time::timeout(HANGS, source.next()).await;
    delivery.unwrap_or_else(|_| panic!("nothing comes; {:?}", health.state())).unwrap()
}

/// The next event; keep-alives are passed over.
async fn event(source: &mut Subscription) -> ReceivedEvent {
    loop {
        match next(source).await {
            StreamItem::Event(event) => return event,
            StreamItem::KeepAlive { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn events(source: &mut Subscription, count: usize) -> Vec<ReplayId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(event(source).await.replay_id);
    }
    ids
}

async fn until(health: &Health, holds: impl FnMut(&State) -> bool) -> State {
    let mut watch = health.watch();
    let state = tokio::time::timeout(HANGS, watch.wait_for(holds)).await;
    state.expect("the health changes").unwrap().clone()
}

async fn streams(org: &Org, holds: impl FnMut(&http::StreamCounts) -> bool) -> http::StreamCounts {
    let mut watch = org.emulator.streams();
    let counts = tokio::time::timeout(HANGS, watch.wait_for(holds)).await;
    *counts.expect("the streams change").unwrap()
}

/// A form whose streams are never kept alive or ended by time.
fn patient() -> StreamForm {
    StreamForm::default()
}
