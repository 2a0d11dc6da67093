//! The shell around the engine: does what it says, stops it, and starts it again.

use std::collections::{BTreeMap, BTreeSet};

use byoc_connector::engine::{CallId, Delivery, Engine, Observer, Output};
use byoc_connector::model::call::{Answer, Call, Removable, RemoveParticipant, UpdateAgentWork};
use byoc_connector::model::event::{Event, EventKind};
use byoc_connector::model::ids::{ConversationId, OrgId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{CommandId, Conversation, Fact, Remark, RequestFact, Settings, Undo};
use byoc_connector::store::{self, Appended, Cause, ChannelKey, Telling, TurnRecord};

use super::super::link::Dice;
use super::{Crash, Due, Trace, World};

/// How often a turn brings the state of its conversation because the store would like to have it.
const STATE_EVERY: usize = 8;

/// How often the store fails, how long a turn takes at most to become durable, in milliseconds, and what it draws from.
pub(crate) struct StoreTrouble {
    pub(crate) slow: u64,
    pub(crate) append: f64,
    pub(crate) load: f64,
    pub(crate) dice: Dice,
}

/// What the engine lets one see of its work.
#[derive(Default)]
pub(crate) struct Looking {
    remarks: Vec<Remark>,
    answered: Vec<(CallId, Answer)>,
}

impl Observer for Looking {
    fn remarked(&mut self, _at: Timestamp, _conversation: &ConversationId, remark: &Remark) {
        self.remarks.push(remark.clone());
    }

    fn answered(&mut self, id: &CallId, answer: &Answer, _tries: u32) {
        self.answered.push((id.clone(), answer.clone()));
    }
}

/// In which order the calls of a process were commanded, and which of them left last, by conversation.
#[derive(Debug, Default)]
pub(crate) struct Commanded {
    /// None for what was taken up from the store, which no turn of this process commanded.
    turns: BTreeMap<CallId, Option<usize>>,
    left: BTreeMap<ConversationId, (usize, CallId)>,
}

impl Commanded {
    /// What is taken up from the store.
    fn on_load(&mut self, conversation: &Conversation, settings: &Settings) {
        for command in conversation.outstanding(settings) {
            let id = CallId { conversation: conversation.id().clone(), command: command.id };
            self.turns.insert(id, None);
        }
    }

    fn on_command(&mut self, turn: usize, id: CallId) {
        self.turns.entry(id).or_insert(Some(turn));
    }

    /// A first try leaves; `Err` where something that was commanded later has left before.
    pub(super) fn on_first_try(&mut self, id: &CallId) -> Result<(), String> {
        let commanded = self.turns.get(id).ok_or_else(|| format!("{id:?} was commanded by no turn"))?;
        let Some(turn) = *commanded else { return Ok(()) };
        let before = self.left.insert(id.conversation.clone(), (turn, id.clone()));
        let Some((turn_before, before)) = before else { return Ok(()) };
        let (one, other) = (&before.command, &id.command);
        let same_turn = turn_before == turn && (one.request != other.request || one.number < other.number);
        if turn_before < turn || same_turn {
            return Ok(());
        }
        Err(format!("{other:?} of turn {turn} left after {one:?} of turn {turn_before}"))
    }
}

/// An engine that knows nothing yet; the stream of events stands.
pub(super) fn engine(now: Timestamp, settings: &Settings) -> Engine<u64, Looking> {
    let key = ChannelKey { org: OrgId::NONE, channel: "simulation".into() };
    let mut engine = Engine::new(key, settings.clone(), Looking::default());
    engine.listening(now);
    engine
}

impl World {
    pub(crate) fn conversation(&self, id: &ConversationId) -> Option<&Conversation> {
        self.engine.conversations().get(id)
    }

    /// Whether no request is open.
    pub(crate) fn is_idle(&self) -> bool {
        self.engine.conversations().open() == 0
    }

    /// Whether the engine knows its conversations and has nothing more to do.
    pub(crate) fn is_settled(&self) -> bool {
        let knows = self.engine.is_settled() && self.engine.has_room();
        knows && self.is_idle() && self.open.is_empty() && self.delivered.is_empty()
    }

    /// Something arrives at the connector, unless it is down.
    pub(super) fn hear(&mut self, events: Vec<Event>, surface: &str) {
        if self.down {
            return;
        }
        for event in &events {
            self.say(|| format!("{surface}: {:?}", event.what));
        }
        self.deliver_to_engine(events);
        self.do_outputs();
    }

    fn deliver_to_engine(&mut self, events: Vec<Event>) {
        let ticket = self.next;
        self.next += 1;
        // The rules tell by themselves what comes again, but for an older status of a session: that has no time,
        // so it is known by its name, as it is live.
        let name = events.iter().find_map(|event| match &event.what {
            EventKind::SessionChanged { entry, .. } => Some(entry.as_str()),
            _ => None,
        });
        let cause = name.map(|name| Cause::named(name).unwrap());
        let delivery = Delivery { events: events.iter().cloned().collect(), cause, position: None };
        self.delivered.insert(ticket, events);
        self.engine.deliver(self.now, ticket, delivery);
    }

    pub(super) fn tick(&mut self) {
        let loads = self.loads;
        self.engine.tick(self.now);
        self.do_outputs();
        let next = self.engine.deadline();
        // What passed while the store failed is due when it is read again.
        let is_later = self.down || self.loads != loads || next.is_none_or(|at| at > self.now);
        assert!(is_later, "a deadline that has passed comes again: {next:?}");
    }

    /// Does what the engine says, until it says nothing more.
    pub(super) fn do_outputs(&mut self) {
        loop {
            self.note_what_was_seen();
            if self.down {
                return;
            }
            let Some(output) = self.engine.output() else { return };
            match output {
                Output::Load => self.load(),
                Output::Append(turn) => self.queue(*turn),
                Output::Send { id, attempt, first } => self.send(id, attempt, first),
                Output::Find(search) => self.find(search),
                Output::Processed { ticket, result } => {
                    let events = self.delivered.remove(&ticket).unwrap();
                    if result.is_err() {
                        self.say(|| format!("comes again: {result:?}"));
                        self.deliver_to_engine(events);
                    }
                }
                Output::Ended { conversation, ending } => self.trace.told.push((conversation, ending)),
                Output::Tell(telling) => self.tell(telling),
                Output::AskSeen(causes) => self.seen(causes),
                Output::AskWorkItem(_) => {}
            }
        }
    }

    /// The partner hears of it, which the store learns unless it fails: then it is told once more.
    fn tell(&mut self, telling: Telling) {
        let id = telling.id;
        self.hear_of(telling);
        if !self.store_fails(|trouble| trouble.append) {
            self.journal.untold.retain(|one| one.id != id);
        }
    }

    fn hear_of(&mut self, telling: Telling) {
        self.say(|| format!("told: {:?}", telling.announcement));
        self.trace.heard.push(telling);
    }

    fn note_what_was_seen(&mut self) {
        let Looking { remarks, answered } = std::mem::take(self.engine.observer());
        self.trace.remarks.extend(remarks);
        for (id, answer) in answered {
            self.say(|| format!("answer to {:?}: {answer:?}", id.command.number));
            if let Some(open) = self.open.remove(&id)
                && !matches!(answer, Answer::Done(_))
            {
                self.check_owed(&id, &open.call);
            }
        }
    }

    fn load(&mut self) {
        // Whatever is on its way to the store is refused: it was decided from what the store does not have.
        self.appends.clear();
        if self.store_fails(|trouble| trouble.load) {
            self.say(|| "the store cannot be read".to_owned());
            return self.engine.load_failed(self.now);
        }
        let loaded = self.journal.load();
        self.commanded = Commanded::default();
        for kept in &loaded.conversations {
            self.commanded.on_load(&kept.conversation, &self.settings);
        }
        self.loads += 1;
        self.engine.loaded(self.now, loaded);
    }

    fn seen(&mut self, causes: Vec<Cause>) {
        let seen = if self.store_fails(|trouble| trouble.append) {
            Err(store::Error::Io("the simulation's disk".to_owned()))
        } else {
            Ok(causes.iter().map(|cause| self.journal.causes.contains(cause)).collect())
        };
        self.engine.seen(self.now, causes, seen);
    }

    fn store_fails(&mut self, of: impl Fn(&StoreTrouble) -> f64) -> bool {
        let Some(trouble) = &mut self.store_trouble else { return false };
        let probability = of(trouble);
        trouble.dice.chance(probability)
    }

    /// A slow store has several turns on their way, and answers in their order.
    fn queue(&mut self, turn: TurnRecord) {
        let after = match &mut self.store_trouble {
            Some(StoreTrouble { slow, dice, .. }) if *slow > 0 => dice.between(1, *slow),
            _ => return self.append(&turn),
        };
        self.appends.push_back(turn);
        self.later(after, Due::Append);
    }

    pub(super) fn append_next(&mut self) {
        if let Some(turn) = self.appends.pop_front() {
            self.append(&turn);
            self.do_outputs();
        }
    }

    fn append(&mut self, turn: &TurnRecord) {
        if turn.cause.as_ref().is_some_and(|cause| self.journal.causes.contains(cause)) {
            return self.engine.appended(self.now, Ok(Appended::Duplicate));
        }
        if self.store_fails(|trouble| trouble.append) {
            // A store that says so may have stored it all the same.
            let stored = self.store_fails(|_| 0.5);
            self.say(|| format!("the store fails; it has the turn: {stored}"));
            if stored {
                self.store(turn);
            }
            self.trace.store_failures += 1;
            let failed = Err(store::Error::Io("the simulation's disk".to_owned()));
            return self.engine.appended(self.now, failed);
        }
        let crash = self.crash.filter(|crash| crash.after_turn == self.trace.turns);
        self.store(turn);
        match crash {
            Some(crash) => self.stop(crash),
            None => {
                let wants_state = self.trace.turns.is_multiple_of(STATE_EVERY);
                self.engine.appended(self.now, Ok(Appended::Stored { wants_state }));
            }
        }
    }

    fn store(&mut self, turn: &TurnRecord) {
        self.trace.turns += 1;
        self.journal.causes.extend(turn.cause.clone());
        let Some(change) = &turn.change else { return };
        self.journal.store(turn.at, change);
        for fact in &change.facts {
            self.say(|| format!("    {fact:?}"));
            self.note_decision(&change.conversation, fact);
        }
        self.trace.facts += change.facts.len();
        // The engine may have decided more already.
        let alone = !change.endings.is_empty()
            && self.journal.conversation(&change.conversation).is_some_and(|stored| {
                stored.participants().iter().filter(|one| one.as_rep().is_some()).count() == 1
            });
        for ending in &change.endings {
            if alone {
                self.trace.alone.insert(ending.request.clone());
            }
            self.trace.endings.push((change.conversation.clone(), ending.clone()));
        }
    }

    fn note_decision(&mut self, conversation: &ConversationId, fact: &Fact) {
        let Trace { decided, numbers, named, owed_cancels, turns, .. } = &mut self.trace;
        match fact {
            Fact::Requested(requested) => {
                numbers.insert((conversation.clone(), requested.number), requested.event.clone());
            }
            Fact::OfRequest(request, RequestFact::Commanded { number, .. }) => {
                let request = numbers[&(conversation.clone(), *request)].clone();
                let command = CommandId { request, number: *number };
                self.commanded.on_command(*turns, CallId { conversation: conversation.clone(), command });
            }
            Fact::OfRequest(number, RequestFact::Decided(verdict)) => {
                let event = &numbers[&(conversation.clone(), *number)];
                decided.entry(event.clone()).or_insert(verdict.at);
            }
            Fact::OfRequest(number, RequestFact::Owed { undo: Undo::Cancel(rep), .. }) => {
                let event = &numbers[&(conversation.clone(), *number)];
                owed_cancels.insert((event.clone(), *rep));
            }
            Fact::OfRequest(
                _,
                RequestFact::OfferMade { work, .. }
                | RequestFact::OfferIdLearned { work, .. }
                | RequestFact::OfferRepeated { work, .. },
            ) => {
                named.insert(*work);
            }
            _ => {}
        }
    }

    /// The process ends with a turn that is stored. What the engine decided and the store does not have is gone.
    fn stop(&mut self, crash: Crash) {
        self.say(|| format!("the connector stops; what was asked for went out: {}", crash.commands_sent));
        if crash.commands_sent {
            self.engine.appended(self.now, Ok(Appended::Stored { wants_state: false }));
        }
        let mut ahead = BTreeSet::new();
        while let Some(output) = self.engine.output() {
            match output {
                Output::Append(turn) => ahead.extend(turn.change.map(|change| change.conversation)),
                Output::Send { id, attempt, first } if crash.commands_sent => self.send(id, attempt, first),
                Output::Find(search) if crash.commands_sent => self.find(search),
                Output::Tell(telling) if crash.commands_sent => self.hear_of(telling),
                _ => {}
            }
        }
        for kept in &self.journal.load().conversations {
            let id = kept.conversation.id();
            let here = self.conversation(id).filter(|_| !ahead.contains(id));
            assert!(here.is_none_or(|here| *here == kept.conversation), "the journal gives the state back");
        }
        let known: BTreeSet<&ConversationId> =
            self.journal.rows.iter().map(|row| &row.conversation).collect();
        for id in self.engine.conversations().busy().map(Conversation::id) {
            assert!(known.contains(id) || ahead.contains(id), "the journal knows all");
        }
        self.down = true;
        self.process += 1;
        self.open.clear();
        self.delivered.clear();
        self.at(self.now + crash.down_for, Due::Restart);
    }

    pub(super) fn restart(&mut self) {
        self.say(|| "the connector starts again".to_owned());
        self.down = false;
        self.engine = engine(self.now, &self.settings);
        self.do_outputs();
        // The stream goes on from the last event that was processed, which comes again.
        let last: Vec<Event> =
            self.heard.values().filter_map(|heard| heard.last()).flatten().cloned().collect();
        self.hear_again(last);
        for event in std::mem::take(&mut self.missed_browser) {
            self.hear(vec![event], "browser");
        }
        for (conversation, events) in std::mem::take(&mut self.missed) {
            self.hear_platform(conversation, events);
        }
    }

    /// What could not be undone, and is still there, is owed.
    fn check_owed(&mut self, id: &CallId, call: &Call) {
        let CallId { conversation, command } = id;
        let request = &command.request;
        let there = self.salesforce.conversation(conversation).unwrap();
        let (undo, rep, needed) = match call {
            Call::UpdateAgentWork(UpdateAgentWork { work, .. }) => {
                let work = self.salesforce.work(*work).unwrap();
                ("cancelOffer", Some(work.rep), work.state.is_open())
            }
            Call::ClearRoute(_) => {
                ("clearRoute", None, there.psrs.iter().any(|psr| self.trace.psrs.get(psr) == Some(request)))
            }
            Call::RemoveParticipant(RemoveParticipant { who: Removable::Rep(rep), .. }) => {
                ("removeRep", Some(*rep), there.reps().any(|it| it == *rep) && there.reps().count() > 1)
            }
            _ => return,
        };
        let owed = || self.conversation(conversation).into_iter().flat_map(Conversation::owed);
        let is_owed = owed().any(|it| it.undo == undo && it.rep == rep && it.request == *request);
        if needed && !is_owed && !there.is_over() {
            self.trace.not_owed.push(format!("{undo} {rep:?} of {request} failed, and is not owed"));
        }
    }
}
