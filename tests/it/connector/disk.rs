//! A store of which a test decides when it commits, when it fails, and what a kill takes away.

use super::*;
use tokio::sync::oneshot;

/// How long a commit takes, and how long its answer is on its way.
const COMMIT: Duration = Duration::from_millis(2);

type Answer = oneshot::Sender<Result<store::Appended, store::Error>>;

/// Keeps what was committed; what is queued is lost with the process.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Inner>);

#[derive(Default)]
struct Inner {
    kept: Memory,
    queue: Mutex<VecDeque<(TurnRecord, Answer)>>,
    fails: AtomicBool,
    /// Whether a turn was not stored, and nothing has been loaded since.
    broken: AtomicBool,
}

fn full() -> store::Error {
    store::Error::DiskFull("a test".to_owned())
}

impl Disk {
    pub(super) fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// The process is gone, and with it what it had not committed.
    pub(super) fn lose_what_is_queued(&self) {
        self.0.queue.lock().unwrap().clear();
    }

    fn check(&self) -> Result<(), store::Error> {
        if self.0.fails.load(Ordering::SeqCst) { Err(full()) } else { Ok(()) }
    }

    /// Commits the oldest of what is queued; what is answered is not said yet.
    async fn commit(&self) -> Option<(Answer, Result<store::Appended, store::Error>)> {
        let (turn, answer) = self.0.queue.lock().unwrap().pop_front()?;
        if self.check().is_err() {
            self.0.broken.store(true, Ordering::SeqCst);
        }
        let stored =
            if self.0.broken.load(Ordering::SeqCst) { Err(full()) } else { self.0.kept.append(turn).await };
        Some((answer, stored))
    }
}

#[async_trait]
impl Store for Disk {
    fn append(&self, turn: TurnRecord) -> Pending {
        let (answer, pending) = Pending::new();
        self.0.queue.lock().unwrap().push_back((turn, answer));
        let disk = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(COMMIT).await;
            if let Some((answer, stored)) = disk.commit().await {
                tokio::time::sleep(COMMIT).await;
                answer.send(stored).ok();
            }
        });
        pending
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, store::Error> {
        while let Some((answer, stored)) = self.commit().await {
            answer.send(stored).ok();
        }
        self.check()?;
        self.0.broken.store(false, Ordering::SeqCst);
        self.0.kept.load(channel).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, store::Error> {
        self.check()?;
        self.0.kept.seen(channel, causes).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, store::Error> {
        self.0.kept.positions(channel).await
    }

    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, store::Error> {
        self.0.kept.untold(channel).await
    }

    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), store::Error> {
        self.check()?;
        self.0.kept.told(channel, ids).await
    }

    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, store::Error> {
        self.0.kept.place(channel, id).await
    }

    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), store::Error> {
        self.check()?;
        self.0.kept.give_up(channel, given_up).await
    }

    async fn dead_letters(
        &self,
        channel: &ChannelKey,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, store::Error> {
        self.0.kept.dead_letters(channel, limit).await
    }

    async fn count_dead_letters(&self, channel: &ChannelKey) -> Result<DeadLetterCount, store::Error> {
        self.0.kept.count_dead_letters(channel).await
    }

    async fn resend(
        &self,
        channel: &ChannelKey,
        id: TellingId,
        at: Timestamp,
    ) -> Result<Option<Telling>, store::Error> {
        self.0.kept.resend(channel, id, at).await
    }

    async fn drop_dead_letter(&self, channel: &ChannelKey, id: TellingId) -> Result<bool, store::Error> {
        self.0.kept.drop_dead_letter(channel, id).await
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, store::Error> {
        self.0.kept.outcomes(after, limit).await
    }

    async fn last_outcome(&self) -> Result<OutcomeId, store::Error> {
        self.0.kept.last_outcome().await
    }

    async fn forget(&self, channel: &ChannelKey, conversation: &ConversationId) -> Result<(), store::Error> {
        self.0.kept.forget(channel, conversation).await
    }

    fn health(&self) -> Health {
        self.0.kept.health()
    }

    async fn close(&self) -> Result<(), store::Error> {
        self.0.kept.close().await
    }
}
