//! An emulated org on sockets of its own, and a look at each call as it arrives.
//!
//! Calls come in over a face of this benchmark, which notes the moment and hands them to the org's model;
//! tokens and events come from the emulator's own. The model counts in milliseconds, the notes in nanoseconds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::serve::ListenerExt as _;
use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
use byoc_connector::emulator::{
    Act, AdoptedConversation, ApiRequest, Channel, LedgerEvent, RequestEnd, Settings,
};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{ConversationId, OrgId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::SystemClock;
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

/// How many reps serve the queue. Each has room for everything.
const REPS: u32 = 50;

const QUEUE: &str = "00G000000000001";

/// Moments of each request, by its number; nanoseconds since the ledger began, 0 for not yet.
pub(crate) struct Ledger {
    began: Instant,
    requests: Vec<Moments>,
    calls: AtomicU64,
}

#[derive(Default)]
struct Moments {
    published: AtomicU64,
    first_call: AtomicU64,
    last_call: AtomicU64,
}

impl Ledger {
    pub(crate) fn new(requests: usize) -> Arc<Self> {
        let requests = (0..requests).map(|_| Moments::default()).collect();
        Arc::new(Self { began: Instant::now(), requests, calls: AtomicU64::new(0) })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    fn published(&self, number: usize) {
        if let Some(moments) = self.requests.get(number) {
            moments.published.store(self.now(), Ordering::Relaxed);
        }
    }

    fn arrived(&self, path: &str, body: &[u8]) {
        let now = self.now();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let Some(moments) = number_in(body).and_then(|number| self.requests.get(number)) else { return };
        let moment = match path {
            "/api/v1/route" => &moments.first_call,
            "/api/v1/routingResult" => &moments.last_call,
            _ => return,
        };
        moment.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed).ok();
    }

    /// How many calls have arrived.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many of these requests have had their last call.
    pub(crate) fn done(&self, numbers: &std::ops::Range<usize>) -> usize {
        let of = self.requests.get(numbers.clone()).unwrap_or_default();
        of.iter().filter(|moments| moments.last_call.load(Ordering::Relaxed) > 0).count()
    }

    /// How long each of these requests waited for its first call, in order; those that still wait are left out.
    pub(crate) fn waits(&self, numbers: &std::ops::Range<usize>) -> Vec<Duration> {
        let wait = |moments: &Moments| {
            let [published, first] =
                [&moments.published, &moments.first_call].map(|moment| moment.load(Ordering::Relaxed));
            (first > 0).then(|| Duration::from_nanos(first.saturating_sub(published)))
        };
        let mut waits: Vec<_> =
            self.requests.get(numbers.clone()).unwrap_or_default().iter().filter_map(wait).collect();
        waits.sort_unstable();
        waits
    }
}

/// The number of the request that a call is for: its conversation's id is that number.
fn number_in(body: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"\"conversationIdentifier\":\"";
    let from = memchr::memmem::find(body, NAME)? + NAME.len();
    let id = Uuid::try_parse_ascii(body.get(from..from + 36)?).ok()?;
    usize::try_from(id.as_u128()).ok()
}

/// The conversation of a request.
fn conversation(number: usize) -> ConversationId {
    let id = Uuid::from_u128(number as u128).to_string();
    ConversationId::parse(&id).expect("a UUID is an id")
}

/// An emulated org that is being served, for as long as its runtime is.
pub(crate) struct Org {
    pub(crate) emulator: Emulator,
    pub(crate) options: Options,
    /// Where tokens and events are.
    pub(crate) address: SocketAddr,
    /// Where calls go.
    pub(crate) calls: SocketAddr,
    ledger: Arc<Ledger>,
}

fn rep(number: u32) -> RepId {
    RepId::parse(&format!("005{number:012}")).expect("an id")
}

pub(crate) fn queue() -> QueueId {
    QueueId::parse(QUEUE).expect("an id")
}

/// The rep who asks, and those who serve the queue and accept soon, or never answer.
fn roster(reps_accept: bool) -> Roster {
    let script = if reps_accept {
        json!({ "does": "accept", "afterMilliseconds": 100 })
    } else {
        json!({ "does": "wait" })
    };
    let room = 1_000_000_000;
    let mut reps = vec![json!({ "id": rep(0), "capacity": room })];
    reps.extend(
        (1..=REPS)
            .map(|n| json!({ "id": rep(n), "capacity": room, "queues": [QUEUE], "script": script.clone() })),
    );
    serde_json::from_value(json!({ "queues": [{ "id": QUEUE }], "reps": reps })).expect("a roster")
}

impl Org {
    /// Serves an org; `number` makes its id.
    pub(crate) async fn start(number: u64, reps_accept: bool, ledger: &Arc<Ledger>) -> Self {
        let channel =
            Channel { participant_limit: Some(4), default_queue: Some(queue()), ..Channel::default() };
        let org = OrgId::parse(&format!("00D{number:012}")).expect("an id");
        let settings = Settings { org, channel, ..Settings::default() };
        let roster = roster(reps_accept);
        let app = AppSettings::default();
        let options = Options { seed: number, roster, settings, app, fixed_tokens: Vec::new() };
        let emulator = Emulator::new(options.clone(), Arc::new(SystemClock)).expect("an org");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(http::serve(listener, emulator.clone(), std::future::pending()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let calls = listener.local_addr().expect("an address");
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let face = Router::new().fallback(call).with_state((emulator.clone(), Arc::clone(ledger)));
        tokio::spawn(async move { axum::serve(listener, face).await });
        Self { emulator, options, address, calls, ledger: Arc::clone(ledger) }
    }

    /// A rep asks for somebody of the queue, in a conversation of its own.
    pub(crate) fn ask(&self, number: usize) {
        let conversation = conversation(number);
        let adopted = AdoptedConversation {
            conversation: conversation.clone(),
            work_item: None,
            end_user: None,
            reps: vec![rep(0)],
        };
        let target = Target::Queue(queue());
        let act = Act::RequestConference { conversation, requester: None, target };
        self.emulator.with(|salesforce, now| {
            salesforce.seed_conversation(now, adopted).expect("its number is new");
            salesforce.act(now, act).expect("a rep may ask");
            self.ledger.published(number);
        });
    }

    /// How many requests a rep has joined.
    pub(crate) fn joined(&self) -> usize {
        self.emulator.with(|salesforce, _| {
            salesforce.books().count(|booked| {
                matches!(booked, LedgerEvent::RequestEnded { ending: RequestEnd::Joined { .. }, .. })
            })
        })
    }
}

async fn call(
    State((emulator, ledger)): State<(Emulator, Arc<Ledger>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    ledger.arrived(uri.path(), &body);
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = ApiRequest {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        headers: headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: body.into(),
    };
    let response = emulator.with(|salesforce, now| salesforce.handle(now, &request));
    let status = StatusCode::from_u16(response.status).expect("a status");
    (status, [(header::CONTENT_TYPE, "application/json")], response.body.to_string())
}
