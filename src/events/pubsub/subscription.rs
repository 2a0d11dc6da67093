//! The subscription to one topic: a task that keeps a stream, and the consumer's side of it.

mod reading;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tracing::Instrument as _;
use uuid::Uuid;

use super::avro::Unreadable;
use super::backoff::Backoff;
use super::buffer::Buffer;
use super::connection::PubSub;
use super::flow::Flow;
use super::resume::{Place, Resume, Start};
use super::schemas::{Known, SchemaWaits};
use super::stream_failure::{Remedy, StreamFailure};
use crate::events::quarantine::Quarantine;
use crate::events::source::{Ended, EventSource, Health, Position, ReplayId, StreamItem};
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

impl PubSub {
    /// Subscribes to a topic, e.g. `/event/devorg__PartnerMessaging__e`. The subscription begins by itself, and
    /// remembers nothing beyond the process.
    pub fn subscribe(&self, topic: &str, start: Start) -> Subscription {
        self.subscribe_remembering(topic, start, Quarantine::default())
    }

    /// As [`Self::subscribe`]; what is being read, and what cannot be, is remembered beyond the process.
    pub fn subscribe_remembering(&self, topic: &str, start: Start, aside: Quarantine) -> Subscription {
        Subscription::begin(self.clone(), topic, start, aside)
    }
}

impl Subscription {
    fn begin(pubsub: PubSub, topic: &str, start: Start, aside: Quarantine) -> Self {
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
            waiting: SchemaWaits::default(),
            aside,
            pubsub,
        };
        let task = tokio::spawn(reader.run().in_current_span()).abort_handle();
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
    async fn next(&mut self) -> Result<StreamItem, Ended> {
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
    /// The schemas that were waited for in vain.
    waiting: SchemaWaits,
    aside: Quarantine,
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
    async fn mend(&mut self, cut: &StreamFailure) -> Duration {
        match (cut.remedy(), self.token.take(), self.place.take()) {
            (Remedy::Token, Some(token), _) => match self.pubsub.refresh(&token).await {
                // The second time in a row it is not the token.
                Ok(_) if !std::mem::replace(&mut self.token_refreshed, true) => return Duration::ZERO,
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(topic = %self.topic, %error, "the rejected token could not be replaced");
                }
            },
            (Remedy::Place, _, Some(place @ (Place::Processed(_) | Place::Received(_)))) => {
                self.resume.refused(place);
                self.gap(format!(
                    "stored replay id refused: {cut}; it is too old, or from another org or emulator; resuming with \
                     the oldest event"
                ));
                return Duration::ZERO;
            }
            _ => {}
        }
        let wait = self.backoff.next(jitter());
        tracing::warn!(topic = %self.topic, %cut, ?wait, "event stream disconnected");
        wait
    }

    fn gap(&mut self, reason: String) {
        tracing::warn!(topic = %self.topic, reason, "events may have been lost");
        self.health.gap();
        self.buffer.0.push(StreamItem::Gap { reason });
    }

    /// Reads one stream until it is cut.
    async fn stream(&mut self) -> Result<Infallible, StreamFailure> {
        let token = &*self.token.insert(self.pubsub.token().await?);
        let topic = self.pubsub.topic(&self.topic, token).await?;
        if !topic.can_subscribe {
            return Err(StreamFailure::NotPermitted(self.topic.to_string()));
        }
        let (place, may_miss) = self.resume.place(self.position.get());
        if matches!(place, Place::Processed(_)) {
            self.buffer.0.drop_what_comes_again();
        }
        if may_miss {
            self.gap("the stream disconnected before its first replay id was known".to_owned());
        }
        let mut flow = Flow::new(self.pubsub.settings().buffered);
        // There is room: `run` waited for it, and this task alone fills it. A gap's word may have taken it.
        let count = flow.ask(self.buffer.0.len()).unwrap_or(1);
        let (asks, asked) = mpsc::channel(ASKS);
        if asks.try_send(first_request(&self.topic, &place, count)).is_err() {
            return Err(StreamFailure::Ended);
        }
        self.place = Some(place);
        let inbound = self.open(ReceiverStream::new(asked)).await?;
        self.resume.connected();
        self.read(inbound, &asks, flow).await
    }

    async fn open(
        &self,
        asked: ReceiverStream<FetchRequest>,
    ) -> Result<Streaming<FetchResponse>, StreamFailure> {
        let Some(token) = &self.token else { return Err(StreamFailure::Ended) };
        let silence = self.pubsub.settings().silence;
        let mut opening = std::pin::pin!(self.pubsub.stream(asked, token));
        let inbound = match tokio::time::timeout(SETTLED, &mut opening).await {
            Ok(inbound) => inbound?,
            Err(_) => {
                self.health.connected(self.pubsub.clock().now());
                tokio::time::timeout(silence, opening).await.map_err(|_| StreamFailure::Silent(silence))??
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
    ) -> Result<Infallible, StreamFailure> {
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
            let response =
                response.map_err(|_| StreamFailure::Silent(silence))??.ok_or(StreamFailure::Ended)?;
            self.health.heard(self.pubsub.clock().now());
            self.backoff.reset();
            self.token_refreshed = false;
            flow.received(response.events.len());
            self.hand_over(response).await?;
        }
    }

    async fn hand_over(&mut self, response: FetchResponse) -> Result<(), StreamFailure> {
        if response.events.is_empty() && !response.latest_replay_id.is_empty() {
            let replay_id = ReplayId::new(response.latest_replay_id);
            self.resume.received(replay_id.clone());
            self.buffer.0.push(StreamItem::KeepAlive { replay_id });
            return Ok(());
        }
        let mut events = response.events.into_iter().peekable();
        while let Some(event) = events.peek() {
            let id = event.event.as_ref().map(|event| event.schema_id.clone()).unwrap_or_default();
            // An event that names none has nothing in it: there is nothing to wait for.
            let schema = if id.is_empty() { Arc::new(Err(nothing())) } else { self.schema(&id).await? };
            // Those that can be read now, as one.
            let of_it =
                |event: &ConsumerEvent| event.event.as_ref().is_some_and(|event| event.schema_id == id);
            let mut together: Vec<ConsumerEvent> = events.next().into_iter().collect();
            while let Some(event) = events.next_if(of_it) {
                together.push(event);
            }
            for delivery in self.read_events(together, &schema) {
                if let Some(id) = delivery.replay_id() {
                    self.resume.received(id.clone());
                }
                self.buffer.0.push(delivery);
            }
        }
        Ok(())
    }

    /// An event's schema, or why it is given up. Asked for again until it is there: the stream stands still
    /// meanwhile, so that its position does not pass an event that might still be read.
    async fn schema(&mut self, id: &str) -> Result<Known, StreamFailure> {
        let settings = self.pubsub.settings();
        let (patience, longest) = (settings.schema_patience, settings.longest_wait);
        let mut waits = Backoff::new(settings.first_wait, longest);
        let mut last_word = None;
        if let Some(given_up) = self.waiting.given_up(id, longest) {
            return Ok(given_up);
        }
        loop {
            let Some(token) = &self.token else { return Err(StreamFailure::Ended) };
            let cut = match self.pubsub.schema(id, token, &self.aside).await {
                Ok(schema) => {
                    self.waiting.there(id);
                    self.health.goes_on();
                    return Ok(schema);
                }
                Err(cut) => cut,
            };
            if cut.remedy() == Remedy::Token {
                match self.pubsub.refresh(token).await {
                    Ok(token) => self.token = Some(token),
                    Err(error) => {
                        tracing::debug!(topic = %self.topic, %error, "the rejected token could not be replaced");
                    }
                }
            }
            let why = format!("cannot fetch an event's schema {id}: {cut}");
            if cut.is_final_word() {
                let since = *last_word.get_or_insert_with(Instant::now);
                if self.waiting.is_known(id) || since.elapsed() >= patience {
                    self.health.goes_on();
                    return Ok(self.waiting.give_up(id, Unreadable(why)));
                }
            }
            let wait = waits.next(jitter());
            tracing::warn!(topic = %self.topic, why, ?wait, "the stream is waiting; fetching the schema again");
            self.health.held(self.pubsub.clock().now(), why);
            tokio::time::sleep(wait).await;
        }
    }
}

fn nothing() -> Unreadable {
    Unreadable("there is nothing in it".to_owned())
}

/// Chance alone is wanted; a v4 UUID's low bits are as random as it gets.
#[expect(clippy::cast_precision_loss, reason = "a jitter needs no more than a double's 53 bits")]
fn jitter() -> f64 {
    (Uuid::new_v4().as_u64_pair().1 >> 11) as f64 / (1_u64 << 51) as f64 % 1.0
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_consumer_is_told_when_the_task_has_ended_and_not_before() {
        let buffer = Arc::new(Buffer::default());
        let closing = Closing(Arc::clone(&buffer));
        let mut taking = std::pin::pin!(buffer.take());
        assert_eq!(taking.as_mut().now_or_never(), None, "something may come");
        drop(closing);
        assert_eq!(taking.as_mut().now_or_never(), Some(None));
    }
}
