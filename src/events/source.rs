//! The port through which platform events come in: deliveries in order, how far they have been processed,
//! and whether the source is alive.
//!
//! Invariants
//! 1. Deliveries come in the order of the stream. After a cut the ones that were not yet processed come
//!    again: at least once, never less, unless a [`StreamItem::Gap`] says so.
//! 2. What was processed is said by whoever processed it, after it was stored; the source only reads it.
//! 3. No delivery is lost by dropping a waiting [`EventSource::next`].
//!
//! Elsewhere: what an event means in [`Decoder`](super::Decoder), the Pub/Sub API in `events::pubsub`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::watch;

use crate::model::time::Timestamp;

/// Gives platform events.
#[async_trait]
pub trait EventSource: Send {
    /// Waits for the next delivery. A caller may stop waiting at any time and ask again.
    ///
    /// # Errors
    /// Where there is nothing more to come.
    async fn next(&mut self) -> Result<StreamItem, Ended>;

    /// How far deliveries have been processed; to be told, and to be asked.
    fn position(&self) -> Position;

    /// Whether the source is alive, for whoever watches it.
    fn health(&self) -> Health;
}

/// Something that a source hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamItem {
    /// A platform event.
    Event(ReceivedEvent),
    /// There was nothing to say, and this is how far the stream is now. Counts as processed once everything
    /// before it is.
    KeepAlive {
        /// A place in the stream to go on from.
        replay_id: ReplayId,
    },
    /// Events may have been lost before what comes next.
    Gap {
        /// Why, in a sentence.
        reason: String,
    },
    /// An event that was set aside: its bytes are not what its schema says, or there is no schema to be had.
    Unreadable {
        /// The topic.
        topic: Arc<str>,
        /// Its place in the stream.
        replay_id: ReplayId,
        /// What is wrong with it.
        reason: String,
    },
}

impl StreamItem {
    /// The place in the stream that is reached once this has been processed.
    pub const fn replay_id(&self) -> Option<&ReplayId> {
        match self {
            Self::Event(ReceivedEvent { replay_id, .. })
            | Self::KeepAlive { replay_id }
            | Self::Unreadable { replay_id, .. } => Some(replay_id),
            Self::Gap { .. } => None,
        }
    }
}

/// A platform event that came in. What it says does not print: people wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// The topic, e.g. `/event/devorg__PartnerMessaging__e`.
    pub topic: Arc<str>,
    /// Its place in the stream.
    pub replay_id: ReplayId,
    /// Its fields, as [`Decoder`](super::Decoder) takes them.
    pub json: String,
    /// When it came.
    pub received: Timestamp,
}

impl fmt::Debug for ReceivedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedEvent")
            .field("topic", &self.topic)
            .field("replay_id", &self.replay_id)
            .field("json", &format_args!("({} bytes)", self.json.len()))
            .field("received", &self.received)
            .finish()
    }
}

/// A place in a stream of events. Opaque: there is no order to be read from it. Prints as base64.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ReplayId(Box<[u8]>);

impl ReplayId {
    /// From the bytes as Salesforce gave them.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// From base64, as [`Display`](fmt::Display) writes it and recordings have it.
    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok().map(Self::new)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for ReplayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for ReplayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplayId({self})")
    }
}

/// Why nothing more comes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ended {
    /// Everything there was has been delivered.
    #[error("no more events")]
    Finished,
    /// The source broke in a way from which it cannot recover by itself.
    #[error("event source lost: {0}")]
    Gone(String),
}

/// How far the deliveries of a source have been processed. A clone is the same position.
#[derive(Debug, Clone, Default)]
pub struct Position(Arc<Mutex<Option<ReplayId>>>);

impl Position {
    /// Processed up to and including this one.
    pub fn new(processed: Option<ReplayId>) -> Self {
        Self(Arc::new(Mutex::new(processed)))
    }

    /// Everything up to and including this one has been processed and stored.
    pub fn processed(&self, replay_id: ReplayId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(replay_id);
    }

    /// The last one that has been processed.
    pub fn get(&self) -> Option<ReplayId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether a source is alive. A clone is the same source's.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<watch::Sender<State>>);

/// What is known of a source's health.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Whether events can come in.
    pub connected: bool,
    /// Since when it is, or is not; nothing before the first connection.
    pub since: Option<Timestamp>,
    /// When the last event or keep-alive came.
    pub last_heard: Option<Timestamp>,
    /// How often a connection was lost or could not be made.
    pub cuts: u64,
    /// How often events may have been lost.
    pub gaps: u64,
    /// Why it is not connected.
    pub problem: Option<String>,
    /// Why nothing is handed over though the source is connected: the next event cannot be read yet.
    pub held: Option<String>,
    /// Since when.
    pub held_since: Option<Timestamp>,
    /// How many events could not be read: given up, and not handed over.
    pub set_aside: u64,
    /// Why the last of them was.
    pub last_set_aside: Option<String>,
}

impl Health {
    /// What is known now.
    pub fn state(&self) -> State {
        self.0.borrow().clone()
    }

    /// Every change from now on.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.0.subscribe()
    }

    /// The source can hear events.
    pub fn connected(&self, now: Timestamp) {
        self.0.send_modify(|state| {
            if !state.connected {
                *state = State { connected: true, since: Some(now), problem: None, ..state.clone() };
            }
        });
    }

    /// Something came.
    pub fn heard(&self, now: Timestamp) {
        self.connected(now);
        self.0.send_modify(|state| state.last_heard = Some(now));
    }

    /// The connection is lost, or could not be made.
    pub fn cut(&self, now: Timestamp, problem: String) {
        self.0.send_modify(|state| {
            state.cuts = state.cuts.saturating_add(1);
            state.problem = Some(problem);
            if state.connected || state.since.is_none() {
                state.connected = false;
                state.since = Some(now);
            }
        });
    }

    /// The next event cannot be read yet, and nothing behind it is handed over before it.
    pub fn held(&self, now: Timestamp, why: String) {
        self.0.send_modify(|state| {
            state.held = Some(why);
            state.held_since = state.held_since.or(Some(now));
        });
    }

    /// It goes on.
    pub fn goes_on(&self) {
        self.0.send_if_modified(|state| {
            state.held_since = None;
            state.held.take().is_some()
        });
    }

    /// An event was set aside.
    pub fn set_aside(&self, why: String) {
        self.0.send_modify(|state| {
            state.set_aside = state.set_aside.saturating_add(1);
            state.last_set_aside = Some(why);
        });
    }

    /// Events may have been lost.
    pub fn gap(&self) {
        self.0.send_modify(|state| state.gaps = state.gaps.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_id_is_written_as_recordings_have_it() {
        let id = ReplayId::new([0, 0, 0, 1, 7]);
        assert_eq!((id.to_string().as_str(), format!("{id:?}").as_str()), ("AAAAAQc=", "ReplayId(AAAAAQc=)"));
        assert_eq!(ReplayId::parse("AAAAAQc="), Some(id));
        assert_eq!(ReplayId::parse("not base64"), None);
    }

    #[test]
    fn health_keeps_since_when_and_why() {
        let health = Health::default();
        let at = Timestamp::from_millis;
        health.cut(at(1), "refused".to_owned());
        health.cut(at(2), "refused again".to_owned());
        assert_eq!(
            health.state(),
            State { since: Some(at(1)), cuts: 2, problem: Some("refused again".into()), ..State::default() }
        );
        health.connected(at(3));
        health.heard(at(4));
        assert_eq!(
            health.state(),
            State {
                connected: true,
                since: Some(at(3)),
                last_heard: Some(at(4)),
                cuts: 2,
                ..State::default()
            }
        );
    }
}
