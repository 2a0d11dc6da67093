//! The place in the stream moves when what was read is durable, and never before.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::*;
use crate::connector::{Calls, Channel, FindError, Parts, RepFinder, TellNobody};
use crate::events::source::{Arrived, Health};
use crate::model::call::{Answer, Call};
use crate::model::ids::{ConversationId, RepId};
use crate::model::rep_query::RepQuery;
use crate::model::time::Timestamp;
use crate::routing::{Policy, Settings};
use crate::store::{
    Appended, Cause, ChannelKey, Loaded, Memory, OutcomeId, OutcomeRecord, Pending, Store, TurnRecord,
};

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_780_300_800_000)
    }
}

struct Nobody;

#[async_trait]
impl Calls for Nobody {
    async fn call(&self, _: Uuid, _: &Call, _: Timestamp, _: bool) -> Answer {
        Answer::Lost("nobody answers".into())
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
    arriving: mpsc::UnboundedReceiver<source::Delivery>,
    position: Position,
}

#[async_trait]
impl EventSource for Sent {
    async fn next(&mut self) -> Result<source::Delivery, Ended> {
        self.arriving.recv().await.ok_or(Ended::Finished)
    }

    fn position(&self) -> Position {
        self.position.clone()
    }

    fn health(&self) -> Health {
        Health::default()
    }
}

type Answered = (oneshot::Sender<Result<Appended, store::Error>>, Pending);

/// A store whose answers a test gives out, one by one; or that refuses.
#[derive(Default)]
struct Held {
    inner: Memory,
    waiting: Mutex<VecDeque<Answered>>,
    came: tokio::sync::Notify,
    refuses: AtomicBool,
}

impl Held {
    /// Waits for the next turn, and answers it.
    async fn answer(&self) {
        loop {
            let next = self.waiting.lock().unwrap().pop_front();
            if let Some((answer, stored)) = next {
                answer.send(stored.await).unwrap();
                return;
            }
            self.came.notified().await;
        }
    }
}

#[async_trait]
impl Store for Held {
    fn append(&self, turn: TurnRecord) -> Pending {
        let (answer, pending) = Pending::new();
        if self.refuses.load(Ordering::SeqCst) {
            answer.send(Err(store::Error::DiskFull("a test".to_owned()))).unwrap();
            return pending;
        }
        self.waiting.lock().unwrap().push_back((answer, self.inner.append(turn)));
        self.came.notify_one();
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

fn event(number: u8) -> source::Delivery {
    source::Delivery::Event(Arrived {
        topic: "/event/Test__e".into(),
        replay_id: ReplayId::new([number]),
        json: format!(r#"{{"acme__Type__c": "nothing of use", "n": {number}}}"#),
        received: Standing.now(),
    })
}

#[tokio::test(start_paused = true)]
async fn the_place_in_the_stream_is_behind_what_is_durable_and_no_further() {
    let store = Arc::new(Held::default());
    let parts = Parts {
        key: ChannelKey { org: "00D000000000001".parse().unwrap(), channel: "Partner".into() },
        settings: Settings { conference_supported: true, participant_limit: None, policy: Policy::default() },
        calls: Arc::new(Nobody),
        finder: Arc::new(Nobody),
        notifier: Arc::new(TellNobody),
        store: store.clone(),
        clock: Arc::new(Standing),
    };
    let channel = Channel::start(parts).await.unwrap();
    let (send, arriving) = mpsc::unbounded_channel();
    let position = Position::default();
    let source = Box::new(Sent { arriving, position: position.clone() });
    let (stop, stopping) = watch::channel(false);
    let time = Time { clock: Arc::new(Standing), skew: Skew::default() };
    let reader = Reader::new("/event/Test__e", source, Decoder::new(None), channel.handle(), time, stopping);
    let reading = tokio::spawn(reader.run());
    let at = |number: u8| Some(ReplayId::new([number]));
    // Lets everybody do what they can.
    let settle = || tokio::time::sleep(Duration::from_millis(50));

    (1..=3).for_each(|number| send.send(event(number)).unwrap());
    settle().await;
    assert_eq!(position.get(), None, "nothing is durable");
    store.answer().await;
    settle().await;
    assert_eq!(position.get(), at(1));
    store.answer().await;
    store.answer().await;
    settle().await;
    assert_eq!(position.get(), at(3));

    store.refuses.store(true, Ordering::SeqCst);
    send.send(event(4)).unwrap();
    settle().await;
    assert_eq!(position.get(), at(3), "what was refused is not processed");
    store.refuses.store(false, Ordering::SeqCst);
    store.answer().await;
    settle().await;
    assert_eq!(position.get(), at(4), "it was brought again");

    stop.send_replace(true);
    reading.await.unwrap();
    channel.stop().await;
}
