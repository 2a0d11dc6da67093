//! The Salesforce that a replay talks to.

use std::time::Duration;

use crate::interaction::{TryOutcome, WireRequest};
use crate::model::call::{Answer, Call};
use crate::model::event::{Event, RoutingRequested};
use crate::model::ids::{AgentWorkId, ConversationId, RepId};
use crate::model::roster::Roster;
use crate::model::time::Timestamp;
use crate::routing::{CommandId, Conversation};

use crate::model::channel_definition::ChannelDefinition;

/// A call that is to be tried.
#[derive(Debug)]
pub struct Try<'a> {
    /// Its identity, which gives the `RequestId`.
    pub id: &'a CommandId,
    /// What it says.
    pub call: &'a Call,
    /// The same on the wire.
    pub wire: &'a WireRequest,
    /// When it is given up.
    pub give_up_at: Timestamp,
}

/// What comes of a try on a live side.
#[derive(Debug)]
pub enum Arrival {
    /// An answer to this try; the replay decides whether to try again.
    TryOutcome {
        /// How long it takes.
        after: Duration,
        /// What it says.
        verdict: TryOutcome,
        /// Its status; `None` where nothing arrived.
        status: Option<u16>,
        /// Its body.
        response: Option<serde_json::Value>,
    },
    /// The side tried as often as it wanted; this is what came of it.
    Answer {
        /// How long it took.
        after: Duration,
        /// What came of it.
        answer: Answer,
        /// The last status.
        status: Option<u16>,
        /// The last body.
        response: Option<serde_json::Value>,
    },
}

/// A live Salesforce, or its stand-in. What was recorded as done by people is done there again.
pub trait Side {
    /// What goes wrong with the side itself: it cannot be reached, it refuses us.
    type Error: std::error::Error;

    /// The recording's people and places became known.
    ///
    /// # Errors
    /// Where the side cannot take them.
    fn on_roster(&mut self, now: Timestamp, roster: &Roster) -> Result<(), Self::Error>;

    /// The recording's channel definition became known.
    ///
    /// # Errors
    /// Where the side cannot take it.
    fn on_definition(&mut self, definition: &ChannelDefinition) -> Result<(), Self::Error>;

    /// A routing request is about to be fed: the side should know its conversation as it stands.
    ///
    /// # Errors
    /// Where the side cannot take it.
    fn on_request(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        known: Option<&Conversation>,
        requested: &RoutingRequested,
    ) -> Result<(), Self::Error>;

    /// Somebody did something, as the event tells; ids in it are the side's own.
    ///
    /// # Errors
    /// Where the side cannot be told.
    fn on_event(
        &mut self,
        now: Timestamp,
        known: Option<&Conversation>,
        event: &Event,
    ) -> Result<(), Self::Error>;

    /// Tries a call.
    ///
    /// # Errors
    /// Where the side itself fails; a call that is refused is no error.
    fn call(&mut self, now: Timestamp, tried: &Try<'_>) -> Result<Arrival, Self::Error>;

    /// The offers of a conversation that exist on the side, the oldest first, answered or not.
    fn offers(&self, conversation: &ConversationId) -> Vec<(RepId, AgentWorkId)>;

    /// When something is due there by itself.
    fn deadline(&self) -> Option<Timestamp>;

    /// Lets time pass there, and takes what it tells by itself.
    ///
    /// # Errors
    /// Where the side cannot be asked.
    fn advance(&mut self, now: Timestamp) -> Result<Vec<Event>, Self::Error>;
}
