//! Brings a stream's events to their channel, in order, and says how far they have been processed.
//!
//! Many are under way at once, so that one commit of the store serves many of them; how many is bounded, and
//! so a store that stands still holds up the stream, and the stream Salesforce.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::connector::{Delivery, Error, Handle, Receipt, Sequence, caught_now};
use crate::events::source::{self, Ended, Position, ReplayId};
use crate::events::{Decoder, EventSource, identity};
use crate::interaction::Skew;
use crate::model::event::{Event, EventKind};
use crate::model::time::Clock;
use crate::store::{self, Cause};

/// How many events may be on their way to the store.
const UNDER_WAY: usize = 256;

/// How long to wait before what was not processed is brought again; doubles up to the second figure.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Reads one channel's stream.
pub(super) struct Reader {
    topic: Arc<str>,
    source: Box<dyn EventSource>,
    position: Position,
    decoder: Decoder,
    handle: Handle,
    sequence: Sequence,
    time: Time,
    stopping: watch::Receiver<bool>,
    under_way: VecDeque<UnderWay>,
    wait: Duration,
}

/// What time it is, and how far from Salesforce's.
pub(super) struct Time {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: Skew,
}

impl Time {
    /// Holds when requests were published against when they came.
    fn arrived(&self, events: &[Event]) {
        for event in events {
            if let EventKind::RoutingRequested(requested) = &event.what {
                self.skew.arrived(self.clock.now(), requested.created);
            }
        }
    }
}

/// What comes next.
enum Next {
    Processed(Result<(), Error>),
    ReceivedEvent(Result<source::StreamItem, Ended>),
    /// The stream is connected now, or is not any more.
    Connected,
    /// The service stops.
    Stop,
    Nothing,
}

/// Something that was handed over and is not durable yet; kept to be brought again.
struct UnderWay {
    replay_id: ReplayId,
    delivery: Delivery,
    receipt: Receipt,
}

impl Reader {
    pub(super) fn new(
        topic: &str,
        source: Box<dyn EventSource>,
        decoder: Decoder,
        handle: Handle,
        time: Time,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let position = source.position();
        Self {
            topic: topic.into(),
            source,
            position,
            decoder,
            sequence: handle.sequence(),
            handle,
            time,
            stopping,
            under_way: VecDeque::new(),
            wait: WAITS.0,
        }
    }

    /// Reads until the service stops; then waits for what is under way.
    pub(super) async fn run(mut self) {
        let mut health = self.source.health().watch();
        let (mut listening, mut connected, mut watching) = (false, false, true);
        let mut reading = true;
        while reading || !self.under_way.is_empty() {
            let room = reading && self.under_way.len() < UNDER_WAY;
            let next = tokio::select! {
                biased;
                processed = first(&mut self.under_way) => Next::Processed(processed),
                _ = self.stopping.wait_for(|stopping| *stopping), if reading => Next::Stop,
                changed = health.wait_for(|state| state.connected != connected), if reading && watching => {
                    // A source that is gone says so by itself.
                    watching = changed.is_ok();
                    if watching { Next::Connected } else { Next::Nothing }
                }
                arrived = self.source.next(), if room => Next::ReceivedEvent(arrived),
            };
            let step = match next {
                Next::Processed(processed) => self.on_processed(processed).await,
                Next::Connected => {
                    connected = !connected;
                    self.connected(connected, &mut listening).await
                }
                Next::ReceivedEvent(Ok(arrived)) => self.on_arrived(arrived).await,
                Next::ReceivedEvent(Err(ended)) => {
                    report(&ended);
                    reading = false;
                    Ok(())
                }
                Next::Stop => {
                    reading = false;
                    Ok(())
                }
                Next::Nothing => Ok(()),
            };
            // The channel is gone, and with it everything that could be done here.
            if step.is_err() {
                return;
            }
        }
    }

    /// Tells the channel once that its stream stands. Why one is lost the source tells.
    async fn connected(&mut self, connected: bool, listening: &mut bool) -> Result<(), Error> {
        if !connected {
            return Ok(());
        }
        tracing::info!(topic = &*self.topic, "event stream connected");
        if std::mem::replace(listening, true) {
            return Ok(());
        }
        self.handle.listening().await
    }

    async fn on_arrived(&mut self, arrived: source::StreamItem) -> Result<(), Error> {
        let Some(replay_id) = arrived.replay_id().cloned() else { return Ok(()) };
        match self.delivery(arrived, &replay_id) {
            Ok(delivery) => self.hand_over(replay_id, delivery).await,
            Err(error) => {
                // Its place cannot be stored. Whatever comes behind it moves the position on.
                tracing::error!(%error, %replay_id, "event ignored: its replay id cannot be stored");
                Ok(())
            }
        }
    }

    /// What the channel makes of it: its events, and always the place in the stream.
    fn delivery(
        &mut self,
        arrived: source::StreamItem,
        replay_id: &ReplayId,
    ) -> Result<Delivery, store::Error> {
        let mut delivery = Delivery {
            position: Some(store::Position::new(Arc::clone(&self.topic), replay_id.as_bytes())?),
            ..Delivery::default()
        };
        match arrived {
            source::StreamItem::Event(event) => {
                let (id, now) = (replay_id.to_string(), self.time.clock.now());
                let decoded = caught_now(|| self.decoder.decode(&event.json, now, Some(&id)));
                match decoded.and_then(|decoded| decoded.map_err(|error| error.to_string())) {
                    Ok(decoded) => {
                        self.time.arrived(&decoded.events);
                        if let Some(reason) = decoded.ignored {
                            tracing::debug!(%reason, %replay_id, "event or part of it ignored");
                        }
                        count_odd(&decoded.odd);
                        if decoded.events.is_empty() {
                            self.count("ignored");
                        } else {
                            self.count("accepted");
                            delivery.cause = Some(Cause::named(&identity::of_platform_event(&event.json))?);
                            delivery.events = decoded.events;
                        }
                    }
                    Err(error) => {
                        self.count("invalid");
                        tracing::error!(error, %replay_id, "event ignored: it cannot be read");
                    }
                }
            }
            source::StreamItem::Unreadable { reason, .. } => {
                self.count("set_aside");
                tracing::error!(%replay_id, reason, "unreadable event skipped; the position moves past it");
            }
            source::StreamItem::KeepAlive { .. } | source::StreamItem::Gap { .. } => {}
        }
        Ok(delivery)
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!("byoc_events_total", "topic" => Arc::clone(&self.topic), "outcome" => outcome)
            .increment(1);
    }

    async fn hand_over(&mut self, replay_id: ReplayId, delivery: Delivery) -> Result<(), Error> {
        let receipt = self.sequence.hand_over(delivery.clone()).await?;
        self.under_way.push_back(UnderWay { replay_id, delivery, receipt });
        Ok(())
    }

    async fn on_processed(&mut self, processed: Result<(), Error>) -> Result<(), Error> {
        match processed {
            Ok(()) => {
                if let Some(done) = self.under_way.pop_front() {
                    self.position.processed(done.replay_id);
                }
                self.wait = WAITS.0;
                Ok(())
            }
            Err(Error::Stopped) if *self.stopping.borrow() => Err(Error::Stopped),
            Err(error) => {
                tracing::warn!(%error, "events not processed; trying again");
                self.bring_again().await
            }
        }
    }

    /// Brings everything that is under way again, in its order.
    async fn bring_again(&mut self) -> Result<(), Error> {
        tokio::time::sleep(self.wait).await;
        self.wait = self.wait.saturating_mul(2).min(WAITS.1);
        self.sequence = self.handle.sequence();
        for UnderWay { replay_id, delivery, receipt } in std::mem::take(&mut self.under_way) {
            // What came behind the refused one was refused too.
            drop(receipt);
            self.hand_over(replay_id, delivery).await?;
        }
        Ok(())
    }
}

/// Says and counts which fields were not of their usual type. Their names are our own, and so few.
pub(super) fn count_odd(fields: &[String]) {
    for field in fields {
        metrics::counter!("byoc_events_odd_fields_total", "field" => field.clone()).increment(1);
        tracing::warn!(
            field,
            "event field has an unexpected type; converted where possible, otherwise ignored"
        );
    }
}

fn report(ended: &Ended) {
    match ended {
        Ended::Finished => tracing::info!("event stream ended"),
        Ended::Gone(reason) => tracing::error!(reason, "event stream lost"),
    }
}

/// When the first of them is durable or refused; never where there is none.
async fn first(under_way: &mut VecDeque<UnderWay>) -> Result<(), Error> {
    match under_way.front_mut() {
        Some(first) => (&mut first.receipt).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
