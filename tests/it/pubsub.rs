//! The subscription against the emulator's Pub/Sub API, over real gRPC streams.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options, StreamFault};
use byoc_connector::emulator::{Act, BearerRule, Emission, Settings as OrgSettings, StreamForm};
use byoc_connector::events::pubsub::{Credentials, NoToken, PubSub, Settings, Start, Subscription};
use byoc_connector::events::source::{Arrived, Delivery, EventSource, Health, ReplayId, State};
use byoc_connector::events::{Decoder, FieldNames};
use byoc_connector::model::ids::OrgId;
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::{Clock, SystemClock, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

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

async fn next(source: &mut Subscription) -> Delivery {
    let health = source.health();
    let delivery = tokio::time::timeout(HANGS, source.next()).await;
    delivery.unwrap_or_else(|_| panic!("nothing comes; {:?}", health.state())).unwrap()
}

/// The next event; keep-alives are passed over.
async fn event(source: &mut Subscription) -> Arrived {
    loop {
        match next(source).await {
            Delivery::Event(event) => return event,
            Delivery::KeepAlive { .. } => {}
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

#[tokio::test]
async fn events_come_in_order_and_say_what_was_published() {
    let org = Org::start(patient()).await;
    org.publish(65);
    let mut source = org.subscribe(Start::Earliest);
    let form = OrgSettings::default().events;
    let mut decoder = Decoder::new(Some(FieldNames::new(&form.type_field, &form.payload_field)));
    let before = SystemClock.now() - Duration::from_secs(60);
    for (id, published) in org.published() {
        let arrived = event(&mut source).await;
        assert_eq!((&arrived.replay_id, &*arrived.topic), (&id, &*topic()));
        assert!(arrived.received > before);
        let mut fields: Value = serde_json::from_str(&arrived.json).unwrap();
        let uuid = fields.as_object_mut().unwrap().remove("EventUuid").expect("the event's own id");
        assert!(uuid::Uuid::parse_str(uuid.as_str().unwrap()).is_ok());
        assert_eq!(fields, published);
        let understood = decoder.decode(&arrived.json, arrived.received, Some(&id.to_string())).unwrap();
        assert!(!understood.events.is_empty(), "{understood:?}");
    }
    // What happens while the stream is open comes as well.
    org.publish(1);
    assert_eq!(events(&mut source, 2).await.last(), org.ids().last());
    let state = source.health().state();
    assert!(state.connected && state.cuts == 0 && state.last_heard.is_some(), "{state:?}");
    org.stops().await;
}

/// Reads everything while the stream is cut after `cut` events; `lag` deliveries are taken and not yet
/// processed. Gives all ids as they came.
async fn read_through_a_cut(org: &Org, cut: u64, lag: Option<usize>) -> Vec<ReplayId> {
    let ids = org.ids();
    org.emulator.stream_fault(StreamFault::CutAfter { events: cut });
    let mut source = org.subscribe(Start::Earliest);
    let (mut came, mut missing) = (Vec::new(), ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
    while !missing.is_empty() {
        let id = event(&mut source).await.replay_id;
        missing.remove(&id.to_string());
        came.push(id);
        if let Some(processed) = lag.and_then(|lag| came.len().checked_sub(lag + 1)) {
            source.position().processed(came[processed].clone());
        }
    }
    // The one that cuts behind the last event is seen only after it.
    until(&source.health(), |state| state.cuts == 1).await;
    came
}

#[tokio::test]
async fn a_stream_that_is_cut_anywhere_loses_nothing() {
    const EVENTS: usize = 10;
    let org = Org::start(patient()).await;
    org.publish(EVENTS / 2);
    for cut in 0..=EVENTS {
        for lag in [None, Some(0), Some(1), Some(4)] {
            let came = read_through_a_cut(&org, cut as u64, lag).await;
            let mut seen = BTreeSet::new();
            let firsts: Vec<_> = came.iter().filter(|id| seen.insert(id.to_string())).cloned().collect();
            assert_eq!(firsts, org.ids(), "cut after {cut}, lag {lag:?}: {came:?}");
            // What comes twice was taken and not processed when the cut came.
            let most = lag.map_or(0, |lag| lag + 1);
            assert!(came.len() - EVENTS <= most, "cut after {cut}, lag {lag:?}: {came:?}");
        }
    }
    org.stops().await;
}

#[tokio::test]
async fn a_stream_ends_in_every_way_and_comes_back() {
    let org = Org::start(patient()).await;
    let mut source = org.subscribe(Start::Earliest);
    for (cuts, fault) in [StreamFault::End, StreamFault::Unavailable].into_iter().enumerate() {
        org.publish(1);
        let ids = events(&mut source, 2).await;
        source.position().processed(ids[1].clone());
        org.emulator.stream_fault(fault);
        let cut = until(&source.health(), |state| state.cuts == cuts as u64 + 1).await;
        assert!(cut.problem.is_some() || cut.connected, "{cut:?}");
    }
    streams(&org, |counts| (counts.begun, counts.open) == (3, 1)).await;
    org.emulator.stream_fault(StreamFault::RefuseSubscribe { times: 3 });
    org.emulator.stream_fault(StreamFault::End);
    until(&source.health(), |state| state.cuts == 6).await;
    org.publish(1);
    assert_eq!(events(&mut source, 2).await.last(), org.ids().last());
    until(&source.health(), |state| state.connected && state.problem.is_none()).await;
    org.stops().await;
}

#[tokio::test]
async fn each_event_is_read_by_its_own_schema() {
    let org = Org::start(patient()).await;
    let mut source = org.subscribe(Start::Earliest);
    for change in 0..3 {
        org.publish(1);
        org.emulator.stream_fault(StreamFault::ChangeSchema);
        for _ in 0..2 {
            let fields: Value = serde_json::from_str(&event(&mut source).await.json).unwrap();
            assert!(fields[&OrgSettings::default().events.payload_field].is_string(), "{fields}");
            assert_eq!(fields.as_object().unwrap().len(), 5 + change, "{fields}");
        }
    }
    // From the start again, all schemas at once.
    let mut again = org.subscribe(Start::Earliest);
    assert_eq!(events(&mut again, 6).await, org.ids());
    org.stops().await;
}

#[tokio::test]
async fn a_refused_replay_id_is_said_loudly_and_everything_that_is_kept_comes() {
    let org = Org::start(patient()).await;
    org.publish(2);
    let old = org.ids()[1].clone();
    org.emulator.stream_fault(StreamFault::ForgetReplayIds);
    for start in [old, ReplayId::new(*b"nonsense"), ReplayId::new([7])] {
        let mut source = org.subscribe(Start::After(start));
        let Delivery::Gap { reason } = next(&mut source).await else { panic!("no word of the gap") };
        assert!(reason.contains("replayid.corrupted"), "{reason}");
        let renamed = events(&mut source, 4).await;
        assert!(renamed.iter().all(|id| !org.ids().contains(id)));
        assert_eq!(source.health().state().gaps, 1);
        // With a position that is good again, the next cut is like any other.
        source.position().processed(renamed[2].clone());
        org.emulator.stream_fault(StreamFault::End);
        assert_eq!(event(&mut source).await.replay_id, renamed[3]);
        assert_eq!(source.health().state().gaps, 1);
    }
    org.stops().await;
}

#[tokio::test]
async fn ids_that_are_refused_while_the_stream_runs_lose_nothing_that_is_kept() {
    let org = Org::start(patient()).await;
    org.publish(1);
    let mut source = org.subscribe(Start::Earliest);
    for id in events(&mut source, 2).await {
        source.position().processed(id);
    }
    org.emulator.stream_fault(StreamFault::ForgetReplayIds);
    org.emulator.stream_fault(StreamFault::Unavailable);
    assert!(matches!(next(&mut source).await, Delivery::Gap { .. }));
    org.publish(1);
    let came = events(&mut source, 4).await;
    assert_eq!(came.last(), org.ids().last());
    org.stops().await;
}

#[tokio::test]
async fn a_token_that_is_revoked_is_replaced_and_the_stream_goes_on() {
    let org = Org::start(patient()).await;
    let tokens = org.credentials();
    let pubsub = PubSub::new(org.settings(), tokens.clone(), Arc::new(SystemClock)).unwrap();
    *tokens.held.lock().unwrap() = Some("one that never was".to_owned());
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    for round in 1..=3 {
        org.publish(1);
        let id = events(&mut source, 2).await.remove(1);
        assert_eq!(Some(&id), org.ids().last());
        assert_eq!(tokens.refreshed.load(Ordering::Relaxed), round);
        source.position().processed(id);
        org.emulator.with(|salesforce, _| salesforce.revoke_tokens(None));
        org.emulator.stream_fault(StreamFault::Unavailable);
        // The stream's end, and the token's refusal.
        let cuts = 1 + 2 * u64::from(round);
        until(&source.health(), |state| state.connected && state.cuts == cuts).await;
    }
    let shown = format!("{pubsub:?} {source:?} {:?}", source.health().state());
    let token = tokens.held.lock().unwrap().clone().unwrap();
    assert!(!shown.contains(&token), "{shown}");
    org.stops().await;
}

#[tokio::test]
async fn a_keep_alive_moves_the_position() {
    let org = Org::start(StreamForm { keep_alive_milliseconds: 10, ..patient() }).await;
    let mut source = org.subscribe(Start::Latest);
    let Delivery::KeepAlive { replay_id } = next(&mut source).await else { panic!("not a keep-alive") };
    source.position().processed(replay_id.clone());
    // The stream begins there again: what comes meanwhile is not missed though it began with LATEST.
    drop(source);
    streams(&org, |counts| counts.open == 0).await;
    org.publish(1);
    let mut source = org.subscribe(Start::After(replay_id));
    assert_eq!(events(&mut source, 2).await, org.ids());
    let state = source.health().state();
    assert_eq!((state.gaps, state.cuts), (0, 0));
    org.stops().await;
}

#[tokio::test]
async fn a_cut_before_the_first_replay_id_is_said_to_be_a_gap() {
    let org = Org::start(patient()).await;
    let mut source = org.subscribe(Start::Latest);
    until(&source.health(), |state| state.connected).await;
    streams(&org, |counts| counts.open == 1).await;
    org.emulator.stream_fault(StreamFault::End);
    assert!(matches!(next(&mut source).await, Delivery::Gap { .. }));
    org.stops().await;
}

#[tokio::test]
async fn a_consumer_who_takes_nothing_bounds_what_is_sent() {
    let form = StreamForm { ask_within_milliseconds: 50, ..patient() };
    let org = Org::start(form).await;
    org.publish(20);
    let pubsub = org.connect(Settings { buffered: 7, ..org.settings() });
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    streams(&org, |counts| counts.delivered == 7).await;
    // Salesforce loses patience, and still nothing more is asked for.
    until(&source.health(), |state| state.cuts == 1 && !state.connected).await;
    let counts = streams(&org, |counts| counts.open == 0).await;
    assert_eq!((counts.delivered, counts.begun), (7, 1));
    let mut came = Vec::new();
    for _ in 0..40 {
        let id = event(&mut source).await.replay_id;
        source.position().processed(id.clone());
        came.push(id);
    }
    let seen: BTreeSet<_> = came.iter().map(ToString::to_string).collect();
    assert_eq!(seen.len(), 40, "{came:?}");
    org.stops().await;
}

#[tokio::test]
async fn an_org_that_is_not_there_yet_is_tried_again_until_it_is() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let emulator = Org::emulator(patient());
    let tokens = Tokens {
        emulator: emulator.clone(),
        held: std::sync::Mutex::default(),
        refreshed: AtomicU32::new(0),
    };
    let settings = Settings {
        endpoint: format!("http://{address}"),
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(20),
        ..Settings::new(OrgSettings::default().org, "https://acme.my.salesforce.com")
    };
    let pubsub = PubSub::new(settings, Arc::new(tokens), Arc::new(SystemClock)).unwrap();
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    let state = until(&source.health(), |state| state.cuts >= 3).await;
    assert!(!state.connected && state.problem.is_some_and(|problem| problem.starts_with("Unavailable")));
    let org = Org::start_at(TcpListener::bind(address).await.unwrap(), emulator);
    org.publish(1);
    assert_eq!(events(&mut source, 2).await, org.ids());
    assert!(source.health().state().connected);
    org.stops().await;
}

#[tokio::test]
async fn a_stream_that_says_nothing_counts_as_dead() {
    let org = Org::start(patient()).await;
    let pubsub = org.connect(Settings { silence: Duration::from_millis(30), ..org.settings() });
    let source = pubsub.subscribe(&topic(), Start::Earliest);
    let state = until(&source.health(), |state| state.cuts >= 2 && !state.connected).await;
    assert_eq!(state.problem.as_deref(), Some("nothing was heard for 0.03 s"));
    org.stops().await;
}

/// Passes on to the org what comes in. Told so, its first connection goes dead: nothing is passed on and
/// nothing closed. Later ones work.
async fn pipe_that_can_go_dead(org: &Org) -> (String, oneshot::Sender<()>) {
    let target = org.address.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (go_dead, dead) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut first = listener.accept().await.unwrap().0;
        let mut behind = TcpStream::connect(&target).await.unwrap();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut first, &mut behind) => {}
            _ = dead => {}
        }
        while let Ok((mut next, _)) = listener.accept().await {
            let mut behind = TcpStream::connect(&target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut next, &mut behind).await });
        }
    });
    (address, go_dead)
}

#[tokio::test]
async fn a_connection_that_went_dead_is_noticed_by_its_pings() {
    let org = Org::start(patient()).await;
    let (endpoint, go_dead) = pipe_that_can_go_dead(&org).await;
    let ping_every = Some(Duration::from_millis(500));
    let pubsub = org.connect(Settings { endpoint, ping_every, ..org.settings() });
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    org.publish(1);
    let ids = events(&mut source, 2).await;
    source.position().processed(ids[1].clone());
    go_dead.send(()).unwrap();
    org.publish(1);
    assert_eq!(events(&mut source, 2).await, org.ids()[2..]);
    assert!(source.health().state().cuts >= 1);
    org.stop.send(()).unwrap();
}

#[tokio::test]
async fn what_a_user_may_not_read_is_named() {
    let org = Org::start(StreamForm { can_subscribe: false, ..patient() }).await;
    let source = org.subscribe(Start::Earliest);
    let problem = until(&source.health(), |state| state.problem.is_some()).await.problem.unwrap();
    assert!(problem.contains("may not subscribe to") && problem.contains(&topic()), "{problem}");
    let source = org.connect(org.settings()).subscribe("/event/Other__e", Start::Earliest);
    let problem = until(&source.health(), |state| state.problem.is_some()).await.problem.unwrap();
    assert!(problem.starts_with("NotFound (sfdc.platform.eventbus.grpc.topic.not.found)"), "{problem}");
    let elsewhere = Settings { org: OrgId::parse("00DHu0000099999").unwrap(), ..org.settings() };
    let source = org.connect(elsewhere).subscribe(&topic(), Start::Earliest);
    let problem = until(&source.health(), |state| state.problem.is_some()).await.problem.unwrap();
    assert!(problem.starts_with("Unauthenticated") && problem.contains("tenantid"), "{problem}");
    org.stops().await;
}

#[tokio::test]
async fn two_topics_or_subscribers_share_a_connection_and_nothing_else() {
    let org = Org::start(patient()).await;
    org.publish(2);
    let pubsub = org.connect(org.settings());
    let mut one = pubsub.subscribe(&topic(), Start::Earliest);
    let mut two = pubsub.subscribe(&topic(), Start::Earliest);
    assert_eq!(events(&mut one, 4).await, events(&mut two, 4).await);
    drop(one);
    streams(&org, |counts| counts.open == 1).await;
    org.publish(1);
    assert_eq!(events(&mut two, 2).await.last(), org.ids().last());
    org.stops().await;
}

#[tokio::test]
async fn a_token_is_never_sent_in_plain_text_to_another_machine() {
    let org = Org::start(patient()).await;
    let settings = Settings { endpoint: "http://10.1.2.3:7443".to_owned(), ..org.settings() };
    let error = PubSub::new(settings, org.credentials(), Arc::new(SystemClock)).unwrap_err();
    assert!(error.to_string().contains("it must be an https URL"), "{error}");
    let settings = Settings { instance_url: "acme".to_owned(), ..org.settings() };
    let error = PubSub::new(settings, org.credentials(), Arc::new(SystemClock)).unwrap_err();
    assert!(error.to_string().contains("instance_url is 'acme'"), "{error}");
    org.stops().await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_sent_no_token() {
    let org = Org::start(patient()).await;
    let settings = Settings { endpoint: org.address.replace("http://", "https://"), ..org.settings() };
    let source = org.connect(settings).subscribe(&topic(), Start::Earliest);
    let state = until(&source.health(), |state| state.cuts >= 2).await;
    assert!(!state.connected && state.problem.is_some(), "{state:?}");
    assert_eq!(org.emulator.streams().borrow().begun, 0);
    org.stops().await;
}

#[tokio::test]
async fn what_people_wrote_does_not_print() {
    let org = Org::start(patient()).await;
    org.publish(1);
    let mut source = org.subscribe(Start::Earliest);
    let first = event(&mut source).await;
    let shown = format!("{source:?} {first:?}");
    assert!(shown.contains("bytes") && !shown.contains("CreatedById"), "{shown}");
    org.stops().await;
}
