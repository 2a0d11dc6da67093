//! While the store fails, an operator is told so at once, and still sees what has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Method;
use byoc_connector::model::ids::ConversationId;
use byoc_connector::model::time::{Clock, SystemClock, Timestamp};
use byoc_connector::store::{
    Cause, ChannelKey, DeadLetter, DeadLetterCount, Error, GivenUp, Health, Loaded, Memory, OutcomeId,
    OutcomeRecord, Pending, Place, Position, Store, Telling, TellingId, TurnRecord,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::rig::{ANNA, ORG, Rig, loopback, org, service_with};

/// A store whose disk can be taken away.
#[derive(Default)]
struct Pulled {
    kept: Memory,
    is_gone: AtomicBool,
}

impl Pulled {
    fn problem(&self) -> Option<Error> {
        self.is_gone.load(Ordering::SeqCst).then(|| Error::Io("no such device".to_owned()))
    }
}

#[async_trait]
impl Store for Pulled {
    fn append(&self, turn: TurnRecord) -> Pending {
        match self.problem() {
            Some(error) => {
                let (answer, pending) = Pending::new();
                answer.send(Err(error)).unwrap();
                pending
            }
            None => self.kept.append(turn),
        }
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, Error> {
        self.problem().map_or(Ok(()), Err)?;
        self.kept.load(channel).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, Error> {
        self.kept.seen(channel, causes).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, Error> {
        self.kept.positions(channel).await
    }

    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, Error> {
        self.kept.untold(channel).await
    }

    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), Error> {
        self.kept.told(channel, ids).await
    }

    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, Error> {
        self.kept.place(channel, id).await
    }

    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), Error> {
        self.kept.give_up(channel, given_up).await
    }

    async fn dead_letters(&self, channel: &ChannelKey, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.kept.dead_letters(channel, limit).await
    }

    async fn count_dead_letters(&self, channel: &ChannelKey) -> Result<DeadLetterCount, Error> {
        self.kept.count_dead_letters(channel).await
    }

    async fn resend(
        &self,
        channel: &ChannelKey,
        id: TellingId,
        at: Timestamp,
    ) -> Result<Option<Telling>, Error> {
        self.kept.resend(channel, id, at).await
    }

    async fn drop_dead_letter(&self, channel: &ChannelKey, id: TellingId) -> Result<bool, Error> {
        self.kept.drop_dead_letter(channel, id).await
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, Error> {
        self.kept.outcomes(after, limit).await
    }

    async fn last_outcome(&self) -> Result<OutcomeId, Error> {
        self.kept.last_outcome().await
    }

    async fn forget(&self, channel: &ChannelKey, conversation: &ConversationId) -> Result<(), Error> {
        self.kept.forget(channel, conversation).await
    }

    fn health(&self) -> Health {
        Health { failing: self.problem(), ..self.kept.health() }
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Tokio's own clock, which the test pauses: the channel waits by it before it reads the store again.
struct PausedClock(Timestamp, Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        self.0 + self.1.elapsed()
    }
}

fn somebody_joins() -> Value {
    let who = json!({ "role": "Agent", "subject": ANNA, "appType": "agent" });
    let change = json!({ "operation": "add", "participant": who });
    let content = json!({ "entryType": "ParticipantChanged", "entries": [change] });
    let payload = json!({
        "conversationIdentifier": "b6fd18c4-5a0b-4c5e-9c1f-0d6c1f6c9e11", "channelAddressIdentifier": "a",
        "payload": { "identifier": "an-entry", "entryType": "ParticipantChanged",
                     "entryPayload": content.to_string() },
    });
    json!({
        "CreatedDate": SystemClock.now().as_millis(),
        "acme__EventType__c": "Interaction", "acme__Payload__c": payload.to_string(),
    })
}

#[tokio::test(start_paused = true)]
async fn while_the_store_fails_an_operator_is_told_so_at_once() {
    let store = Arc::new(Pulled::default());
    let orgs = vec![org(ORG, "http://127.0.0.1:9", true)];
    let clock = Arc::new(PausedClock(SystemClock.now(), Instant::now()));
    let service = service_with(Arc::clone(&store) as Arc<dyn Store>, clock, orgs).await;
    let rig = Rig::over(loopback(), service.clone());
    assert_eq!(rig.get("/v1/routing-requests").await.status.as_u16(), 200);

    store.is_gone.store(true, Ordering::SeqCst);
    // Something to store, so that the channel finds out, and stands still.
    assert_eq!(rig.post("/v1/events", &somebody_joins()).await.status.as_u16(), 503);
    for (method, path) in [
        (Method::GET, "/v1/routing-requests"),
        (Method::GET, "/v1/routing-requests?state=open"),
        (Method::GET, "/v1/routing-requests/some"),
        (Method::POST, "/v1/routing-requests/some/end"),
    ] {
        let asked = Instant::now();
        let answer = rig.ask(method, path).send().await;
        assert_eq!(answer.status.as_u16(), 503, "{path}: {}", answer.text);
        assert!(answer.body["error"].as_str().unwrap().contains("no such device"), "{path}: {}", answer.text);
        assert!(answer.body["hint"].as_str().unwrap().contains("/readyz"), "{path}: {}", answer.text);
        assert!(asked.elapsed() < Duration::from_secs(1), "{path} took {:?}", asked.elapsed());
    }
    let owed = rig.get("/v1/owed").await;
    assert_eq!((owed.status.as_u16(), &owed.body["owed"]), (200, &json!([])), "known without the channel");
    let ended = rig.get("/v1/routing-requests?state=ended").await;
    assert_eq!((ended.status.as_u16(), &ended.body["requests"]), (200, &json!([])));

    store.is_gone.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(rig.get("/v1/routing-requests").await.status.as_u16(), 200, "it is back");
}
