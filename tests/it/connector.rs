//! The runtime with the real store and the stand-in Salesforce, in paused time: what is durable first, what
//! a restart takes up, what a store that fails does to it.

mod causes;
mod clock;
mod finder;
mod kills;
#[cfg(feature = "cli")]
mod told;
mod under_way;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::connector::{
    Calls, Channel, Delivery, Error, FindError, Handle, Parts, RepFinder, TellNobody,
};
use byoc_connector::emulator::{
    Act, ApiRequest, Delivery as Arrival, Done, Emission, Emitted, Salesforce, Settings as OrgSettings,
};
use byoc_connector::events::{Decoder, agent_work_event};
use byoc_connector::interaction::{Next, Tries, Verdict, decode, encode};
use byoc_connector::model::call::{Answer, Call};
use byoc_connector::model::event::{Event, Happening, Target};
use byoc_connector::model::ids::{ConversationId, EventId, OrgId, QueueId, RepId, WorkItemId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::model::roster::{Queue, Rep, Roster, Script};
use byoc_connector::model::time::{Clock, Timestamp};
use byoc_connector::routing::{Conversation, Conversations, Outcome, Policy, Settings};
use byoc_connector::store::{
    self, Cause, ChannelKey, Health, Loaded, Memory, OutcomeId, OutcomeRecord, Pending, Position, Store,
    TurnRecord,
};
use tokio::time::Instant;
use uuid::Uuid;

/// Tokio's own clock, which a test pauses.
#[derive(Clone, Copy)]
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_780_300_800_000) + self.0.elapsed()
    }
}

/// An org, and everybody in it.
#[derive(Clone)]
struct Org {
    salesforce: Arc<Mutex<Salesforce>>,
    clock: PausedClock,
    roster: Arc<Roster>,
    /// How many calls have been made.
    calls: Arc<AtomicUsize>,
    /// Whether the router does not answer.
    router_is_down: Arc<AtomicBool>,
}

const LATENCY: Duration = Duration::from_millis(40);

impl Org {
    fn new(scripts: &[Script]) -> Self {
        let queue = QueueId::parse("00G000000000001").unwrap();
        let reps = scripts.iter().enumerate().map(|(number, script)| {
            let mut rep = Rep::named(RepId::parse(&format!("00500000000000{number}")).unwrap());
            rep.name = format!("Rep Number {number}");
            rep.queues = vec![queue];
            rep.script = *script;
            rep
        });
        let places = Queue {
            id: queue,
            name: "Support".to_owned(),
            wait_seconds: None,
            accepted_last_10_minutes: 0,
            reps: Vec::new(),
        };
        let roster = Roster { reps: reps.collect(), queues: vec![places], ..Roster::default() };
        Self {
            salesforce: Arc::new(Mutex::new(Salesforce::new(7, roster.clone(), OrgSettings::default()))),
            clock: PausedClock(Instant::now()),
            roster: Arc::new(roster),
            calls: Arc::default(),
            router_is_down: Arc::default(),
        }
    }

    fn act(&self, act: Act) -> Done {
        self.salesforce.lock().unwrap().act(self.clock.now(), act).unwrap()
    }

    /// A conversation with the first rep in it, who asks the queue for help.
    fn ask(&self) -> (ConversationId, EventId) {
        let asker = self.roster.reps[0].id;
        let Done::Started { conversation, .. } =
            self.act(Act::StartConversation { end_user: None, reps: vec![asker] })
        else {
            panic!("no conversation")
        };
        let target = Target::Queue(self.roster.queues[0].id);
        let conference =
            Act::RequestConference { conversation: conversation.clone(), requester: Some(asker), target };
        let Done::Requested { request } = self.act(conference) else { panic!("no request") };
        (conversation, request)
    }

    fn events(&self) -> Vec<Emitted> {
        let mut salesforce = self.salesforce.lock().unwrap();
        salesforce.advance(self.clock.now());
        salesforce.take_events()
    }

    fn key() -> ChannelKey {
        ChannelKey { org: OrgId::parse("00D000000000001").unwrap(), channel: "Partner".into() }
    }

    async fn start(&self, store: Arc<dyn Store>) -> Channel {
        Channel::start(self.parts(store)).await.unwrap()
    }

    fn parts(&self, store: Arc<dyn Store>) -> Parts {
        let settings =
            Settings { conference_supported: true, participant_limit: None, policy: Policy::default() };
        Parts {
            key: Self::key(),
            settings,
            calls: Arc::new(self.clone()),
            finder: Arc::new(self.clone()),
            notifier: Arc::new(TellNobody),
            store,
            clock: Arc::new(self.clock),
        }
    }

    fn assert_tidy(&self, request: &EventId) {
        let salesforce = self.salesforce.lock().unwrap();
        assert!(salesforce.leftovers().is_empty(), "{:?}", salesforce.leftovers());
        assert_eq!(salesforce.books().effective_results(request), 1);
        assert_eq!(salesforce.books().most_open_offers(request), 1);
        let mut offered: Vec<RepId> =
            salesforce.works().filter(|work| work.correlation == *request).map(|work| work.rep).collect();
        let offers = offered.len();
        offered.sort();
        offered.dedup();
        assert_eq!(offered.len(), offers, "nobody was offered the same request twice");
    }
}

#[async_trait]
impl Calls for Org {
    async fn call(&self, request_id: Uuid, call: &Call, give_up_at: Timestamp, resumed: bool) -> Answer {
        let wire = encode(call);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let settings = OrgSettings::default();
        let request = ApiRequest {
            method: wire.method.as_str().to_owned(),
            path: wire.path.to_owned(),
            headers: vec![
                header("Authorization", "Bearer test"),
                header("OrgId", settings.org.as_str()),
                header("AuthorizationContext", &settings.channel.developer_name),
                header("AuthorizationContextType", "ConversationChannelDefinition"),
                header("RequestId", &request_id.to_string()),
                header("Content-Type", "application/json"),
            ],
            body: wire.body.to_string().into_bytes(),
        };
        let mut tries = if resumed { Tries::resumed() } else { Tries::new() };
        loop {
            if self.clock.now() >= give_up_at {
                return Answer::Lost;
            }
            self.calls.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(LATENCY).await;
            let arrival = self.salesforce.lock().unwrap().deliver(self.clock.now(), &request, 0.5);
            tokio::time::sleep(LATENCY).await;
            let verdict = match arrival {
                Arrival::Answer { response, .. } => {
                    decode(call, response.status, None, response.body.to_string().as_bytes())
                }
                Arrival::NoAnswer { .. } => Verdict::answer_lost("the connection broke"),
            };
            match tries.next(verdict, self.clock.now(), give_up_at, 0.5) {
                Next::Answer(answer) => return answer,
                Next::TryAgainAt(at) => tokio::time::sleep(at.since(self.clock.now())).await,
                Next::RefreshTokenAndTryAgain => {}
            }
        }
    }
}

#[async_trait]
impl RepFinder for Org {
    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, FindError> {
        if self.router_is_down.load(Ordering::SeqCst) {
            return Err(FindError::NoAnswer("connection refused".to_owned()));
        }
        self.roster.find(query).await
    }
}

/// What Salesforce said and nobody has processed.
#[derive(Default)]
struct Stream {
    waiting: VecDeque<Delivery>,
    decoder: Decoder,
}

impl Stream {
    /// Brings everything in order, and what could not be processed again.
    async fn pump(&mut self, org: &Org, handle: &Handle) {
        for emitted in org.events() {
            let delivery = self.delivery(emitted);
            self.waiting.push_back(delivery);
        }
        while let Some(delivery) = self.waiting.front().cloned() {
            if handle.deliver(delivery).await.is_err() {
                return;
            }
            self.waiting.pop_front();
        }
    }

    fn delivery(&mut self, emitted: Emitted) -> Delivery {
        match emitted.what {
            Emission::Platform { replay_id, event } => Delivery {
                events: self.decoder.decode(&event.to_string(), emitted.at, None).unwrap().events,
                cause: Some(Cause::replay_id(&replay_id).unwrap()),
                position: Some(Position::new("/event/Test__e", &replay_id).unwrap()),
            },
            Emission::AgentWork { rep, work_item_id, work_id, work_event } => {
                let event = agent_work_event(work_item_id.as_str(), work_id.as_str(), &work_event, Some(rep))
                    .unwrap();
                Delivery { events: event.events, ..Delivery::default() }
            }
        }
    }

    /// Lets time pass, in steps that no script falls through.
    async fn run(&mut self, org: &Org, handle: &Handle, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.pump(org, handle).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

const DECLINE: Script = Script::Decline { after_milliseconds: 700 };
const ACCEPT: Script = Script::Accept { after_milliseconds: 900 };

#[tokio::test(start_paused = true)]
async fn a_conference_goes_from_the_click_to_the_rep_who_joins() {
    let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
    let store = Arc::new(Memory::default());
    let channel = org.start(store.clone()).await;
    let mut endings = channel.handle().endings();
    let (conversation, request) = org.ask();
    let mut stream = Stream::default();
    stream.run(&org, &channel.handle(), Duration::from_secs(5)).await;
    let (place, ending) = endings.recv().await.unwrap();
    assert_eq!(
        (place, ending.request.clone(), ending.outcome),
        (conversation, request.clone(), Outcome::Joined)
    );
    org.assert_tidy(&request);
    assert_eq!(channel.handle().look(Conversations::open).await.unwrap(), 0);
    channel.stop().await;
    let history = store.outcomes(OutcomeId::START, 9).await.unwrap();
    assert_eq!(history.iter().map(OutcomeRecord::request).collect::<Vec<_>>(), [&request]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_at_any_moment_takes_up_what_was_under_way() {
    for stop_after in (0..2_400).step_by(40) {
        let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
        let store = Arc::new(Memory::default());
        let first = org.start(store.clone()).await;
        let (_, request) = org.ask();
        let mut stream = Stream::default();
        stream.run(&org, &first.handle(), Duration::from_millis(stop_after)).await;
        first.stop().await;

        let second = org.start(store.clone()).await;
        // An offer that may have been made twice is waited for before the next rep is asked.
        stream.run(&org, &second.handle(), Duration::from_secs(30)).await;
        org.assert_tidy(&request);
        let history = store.outcomes(OutcomeId::START, 9).await.unwrap();
        let outcomes: Vec<_> = history.iter().map(|one| one.ending.outcome).collect();
        let open = second.handle().look(|all| format!("{all:?}")).await.unwrap();
        assert_eq!(outcomes, [Outcome::Joined], "stopped after {stop_after} ms: {open}");
        second.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rep_who_has_declined_while_nobody_listened_is_not_rung_again() {
    for stop_after in (0..200).step_by(10) {
        let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
        let store = Arc::new(Memory::default());
        let first = org.start(store.clone()).await;
        let (_, request) = org.ask();
        let mut stream = Stream::default();
        stream.run(&org, &first.handle(), Duration::from_millis(stop_after)).await;
        first.stop().await;
        tokio::time::sleep(Duration::from_secs(2)).await;

        let second = org.start(store.clone()).await;
        // The stream takes its time to connect, longer than a call does.
        tokio::time::sleep(Duration::from_millis(500)).await;
        second.handle().listening().await.unwrap();
        stream.run(&org, &second.handle(), Duration::from_secs(30)).await;
        org.assert_tidy(&request);
        second.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_brought_twice_is_processed_once() {
    let org = Org::new(&[Script::Wait, ACCEPT]);
    let channel = org.start(Arc::new(Memory::default())).await;
    let handle = channel.handle();
    let (_, request) = org.ask();
    let mut stream = Stream::default();
    let all: Vec<Delivery> = org.events().into_iter().map(|emitted| stream.delivery(emitted)).collect();
    for _ in 0..3 {
        for delivery in &all {
            handle.deliver(delivery.clone()).await.unwrap();
        }
    }
    stream.run(&org, &handle, Duration::from_secs(3)).await;
    org.assert_tidy(&request);
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_may_begin_with_an_event_that_says_nothing_of_it() {
    let org = Org::new(&[Script::Wait]);
    let channel = org.start(Arc::new(Memory::default())).await;
    let conversation = ConversationId::parse("new").unwrap();
    let event = |what| Event { conversation: Some(conversation.clone()), what };
    let nothing = event(Happening::RoutingStarted { psr: None, work_item: None });
    let something = event(Happening::WorkItemSeen(WorkItemId::parse("0Mw000000000001").unwrap()));
    for event in [nothing, something] {
        let delivery = Delivery { events: [event].into_iter().collect(), ..Delivery::default() };
        channel.handle().deliver(delivery).await.unwrap();
    }
    let handle = channel.handle();
    let known = handle.look(move |all| all.get(&conversation).and_then(Conversation::work_item)).await;
    assert!(known.unwrap().is_some());
    channel.stop().await;
}

/// A store that can be made to hold answers back, or to fail.
#[derive(Default)]
struct Moody {
    inner: Memory,
    holds: AtomicBool,
    fails: AtomicBool,
    /// How many turns it was given.
    turns: AtomicUsize,
    /// The number of the one turn that it refuses.
    refuses: AtomicUsize,
    held: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

#[async_trait]
impl Store for Moody {
    fn append(&self, turn: TurnRecord) -> Pending {
        let number = self.turns.fetch_add(1, Ordering::SeqCst) + 1;
        if self.fails.load(Ordering::SeqCst) || number == self.refuses.load(Ordering::SeqCst) {
            let (answer, pending) = Pending::new();
            answer.send(Err(store::Error::DiskFull("a test".to_owned()))).unwrap();
            return pending;
        }
        let stored = self.inner.append(turn);
        if !self.holds.load(Ordering::SeqCst) {
            return stored;
        }
        let (answer, pending) = Pending::new();
        self.held.lock().unwrap().push(Box::new(move || {
            tokio::spawn(async move { answer.send(stored.await) });
        }));
        pending
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, store::Error> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(store::Error::DiskFull("a test".to_owned()));
        }
        self.inner.load(channel).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, store::Error> {
        self.inner.seen(channel, causes).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, store::Error> {
        self.inner.positions(channel).await
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, store::Error> {
        self.inner.outcomes(after, limit).await
    }

    async fn last_outcome(&self) -> Result<OutcomeId, store::Error> {
        self.inner.last_outcome().await
    }

    async fn forget(&self, channel: &ChannelKey, conversation: &ConversationId) -> Result<(), store::Error> {
        self.inner.forget(channel, conversation).await
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    async fn close(&self) -> Result<(), store::Error> {
        self.inner.close().await
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_is_made_before_what_led_to_it_is_durable() {
    let org = Org::new(&[Script::Wait, ACCEPT]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    store.holds.store(true, Ordering::SeqCst);
    org.ask();
    let mut stream = Stream::default();
    let brought: Vec<Delivery> = org.events().into_iter().map(|emitted| stream.delivery(emitted)).collect();
    let handle = channel.handle();
    let bringing = tokio::spawn(async move {
        for delivery in brought {
            handle.deliver(delivery).await.unwrap();
        }
    });
    let release = |store: &Moody| {
        for answer in std::mem::take(&mut *store.held.lock().unwrap()) {
            answer();
        }
    };
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!bringing.is_finished(), "nothing is said to be processed");
    assert_eq!(org.calls.load(Ordering::SeqCst), 0, "nothing is called");
    while !bringing.is_finished() {
        release(&store);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(org.calls.load(Ordering::SeqCst), 1, "the route is asked for");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_costs_time_and_nothing_else() {
    let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    let handle = channel.handle();
    let (_, request) = org.ask();
    let mut stream = Stream::default();
    stream.run(&org, &handle, Duration::from_millis(400)).await;
    store.fails.store(true, Ordering::SeqCst);
    let refused = {
        let event = agent_work_event("0Mw000000000009", "0Bz000000000009", "ASSIGNED", None).unwrap();
        let cause = Some(Cause::named("a post").unwrap());
        handle.deliver(Delivery { events: event.events, cause, position: None }).await
    };
    assert!(matches!(refused, Err(Error::Store(store::Error::DiskFull(_)))), "{refused:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    store.fails.store(false, Ordering::SeqCst);
    stream.run(&org, &handle, Duration::from_secs(30)).await;
    org.assert_tidy(&request);
    let history = store.outcomes(OutcomeId::START, 9).await.unwrap();
    assert_eq!(history.iter().map(|one| one.ending.outcome).collect::<Vec<_>>(), [Outcome::Joined]);
    channel.stop().await;
}
