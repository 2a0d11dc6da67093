//! Keeps what must survive the process: journal and state of every conversation, which events were seen,
//! how far each subscription was read, how requests ended, and what the partner is still to be told.
//!
//! Knows the vocabulary, and routing's state and facts as values. It must never know who calls it, what a
//! command does, or what HTTP is, and it decides nothing: what is stored was decided before.
//!
//! Invariants
//! 1. A turn is stored whole or not at all: its facts, its cause, its position, its endings, what is to be told.
//! 2. Turns of a channel are stored in the order in which they were appended. When one of them is not stored,
//!    none behind it is, until the channel has been loaded again (the epoch says so).
//! 3. A turn that was answered `Ok` is there after a crash.
//! 4. The same cause a second time changes nothing but the position.
//! 5. What is loaded is what `apply` makes of the stored facts.
//! 6. What the partner is to be told is there as long as the turn that it follows from is, until it was told; what was
//!    given up is a dead letter, until it falls off that list, which is told.
//! 7. Things told of a conversation are numbered from 1, without a hole.
//!
//! Elsewhere: what to store is decided in `routing`; who carries the commands out is the runtime.

mod dead_letter;
mod error;
pub mod format;
mod memory;
mod open_ids;
#[cfg_attr(
    not(feature = "store-sqlite"),
    allow(dead_code, reason = "the store in memory needs less of a plan")
)]
mod plan;
mod record;
#[cfg(feature = "store-sqlite")]
mod sqlite;

use async_trait::async_trait;

pub use dead_letter::{DeadLetter, DeadLetterCount, GivenUp, Place};
pub use error::Error;
pub use memory::Memory;
pub use open_ids::OpenIds;
pub use record::{
    Appended, Cause, Change, ChannelKey, Epoch, Health, Loaded, OutcomeId, OutcomeRecord, Pending, Position,
    Retention, StoredConversation, TOLD_WITHIN, Telling, TellingId, TurnRecord, Unreadable,
};
#[cfg(feature = "store-sqlite")]
pub use sqlite::{Options, Sqlite, offline};

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;

/// After how many facts without a state the store asks for one ([`Appended::Stored`]).
///
/// A conference with a queue has some twenty facts and then is idle, which brings a state by itself; this is
/// for what goes on for longer, so that recovery stays short.
pub const FACTS_BEFORE_STATE: usize = 32;

/// Where turns are kept. One actor a channel writes to it; anybody may read.
#[async_trait]
pub trait Store: Send + Sync {
    /// Queues a turn at once, in order, and answers when it is durable. Dropping the answer does not take the
    /// turn back.
    ///
    /// The queue has no bound of its own: the caller bounds how many turns it has under way.
    ///
    /// # Errors
    /// Where it could not be stored. From then on every turn of the channel is answered
    /// [`Error::Superseded`], until [`Store::load`] was called again: they were decided from a state that the
    /// store does not have.
    fn append(&self, turn: TurnRecord) -> Pending;

    /// Begins a new epoch of the channel and reads everything that is known of it. Whoever wrote in an older
    /// epoch is refused from now on.
    ///
    /// # Errors
    /// Where the store cannot be read, or cannot be written: while the disk is full this says so, so that
    /// trying again until it works is all that recovery takes.
    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, Error>;

    /// Which of these causes were stored before, in their order. Ask before an event is fed to the state
    /// machine: what was seen need not be decided again.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, Error>;

    /// How far each topic of the channel was read.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, Error>;

    /// What the partner was not told yet, in the order in which it is to be told.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, Error>;

    /// The partner has taken these: they are not told again once this is durable. One that is not known is none too
    /// many.
    ///
    /// # Errors
    /// Where the store cannot be written; they are told again after the next load.
    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), Error>;

    /// Where something that is to be told stands; `None` where it is not to be told any more. Ask before it is told:
    /// the one before may have been given up since.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, Error>;

    /// The partner does not take this: once this is durable it is a dead letter and not told again, and what comes next of
    /// its conversation stands after a gap. One that is not to be told is left as it is.
    ///
    /// # Errors
    /// Where the store cannot be written; it is told again after the next load.
    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), Error>;

    /// At most `limit` dead letters of a channel, those first that were given up first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn dead_letters(&self, channel: &ChannelKey, limit: usize) -> Result<Vec<DeadLetter>, Error>;

    /// How many dead letters a channel has.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn count_dead_letters(&self, channel: &ChannelKey) -> Result<DeadLetterCount, Error>;

    /// A dead letter is to be told again: it stays one until it was told or given up anew, and [`Store::untold`] has it
    /// last. `None` where there is none of that id.
    ///
    /// # Errors
    /// Where the store cannot be written.
    async fn resend(
        &self,
        channel: &ChannelKey,
        id: TellingId,
        at: Timestamp,
    ) -> Result<Option<Telling>, Error>;

    /// Drops a dead letter. `false` where there is none of that id.
    ///
    /// # Errors
    /// Where the store cannot be written.
    async fn drop_dead_letter(&self, channel: &ChannelKey, id: TellingId) -> Result<bool, Error>;

    /// At most `limit` ended requests of all channels that were stored after `after`, oldest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, Error>;

    /// The newest place in that history; [`OutcomeId::START`] where there is none.
    ///
    /// # Errors
    /// Where the store cannot be read.
    async fn last_outcome(&self) -> Result<OutcomeId, Error>;

    /// Drops everything known of a conversation but its outcomes. What was appended before is dropped too.
    ///
    /// # Errors
    /// Where the store cannot be written.
    async fn forget(&self, channel: &ChannelKey, conversation: &ConversationId) -> Result<(), Error>;

    /// How the store is doing. Cheap, and never waits.
    fn health(&self) -> Health;

    /// Stores what is queued, brings the file in order and ends. Whatever is asked later is answered
    /// [`Error::Closed`].
    ///
    /// # Errors
    /// Where the file could not be brought in order; what was answered `Ok` is durable all the same.
    async fn close(&self) -> Result<(), Error>;
}
