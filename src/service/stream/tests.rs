//! The place in the stream moves when what was read is durable, and never before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::connector::{Calls, Channel, FindError, Parts, RepFinder, TellNobody, UncountedPanics};
use crate::events::source::{Health, ReceivedEvent};
use crate::interaction::{Tried, Try, TryOutcome};
use crate::model::ids::{ConversationId, RepId};
use crate::model::rep_query::RepQuery;
use crate::model::time::Timestamp;
use crate::routing::{Policy, Settings};
use crate::store::{
    Appended, Cause, ChannelKey, DeadLetter, DeadLetterCount, GivenUp, Loaded, Memory, OutcomeId,
    OutcomeRecord, Pending, Place, Store, Telling, TellingId, TurnRecord,
};

mod again;
mod causes;
mod listening;

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_780_300_800_000)
    }
}

struct Nobody;

#[async_trait]
impl Calls for Nobody {
    async fn try_once(&self, _: &Try) -> Tried {
        Tried { outcome: TryOutcome::answer_lost("nobody answers"), token: None }
    }
}

#[async_trait]
impl RepFinder for Nobody {
    async fn find(&self, _: &RepQuery) -> Result<Vec<RepId>, FindError> {
        Ok(Vec::new())
    }
}

/// A stream that brings what a test sends.
struct Sent {
    arriving: mpsc::UnboundedReceiver<source::StreamItem>,
    position: Position,
    health: Health,
}

#[async_trait]
impl EventSource for Sent {
    async fn next(&mut self) -> Result<source::StreamItem, Ended> {
        self.arriving.recv().await.ok_or(Ended::Finished)
    }

    fn position(&self) -> Position {
        self.position.clone()
    }

    fn health(&self) -> Health {
        self.health.clone()
    }
}

type Waiting = (oneshot::Sender<Result<Appended, store::Error>>, TurnRecord);

/// A store whose answers a test gives out, one by one; or that refuses.
#[derive(Default)]
struct Held {
    inner: Memory,
    waiting: Mutex<VecDeque<Waiting>>,
    refuses: AtomicBool,
    /// When it was given a turn.
    tried: Mutex<Vec<Instant>>,
}

fn full() -> store::Error {
    store::Error::DiskFull("a test".to_owned())
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap()
    }

    /// The places in the stream of the turns that wait.
    fn places(&self) -> Vec<u8> {
        let place = |turn: &TurnRecord| turn.position.as_ref().unwrap().replay_id()[0];
        self.lock().iter().map(|(_, turn)| place(turn)).collect()
    }

    /// Stores the first one that waits.
    async fn answer(&self) {
        let (answer, turn) = self.lock().pop_front().unwrap();
        answer.send(self.inner.append(turn).await).unwrap();
    }

    async fn answer_all(&self) {
        while !self.lock().is_empty() {
            self.answer().await;
        }
    }

    /// Refuses the first one that waits, and so all that were decided after it.
    fn refuse(&self) {
        let (answer, _) = self.lock().pop_front().unwrap();
        answer.send(Err(full())).unwrap();
        self.lock().clear();
    }
}

#[async_trait]
impl Store for Held {
    fn append(&self, turn: TurnRecord) -> Pending {
        self.tried.lock().unwrap().push(Instant::now());
        let (answer, pending) = Pending::new();
        if self.refuses.load(Ordering::SeqCst) {
            answer.send(Err(full())).unwrap();
        } else {
            self.lock().push_back((answer, turn));
        }
        pending
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, store::Error> {
        self.inner.load(channel).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, store::Error> {
        self.inner.seen(channel, causes).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<store::Position>, store::Error> {
        self.inner.positions(channel).await
    }

    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, store::Error> {
        self.inner.untold(channel).await
    }

    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), store::Error> {
        self.inner.told(channel, ids).await
    }

    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, store::Error> {
        self.inner.place(channel, id).await
    }

    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), store::Error> {
        self.inner.give_up(channel, given_up).await
    }

    async fn dead_letters(
        &self,
        channel: &ChannelKey,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, store::Error> {
        self.inner.dead_letters(channel, limit).await
    }

    async fn count_dead_letters(&self, channel: &ChannelKey) -> Result<DeadLetterCount, store::Error> {
        self.inner.count_dead_letters(channel).await
    }

    async fn resend(
        &self,
        channel: &ChannelKey,
        id: TellingId,
        at: Timestamp,
    ) -> Result<Option<Telling>, store::Error> {
        self.inner.resend(channel, id, at).await
    }

    async fn drop_dead_letter(&self, channel: &ChannelKey, id: TellingId) -> Result<bool, store::Error> {
        self.inner.drop_dead_letter(channel, id).await
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

    fn health(&self) -> store::Health {
        self.inner.health()
    }

    async fn close(&self) -> Result<(), store::Error> {
        self.inner.close().await
    }
}

/// One that says nothing of use.
fn event(number: u8) -> source::StreamItem {
    as_event(number, &format!(r#"{{"acme__Type__c": "nothing of use", "n": {number}}}"#))
}

fn as_event(number: u8, json: &str) -> source::StreamItem {
    source::StreamItem::Event(ReceivedEvent {
        topic: "/event/Test__e".into(),
        replay_id: ReplayId::new([number]),
        json: json.to_owned(),
        received: Standing.now(),
    })
}

/// The platform events of a recorded conference to a rep, up to the request.
fn recorded() -> Vec<String> {
    let lines = include_str!("../../../fixtures/conference-rep.jsonl").lines();
    let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut events: Vec<String> =
        lines.filter(|line| line["source"] == "pubsub").map(|line| line["event"].to_string()).collect();
    let request = events.iter().position(|event| event.contains("RoutingRequested")).unwrap();
    events.truncate(request + 1);
    events
}

/// A channel and its reader, between a stream and a store that a test moves.
struct Stage {
    store: Arc<Held>,
    channel: Channel,
    send: mpsc::UnboundedSender<source::StreamItem>,
    position: Position,
    health: Health,
    stop: watch::Sender<bool>,
    reading: JoinHandle<()>,
}

impl Stage {
    async fn set() -> Self {
        Self::with(Arc::default(), Arc::new(Nobody), Arc::new(Standing)).await
    }

    async fn with(store: Arc<Held>, calls: Arc<dyn Calls>, clock: Arc<dyn Clock>) -> Self {
        let parts = Parts {
            key: key(),
            settings: Settings {
                conference_supported: true,
                participant_limit: None,
                policy: Policy::default(),
            },
            calls,
            finder: Arc::new(Nobody),
            work_items: Arc::new(crate::connector::NoWorkItems),
            notifier: Arc::new(TellNobody),
            store: store.clone(),
            panics: Arc::new(UncountedPanics),
            clock: clock.clone(),
        };
        let channel = Channel::start(parts).await.unwrap();
        let (send, arriving) = mpsc::unbounded_channel();
        let (position, health) = (Position::default(), Health::default());
        let source = Box::new(Sent { arriving, position: position.clone(), health: health.clone() });
        let (stop, stopping) = watch::channel(false);
        let time = Time { clock, skew: Skew::default() };
        let reader =
            Reader::new("/event/Test__e", source, Decoder::new(None), channel.handle(), time, stopping);
        let reading = tokio::spawn(reader.run());
        Self { store, channel, send, position, health, stop, reading }
    }

    fn at(&self) -> Option<u8> {
        self.position.get().map(|id| id.as_bytes()[0])
    }

    /// Stores what is left, as long as there is something.
    async fn stops(self) {
        let Self { store, channel, stop, reading, .. } = self;
        stop.send_replace(true);
        let stopped = async {
            reading.await.unwrap();
            channel.stop().await;
        };
        let storing = async {
            loop {
                store.answer_all().await;
                settle().await;
            }
        };
        tokio::select! {
            () = stopped => {}
            () = storing => {}
        }
    }
}

fn key() -> ChannelKey {
    ChannelKey { org: "00D000000000001".parse().unwrap(), channel: "Partner".into() }
}

/// Time stands still while anybody can do anything: when this is over, everybody has done what they can.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test(start_paused = true)]
async fn the_place_in_the_stream_is_behind_what_is_durable_and_no_further() {
    let stage = Stage::set().await;
    (1..=3).for_each(|number| stage.send.send(event(number)).unwrap());
    settle().await;
    assert_eq!(stage.at(), None, "nothing is durable");
    stage.store.answer().await;
    settle().await;
    assert_eq!(stage.at(), Some(1));
    stage.store.answer_all().await;
    settle().await;
    assert_eq!(stage.at(), Some(3));

    stage.store.refuses.store(true, Ordering::SeqCst);
    stage.send.send(event(4)).unwrap();
    settle().await;
    assert_eq!(stage.at(), Some(3), "what was refused is not processed");
    stage.store.refuses.store(false, Ordering::SeqCst);
    tokio::time::sleep(WAITS.0).await;
    stage.store.answer_all().await;
    settle().await;
    assert_eq!(stage.at(), Some(4), "it was brought again");
    stage.stops().await;
}
