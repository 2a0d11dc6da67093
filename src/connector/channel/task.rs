//! The task that owns a channel's engine: does what the engine says, and tells it what came of it.
//!
//! Decides nothing. Must never keep anything that a restart would need.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt as _};
use tokio::sync::{broadcast, mpsc, watch};
use tracing::Instrument as _;

use super::message::{Ended, Message, Parts, Ticket};
use crate::connector::in_vain::InVain;
use crate::connector::panics::{AtWork, PanicLog, Work, caught};
use crate::connector::ports::{Calls, RepFinder, WorkItems};
use crate::connector::refused::Refused;
use crate::connector::unreadable::UnreadableConversations;
use crate::connector::watch::ChannelObserver;
use crate::engine::{CallId, Engine, Error, Output, Search};
use crate::interaction::{Tried, TryOutcome, sleep_until};
use crate::model::ids::{ConversationId, RepId, WorkItemId};
use crate::model::time::{Clock, Timestamp};
use crate::routing::{Owes, SearchFailure};
use crate::store::{self, Appended, Cause, ChannelKey, Loaded, Pending, Store, Telling, TurnRecord};

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the partner's router said, and to which question.
type Found = (CallId, Result<Vec<RepId>, SearchFailure>);

/// Which causes were asked about, and which of them the store has.
type Seen = (Vec<Cause>, Result<Vec<bool>, store::Error>);

pub(super) struct Task {
    key: ChannelKey,
    engine: Engine<Ticket, ChannelObserver>,
    store: Arc<dyn Store>,
    calls: Arc<dyn Calls>,
    finder: Arc<dyn RepFinder>,
    work_items: Arc<dyn WorkItems>,
    panics: Arc<dyn PanicLog>,
    clock: Arc<dyn Clock>,
    tellings: mpsc::UnboundedSender<Telling>,
    endings: broadcast::Sender<Ended>,
    owes: watch::Sender<Option<Owes>>,
    lost: UnreadableConversations,
    appends: VecDeque<Pending>,
    tries: FuturesUnordered<Later<(CallId, Tried)>>,
    searches: FuturesUnordered<Later<Found>>,
    work_item_questions: FuturesUnordered<Later<(ConversationId, Option<WorkItemId>)>>,
    asking: Option<Later<Seen>>,
    loading: Option<Later<Result<Loaded, store::Error>>>,
}

impl Task {
    pub(super) fn new(
        parts: Parts,
        loaded: Loaded,
        tellings: mpsc::UnboundedSender<Telling>,
        endings: broadcast::Sender<Ended>,
        lost: UnreadableConversations,
        owes: watch::Sender<Option<Owes>>,
    ) -> Self {
        let Parts { key, settings, calls, finder, work_items, notifier: _, store, panics, clock } = parts;
        let engine = Engine::new(key.clone(), settings, ChannelObserver::new(&key));
        let mut task = Self {
            key,
            engine,
            store,
            calls,
            finder,
            work_items,
            panics,
            clock,
            tellings,
            endings,
            owes,
            lost,
            appends: VecDeque::new(),
            tries: FuturesUnordered::new(),
            searches: FuturesUnordered::new(),
            work_item_questions: FuturesUnordered::new(),
            asking: None,
            loading: None,
        };
        // It has been loaded already.
        task.engine.output();
        task.on_loaded(Ok(loaded));
        task
    }

    pub(super) fn refused(&mut self) -> Refused {
        self.engine.observer().refused()
    }

    pub(super) fn in_vain(&mut self) -> InVain {
        self.engine.observer().in_vain()
    }

    pub(super) fn at_work(&mut self) -> AtWork {
        self.engine.observer().at_work()
    }

    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut stopping = false;
        loop {
            self.do_outputs();
            self.publish_owes();
            if stopping && self.engine.is_settled() {
                break;
            }
            let room = !stopping && self.engine.has_room();
            let deadline = self.engine.deadline().filter(|_| !stopping);
            tokio::select! {
                biased;
                stored = first(&mut self.appends) => self.on_stored(stored),
                loaded = answer(&mut self.loading) => self.on_loaded(loaded),
                (causes, seen) = answer(&mut self.asking) => self.engine.seen(self.clock.now(), causes, seen),
                Some((id, tried)) = self.tries.next(), if !stopping => {
                    self.engine.tried(self.clock.now(), &id, tried);
                }
                Some((id, found)) = self.searches.next(), if !stopping => {
                    self.engine.found(self.clock.now(), id, found);
                }
                Some((conversation, found)) = self.work_item_questions.next(), if !stopping => {
                    if let Some(work_item) = found {
                        self.engine.work_item_found(self.clock.now(), conversation, work_item);
                    }
                }
                message = messages.recv(), if room => match message {
                    Some(Message::Stop) | None => stopping = true,
                    Some(message) => self.on_message(message),
                },
                () = until(&*self.clock, deadline) => self.engine.tick(self.clock.now()),
            }
            // What waits already is taken in the same round.
            while !stopping
                && self.engine.has_room()
                && let Ok(message) = messages.try_recv()
            {
                match message {
                    Message::Stop => stopping = true,
                    message => self.on_message(message),
                }
            }
        }
        // Calls that are under way are left to themselves: what they do is done, and the store knows of them.
        tokio::spawn(self.tries.for_each(async |_| {}));
    }

    fn on_message(&mut self, message: Message) {
        let now = self.clock.now();
        match message {
            Message::Delivered { ticket, .. } if ticket.is_out_of_turn() => {
                ticket.answer(Err(Error::Stopped));
            }
            Message::Delivered { mut delivery, ticket } => {
                if delivery.cause.as_ref().is_some_and(|cause| self.panics.is_set_aside(cause)) {
                    self.panics.set_aside(&delivery);
                    delivery.events.clear();
                }
                self.engine.deliver(now, ticket, *delivery);
            }
            Message::Ordered { conversation, order, ticket } => {
                tracing::info!(%conversation, ?order, "an operator's order");
                self.engine.order(now, ticket, conversation, order);
            }
            Message::Listening => self.engine.listening(now),
            Message::ListOpened { work_item, rep } => self.engine.list_opened(now, work_item, rep),
            Message::Look(look) => look(self.engine.conversations()),
            Message::Stop => {}
        }
    }

    fn do_outputs(&mut self) {
        while let Some(output) = self.engine.output() {
            match output {
                Output::Append(turn) => self.append(*turn),
                Output::AskSeen(causes) => self.ask(causes),
                Output::Load => self.load(),
                Output::Send { id, attempt, first } => {
                    let now = self.clock.now();
                    let observer = self.engine.observer();
                    let span = if first {
                        observer.commanded(now, &id, Some(&attempt.call))
                    } else {
                        observer.span(&id)
                    };
                    let (calls, panics) = (Arc::clone(&self.calls), Arc::clone(&self.panics));
                    let sent = async move {
                        let tried = caught(calls.try_once(&attempt)).await.unwrap_or_else(|why| {
                            panics.panicked(&Work::of(&id), &why);
                            // Whether it was carried out nobody can say.
                            let outcome = TryOutcome::answer_lost(format!("the call panicked: {why}"));
                            Tried { outcome, token: None }
                        });
                        (id, tried)
                    };
                    self.tries.push(Box::pin(sent.instrument(span)));
                }
                Output::Find(search) => self.find(search),
                Output::AskWorkItem(conversation) => {
                    let work_items = Arc::clone(&self.work_items);
                    self.work_item_questions.push(Box::pin(async move {
                        // It is asked once, and does without.
                        let found = caught(work_items.work_item(&conversation)).await.ok().flatten();
                        (conversation, found)
                    }));
                }
                Output::Tell(telling) => drop(self.tellings.send(telling)),
                Output::Ended { conversation, ending } => {
                    let asked = self.engine.observer().ended(&conversation, &ending);
                    self.endings.send(Ended { conversation, ending, asked }).ok();
                }
                Output::Processed { ticket, result } => ticket.answer(result),
            }
        }
    }

    fn append(&mut self, turn: TurnRecord) {
        let at_work = self.engine.observer().at_work();
        at_work.set(turn.cause.as_ref());
        self.appends.push_back(self.store.append(turn));
        at_work.set(None);
    }

    fn ask(&mut self, causes: Vec<Cause>) {
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        self.asking = Some(Box::pin(async move {
            let seen = store.seen(&key, &causes).await;
            (causes, seen)
        }));
    }

    fn load(&mut self) {
        // What was appended has not happened, or is part of what is loaded.
        self.appends.clear();
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        self.loading = Some(Box::pin(async move { store.load(&key).await }));
    }

    fn find(&mut self, search: Search) {
        let Search { id, query, give_up_at } = search;
        let now = self.clock.now();
        let span = self.engine.observer().commanded(now, &id, None);
        let (finder, panics) = (Arc::clone(&self.finder), Arc::clone(&self.panics));
        let left = give_up_at.since(now).max(Duration::from_millis(1));
        let asked = async move {
            let found = match tokio::time::timeout(left, caught(finder.find(&query))).await {
                Ok(Ok(found)) => found.map_err(SearchFailure::from),
                Ok(Err(why)) => {
                    panics.panicked(&Work::of(&id), &why);
                    let why = "it panicked".to_owned();
                    Err(SearchFailure::Failed { why, wait: Duration::ZERO })
                }
                Err(_) => Err(SearchFailure::Silent),
            };
            (id, found)
        };
        self.searches.push(Box::pin(asked.instrument(span)));
    }

    /// The oldest turn is stored or refused. What was committed with it is taken in the same round.
    fn on_stored(&mut self, mut stored: Result<Appended, store::Error>) {
        loop {
            self.appends.pop_front();
            let failed = stored.is_err();
            if let Err(error) = &stored {
                tracing::error!(%error, "a turn could not be stored; beginning again from the store");
            }
            self.engine.appended(self.clock.now(), stored);
            match self.appends.front_mut().filter(|_| !failed).and_then(FutureExt::now_or_never) {
                Some(next) => stored = next,
                None => return,
            }
        }
    }

    fn on_loaded(&mut self, loaded: Result<Loaded, store::Error>) {
        let now = self.clock.now();
        let mut loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!(%error, "the store cannot be used; trying again");
                return self.engine.load_failed(now);
            }
        };
        let unreadable = std::mem::take(&mut loaded.unreadable);
        for lost in &unreadable {
            tracing::error!(conversation = %lost.conversation, why = lost.why, "a conversation cannot be read");
        }
        self.lost.found(unreadable);
        self.engine.loaded(now, loaded);
    }

    fn publish_owes(&self) {
        let owes = self.engine.owes();
        self.owes.send_if_modified(|known| std::mem::replace(known, owes) != owes);
    }
}

/// When the first of them is stored or refused; never where there is none.
async fn first(appends: &mut VecDeque<Pending>) -> Result<Appended, store::Error> {
    match appends.front_mut() {
        Some(first) => first.await,
        None => pending().await,
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

/// When the moment has come; never where there is none.
async fn until(clock: &dyn Clock, moment: Option<Timestamp>) {
    match moment {
        Some(moment) => sleep_until(clock, moment).await,
        None => pending().await,
    }
}
