//! The runtime with the real store and the stand-in Salesforce, in paused time: what is durable first, what
//! a restart takes up, what a store that fails does to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::connector::{
    Asked, Calls, Channel, Delivery, Ended, Error, FindError, Handle, NoWorkItems, Parts, RepFinder,
    TellNobody, UncountedPanics,
};
use byoc_connector::emulator::{
    Act, AnswerFate as Arrival, ApiRequest, Done, Emission, Emitted, Salesforce, Settings as OrgSettings,
};
use byoc_connector::events::{Decoder, agent_work_event};
use byoc_connector::interaction::{Tried, Try, TryOutcome, decode, encode};
use byoc_connector::model::event::{Event, EventKind, Target};
use byoc_connector::model::ids::{ConversationId, EventId, OrgId, QueueId, RepId, WorkItemId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::model::roster::{Queue, Rep, Roster, Script};
use byoc_connector::model::time::{Clock, Timestamp};
use byoc_connector::model::words::RoutingType;
use byoc_connector::routing::{Conversation, Conversations, Outcome, Policy, Settings};
use byoc_connector::store::{
    self, Appended, Cause, ChannelKey, DeadLetter, DeadLetterCount, GivenUp, Health, Loaded, Memory,
    OutcomeId, OutcomeRecord, Pending, Place, Position, Store, Telling, TellingId, TurnRecord,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::books::{effective_results, most_open_offers};
use moody::Moody;

mod away;
mod causes;
mod clock;
mod conferences;
mod durable;
mod finder;
mod given_up;
mod kills;
mod moody;
mod panics;
mod tellings;
#[cfg(feature = "cli")]
mod told;
mod under_way;
mod waits;

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
            work_items: Arc::new(NoWorkItems),
            notifier: Arc::new(TellNobody),
            store,
            panics: Arc::new(UncountedPanics),
            clock: Arc::new(self.clock),
        }
    }

    fn assert_tidy(&self, request: &EventId) {
        let salesforce = self.salesforce.lock().unwrap();
        assert!(salesforce.leftovers().is_empty(), "{:?}", salesforce.leftovers());
        assert_eq!(effective_results(salesforce.books(), request), 1);
        assert_eq!(most_open_offers(salesforce.books(), request), 1);
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
    async fn try_once(&self, attempt: &Try) -> Tried {
        let Try { request_id, call, give_up_at, .. } = attempt;
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
        let tried = |outcome| Tried { outcome, token: None };
        if self.clock.now() >= *give_up_at {
            return tried(TryOutcome::not_sent("its time was over"));
        }
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(LATENCY).await;
        let arrival = self.salesforce.lock().unwrap().deliver(self.clock.now(), &request, 0.5);
        tokio::time::sleep(LATENCY).await;
        tried(match arrival {
            Arrival::Answer { response, .. } => {
                decode(call, response.status, None, response.body.to_string().as_bytes())
            }
            Arrival::NoAnswer { .. } => TryOutcome::answer_lost("the connection broke"),
        })
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
