//! Tells the partner's channel what has become durable: each thing at least once, and those of a conversation in order.
//!
//! What the partner has taken is marked in the store. What it has not is there after a restart, and is told under the
//! same id. Whoever hands something over waits for nobody; one conversation holds up no other.
//!
//! Invariants
//! 1. Of a conversation, the next thing is told when the one before was taken, or refused for good.
//! 2. Nothing is marked that was neither.
//! 3. What is on its way is not told a second time, however often it is handed over.
//! 4. What is not taken is told again, after rests that grow and as long as the partner wishes.

mod rests;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::channel::Parts;
use super::panics::{PanicLog, Work, caught};
use super::ports::{EndUserNotifier, TellError};
use crate::interaction::{jitter, sleep_until};
use crate::model::ids::ConversationId;
use crate::model::time::Clock;
use crate::store::{self, ChannelKey, Store, Telling, TellingId};
use rests::rest;

/// How long to wait before the store is read again.
const READ_PAUSE: Duration = Duration::from_secs(30);

/// How long to wait before what could not be marked is marked again.
const MARK_PAUSE: Duration = Duration::from_secs(5);

/// How many things may wait for the partner here. What comes on top waits in the store, and is read when these are told.
const MOST: usize = 100_000;

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The first thing of its conversation, which is being told or rests.
struct Head {
    telling: Telling,
    /// How many rounds of tries it has had.
    rounds: u32,
}

/// What became of a thing that was told.
type Told = (Head, Result<(), TellError>);

/// Tells one channel's partner.
pub(super) struct Teller {
    key: ChannelKey,
    notifier: Arc<dyn EndUserNotifier>,
    store: Arc<dyn Store>,
    panics: Arc<dyn PanicLog>,
    clock: Arc<dyn Clock>,
    /// What waits behind the thing of the same conversation that is being told.
    behind: HashMap<ConversationId, VecDeque<Telling>>,
    on_their_way: FuturesUnordered<Later<Told>>,
    /// What is told again after a rest.
    resting: FuturesUnordered<Later<Head>>,
    /// Everything that waits, is being told or is not marked yet.
    known: HashSet<TellingId>,
    /// What is to be marked.
    taken: Vec<TellingId>,
    marking: Option<Later<(Vec<TellingId>, bool)>>,
    /// Whether something waits in the store alone.
    missed: bool,
    reading: Option<Later<Result<Vec<Telling>, store::Error>>>,
    /// What was handed over while the store is read: it may be behind what is read.
    held: Vec<Telling>,
    stopping: bool,
}

impl Teller {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            key: parts.key.clone(),
            notifier: Arc::clone(&parts.notifier),
            store: Arc::clone(&parts.store),
            panics: Arc::clone(&parts.panics),
            clock: Arc::clone(&parts.clock),
            behind: HashMap::new(),
            on_their_way: FuturesUnordered::new(),
            resting: FuturesUnordered::new(),
            known: HashSet::new(),
            taken: Vec::new(),
            marking: None,
            missed: false,
            reading: None,
            held: Vec::new(),
            stopping: false,
        }
    }

    /// Tells what is handed over. Once nothing more can be, ends when all was told and marked; what the partner does not
    /// take then is left to the next start.
    pub(super) async fn run(mut self, mut tellings: mpsc::UnboundedReceiver<Telling>) {
        loop {
            self.mark();
            self.read();
            if self.stopping && self.on_their_way.is_empty() && self.marking.is_none() {
                break;
            }
            tokio::select! {
                biased;
                (ids, done) = answer(&mut self.marking) => self.on_marked(ids, done),
                read = answer(&mut self.reading), if !self.stopping => self.on_read(read),
                Some((head, told)) = self.on_their_way.next() => self.on_told(head, told),
                Some(head) = self.resting.next(), if !self.stopping => self.tell(head),
                telling = tellings.recv(), if !self.stopping => match telling {
                    Some(telling) => self.on_handed_over(telling),
                    None => self.stopping = true,
                },
            }
        }
    }

    fn on_handed_over(&mut self, telling: Telling) {
        if self.reading.is_some() {
            return self.held.push(telling);
        }
        if !self.missed && self.known.len() >= MOST {
            tracing::error!(
                "too much waits for the partner's end-user notifier; the rest waits in the store"
            );
            self.missed = true;
        }
        if self.missed {
            return;
        }
        let conversation = telling.announcement.conversation.clone();
        if !self.known.insert(telling.id) {
            return;
        }
        match self.behind.entry(conversation) {
            Entry::Occupied(mut waiting) => waiting.get_mut().push_back(telling),
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                self.tell(Head { telling, rounds: 0 });
            }
        }
    }

    fn tell(&self, mut head: Head) {
        let (notifier, panics) = (Arc::clone(&self.notifier), Arc::clone(&self.panics));
        head.rounds = head.rounds.saturating_add(1);
        self.on_their_way.push(Box::pin(async move {
            let id = head.telling.id.uuid();
            let told = caught(notifier.tell(id, &head.telling.announcement)).await.unwrap_or_else(|why| {
                let is_over = panics.panicked(&Work::Telling(id), &why);
                let why = "it panicked".to_owned();
                if is_over {
                    Err(TellError::Refused(why))
                } else {
                    Err(TellError::NotNow { why, wait: Duration::ZERO })
                }
            });
            (head, told)
        }));
    }

    fn on_told(&mut self, head: Head, told: Result<(), TellError>) {
        let Telling { id, announcement } = &head.telling;
        let (id, conversation, joined) = (*id, announcement.conversation.clone(), announcement.joined);
        match told {
            Ok(()) => {}
            Err(TellError::Refused(why)) => {
                tracing::error!(%conversation, joined, why, "the partner refuses to tell the end user; not told again");
            }
            Err(TellError::NotNow { why, .. }) if self.stopping => {
                tracing::warn!(%conversation, joined, why, "the end user was not told; told after the next start");
                self.behind.remove(&conversation);
                return;
            }
            Err(TellError::NotNow { why, wait }) => {
                let rest = rest(head.rounds, jitter(id.uuid(), head.rounds), wait);
                tracing::error!(%conversation, joined, why, ?rest, "the end user was not told yet; telling again");
                let (clock, until) = (Arc::clone(&self.clock), self.clock.now() + rest);
                return self.resting.push(Box::pin(async move {
                    sleep_until(&*clock, until).await;
                    head
                }));
            }
        }
        self.taken.push(id);
        match self.behind.get_mut(&conversation).and_then(VecDeque::pop_front) {
            Some(telling) => self.tell(Head { telling, rounds: 0 }),
            None => drop(self.behind.remove(&conversation)),
        }
    }

    /// Marks what was taken, all that there is at once.
    fn mark(&mut self) {
        if self.marking.is_some() || self.taken.is_empty() {
            return;
        }
        let ids = std::mem::take(&mut self.taken);
        let (store, key, stopping) = (Arc::clone(&self.store), self.key.clone(), self.stopping);
        self.marking = Some(Box::pin(async move {
            let marked = store.told(&key, &ids).await;
            if let Err(error) = &marked {
                tracing::warn!(%error, "what the partner was told could not be marked; it may be told again");
                if !stopping {
                    tokio::time::sleep(MARK_PAUSE).await;
                }
            }
            (ids, marked.is_ok())
        }));
    }

    fn on_marked(&mut self, ids: Vec<TellingId>, done: bool) {
        if done {
            for id in ids {
                self.known.remove(&id);
            }
        } else if !self.stopping {
            self.taken.extend(ids);
        }
    }
}

impl Teller {
    /// Reads what waits in the store alone, once nothing waits here.
    fn read(&mut self) {
        if self.stopping || !self.missed || !self.known.is_empty() || self.reading.is_some() {
            return;
        }
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        self.reading = Some(Box::pin(async move {
            let untold = store.untold(&key).await;
            if untold.is_err() {
                tokio::time::sleep(READ_PAUSE).await;
            }
            untold
        }));
    }

    fn on_read(&mut self, read: Result<Vec<Telling>, store::Error>) {
        let held = std::mem::take(&mut self.held);
        // Where it cannot be read, what was held is in the store too.
        let Ok(untold) = read else { return };
        self.missed = false;
        untold.into_iter().chain(held).for_each(|telling| self.on_handed_over(telling));
    }
}

/// When it is there; never where nothing was asked.
async fn answer<T>(asked: &mut Option<Later<T>>) -> T {
    let answer = match asked {
        Some(answer) => answer.await,
        None => pending().await,
    };
    *asked = None;
    answer
}
