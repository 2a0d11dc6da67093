//! A store that a test makes hold answers back, or fail.

use super::*;

/// A store that can be made to hold answers back, or to fail.
#[derive(Default)]
pub(super) struct Moody {
    pub(super) inner: Memory,
    pub(super) holds: AtomicBool,
    pub(super) fails: AtomicBool,
    /// How many turns it was given.
    pub(super) turns: AtomicUsize,
    /// The number of the one turn that it refuses.
    pub(super) refuses: AtomicUsize,
    pub(super) held: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
    /// Whether it asks for the state of every conversation.
    pub(super) wants_states: AtomicBool,
    /// How many turns brought the state of their conversation.
    pub(super) states: AtomicUsize,
    /// When it was loaded, or could not be.
    pub(super) loads: Mutex<Vec<Instant>>,
    /// Whether it does not mark what the partner was told.
    pub(super) forgets_what_was_told: AtomicBool,
    /// About how many causes it was asked at once.
    pub(super) asked: Mutex<Vec<usize>>,
}

impl Moody {
    /// Gives out the answers that were held back.
    pub(super) fn release(&self) {
        for answer in std::mem::take(&mut *self.held.lock().unwrap()) {
            answer();
        }
    }

    /// Whether it refuses a turn, or what it answers of one that it stores.
    fn answer(&self, turn: TurnRecord) -> Result<Pending, store::Error> {
        let number = self.turns.fetch_add(1, Ordering::SeqCst) + 1;
        let has_state = turn.change.as_ref().is_some_and(|change| change.state.is_some());
        self.states.fetch_add(usize::from(has_state), Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) || number == self.refuses.load(Ordering::SeqCst) {
            return Err(store::Error::DiskFull("a test".to_owned()));
        }
        Ok(self.inner.append(turn))
    }
}

#[async_trait]
impl Store for Moody {
    fn append(&self, turn: TurnRecord) -> Pending {
        let stored = self.answer(turn);
        let wants_state = self.wants_states.load(Ordering::SeqCst);
        let (answer, pending) = Pending::new();
        let give = move || {
            tokio::spawn(async move {
                let stored = match stored {
                    Ok(stored) => stored.await,
                    Err(error) => Err(error),
                };
                let stored = match stored {
                    Ok(Appended::Stored { .. }) if wants_state => Ok(Appended::Stored { wants_state }),
                    other => other,
                };
                // The channel may have given up what it waited for.
                answer.send(stored).ok();
            });
        };
        if self.holds.load(Ordering::SeqCst) {
            self.held.lock().unwrap().push(Box::new(give));
        } else {
            give();
        }
        pending
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, store::Error> {
        self.loads.lock().unwrap().push(Instant::now());
        if self.fails.load(Ordering::SeqCst) {
            return Err(store::Error::DiskFull("a test".to_owned()));
        }
        self.inner.load(channel).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, store::Error> {
        self.asked.lock().unwrap().push(causes.len());
        self.inner.seen(channel, causes).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, store::Error> {
        self.inner.positions(channel).await
    }

    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, store::Error> {
        self.inner.untold(channel).await
    }

    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), store::Error> {
        if self.forgets_what_was_told.load(Ordering::SeqCst) {
            return Err(store::Error::DiskFull("a test".to_owned()));
        }
        self.inner.told(channel, ids).await
    }

    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, store::Error> {
        self.inner.place(channel, id).await
    }

    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), store::Error> {
        if self.forgets_what_was_told.load(Ordering::SeqCst) {
            return Err(store::Error::DiskFull("a test".to_owned()));
        }
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

    fn health(&self) -> Health {
        self.inner.health()
    }

    async fn close(&self) -> Result<(), store::Error> {
        self.inner.close().await
    }
}
