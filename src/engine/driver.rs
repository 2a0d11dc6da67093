//! The engine itself: takes what arrives, lets the conversations decide, and says what is to be done.

mod turns;

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use smallvec::SmallVec;

use super::calls::{Calls, Over};
use super::known_causes::KnownCauses;
use super::observer::Observer;
use super::offer_hold::OfferHold;
use super::output::{CallId, Delivery, Output};
use crate::interaction::Tried;
use crate::model::call::{Answer, Call};
use crate::model::event::{Event, EventKind};
use crate::model::ids::{ConversationId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::routing::{
    Command, Conversations, Effects, OperatorOrder, Order, Owes, RestoredConversation, SearchFailure,
    Settings,
};
use crate::store::{self, Appended, Cause, ChannelKey, Epoch, Loaded, StoredConversation, Telling};

/// How many turns may be on their way to the store.
const PIPELINE: usize = 1024;

/// How many deliveries may wait for the store to say whether they are new; it is asked about all of them at once.
const LOOK_AHEAD: usize = 128;

/// How long to wait before the store is loaded again; doubles up to the second figure.
const LOAD_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A turn that is on its way to the store.
#[derive(Debug)]
struct PendingTurn<T> {
    conversation: Option<ConversationId>,
    effects: Effects,
    tellings: Vec<Telling>,
    has_facts: bool,
    /// What is processed when this is durable: its own, and what came behind it and had nothing to store, for that
    /// may be so because of this.
    tickets: SmallVec<[T; 1]>,
}

/// Whether the store has been read.
#[derive(Debug)]
enum Loading {
    Done(Epoch),
    /// It is being read; the wait is for when that fails.
    Now(Duration),
    /// It could not be read, and is read again then.
    Again(Timestamp, Duration),
}

/// A channel's conversations and everything that is a rule and no I/O. `T` is what whoever delivers wants to have
/// back with the word that it is processed.
#[derive(Debug)]
pub struct Engine<T, O = ()> {
    key: ChannelKey,
    settings: Settings,
    conversations: Conversations,
    loading: Loading,
    calls: Calls,
    searches: HashSet<CallId>,
    pending: VecDeque<PendingTurn<T>>,
    known_causes: KnownCauses,
    /// What was delivered and waits for the store to say whether it is new.
    waiting: VecDeque<(T, Delivery)>,
    /// Whether the store is being asked.
    asking: bool,
    /// Answers that came while the store was read.
    held: Vec<Over>,
    /// Conversations whose state the store would like to have.
    wanted: HashSet<ConversationId>,
    /// Conversations whose work item was asked for.
    asked_work_items: HashSet<ConversationId>,
    /// How many things were told in the millisecond that is named.
    told: (Timestamp, usize),
    hold: OfferHold,
    observer: O,
    outputs: VecDeque<Output<T>>,
}

impl<T, O: Observer> Engine<T, O> {
    /// An engine that knows nothing yet. Its first output asks for a load.
    pub fn new(key: ChannelKey, settings: Settings, observer: O) -> Self {
        Self {
            key,
            conversations: Conversations::new(settings.clone()),
            settings,
            loading: Loading::Now(LOAD_WAITS.0),
            calls: Calls::default(),
            searches: HashSet::new(),
            pending: VecDeque::new(),
            known_causes: KnownCauses::default(),
            waiting: VecDeque::new(),
            asking: false,
            held: Vec::new(),
            wanted: HashSet::new(),
            asked_work_items: HashSet::new(),
            told: (Timestamp::from_millis(0), 0),
            hold: OfferHold::default(),
            observer,
            outputs: VecDeque::from([Output::Load]),
        }
    }

    /// The next thing to do, in order; none until something else is told.
    pub fn output(&mut self) -> Option<Output<T>> {
        self.outputs.pop_front().or_else(|| self.question())
    }

    /// When to call [`Engine::tick`] at the latest.
    pub fn deadline(&self) -> Option<Timestamp> {
        let load = match self.loading {
            Loading::Again(at, _) => Some(at),
            Loading::Now(_) | Loading::Done(_) => None,
        };
        let decided =
            self.can_decide().then(|| self.conversations.deadline().into_iter().chain(self.hold.until()));
        decided.into_iter().flatten().chain(self.calls.deadline()).chain(load).min()
    }

    /// Whether more may be delivered. Where not, whoever delivers waits until something was answered.
    pub fn has_room(&self) -> bool {
        self.can_decide() && self.waiting.len() < LOOK_AHEAD
    }

    fn can_decide(&self) -> bool {
        matches!(self.loading, Loading::Done(_)) && self.pending.len() < PIPELINE
    }

    /// Whether nothing is on its way to the store and nothing waits to be processed.
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.waiting.is_empty()
    }

    /// The conversations, as decided; the store may not have all of it yet.
    pub const fn conversations(&self) -> &Conversations {
        &self.conversations
    }

    /// Follows other rules from the next input on.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings.clone();
        self.conversations.set_settings(settings);
    }

    /// The rules that the conversations follow.
    pub fn settings(&self) -> &Settings {
        self.conversations.settings()
    }

    /// The conversations, when nothing more is to be done with them.
    pub fn into_conversations(self) -> Conversations {
        self.conversations
    }

    /// How much the conversations owe.
    pub fn owes(&self) -> Option<Owes> {
        self.conversations.owes()
    }

    /// Who looks on.
    pub const fn observer(&mut self) -> &mut O {
        &mut self.observer
    }

    /// Time passes.
    pub fn tick(&mut self, now: Timestamp) {
        let mut steps = Vec::new();
        self.calls.tick(now, &mut steps);
        self.take_steps(now, steps);
        if let Loading::Again(at, wait) = self.loading
            && at <= now
        {
            self.loading = Loading::Now(wait);
            self.outputs.push_back(Output::Load);
        }
        while self.can_decide()
            && let Some(turn) = self.conversations.on_deadline(now)
        {
            self.append(now, Some(turn), None, None, None);
        }
        if self.can_decide() && self.hold.is_over(now) {
            self.resume(now, |_, command| is_offer(command));
        }
    }

    /// Something arrived.
    pub fn deliver(&mut self, now: Timestamp, ticket: T, delivery: Delivery) {
        self.waiting.push_back((ticket, delivery));
        self.process(now);
    }

    /// What the store said about the causes that it was asked about, in their order.
    pub fn seen(&mut self, now: Timestamp, causes: Vec<Cause>, seen: Result<Vec<bool>, store::Error>) {
        self.asking = false;
        match seen {
            Ok(seen) => self.known_causes.said(causes, seen),
            Err(error) => {
                for (ticket, _) in std::mem::take(&mut self.waiting) {
                    self.processed([ticket], &Err(error.clone().into()));
                }
            }
        }
        self.process(now);
    }

    /// What became of one try of a call.
    pub fn tried(&mut self, now: Timestamp, id: &CallId, tried: Tried) {
        let mut steps = Vec::new();
        self.calls.tried(now, id, tried, &mut steps);
        self.take_steps(now, steps);
    }

    /// The answer to a call, from somebody who saw to all of its tries.
    pub fn answered(&mut self, now: Timestamp, id: &CallId, answer: Answer) {
        let mut steps = Vec::new();
        self.calls.answered(id, answer, &mut steps);
        self.take_steps(now, steps);
    }

    /// What the partner's router said.
    pub fn found(&mut self, now: Timestamp, id: CallId, found: Result<Vec<RepId>, SearchFailure>) {
        if !self.searches.remove(&id) {
            return;
        }
        let CallId { conversation, command } = id;
        let turn = self.conversations.on_found(now, conversation, command, found);
        self.append(now, turn, None, None, None);
    }

    /// The work item that was asked for. One that is known meanwhile stays.
    pub fn work_item_found(&mut self, now: Timestamp, conversation: ConversationId, work_item: WorkItemId) {
        if self.conversations.get(&conversation).is_none() {
            return;
        }
        let event = Event { conversation: Some(conversation), what: EventKind::WorkItemSeen(work_item) };
        let turn = self.conversations.on_event(now, event);
        self.append(now, turn, None, None, None);
    }

    /// An operator wants something done. What is not there is left as it is.
    pub fn order(&mut self, now: Timestamp, ticket: T, conversation: ConversationId, order: OperatorOrder) {
        let turn = self.conversations.on_order(now, conversation, order);
        self.append(now, turn, None, None, Some(ticket));
    }

    /// The stream of events stands: what was published while nobody listened comes from now on.
    pub fn listening(&mut self, now: Timestamp) {
        self.hold.listening(now);
    }

    /// A rep's page opened the list of contacts for a work item: a hint at who asks next. Nothing is stored.
    pub fn list_opened(&mut self, now: Timestamp, work_item: WorkItemId, rep: RepId) {
        self.conversations.list_opened(now, work_item, rep);
    }

    /// What became of the oldest turn that was to be appended and is not answered.
    pub fn appended(&mut self, now: Timestamp, appended: Result<Appended, store::Error>) {
        let Some(PendingTurn { conversation, effects, tellings, has_facts, tickets }) =
            self.pending.pop_front()
        else {
            return;
        };
        match appended {
            Ok(Appended::Stored { wants_state }) => {
                self.processed(tickets, &Ok(()));
                if let Some(conversation) = conversation {
                    self.wanted.extend(wants_state.then(|| conversation.clone()));
                    self.outputs.extend(tellings.into_iter().map(Output::Tell));
                    self.carry_out(now, &conversation, effects);
                }
            }
            Ok(Appended::Duplicate) => {
                self.known_causes.came_again();
                self.processed(tickets, &Ok(()));
                if has_facts {
                    self.observer.came_again(&[]);
                    self.begin_again(None);
                }
            }
            Err(error) => {
                self.processed(tickets, &Err(error.clone().into()));
                self.begin_again(Some(&error));
            }
        }
        self.process(now);
    }

    /// The store could not be read; it is asked again, with growing waits.
    pub fn load_failed(&mut self, now: Timestamp) {
        if let Loading::Now(wait) = self.loading {
            self.loading = Loading::Again(now + wait, wait.saturating_mul(2).min(LOAD_WAITS.1));
        }
    }

    /// What the store has of the channel: goes on from there, with the same commands under the same ids.
    pub fn loaded(&mut self, now: Timestamp, loaded: Loaded) {
        let Loaded { epoch, conversations, positions: _, untold, unreadable: _ } = loaded;
        self.loading = Loading::Done(epoch);
        self.wanted.clear();
        self.known_causes.forget();
        self.outputs.extend(untold.into_iter().map(Output::Tell));
        let restored = conversations.into_iter().map(|StoredConversation { conversation, heard, ended }| {
            RestoredConversation { conversation, heard, ended }
        });
        self.conversations = Conversations::restore(self.settings.clone(), restored);
        let cut = self.conversations.on_resumed(now);
        self.observer.resumed(&self.conversations, cut.len());
        if self.conversations.outstanding().iter().any(|(_, command)| is_offer(command)) {
            self.hold.begin(now);
        }
        for turn in cut {
            self.append(now, Some(turn), None, None, None);
        }
        self.forget_what_is_over(now);
        // What has its answer is not asked for again.
        let held = std::mem::take(&mut self.held);
        let answered: HashSet<CallId> = held.iter().map(|over| over.id.clone()).collect();
        self.resume(now, |id, command| !is_offer(command) && !answered.contains(id));
        for over in held {
            self.is_over(now, over);
        }
        self.process(now);
    }
}

const fn is_offer(command: &Command) -> bool {
    matches!(command.order, Order::Call(Call::CreateAgentWork(_)))
}
