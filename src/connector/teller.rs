//! Tells the partner's channel what has become durable: each thing at least once, and those of a conversation in order.
//!
//! What the partner has taken is marked in the store. What it has not is there after a restart, and is told under the
//! same id. Whoever hands something over waits for nobody; one conversation holds up no other.
//!
//! What the partner refuses for good, or has not taken within a day, is given up: the store keeps it as a dead letter.
//!
//! Invariants
//! 1. Of a conversation, the next thing is told when the one before was taken, or it is durable that it was given up.
//! 2. Nothing is marked that was neither.
//! 3. What is on its way is not told a second time, however often it is handed over.
//! 4. What is not taken is told again, after rests that grow and as long as the partner wishes, for a day.
//! 5. Its number in its conversation, and whether it stands after a gap, is read before each round of tries: what is told
//!    says what is durable.

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
use super::dead_letters::DeadLetters;
use super::panics::{PanicLog, Work, caught};
use super::ports::{EndUserNotifier, News, TellError};
use crate::interaction::{jitter, sleep_until};
use crate::model::ids::ConversationId;
use crate::model::time::{Clock, Timestamp};
use crate::routing::Announcement;
use crate::store::{self, ChannelKey, GivenUp, Place, Store, TOLD_WITHIN, Telling, TellingId};
use rests::rest;

/// How long to wait before the store is read again.
const READ_PAUSE: Duration = Duration::from_secs(30);

/// How long to wait before what could not be marked is marked again.
const MARK_PAUSE: Duration = Duration::from_secs(5);

/// How many things may wait for the partner here. What comes on top waits in the store, and is read when these are told.
const MOST: usize = 100_000;

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is told one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Lane {
    Conversation(ConversationId),
    /// A dead letter that is sent again stands alone.
    Resent(TellingId),
}

impl Lane {
    fn of(telling: &Telling) -> Self {
        if telling.resent {
            Self::Resent(telling.id)
        } else {
            Self::Conversation(telling.announcement.conversation.clone())
        }
    }
}

/// The first thing of its lane, which is being told or rests.
struct Head {
    telling: Telling,
    /// How many rounds of tries it has had.
    rounds: u32,
}

/// What became of a thing that was to be told.
enum Told {
    Taken,
    /// It is not to be told any more.
    Gone,
    Refused(String),
    /// The partner does not take it now; it is given up then.
    NotNow {
        why: String,
        wait: Duration,
        until: Timestamp,
    },
    /// The store does not say where it stands.
    Unread(store::Error),
}

/// Tells one channel's partner.
pub(super) struct Teller {
    key: ChannelKey,
    notifier: Arc<dyn EndUserNotifier>,
    store: Arc<dyn Store>,
    panics: Arc<dyn PanicLog>,
    clock: Arc<dyn Clock>,
    dead_letters: DeadLetters,
    /// What waits behind the thing of the same lane that is being told.
    behind: HashMap<Lane, VecDeque<Telling>>,
    on_their_way: FuturesUnordered<Later<(Head, Told)>>,
    /// What is told again after a rest.
    resting: FuturesUnordered<Later<Head>>,
    /// What is being moved to the dead letters, and whether that was done.
    giving_up: FuturesUnordered<Later<(Head, GivenUp, bool)>>,
    /// Everything that waits, is being told or is not marked yet.
    known: HashSet<TellingId>,
    /// What is to be marked.
    taken: Vec<TellingId>,
    /// Whether a dead letter is among it.
    taken_letter: bool,
    marking: Option<Later<(Vec<TellingId>, bool)>>,
    /// Whether something waits in the store alone.
    missed: bool,
    reading: Option<Later<Result<Vec<Telling>, store::Error>>>,
    /// What was handed over while the store is read: it may be behind what is read.
    held: Vec<Telling>,
    stopping: bool,
}

impl Teller {
    pub(super) fn new(parts: &Parts, dead_letters: DeadLetters) -> Self {
        Self {
            key: parts.key.clone(),
            notifier: Arc::clone(&parts.notifier),
            store: Arc::clone(&parts.store),
            panics: Arc::clone(&parts.panics),
            clock: Arc::clone(&parts.clock),
            dead_letters,
            behind: HashMap::new(),
            on_their_way: FuturesUnordered::new(),
            resting: FuturesUnordered::new(),
            giving_up: FuturesUnordered::new(),
            known: HashSet::new(),
            taken: Vec::new(),
            taken_letter: false,
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
            let under_way = !self.on_their_way.is_empty() || !self.giving_up.is_empty();
            if self.stopping && !under_way && self.marking.is_none() {
                break;
            }
            tokio::select! {
                biased;
                (ids, done) = answer(&mut self.marking) => self.on_marked(ids, done),
                read = answer(&mut self.reading), if !self.stopping => self.on_read(read),
                Some((head, told)) = self.on_their_way.next() => self.on_told(head, told),
                Some((head, given_up, done)) = self.giving_up.next() => self.on_given_up(head, given_up, done),
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
        if !self.known.insert(telling.id) {
            return;
        }
        match self.behind.entry(Lane::of(&telling)) {
            Entry::Occupied(mut waiting) => waiting.get_mut().push_back(telling),
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                self.tell(Head { telling, rounds: 0 });
            }
        }
    }

    fn tell(&self, mut head: Head) {
        let (store, notifier, key) = (Arc::clone(&self.store), Arc::clone(&self.notifier), self.key.clone());
        let panics = Arc::clone(&self.panics);
        head.rounds = head.rounds.saturating_add(1);
        self.on_their_way.push(Box::pin(async move {
            let told = match store.place(&key, head.telling.id).await {
                Ok(Some(place)) => told(&*notifier, &*panics, &head.telling, place).await,
                Ok(None) => Told::Gone,
                Err(error) => Told::Unread(error),
            };
            (head, told)
        }));
    }

    fn on_told(&mut self, head: Head, told: Told) {
        let Announcement { conversation, what } = &head.telling.announcement;
        let what = what.name();
        match told {
            Told::Taken => {
                self.taken.push(head.telling.id);
                self.taken_letter |= head.telling.resent;
                self.go_on(&head.telling);
            }
            Told::Gone => {
                self.known.remove(&head.telling.id);
                self.go_on(&head.telling);
            }
            Told::Refused(why) => {
                tracing::error!(%conversation, what, why, "the partner refuses what it is told; it is a dead letter now");
                self.give_up(head, why);
            }
            Told::NotNow { why, until, .. } if until <= self.clock.now() => {
                tracing::error!(%conversation, what, why, "the partner has not taken this for a day; it is a dead letter now");
                let hours = TOLD_WITHIN.as_secs() / 3_600;
                self.give_up(head, format!("not taken for {hours} hours; last: {why}"));
            }
            Told::NotNow { why, .. } if self.stopping => {
                tracing::warn!(%conversation, what, why, "the end user was not told; told after the next start");
            }
            Told::NotNow { why, wait, until } => {
                let rest = rest(head.rounds, jitter(head.telling.id.uuid(), head.rounds), wait);
                tracing::error!(%conversation, what, why, ?rest, "the end user was not told yet; telling again");
                self.rest(head, (self.clock.now() + rest).min(until));
            }
            Told::Unread(error) => {
                tracing::warn!(%conversation, what, %error, "what is to be told could not be read; trying again");
                self.rest(head, self.clock.now() + READ_PAUSE);
            }
        }
    }

    fn rest(&self, head: Head, until: Timestamp) {
        let clock = Arc::clone(&self.clock);
        self.resting.push(Box::pin(async move {
            sleep_until(&*clock, until).await;
            head
        }));
    }

    /// Tells what comes next in a lane.
    fn go_on(&mut self, after: &Telling) {
        let lane = Lane::of(after);
        match self.behind.get_mut(&lane).and_then(VecDeque::pop_front) {
            Some(telling) => self.tell(Head { telling, rounds: 0 }),
            None => drop(self.behind.remove(&lane)),
        }
    }

    fn give_up(&self, head: Head, why: String) {
        let given_up = GivenUp { id: head.telling.id, at: self.clock.now(), why };
        self.bury(head, given_up);
    }

    /// Has something moved to the dead letters.
    fn bury(&self, head: Head, given_up: GivenUp) {
        let (store, key, stopping) = (Arc::clone(&self.store), self.key.clone(), self.stopping);
        let letters = self.dead_letters.clone();
        self.giving_up.push(Box::pin(async move {
            let done = store.give_up(&key, given_up.clone()).await;
            if let Err(error) = &done {
                tracing::warn!(%error, "what the partner does not take could not be noted; trying again");
                if !stopping {
                    tokio::time::sleep(MARK_PAUSE).await;
                }
            }
            letters.look().await;
            (head, given_up, done.is_ok())
        }));
    }

    fn on_given_up(&mut self, head: Head, given_up: GivenUp, done: bool) {
        if done {
            self.known.remove(&given_up.id);
            self.go_on(&head.telling);
        } else if !self.stopping {
            self.bury(head, given_up);
        }
    }

    /// Marks what was taken, all that there is at once.
    fn mark(&mut self) {
        if self.marking.is_some() || self.taken.is_empty() {
            return;
        }
        let ids = std::mem::take(&mut self.taken);
        let letters = std::mem::take(&mut self.taken_letter).then(|| self.dead_letters.clone());
        let (store, key, stopping) = (Arc::clone(&self.store), self.key.clone(), self.stopping);
        self.marking = Some(Box::pin(async move {
            let marked = store.told(&key, &ids).await;
            if let Err(error) = &marked {
                tracing::warn!(%error, "what the partner was told could not be marked; it may be told again");
                if !stopping {
                    tokio::time::sleep(MARK_PAUSE).await;
                }
            }
            if let Some(letters) = letters {
                letters.look().await;
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

/// Tells one thing.
async fn told(
    notifier: &dyn EndUserNotifier,
    panics: &dyn PanicLog,
    telling: &Telling,
    Place { sequence, after_gap, since }: Place,
) -> Told {
    let (id, announcement) = (telling.id.uuid(), telling.announcement.clone());
    let news = News { id, announcement, sequence, after_gap, resent: telling.resent };
    let told = caught(notifier.tell(&news)).await.unwrap_or_else(|why| {
        let is_over = panics.panicked(&Work::Telling(id), &why);
        let why = "it panicked".to_owned();
        Err(if is_over { TellError::Refused(why) } else { TellError::NotNow { why, wait: Duration::ZERO } })
    });
    match told {
        Ok(()) => Told::Taken,
        Err(TellError::Refused(why)) => Told::Refused(why),
        Err(TellError::NotNow { why, wait }) => Told::NotNow { why, wait, until: since + TOLD_WITHIN },
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
