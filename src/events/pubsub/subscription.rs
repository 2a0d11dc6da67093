//! The subscription to one topic: a task that keeps a stream, and the consumer's side of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use uuid::Uuid;

use super::backoff::Backoff;
use super::buffer::Buffer;
use super::connection::PubSub;
use super::cut::{Cut, Remedy};
use super::flow::Flow;
use super::resume::{Place, Resume, Start};
use crate::events::source::{Arrived, Delivery, Ended, EventSource, Health, Position, ReplayId};
use crate::proto::{ConsumerEvent, FetchRequest, FetchResponse, ReplayPreset};

/// How long a stream may stay unanswered before it is taken for one that stands: Salesforce may begin its
/// answer only with the first event, and refuses at once.
const SETTLED: Duration = Duration::from_secs(2);

/// How many requests for more may be on their way. One is the rule.
const ASKS: usize = 8;

/// A subscription to one topic. It ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    buffer: Arc<Buffer>,
    position: Position,
    health: Health,
    task: AbortHandle,
}

impl Subscription {
    pub(super) fn begin(pubsub: PubSub, topic: &str, start: Start) -> Self {
        let resume = Resume::new(&start);
        let position = Position::new(match start {
            Start::After(id) => Some(id),
            Start::Earliest | Start::Latest => None,
        });
        let (buffer, health) = (Arc::new(Buffer::default()), Health::default());
        let settings = pubsub.settings();
        let reader = Reader {
            backoff: Backoff::new(settings.first_wait, settings.longest_wait),
            topic: topic.into(),
            buffer: Closing(Arc::clone(&buffer)),
            position: position.clone(),
            health: health.clone(),
            resume,
            token: None,
            place: None,
            token_refreshed: false,
            pubsub,
        };
        let task = tokio::spawn(reader.run()).abort_handle();
        Self { buffer, position, health, task }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl EventSource for Subscription {
    async fn next(&mut self) -> Result<Delivery, Ended> {
        let gone = || Ended::Gone("its task has ended".to_owned());
        self.buffer.take().await.ok_or_else(gone)
    }

    fn position(&self) -> Position {
        self.position.clone()
    }

    fn health(&self) -> Health {
        self.health.clone()
    }
}

/// Closes the buffer when its writer is gone, however that came about.
struct Closing(Arc<Buffer>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The task.
struct Reader {
    pubsub: PubSub,
    topic: Arc<str>,
    buffer: Closing,
    position: Position,
    health: Health,
    resume: Resume,
    backoff: Backoff,
    /// The one that the last stream began with.
    token: Option<SecretString>,
    /// Where the last stream began.
    place: Option<Place>,
    /// Whether a token was refreshed since something was heard.
    token_refreshed: bool,
}

impl Reader {
    async fn run(mut self) {
        loop {
            self.buffer.0.has_room(self.pubsub.settings().buffered).await;
            self.place = None;
            let Err(cut) = self.stream().await;
            self.health.cut(self.pubsub.clock().now(), cut.to_string());
            let wait = self.mend(&cut).await;
            tokio::time::sleep(wait).await;
        }
    }

    /// Does what a cut asks for, and says how long to wait then.
    async fn mend(&mut self, cut: &Cut) -> Duration {
        match (cut.remedy(), self.token.take(), self.place.take()) {
            (Remedy::Token, Some(token), _) => match self.pubsub.refresh(&token).await {
                // The second time in a row it is not the token.
                Ok(_) if !std::mem::replace(&mut self.token_refreshed, true) => return Duration::ZERO,
                Ok(_) => {}
                Err(error) => tracing::warn!(topic = %self.topic, %error, "no other token"),
            },
            (Remedy::Place, _, Some(place @ (Place::Processed(_) | Place::Received(_)))) => {
                self.resume.refused(place);
                self.gap(format!(
                    "the stored replay id was refused: {cut}; it is too old, or this is not the org, or the emulator, \
                     that gave it; going on with the oldest event"
                ));
                return Duration::ZERO;
            }
            _ => {}
        }
        // Chance alone is wanted; a v4 UUID's low bits are as random as it gets.
        #[expect(clippy::cast_precision_loss, reason = "a jitter needs no more than a double's 53 bits")]
        let jitter = (Uuid::new_v4().as_u64_pair().1 >> 11) as f64 / (1_u64 << 51) as f64 % 1.0;
        let wait = self.backoff.next(jitter);
        tracing::warn!(topic = %self.topic, %cut, ?wait, "the stream of events is cut");
        wait
    }

    fn gap(&mut self, reason: String) {
        tracing::warn!(topic = %self.topic, reason, "events may have been lost");
        self.health.gap();
        self.buffer.0.push(Delivery::Gap { reason });
    }

    /// Reads one stream until it is cut.
    async fn stream(&mut self) -> Result<Infallible, Cut> {
        let token = &*self.token.insert(self.pubsub.token().await?);
        let topic = self.pubsub.topic(&self.topic, token).await?;
        if !topic.can_subscribe {
            return Err(Cut::NotPermitted(self.topic.to_string()));
        }
        let (place, may_miss) = self.resume.place(self.position.get());
        if matches!(place, Place::Processed(_)) {
            self.buffer.0.drop_what_comes_again();
        }
        if may_miss {
            self.gap("the stream was cut before its first replay id was known".to_owned());
        }
        let mut flow = Flow::new(self.pubsub.settings().buffered);
        // There is room: `run` waited for it, and this task alone fills it. A gap's word may have taken it.
        let count = flow.ask(self.buffer.0.len()).unwrap_or(1);
        let (asks, asked) = mpsc::channel(ASKS);
        if asks.try_send(first_request(&self.topic, &place, count)).is_err() {
            return Err(Cut::Ended);
        }
        self.place = Some(place);
        let inbound = self.open(ReceiverStream::new(asked)).await?;
        self.resume.connected();
        self.read(inbound, &asks, flow).await
    }

    async fn open(&self, asked: ReceiverStream<FetchRequest>) -> Result<Streaming<FetchResponse>, Cut> {
        let Some(token) = &self.token else { return Err(Cut::Ended) };
        let silence = self.pubsub.settings().silence;
        let mut opening = std::pin::pin!(self.pubsub.stream(asked, token));
        let inbound = match tokio::time::timeout(SETTLED, &mut opening).await {
            Ok(inbound) => inbound?,
            Err(_) => {
                self.health.connected(self.pubsub.clock().now());
                tokio::time::timeout(silence, opening).await.map_err(|_| Cut::Silent(silence))??
            }
        };
        self.health.connected(self.pubsub.clock().now());
        Ok(inbound)
    }

    async fn read(
        &mut self,
        mut inbound: Streaming<FetchResponse>,
        asks: &mpsc::Sender<FetchRequest>,
        mut flow: Flow,
    ) -> Result<Infallible, Cut> {
        let silence = self.pubsub.settings().silence;
        loop {
            if let Ok(ask) = asks.try_reserve()
                && let Some(count) = flow.ask(self.buffer.0.len())
            {
                ask.send(FetchRequest { num_requested: count, ..FetchRequest::default() });
            }
            let response = tokio::select! {
                response = tokio::time::timeout(silence, inbound.message()) => response,
                () = self.buffer.0.taken() => continue,
            };
            let response = response.map_err(|_| Cut::Silent(silence))??.ok_or(Cut::Ended)?;
            self.health.heard(self.pubsub.clock().now());
            self.backoff.reset();
            self.token_refreshed = false;
            flow.received(response.events.len());
            self.hand_over(response).await?;
        }
    }

    async fn hand_over(&mut self, response: FetchResponse) -> Result<(), Cut> {
        if response.events.is_empty() && !response.latest_replay_id.is_empty() {
            let replay_id = ReplayId::new(response.latest_replay_id);
            self.resume.received(replay_id.clone());
            self.buffer.0.push(Delivery::KeepAlive { replay_id });
            return Ok(());
        }
        for event in response.events {
            let delivery = self.understand(event).await?;
            if let Some(id) = delivery.replay_id() {
                self.resume.received(id.clone());
            }
            self.buffer.0.push(delivery);
        }
        Ok(())
    }

    async fn understand(&self, event: ConsumerEvent) -> Result<Delivery, Cut> {
        let topic = Arc::clone(&self.topic);
        let replay_id = ReplayId::new(event.replay_id);
        let event = event.event.unwrap_or_default();
        let Some(token) = &self.token else { return Err(Cut::Ended) };
        let schema = self.pubsub.schema(&event.schema_id, token).await?;
        let read = match &*schema {
            Ok(schema) => schema.to_json(&event.payload, &event.id),
            Err(error) => Err(error.clone()),
        };
        Ok(match read {
            Ok(json) => {
                let received = self.pubsub.clock().now();
                Delivery::Event(Arrived { topic, replay_id, json, received })
            }
            Err(error) => {
                tracing::error!(%topic, %replay_id, %error, "an event cannot be read and is passed by");
                Delivery::Unreadable { topic, replay_id, reason: error.to_string() }
            }
        })
    }
}

fn first_request(topic: &str, place: &Place, count: i32) -> FetchRequest {
    let (preset, replay_id) = match place {
        Place::Processed(id) | Place::Received(id) => (ReplayPreset::Custom, id.as_bytes().to_vec()),
        Place::Earliest => (ReplayPreset::Earliest, Vec::new()),
        Place::Latest => (ReplayPreset::Latest, Vec::new()),
    };
    FetchRequest {
        topic_name: topic.to_owned(),
        replay_preset: preset.into(),
        replay_id,
        num_requested: count,
        ..FetchRequest::default()
    }
}
