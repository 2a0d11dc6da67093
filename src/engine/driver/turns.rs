//! From what arrived to turns, and from turns that are durable to calls.

use std::collections::HashSet;

use super::{Engine, LOAD_WAITS, Loading, PendingTurn};
use crate::engine::calls::{Due, Over, Step};
use crate::engine::known_causes::CauseState;
use crate::engine::observer::Observer;
use crate::engine::output::{CallId, Delivery, Error, Output, Search};
use crate::interaction::CallAttempt;
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::routing::{Announcement, Command, Conversation, Effects, Order, Turn};
use crate::store::{self, Cause, Change, Position, Telling, TurnRecord};

/// How many conversations are remembered whose work item was asked for.
const MOST_ASKED: usize = 10_000;

impl<T, O: Observer> Engine<T, O> {
    /// Processes what waits, as far as it is known whether it is new.
    pub(super) fn process(&mut self, now: Timestamp) {
        while self.can_decide()
            && let Some((_, delivery)) = self.waiting.front()
        {
            let known = match self.known_causes.known(delivery) {
                CauseState::Ask => return,
                CauseState::Before => true,
                CauseState::New => false,
            };
            if let Some((ticket, delivery)) = self.waiting.pop_front() {
                self.on_delivered(now, ticket, delivery, known);
            }
        }
    }

    /// Asks the store about everything that waits, at once. Comes last, so that more can be delivered meanwhile.
    pub(super) fn question(&mut self) -> Option<Output<T>> {
        if self.asking || !self.can_decide() {
            return None;
        }
        let unknown = |delivery: &&Delivery| self.known_causes.known(delivery) == CauseState::Ask;
        let waiting = self.waiting.iter().map(|(_, delivery)| delivery).filter(unknown);
        let causes: Vec<Cause> = waiting.filter_map(|delivery| delivery.cause.clone()).collect();
        self.asking = !causes.is_empty();
        self.asking.then_some(Output::AskSeen(causes))
    }

    /// Feeds what arrived. Its cause goes with the last of its turns: until that one is durable, all of it may come
    /// again.
    pub(super) fn on_delivered(&mut self, now: Timestamp, ticket: T, delivery: Delivery, known: bool) {
        let Delivery { events, cause, position } = delivery;
        self.hold.heard(now);
        if known {
            self.observer.came_again(&events);
            // The store says when what it led to is durable: it may be on its way there.
            return self.append(now, None, cause, position, Some(ticket));
        }
        self.observer.working_on(cause.as_ref());
        let mut events = events.into_iter().peekable();
        let mut turn = None;
        while let Some(event) = events.next() {
            turn = self.conversations.on_event(now, event);
            if events.peek().is_some() {
                self.append(now, turn.take(), None, None, None);
            }
        }
        self.append(now, turn, cause, position, Some(ticket));
        self.observer.working_on(None);
    }

    /// Has a turn appended. What has nothing to store is done with the turn before it.
    pub(super) fn append(
        &mut self,
        at: Timestamp,
        turn: Option<Turn>,
        cause: Option<Cause>,
        position: Option<Position>,
        ticket: Option<T>,
    ) {
        let (conversation, began, mut effects) = match turn {
            Some(Turn { conversation, began, effects }) => (Some(conversation), began, effects),
            None => (None, false, Effects::default()),
        };
        let facts = std::mem::take(&mut effects.facts);
        let has_facts = !facts.is_empty();
        if let Some(conversation) = &conversation {
            self.observer.decided(at, conversation, &facts);
            for remark in std::mem::take(&mut effects.remarks) {
                self.observer.remarked(at, conversation, &remark);
            }
        }
        let tellings = self.tellings(at, std::mem::take(&mut effects.announcements));
        // Of a conversation that begins, the store must hear even where nothing is known of it yet.
        let has_change = has_facts || began || !tellings.is_empty();
        if !has_change && cause.is_none() && position.is_none() {
            match self.pending.back_mut() {
                Some(before) => before.tickets.extend(ticket),
                None => self.processed(ticket, &Ok(())),
            }
            return;
        }
        let Loading::Done(epoch) = self.loading else {
            return self.processed(ticket, &Err(Error::Stopped));
        };
        let change = conversation.clone().filter(|_| has_change).map(|conversation| {
            let state = self.state_for(&conversation);
            let ended = self.conversations.is_over(&conversation);
            let endings = effects.endings.clone();
            let tellings = tellings.clone();
            Change { conversation, began, ended, facts, state, endings, tellings }
        });
        if let Some(cause) = &cause {
            self.known_causes.sent(cause);
        }
        let is_order = ticket.is_some() && cause.is_none() && position.is_none();
        let urgent = is_order || !effects.commands.is_empty() || !tellings.is_empty();
        let record = TurnRecord { channel: self.key.clone(), epoch, at, cause, position, change, urgent };
        self.outputs.push_back(Output::Append(Box::new(record)));
        let tickets = ticket.into_iter().collect();
        self.pending.push_back(PendingTurn { conversation, effects, tellings, has_facts, tickets });
    }

    /// The state of a conversation, where the store should have it: when it has come to rest, and when the store
    /// has asked.
    pub(super) fn state_for(&mut self, id: &ConversationId) -> Option<Box<Conversation>> {
        let conversation = self.conversations.get(id)?;
        let wanted = conversation.is_idle() || self.wanted.contains(id);
        wanted.then(|| {
            self.wanted.remove(id);
            Box::new(conversation.clone())
        })
    }

    /// The turn is durable: now its commands may be carried out.
    pub(super) fn carry_out(&mut self, now: Timestamp, conversation: &ConversationId, effects: Effects) {
        self.start(now, conversation, effects.commands, false);
        self.ask_for_work_item(conversation);
        for ending in effects.endings {
            self.outputs.push_back(Output::Ended { conversation: conversation.clone(), ending });
        }
    }

    /// Has the work item asked for, where a request waits for it and no call is under way whose answer may tell it.
    fn ask_for_work_item(&mut self, id: &ConversationId) {
        let Some(conversation) = self.conversations.get(id) else { return };
        let is_missing = conversation.work_item().is_none() && conversation.open_requests().next().is_some();
        if !is_missing || !conversation.outstanding(self.conversations.settings()).is_empty() {
            return;
        }
        if self.asked_work_items.len() >= MOST_ASKED {
            self.asked_work_items.clear();
        }
        if self.asked_work_items.insert(id.clone()) {
            self.outputs.push_back(Output::AskWorkItem(id.clone()));
        }
    }

    pub(super) fn start(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        commands: Vec<Command>,
        resumed: bool,
    ) {
        let mut calls = Vec::new();
        for Command { id, give_up_at, order } in commands {
            let id = CallId { conversation: conversation.clone(), command: id };
            if self.calls.has(&id) || self.searches.contains(&id) {
                continue;
            }
            match order {
                Order::Call(call) => calls.push((id.command, call, give_up_at)),
                Order::Find(query) => {
                    self.searches.insert(id.clone());
                    self.outputs.push_back(Output::Find(Search { id, query, give_up_at }));
                }
            }
        }
        let mut steps = Vec::new();
        self.calls.command(conversation, calls, resumed, &mut steps);
        self.take_steps(now, steps);
    }

    pub(super) fn take_steps(&mut self, now: Timestamp, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Due(Due { id, attempt, first }) => {
                    self.outputs.push_back(Output::Send { id, attempt, first });
                }
                Step::Over(over) => self.is_over(now, over),
                Step::Failed { id, call, next, said } => {
                    self.observer.failed(now, &id, &call, next, &said);
                }
            }
        }
    }

    pub(super) fn is_over(&mut self, now: Timestamp, over: Over) {
        if !matches!(self.loading, Loading::Done(_)) {
            return self.held.push(over);
        }
        let Over { id, answer, attempt } = over;
        let tries = attempt.as_deref().map_or(0, CallAttempt::made);
        self.observer.answered(&id, &answer, tries);
        if let Some(attempt) = attempt
            && let Some(said) = attempt.said()
        {
            self.observer.given_up(attempt.call(), attempt.made(), said);
        }
        let CallId { conversation, command } = id;
        let turn = self.conversations.on_answer(now, conversation, command, answer);
        self.append(now, turn, None, None, None);
    }

    /// What the store refused has not happened: forgets it, and all that was decided upon it. What waits came later, so
    /// it is refused too: whoever brings it again brings all of it in its order.
    pub(super) fn begin_again(&mut self, error: Option<&store::Error>) {
        let result = Err(error.cloned().map_or(Error::Stopped, Error::from));
        for PendingTurn { tickets, .. } in std::mem::take(&mut self.pending) {
            self.processed(tickets, &result);
        }
        let behind = std::mem::take(&mut self.waiting);
        self.processed(behind.into_iter().map(|(ticket, _)| ticket), &result);
        self.outputs.retain(|output| !matches!(output, Output::Append(_)));
        self.loading = Loading::Now(LOAD_WAITS.0);
        self.outputs.push_back(Output::Load);
    }

    /// What the partner is to be told of a turn. Within a millisecond the same can happen twice, so they are counted.
    fn tellings(&mut self, at: Timestamp, announcements: Vec<Announcement>) -> Vec<Telling> {
        if self.told.0 != at {
            self.told = (at, 0);
        }
        let first = self.told.1;
        self.told.1 = first.saturating_add(announcements.len());
        (first..).zip(announcements).map(|(number, what)| Telling::new(&self.key, at, number, what)).collect()
    }

    /// Of what waits for its turn to be called, what the store says is over is not called.
    pub(super) fn forget_what_is_over(&mut self, now: Timestamp) {
        // At a start nothing waits, and there may be a hundred thousand conversations to ask.
        if !self.calls.has_unbegun() {
            return;
        }
        let outstanding: HashSet<CallId> = self
            .conversations
            .outstanding()
            .into_iter()
            .map(|(conversation, command)| CallId { conversation, command: command.id })
            .collect();
        let mut steps = Vec::new();
        self.calls.forget_unbegun(|id| outstanding.contains(id), &mut steps);
        self.take_steps(now, steps);
    }

    /// Gives the commands again that were never answered, are not under way, and are durable.
    pub(super) fn resume(&mut self, now: Timestamp, which: impl Fn(&CallId, &Command) -> bool) {
        // What is on its way to the store is outstanding too, and is carried out when it is durable.
        let named = |conversation: &ConversationId, command: &Command| CallId {
            conversation: conversation.clone(),
            command: command.id.clone(),
        };
        let of_turn = |turn: &PendingTurn<T>| {
            let conversation = turn.conversation.as_ref();
            let commands = &turn.effects.commands;
            conversation.map(|id| commands.iter().map(|command| named(id, command)).collect::<Vec<_>>())
        };
        let pending: HashSet<CallId> = self.pending.iter().filter_map(of_turn).flatten().collect();
        for (conversation, command) in self.conversations.outstanding() {
            let id = named(&conversation, &command);
            if !pending.contains(&id) && which(&id, &command) {
                self.start(now, &id.conversation, vec![command], true);
            }
        }
    }

    pub(super) fn processed(&mut self, tickets: impl IntoIterator<Item = T>, result: &Result<(), Error>) {
        let processed = |ticket| Output::Processed { ticket, result: result.clone() };
        self.outputs.extend(tickets.into_iter().map(processed));
    }
}
