//! A store that panics when a channel hands it what follows from one event.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use byoc_connector::model::ids::ConversationId;
use byoc_connector::model::time::Timestamp;
use byoc_connector::store::{
    Cause, ChannelKey, DeadLetter, DeadLetterCount, Error, GivenUp, Health, Loaded, Memory, OutcomeId,
    OutcomeRecord, Pending, Place, Position, Store, Telling, TellingId, TurnRecord,
};

pub(crate) const BUG: &str = "the store's own bug";

pub(crate) struct Panicking {
    pub(crate) inner: Memory,
    /// The event, as long as something follows from it.
    pub(crate) on: Cause,
    /// How often it panics; counted down.
    pub(crate) left: AtomicUsize,
    /// How often the channel was loaded.
    pub(crate) loads: AtomicUsize,
}

impl Panicking {
    pub(crate) fn new(on: Cause, times: usize) -> Self {
        Self { inner: Memory::new(), on, left: times.into(), loads: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Store for Panicking {
    fn append(&self, turn: TurnRecord) -> Pending {
        if turn.cause.as_ref() == Some(&self.on) && turn.change.is_some() {
            let left = |left: usize| left.checked_sub(1);
            assert!(self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err(), "{BUG}");
        }
        self.inner.append(turn)
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, Error> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(channel).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, Error> {
        self.inner.seen(channel, causes).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, Error> {
        self.inner.positions(channel).await
    }

    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, Error> {
        self.inner.untold(channel).await
    }

    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), Error> {
        self.inner.told(channel, ids).await
    }

    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, Error> {
        self.inner.place(channel, id).await
    }

    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), Error> {
        self.inner.give_up(channel, given_up).await
    }

    async fn dead_letters(&self, channel: &ChannelKey, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.inner.dead_letters(channel, limit).await
    }

    async fn count_dead_letters(&self, channel: &ChannelKey) -> Result<DeadLetterCount, Error> {
        self.inner.count_dead_letters(channel).await
    }

    async fn resend(
        &self,
        channel: &ChannelKey,
        id: TellingId,
        at: Timestamp,
    ) -> Result<Option<Telling>, Error> {
        self.inner.resend(channel, id, at).await
    }

    async fn drop_dead_letter(&self, channel: &ChannelKey, id: TellingId) -> Result<bool, Error> {
        self.inner.drop_dead_letter(channel, id).await
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, Error> {
        self.inner.outcomes(after, limit).await
    }

    async fn last_outcome(&self) -> Result<OutcomeId, Error> {
        self.inner.last_outcome().await
    }

    async fn forget(&self, channel: &ChannelKey, conversation: &ConversationId) -> Result<(), Error> {
        self.inner.forget(channel, conversation).await
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    async fn close(&self) -> Result<(), Error> {
        self.inner.close().await
    }
}
