//! All conversations of one channel: finds the one that an event is about, keeps their deadlines, and
//! forgets those that nothing will happen to any more.
//!
//! As pure as a single conversation: no I/O, no clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use crate::model::call::Answer;
use crate::model::event::{Event, EventKind};
use crate::model::ids::{ConversationId, RepId, WorkItemId};
use crate::model::time::Timestamp;

use super::command::{Command, CommandId, Effects, Input, SearchFailure};
use super::conversation::Conversation;
use super::lists::Lists;
use super::owed::OwedView;
use super::owing::{Owes, Owing};
use super::phase::SessionPhase;
use super::policy::Settings;
use super::room_index::RoomIndex;
use super::undo::OperatorOrder;

/// How long a conversation whose session has ended is remembered, so that events that come twice are
/// still known.
const REMEMBER_ENDED: Duration = Duration::from_secs(600);

/// How long a conversation of which nothing is heard is remembered. Salesforce keeps events for 72
/// hours; whatever comes later finds a conversation of which nothing is known, and that is no error.
const REMEMBER_SILENT: Duration = Duration::from_secs(72 * 3600);

/// The effects of one input, and on which conversation.
#[derive(Debug)]
#[must_use = "append the facts, then run the commands"]
pub struct Turn {
    /// The conversation.
    pub conversation: ConversationId,
    /// Whether nothing was known of the conversation before.
    pub began: bool,
    /// What follows.
    pub effects: Effects,
}

/// A conversation as it was remembered somewhere else.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoredConversation {
    /// Its state.
    pub conversation: Conversation,
    /// When it was last heard of.
    pub heard: Timestamp,
    /// Whether its session has ended.
    pub ended: bool,
}

#[derive(Debug)]
struct Entry {
    conversation: Conversation,
    ended: bool,
    heard: Timestamp,
    /// The one entry of the timer heap that counts; earlier ones of it are stale.
    timer: Timestamp,
}

impl Entry {
    fn due(&self, settings: &Settings) -> Timestamp {
        match self.conversation.deadline(settings) {
            Some(deadline) => deadline,
            None if self.conversation.is_idle() => self.heard + self.remembered_for(),
            // Everything open waits for an answer, and answers come without being waited for.
            None => Timestamp::MAX,
        }
    }

    fn remembered_for(&self) -> Duration {
        if self.ended { REMEMBER_ENDED } else { REMEMBER_SILENT }
    }
}

/// The conversations of one channel.
#[derive(Debug)]
pub struct Conversations {
    settings: Settings,
    entries: HashMap<ConversationId, Entry>,
    by_work_item: HashMap<WorkItemId, ConversationId>,
    timers: BinaryHeap<Reverse<(Timestamp, ConversationId)>>,
    open: usize,
    owing: Owing,
    lists: Lists,
    room: RoomIndex,
}

impl Conversations {
    /// None yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            entries: HashMap::new(),
            by_work_item: HashMap::new(),
            timers: BinaryHeap::new(),
            open: 0,
            owing: Owing::default(),
            lists: Lists::default(),
            room: RoomIndex::default(),
        }
    }

    /// Those that a store has kept, as they were.
    pub fn restore(settings: Settings, kept: impl IntoIterator<Item = RestoredConversation>) -> Self {
        let mut all = Self::new(settings);
        for RestoredConversation { conversation, heard, ended } in kept {
            let id = conversation.id().clone();
            if let Some(work_item) = conversation.work_item() {
                all.by_work_item.insert(work_item, id.clone());
            }
            all.open = all.open.saturating_add(usize::from(!conversation.is_idle()));
            all.owing.set(&id, conversation.owes());
            all.room.set(&id, &conversation);
            all.entries.insert(id.clone(), Entry { conversation, ended, heard, timer: Timestamp::MAX });
            all.schedule(&id);
        }
        all
    }

    /// Whether the conversation's session has ended.
    pub fn is_over(&self, id: &ConversationId) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.ended)
    }

    /// The commands that were given and never answered, of all conversations in the order of their ids: see
    /// [`Conversation::outstanding`].
    pub fn outstanding(&self) -> Vec<(ConversationId, Command)> {
        let of_one = |(id, entry): (&ConversationId, &Entry)| {
            let commands = entry.conversation.outstanding(&self.settings);
            commands.into_iter().map(|command| (id.clone(), command)).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.entries.iter().flat_map(of_one).collect();
        // The same store gives the same commands in the same order, so that a simulation can be repeated.
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    /// The rules that they follow.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Follows other rules from the next input on.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many have an open request.
    pub fn open(&self) -> usize {
        self.open
    }

    /// The conversations with an open request, in no particular order.
    pub fn busy(&self) -> impl Iterator<Item = &Conversation> {
        self.entries.values().map(|entry| &entry.conversation).filter(|conversation| !conversation.is_idle())
    }

    /// The conversation of that id.
    pub fn get(&self, id: &ConversationId) -> Option<&Conversation> {
        self.entries.get(id).map(|entry| &entry.conversation)
    }

    /// The conversation of that work item.
    pub fn of_work_item(&self, work_item: WorkItemId) -> Option<&Conversation> {
        self.get(self.by_work_item.get(&work_item)?)
    }

    /// A rep's page opened the list of contacts for a work item: a hint at who asks next. Kept in memory until
    /// a request comes, which keeps it.
    pub fn list_opened(&mut self, now: Timestamp, work_item: WorkItemId, rep: RepId) {
        self.lists.opened(now, work_item, rep);
    }

    /// Feeds an event. `None` where it names no conversation that could be found: an agent work event of
    /// a work item that was never heard of.
    pub fn on_event(&mut self, now: Timestamp, mut event: Event) -> Option<Turn> {
        let id = match (&event.conversation, &event.what) {
            (Some(id), _) => id.clone(),
            (None, EventKind::WorkChanged(change)) => self.by_work_item.get(&change.work_item?)?.clone(),
            (None, _) => return None,
        };
        if let EventKind::RoutingRequested(requested) = &mut event.what {
            let known = || self.get(&id).and_then(Conversation::work_item);
            let work_item = requested.work_item.or_else(known);
            requested.list_opened_by = work_item.and_then(|work_item| self.lists.last(now, work_item));
        }
        self.room.note(&event.what, self.entries.get(&id).map(|entry| &entry.conversation));
        let ended = match event.what {
            EventKind::SessionChanged { status, .. } => Some(SessionPhase::of(status) == SessionPhase::Over),
            _ => None,
        };
        let turn = self.turn(now, id, Input::Happened(event.what), true)?;
        if let (Some(ended), Some(entry)) = (ended, self.entries.get_mut(&turn.conversation)) {
            entry.ended = ended;
            self.schedule(&turn.conversation);
        }
        Some(turn)
    }

    /// Feeds the answer to a call.
    pub fn on_answer(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        command: CommandId,
        answer: Answer,
    ) -> Option<Turn> {
        self.turn(now, conversation, Input::Answered(command, answer), false)
    }

    /// Feeds the answer of the partner's router.
    pub fn on_found(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        command: CommandId,
        found: Result<Vec<RepId>, SearchFailure>,
    ) -> Option<Turn> {
        self.turn(now, conversation, Input::Found(command, found), false)
    }

    /// To be called once after [`Conversations::restore`]: what of it lies further ahead than it can, for the
    /// clock was set back, is cut to what the rules allow.
    pub fn on_resumed(&mut self, now: Timestamp) -> Vec<Turn> {
        // Also of those that are idle: one whose session waits for a rep has no request until then.
        let all = self.entries.values().map(|entry| &entry.conversation);
        let from_the_future = all.filter(|conversation| conversation.is_from_the_future(&self.settings, now));
        let mut ids: Vec<ConversationId> =
            from_the_future.map(|conversation| conversation.id().clone()).collect();
        ids.sort();
        ids.into_iter().filter_map(|id| self.turn(now, id, Input::Resumed, false)).collect()
    }

    /// Feeds an operator's order. `None` where nothing is known of the conversation.
    pub fn on_order(&mut self, now: Timestamp, id: ConversationId, order: OperatorOrder) -> Option<Turn> {
        self.turn(now, id, Input::Ordered(order), false)
    }

    /// How much all of them owe; none where nothing is owed.
    pub fn owes(&self) -> Option<Owes> {
        self.owing.total()
    }

    /// Everything that is owed, of the conversation that owes for the longest first.
    pub fn owed(&self) -> impl Iterator<Item = OwedView> {
        self.owing.conversations().filter_map(|id| self.get(id)).flat_map(Conversation::owed)
    }

    /// When to call [`Conversations::on_deadline`] at the latest.
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.room.is_due() {
            return Some(Timestamp::default());
        }
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    /// Lets time pass for one conversation that is due; `None` when none is (any more).
    pub fn on_deadline(&mut self, now: Timestamp) -> Option<Turn> {
        while let Some((id, rep)) = self.room.next() {
            if let Some(turn) = self.turn(now, id, Input::RoomMayBeFree(rep), false) {
                return Some(turn);
            }
        }
        while let Some(Reverse((due, _))) = self.timers.peek()
            && *due <= now
        {
            let Reverse((due, id)) = self.timers.pop()?;
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            if entry.timer != due {
                continue;
            }
            entry.timer = Timestamp::MAX;
            let is_due = entry.conversation.deadline(&self.settings).is_some_and(|at| at <= now);
            if entry.conversation.is_idle() && !is_due {
                if entry.due(&self.settings) <= now {
                    self.forget(&id);
                } else {
                    self.schedule(&id);
                }
                continue;
            }
            return self.turn(now, id, Input::DeadlineReached, false);
        }
        None
    }

    fn turn(&mut self, now: Timestamp, id: ConversationId, input: Input, create: bool) -> Option<Turn> {
        let began = create && !self.entries.contains_key(&id);
        if began {
            let conversation = Conversation::new(id.clone());
            let entry = Entry { conversation, ended: false, heard: now, timer: Timestamp::MAX };
            self.entries.insert(id.clone(), entry);
        }
        let entry = self.entries.get_mut(&id)?;
        entry.heard = now;
        let before = entry.conversation.work_item();
        let was_idle = entry.conversation.is_idle();
        let effects = entry.conversation.handle(&self.settings, now, input);
        match (was_idle, entry.conversation.is_idle()) {
            (true, false) => self.open = self.open.saturating_add(1),
            (false, true) => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.owing.set(&id, entry.conversation.owes());
        self.room.set(&id, &entry.conversation);
        let after = entry.conversation.work_item();
        if let Some(work_item) = after
            && before != after
        {
            self.by_work_item.insert(work_item, id.clone());
        }
        self.schedule(&id);
        Some(Turn { conversation: id, began, effects })
    }

    /// Makes sure that the timers know when the conversation is next due. A timer that would ring too
    /// early is left as it is: ringing for nothing is cheaper than moving it with every event.
    fn schedule(&mut self, id: &ConversationId) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let due = entry.due(&self.settings);
        if due < entry.timer {
            entry.timer = due;
            self.timers.push(Reverse((due, id.clone())));
        }
    }

    fn forget(&mut self, id: &ConversationId) {
        let Some(entry) = self.entries.remove(id) else { return };
        if let Some(work_item) = entry.conversation.work_item()
            && self.by_work_item.get(&work_item) == Some(id)
        {
            self.by_work_item.remove(&work_item);
        }
    }
}
