//! The task that owns a channel's conversations.

use std::collections::{HashSet, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};

use super::inbox::Inbox;
use super::known_causes::{CauseState, KnownCauses};
use super::offer_hold::OfferHold;
use super::{Delivery, Done, Ended, Error, Message, Parts};
use crate::connector::refused::Refused;
use crate::connector::runner::Runner;
use crate::connector::unreadable::UnreadableConversations;
use crate::connector::watch::ChannelObserver;
use crate::interaction::sleep_until;
use crate::model::call::Call;
use crate::model::ids::ConversationId;
use crate::model::time::{Clock, Timestamp};
use crate::routing::{
    Announcement, Command, CommandId, Conversations, Effects, Order, Owes, RestoredConversation, Settings,
    Turn,
};
use crate::store::{
    self, Appended, Cause, Change, ChannelKey, Epoch, Loaded, Pending, Position, Store, StoredConversation,
    TurnRecord,
};

/// How many turns may be on their way to the store.
const PIPELINE: usize = 1024;

/// How long to wait before the store is asked again; doubles up to the second figure.
const STORE_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A turn that is on its way to the store.
struct PendingTurn {
    stored: Pending,
    conversation: Option<ConversationId>,
    effects: Effects,
    has_facts: bool,
    done: Option<Done>,
}

pub(super) struct Task {
    key: ChannelKey,
    settings: Settings,
    conversations: Conversations,
    store: Arc<dyn Store>,
    epoch: Epoch,
    clock: Arc<dyn Clock>,
    runner: Runner,
    announcements: mpsc::Sender<Announcement>,
    endings: broadcast::Sender<Ended>,
    owes: watch::Sender<Option<Owes>>,
    /// Commands that are being carried out.
    under_way: HashSet<CommandId>,
    pending_turns: VecDeque<PendingTurn>,
    known_causes: KnownCauses,
    /// Conversations whose state the store would like to have.
    wanted: HashSet<ConversationId>,
    /// Whether offers that were being made before a start are still left alone.
    offer_hold: OfferHold,
    watch: ChannelObserver,
    lost: UnreadableConversations,
}

impl Task {
    pub(super) fn new(
        parts: Parts,
        loaded: Loaded,
        inbox: mpsc::Sender<Message>,
        announcements: mpsc::Sender<Announcement>,
        endings: broadcast::Sender<Ended>,
        lost: UnreadableConversations,
        owes: watch::Sender<Option<Owes>>,
    ) -> Self {
        let Parts { key, settings, calls, finder, notifier: _, store, clock } = parts;
        let runner = Runner { calls, finder, clock: Arc::clone(&clock), answers: inbox };
        let mut task = Self {
            watch: ChannelObserver::new(&key),
            key,
            conversations: Conversations::new(settings.clone()),
            settings,
            store,
            epoch: loaded.epoch,
            clock,
            runner,
            announcements,
            endings,
            owes,
            under_way: HashSet::new(),
            pending_turns: VecDeque::new(),
            known_causes: KnownCauses::default(),
            wanted: HashSet::new(),
            offer_hold: OfferHold::default(),
            lost,
        };
        task.take_up(loaded);
        task
    }

    /// The reps whom Salesforce refuses.
    pub(super) fn refused(&self) -> Refused {
        self.watch.refused()
    }

    pub(super) async fn run(mut self, messages: mpsc::Receiver<Message>) {
        let mut inbox = Inbox::new(messages);
        let mut stopping = false;
        while !(stopping && self.pending_turns.is_empty()) {
            let room = !stopping && self.pending_turns.len() < PIPELINE;
            let deadline = self.deadline();
            let deadline = deadline.filter(|_| room);
            tokio::select! {
                biased;
                stored = first(&mut self.pending_turns) => self.on_stored(stored).await,
                message = inbox.next(), if room => match message {
                    Some(Message::Stop) | None => stopping = true,
                    Some(message) => self.on_message(message, &mut inbox).await,
                },
                () = until(&*self.clock, deadline) => self.on_deadline(),
            }
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.conversations.deadline().into_iter().chain(self.offer_hold.until()).min()
    }

    fn on_deadline(&mut self) {
        let now = self.clock.now();
        while let Some(turn) = self.conversations.on_deadline(now) {
            self.append(now, Some(turn), None, None, None);
        }
        if self.offer_hold.is_over(now) {
            self.resume(is_offer);
        }
    }

    async fn on_message(&mut self, message: Message, behind: &mut Inbox) {
        let now = self.clock.now();
        match message {
            Message::Delivered { delivery, done } => match self.is_known(&delivery, behind).await {
                Ok(known) => self.on_delivered(now, *delivery, done, known),
                Err(error) => drop(done.send(Err(error.into()))),
            },
            Message::Answered { conversation, command, answer } => {
                self.under_way.remove(&command);
                let turn = self.conversations.on_answer(now, conversation, command, answer);
                self.append(now, turn, None, None, None);
            }
            Message::Found { conversation, command, found } => {
                self.under_way.remove(&command);
                let turn = self.conversations.on_found(now, conversation, command, found);
                self.append(now, turn, None, None, None);
            }
            Message::Ordered { conversation, order, done } => {
                tracing::info!(%conversation, ?order, "an operator's order");
                let turn = self.conversations.on_order(now, conversation, order);
                self.append(now, turn, None, None, Some(done));
            }
            Message::Listening => self.offer_hold.listening(now),
            Message::ListOpened { work_item, rep } => self.conversations.list_opened(now, work_item, rep),
            Message::Look(look) => look(&self.conversations),
            Message::Stop => {}
        }
    }

    /// Feeds what arrived. Its cause goes with the last of its turns: until that one is durable, all of
    /// it may come again.
    fn on_delivered(&mut self, now: Timestamp, delivery: Delivery, done: Done, known: bool) {
        let Delivery { events, cause, position } = delivery;
        self.offer_hold.heard(now);
        if known {
            self.watch.came_again(&events);
            // The store says when what it led to is durable: it may be on its way there.
            return self.append(now, None, cause, position, Some(done));
        }
        let mut events = events.into_iter().peekable();
        let mut turn = None;
        while let Some(event) = events.next() {
            turn = self.conversations.on_event(now, event);
            if events.peek().is_some() {
                self.append(now, turn.take(), None, None, None);
            }
        }
        self.append(now, turn, cause, position, Some(done));
    }

    /// Whether it was brought before. Where the store has to be asked, it is asked about what comes behind
    /// at the same time.
    async fn is_known(&mut self, delivery: &Delivery, behind: &mut Inbox) -> Result<bool, store::Error> {
        if self.known_causes.known(delivery) == CauseState::Ask {
            let ask = |delivery: &Delivery| self.known_causes.known(delivery) == CauseState::Ask;
            let waiting = behind.deliveries().filter(|delivery| ask(delivery));
            let causes: Vec<Cause> =
                std::iter::once(delivery).chain(waiting).filter_map(|one| one.cause.clone()).collect();
            let seen = self.store.seen(&self.key, &causes).await?;
            self.known_causes.said(causes, seen);
        }
        Ok(self.known_causes.known(delivery) == CauseState::Before)
    }

    /// Sends a turn to the store. What has nothing to store is done at once.
    fn append(
        &mut self,
        at: Timestamp,
        turn: Option<Turn>,
        cause: Option<Cause>,
        position: Option<Position>,
        done: Option<Done>,
    ) {
        let (conversation, began, mut effects) = match turn {
            Some(Turn { conversation, began, effects }) => (Some(conversation), began, effects),
            None => (None, false, Effects::default()),
        };
        let facts = std::mem::take(&mut effects.facts);
        self.publish_owes();
        let has_facts = !facts.is_empty();
        if let Some(conversation) = &conversation {
            self.watch.decided(conversation, &facts);
            for remark in std::mem::take(&mut effects.remarks) {
                self.watch.remarked(at, conversation, &remark);
            }
        }
        // Of a conversation that begins, the store must hear even where nothing is known of it yet.
        let has_change = has_facts || began;
        if !has_change && cause.is_none() && position.is_none() {
            if let Some(done) = done {
                done.send(Ok(())).ok();
            }
            return;
        }
        let change = conversation.clone().filter(|_| has_change).map(|conversation| {
            let state = self.state_for(&conversation);
            let ended = self.conversations.is_over(&conversation);
            let endings = effects.endings.clone();
            Change { conversation, began, ended, facts, state, endings }
        });
        if let Some(cause) = &cause {
            self.known_causes.sent(cause);
        }
        let channel = self.key.clone();
        let record = TurnRecord { channel, epoch: self.epoch, at, cause, position, change };
        let stored = self.store.append(record);
        self.pending_turns.push_back(PendingTurn { stored, conversation, effects, has_facts, done });
    }

    fn publish_owes(&self) {
        let owes = self.conversations.owes();
        self.owes.send_if_modified(|known| std::mem::replace(known, owes) != owes);
    }

    /// The state of a conversation, where the store should have it: when it has come to rest, and when
    /// the store has asked.
    fn state_for(&mut self, id: &ConversationId) -> Option<Box<crate::routing::Conversation>> {
        let conversation = self.conversations.get(id)?;
        let wanted = conversation.is_idle() || self.wanted.contains(id);
        wanted.then(|| {
            self.wanted.remove(id);
            Box::new(conversation.clone())
        })
    }

    async fn on_stored(&mut self, stored: Result<Appended, store::Error>) {
        let Some(PendingTurn { conversation, effects, has_facts, done, .. }) = self.pending_turns.pop_front()
        else {
            return;
        };
        let error = match stored {
            Ok(Appended::Stored { wants_state }) => {
                if let Some(done) = done {
                    done.send(Ok(())).ok();
                }
                if let Some(conversation) = conversation {
                    self.wanted.extend(wants_state.then(|| conversation.clone()));
                    self.carry_out(conversation, effects).await;
                }
                return;
            }
            Ok(Appended::Duplicate) => {
                self.known_causes.came_again();
                if let Some(done) = done {
                    done.send(Ok(())).ok();
                }
                if !has_facts {
                    return;
                }
                self.watch.came_again(&[]);
                tracing::warn!("an event came again that was taken for new; beginning again from the store");
                None
            }
            Err(error) => {
                if let Some(done) = done {
                    done.send(Err(error.clone().into())).ok();
                }
                Some(error)
            }
        };
        self.begin_again(error).await;
    }

    /// The turn is durable: now its commands may be carried out.
    async fn carry_out(&mut self, conversation: ConversationId, effects: Effects) {
        for announcement in effects.announcements {
            self.announcements.send(announcement).await.ok();
        }
        self.start(conversation.clone(), effects.commands, false);
        for ending in effects.endings {
            let asked = self.watch.ended(&conversation, &ending);
            self.endings.send(Ended { conversation: conversation.clone(), ending, asked }).ok();
        }
    }

    fn start(&mut self, conversation: ConversationId, mut commands: Vec<Command>, resumed: bool) {
        commands.retain(|command| self.under_way.insert(command.id.clone()));
        if !commands.is_empty() {
            let commands = self.watch.commanded(self.clock.now(), &conversation, commands);
            tokio::spawn(self.runner.clone().run(conversation, commands, resumed));
        }
    }

    /// What the store refused has not happened: forgets it, and all that was decided upon it.
    async fn begin_again(&mut self, error: Option<store::Error>) {
        if let Some(error) = &error {
            tracing::error!(%error, "a turn could not be stored; beginning again from the store");
        }
        for PendingTurn { done, .. } in std::mem::take(&mut self.pending_turns) {
            if let Some(done) = done {
                let why = error.clone().map_or(Error::Stopped, Error::from);
                done.send(Err(why)).ok();
            }
        }
        let (mut wait, longest) = STORE_WAITS;
        loop {
            match self.store.load(&self.key).await {
                Ok(loaded) => return self.take_up(loaded),
                Err(error) => {
                    tracing::error!(%error, "the store cannot be used; trying again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(longest);
                }
            }
        }
    }

    /// Goes on where the store says, with the same commands under the same ids.
    fn take_up(&mut self, loaded: Loaded) {
        let Loaded { epoch, conversations, positions: _, unreadable } = loaded;
        for lost in &unreadable {
            tracing::error!(conversation = %lost.conversation, why = lost.why, "a conversation cannot be read");
        }
        self.lost.found(unreadable);
        self.epoch = epoch;
        self.wanted.clear();
        self.known_causes.forget();
        let kept = conversations.into_iter().map(|StoredConversation { conversation, heard, ended }| {
            RestoredConversation { conversation, heard, ended }
        });
        self.conversations = Conversations::restore(self.settings.clone(), kept);
        let now = self.clock.now();
        let cut = self.conversations.on_resumed(now);
        self.watch.take_up(&self.conversations);
        self.publish_owes();
        self.offer_hold.begin(now);
        // What is decided now is outstanding too, and is carried out when it is durable.
        let decided = cut.iter().flat_map(|turn| &turn.effects.commands);
        let decided: HashSet<CommandId> = decided.map(|command| command.id.clone()).collect();
        if !cut.is_empty() {
            tracing::warn!(
                conversations = cut.len(),
                "the clock was set back since the connector stopped; deadlines that lie too far ahead are cut"
            );
        }
        for turn in cut {
            self.append(now, Some(turn), None, None, None);
        }
        self.resume(|command| !is_offer(command) && !decided.contains(&command.id));
    }

    /// Gives the commands again that were never answered, and are not under way.
    fn resume(&mut self, which: impl Fn(&Command) -> bool) {
        for (conversation, command) in self.conversations.outstanding() {
            if which(&command) {
                self.start(conversation, vec![command], true);
            }
        }
    }
}

const fn is_offer(command: &Command) -> bool {
    matches!(command.order, Order::Call(Call::CreateAgentWork { .. }))
}

/// When the first of them is stored or refused; never where there is none.
async fn first(pending_turns: &mut VecDeque<PendingTurn>) -> Result<Appended, store::Error> {
    match pending_turns.front_mut() {
        Some(first) => (&mut first.stored).await,
        None => pending().await,
    }
}

/// When the moment has come; never where there is none.
async fn until(clock: &dyn Clock, moment: Option<Timestamp>) {
    match moment {
        Some(moment) => sleep_until(clock, moment).await,
        None => pending().await,
    }
}
