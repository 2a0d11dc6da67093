//! The replay's clock and its runner: feeds what was recorded at its time, carries out what the state
//! machines ask for, and lets timers ring in between, all in virtual time.
//!
//! Knows the recording, the state machines and whoever answers. Must never know how anything is
//! printed.
//!
//! Invariants
//! 1. Time never goes back: what is due before a line is done before the line.
//! 2. The same recording gives the same notes, calls and endings, every time.
//! 3. Memory is bounded by what is open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::events::Decoded;
use crate::interaction::{Next, Tries, Verdict, WireRequest, decode, encode, operation};
use crate::model::call::{Answer, Call, Reply};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::event::{Event, Happening};
use crate::model::ids::{ConversationId, EventId, RepId};
use crate::model::rep_query::RepQuery;
use crate::model::roster::Roster;
use crate::model::time::Timestamp;
use crate::model::words::RoutingOwner;
use crate::recording::{Exchange, RepFinder, Response};
use crate::rep_finder::choose;
use crate::routing::{Command, CommandId, Conversations, Effects, Ending, Fact, Order, Settings, Turn};

use super::Replayed;
use super::cassette::{Exchanges, Match, TryId};
use super::difference::Difference;
use super::note::{CallNote, Note, Search, Summary, What};
use super::searches::Searches;
use super::side::{Arrival, Side, Try};
use super::works::Works;

/// Draws nothing: replays wait the shortest of each backoff, so that they are the same every time.
const NO_JITTER: f64 = 0.0;

/// A call or a search that is not over.
struct Open {
    id: CommandId,
    conversation: ConversationId,
    began: Timestamp,
    give_up_at: Timestamp,
    kind: Kind,
}

enum Kind {
    Call { call: Call, wire: WireRequest, tries: Tries, status: Option<u16>, response: Option<Value> },
    Search(RepQuery),
}

/// What is due at a moment.
enum Due {
    Try(u64),
    Verdict(u64, Verdict),
    Answer(u64, Answer),
    Found(u64, Vec<RepId>),
    GiveUp(u64),
}

/// A note, or the place of one that will be written when its call is over.
enum Slot {
    Written(Box<Note>),
    Open(u64),
}

/// Who answers calls.
pub(super) enum Answers<S> {
    /// The recording.
    Recorded(Exchanges),
    /// Somebody live.
    Live(S),
}

pub(super) struct Engine<S: Side> {
    conversations: Conversations,
    answers: Answers<S>,
    /// Whether the recording says whom the rep finder found.
    searches_recorded: bool,
    searches: Searches,
    works: Works,
    roster: Roster,
    owner: RoutingOwner,
    now: Timestamp,
    due: BinaryHeap<Reverse<(Timestamp, u64)>>,
    due_what: BTreeMap<u64, Due>,
    open: BTreeMap<u64, Open>,
    next: u64,
    slots: VecDeque<Slot>,
    created: BTreeMap<EventId, Timestamp>,
    at_end: bool,
    failure: Option<S::Error>,
    pub(super) summary: Summary,
}

impl<S: Side> Engine<S> {
    pub(super) fn new(
        settings: Settings,
        answers: Answers<S>,
        searches_recorded: bool,
        file: Arc<str>,
    ) -> Self {
        let compared = matches!(answers, Answers::Recorded(_));
        Self {
            conversations: Conversations::new(settings),
            answers,
            searches_recorded,
            searches: Searches::default(),
            works: Works::default(),
            roster: Roster::default(),
            owner: RoutingOwner::Partner,
            now: Timestamp::from_millis(i64::MIN),
            due: BinaryHeap::new(),
            due_what: BTreeMap::new(),
            open: BTreeMap::new(),
            next: 0,
            slots: VecDeque::new(),
            created: BTreeMap::new(),
            at_end: false,
            failure: None,
            summary: Summary { file, compared, ..Summary::default() },
        }
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The notes that are complete, in the order in which they began.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        let mut notes = Vec::new();
        while let Some(Slot::Written(_)) = self.slots.front() {
            if let Some(Slot::Written(note)) = self.slots.pop_front() {
                notes.push(*note);
            }
        }
        notes
    }

    /// What went wrong with the live side.
    pub(super) fn take_failure(&mut self) -> Option<S::Error> {
        self.failure.take()
    }

    fn note(&mut self, conversation: &ConversationId, what: What) {
        let note = Note { at: self.now, conversation: conversation.clone(), what };
        self.slots.push_back(Slot::Written(Box::new(note)));
    }

    fn fail<T>(&mut self, result: Result<T, S::Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }

    /// Follows these rules from now on.
    pub(super) fn on_settings(&mut self, settings: Settings) {
        self.conversations.set_settings(settings);
    }

    pub(super) fn settings(&self) -> &Settings {
        self.conversations.settings()
    }

    pub(super) fn on_definition(&mut self, definition: &ChannelDefinition) {
        self.owner = definition.routing_owner;
        if let Answers::Live(side) = &mut self.answers {
            let taken = side.on_definition(definition);
            self.fail(taken);
        }
    }

    pub(super) fn on_roster(&mut self, roster: Roster) {
        if let Answers::Live(side) = &mut self.answers {
            let taken = side.on_roster(self.now, &roster);
            self.fail(taken);
        }
        self.roster = roster;
    }

    /// Whether Salesforce routes by itself, and there is nothing to do.
    pub(super) fn routes(&self) -> bool {
        self.owner == RoutingOwner::Partner
    }

    /// Feeds what a recorded event came to.
    pub(super) fn on_decoded(&mut self, decoded: Decoded) {
        self.summary.events += 1;
        if let Some(reason) = decoded.passed_by {
            self.summary.count_passed(&reason);
        }
        for event in decoded.events {
            self.on_event(event);
        }
    }

    pub(super) fn into_replayed(self) -> Replayed {
        Replayed { summary: self.summary, conversations: self.conversations, roster: self.roster }
    }

    fn on_event(&mut self, mut event: Event) {
        if matches!(event.what, Happening::RoutingRequested(_)) && !self.routes() {
            self.summary.count_passed(&"RoutingRequested, while Salesforce owns the routing");
            return;
        }
        if let Answers::Live(_) = self.answers
            && !self.meet_live_side(&mut event)
        {
            self.summary.count_passed(&"an event about an offer that the live side does not have");
            return;
        }
        self.feed(event);
    }

    fn feed(&mut self, event: Event) {
        let told = is_told(&event.what).then(|| event.what.clone());
        let Some(turn) = self.conversations.on_event(self.now, event) else {
            self.summary.count_passed(&"an event of a work item that was never heard of");
            return;
        };
        if let Some(happening) = told {
            self.note(&turn.conversation, What::Event(Box::new(happening)));
        }
        self.take_turn(turn);
    }

    /// Lets the live side see what people did, and puts its own ids into the event. `false` where the
    /// event is about an offer that it does not have.
    fn meet_live_side(&mut self, event: &mut Event) -> bool {
        let conversation = match (&event.conversation, &event.what) {
            (Some(id), _) => id.clone(),
            (None, Happening::WorkChanged(change)) => {
                let known = change.work_item.and_then(|item| self.conversations.of_work_item(item));
                match known {
                    Some(known) => known.id().clone(),
                    None => return true,
                }
            }
            (None, _) => return true,
        };
        let Answers::Live(side) = &mut self.answers else { return true };
        match &mut event.what {
            Happening::WorkChanged(change) => {
                let Some(live) = self.works.live(&conversation, change, side.offers(&conversation)) else {
                    return false;
                };
                change.work = live;
            }
            // A PSR of the recording is none of the live side's.
            Happening::RoutingCancelled(cancelled) => cancelled.psr = None,
            _ => {}
        }
        let met = match &event.what {
            Happening::RoutingRequested(requested) => {
                let known = self.conversations.get(&conversation);
                side.on_request(self.now, &conversation, known, requested)
            }
            _ => side.on_event(self.now, self.conversations.get(&conversation), event),
        };
        self.fail(met).is_some()
    }

    /// Feeds a recorded answer of the rep finder.
    pub(super) fn on_found(&mut self, found: RepFinder) {
        if let Some((call, reps)) = self.searches.on_found(found) {
            self.found(call, reps);
        }
    }

    /// Feeds a recorded exchange.
    pub(super) fn on_exchange(&mut self, line: u64, exchange: Exchange) {
        let Answers::Recorded(cassette) = &mut self.answers else {
            self.works.learn(&exchange);
            self.summary.note_recorded_failure(line, &exchange);
            return;
        };
        if let Some(found) = cassette.on_exchange(line, self.now, exchange) {
            self.matched(found);
        }
        self.left_over(self.now);
    }

    fn left_over(&mut self, now: Timestamp) {
        let Answers::Recorded(cassette) = &mut self.answers else { return };
        for difference in cassette.left_over(now) {
            self.difference(None, difference);
        }
    }

    fn difference(&mut self, conversation: Option<&ConversationId>, difference: Difference) {
        self.summary.differences += 1;
        let nowhere = ConversationId::parse("-").ok();
        if let Some(conversation) = conversation.cloned().or(nowhere) {
            self.note(&conversation, What::Difference(Box::new(difference)));
        }
    }

    /// Does everything that is due before `end`, each thing at its own time.
    pub(super) fn run_until(&mut self, end: Timestamp, pace: &mut dyn FnMut(Timestamp)) {
        while let Some(next) = self.next_due()
            && next < end
            && self.failure.is_none()
        {
            self.step(next, pace);
        }
        if end > self.now {
            pace(end);
            self.now = end;
        }
    }

    /// Does everything that is still due when the recording is over, until all requests have ended.
    pub(super) fn run_out(&mut self, pace: &mut dyn FnMut(Timestamp)) {
        self.at_end = true;
        let waiting: Vec<u64> = self.open.keys().copied().collect();
        for number in waiting {
            self.nothing_more_will_come(number);
        }
        while (self.conversations.open() > 0 || !self.open.is_empty())
            && self.failure.is_none()
            && let Some(next) = self.next_due()
        {
            self.step(next, pace);
        }
        self.left_over(Timestamp::MAX);
    }

    fn next_due(&self) -> Option<Timestamp> {
        let answers = self.due.peek().map(|Reverse((at, _))| *at);
        let side = match &self.answers {
            Answers::Live(side) => side.deadline(),
            Answers::Recorded(_) => None,
        };
        [answers, side, self.conversations.deadline()].into_iter().flatten().min()
    }

    fn step(&mut self, next: Timestamp, pace: &mut dyn FnMut(Timestamp)) {
        if next > self.now {
            pace(next);
            self.now = next;
        }
        if let Some(Reverse((at, number))) = self.due.peek().copied()
            && at <= self.now
        {
            self.due.pop();
            if let Some(due) = self.due_what.remove(&number) {
                self.do_due(due);
            }
            return;
        }
        if let Answers::Live(side) = &mut self.answers
            && side.deadline().is_some_and(|at| at <= self.now)
        {
            let told = side.advance(self.now);
            for event in self.fail(told).unwrap_or_default() {
                self.feed(event);
            }
            return;
        }
        if let Some(turn) = self.conversations.on_deadline(self.now) {
            self.take_turn(turn);
        }
    }

    fn schedule(&mut self, at: Timestamp, due: Due) {
        let number = self.next;
        self.next += 1;
        self.due.push(Reverse((at.max(self.now), number)));
        self.due_what.insert(number, due);
    }

    fn do_due(&mut self, due: Due) {
        match due {
            Due::Try(number) => self.try_call(number),
            Due::Verdict(number, verdict) => self.judged(number, verdict),
            Due::Answer(number, answer) => self.answered(number, answer),
            Due::Found(number, reps) => self.found(number, reps),
            Due::GiveUp(number) => self.give_up(number),
        }
    }

    /// Carries out what follows from an input.
    fn take_turn(&mut self, turn: Turn) {
        let Turn { conversation, effects } = turn;
        let Effects { facts, commands, announcements, endings, remarks } = effects;
        for fact in facts {
            if let Fact::Requested(requested) = fact {
                self.created.insert(requested.event.clone(), requested.created);
            }
        }
        for told in announcements {
            self.note(&conversation, What::Announced { rep: told.rep, joined: told.joined });
        }
        for remark in remarks {
            self.note(&conversation, What::Remark(remark));
        }
        for command in commands {
            self.begin(&conversation, command);
        }
        for ending in endings {
            self.end(&conversation, ending);
        }
    }

    fn end(&mut self, conversation: &ConversationId, ending: Ending) {
        let Ending { request, at, outcome, reason } = ending;
        self.summary.count_ending(outcome);
        let after = self.created.remove(&request).map_or(Duration::ZERO, |created| at.since(created));
        self.note(conversation, What::Ended { request, at, outcome, reason, after });
    }

    fn begin(&mut self, conversation: &ConversationId, command: Command) {
        let Command { id, give_up_at, order } = command;
        let number = self.next;
        self.next += 1;
        let kind = match order {
            Order::Call(call) => {
                self.summary.calls += 1;
                let wire = encode(&call);
                Kind::Call { call, wire, tries: Tries::new(), status: None, response: None }
            }
            Order::Find(query) => Kind::Search(query),
        };
        let is_call = matches!(kind, Kind::Call { .. });
        let open = Open { id, conversation: conversation.clone(), began: self.now, give_up_at, kind };
        self.open.insert(number, open);
        self.slots.push_back(Slot::Open(number));
        self.schedule(give_up_at, Due::GiveUp(number));
        if is_call {
            self.try_call(number);
        } else {
            self.search(number);
        }
        if self.at_end {
            self.nothing_more_will_come(number);
        }
    }

    /// With the recording over, whoever still waits for a line of it waits in vain.
    fn nothing_more_will_come(&mut self, number: u64) {
        match self.open.get(&number).map(|open| &open.kind) {
            Some(Kind::Search(_)) if self.searches_recorded => {
                self.schedule(self.now, Due::Found(number, Vec::new()));
            }
            Some(Kind::Call { .. }) if matches!(self.answers, Answers::Recorded(_)) => {
                self.schedule(self.now, Due::GiveUp(number));
            }
            _ => {}
        }
    }

    fn search(&mut self, number: u64) {
        let Some(Open { kind: Kind::Search(query), .. }) = self.open.get(&number) else { return };
        if !self.searches_recorded {
            let reps = choose(&self.roster, query);
            self.schedule(self.now, Due::Found(number, reps));
        } else if let Some(reps) = self.searches.on_search(number, query) {
            self.schedule(self.now, Due::Found(number, reps));
        }
    }

    fn found(&mut self, number: u64, reps: Vec<RepId>) {
        let Some(Open { id, conversation, began, kind: Kind::Search(query), .. }) = self.open.remove(&number)
        else {
            return;
        };
        self.searches.close(number);
        let took = self.now.since(began);
        let RepQuery { queue_id: queue, skills, .. } = query;
        let search = Search { request: id.request.clone(), queue, skills, reps: reps.clone(), took };
        self.fill(number, began, &conversation, What::Search(Box::new(search)));
        if let Some(turn) = self.conversations.on_found(self.now, conversation, id, reps) {
            self.take_turn(turn);
        }
    }

    fn try_call(&mut self, number: u64) {
        let Some(open) = self.open.get(&number) else { return };
        let Kind::Call { call, wire, .. } = &open.kind else { return };
        match &mut self.answers {
            Answers::Recorded(cassette) => {
                let id = TryId { call: number };
                if let Some(found) = cassette.on_try(id, wire.method.as_str(), wire.path, &wire.body) {
                    self.matched(found);
                } else if self.at_end {
                    self.nothing_more_will_come(number);
                }
            }
            Answers::Live(side) => {
                let tried = Try { id: &open.id, call, wire, give_up_at: open.give_up_at };
                let arrival = side.call(self.now, &tried);
                if let Some(arrival) = self.fail(arrival) {
                    self.arrives(number, arrival);
                }
            }
        }
    }

    fn arrives(&mut self, number: u64, arrival: Arrival) {
        let (after, due, status, response) = match arrival {
            Arrival::Verdict { after, verdict, status, response } => {
                (after, Due::Verdict(number, verdict), status, response)
            }
            Arrival::Answer { after, answer, status, response } => {
                (after, Due::Answer(number, answer), status, response)
            }
        };
        self.keep_response(number, status, response);
        self.schedule(self.now + after, due);
    }

    fn keep_response(&mut self, number: u64, new_status: Option<u16>, new_response: Option<Value>) {
        if let Some(Open { kind: Kind::Call { status, response, .. }, .. }) = self.open.get_mut(&number) {
            *status = new_status;
            *response = new_response;
        }
    }

    /// A recorded exchange has met its try.
    fn matched(&mut self, found: Match) {
        let Match { id: TryId { call: number }, response, difference } = found;
        let Some(open) = self.open.get(&number) else { return };
        let Kind::Call { call, .. } = &open.kind else { return };
        let conversation = open.conversation.clone();
        let verdict = match &response {
            None => Verdict::answer_lost("no answer was recorded"),
            Some(response) => {
                let body = response.body.as_ref().map(|body| body.get().as_bytes()).unwrap_or_default();
                decode(call, response.status, response.retry_after(), body)
            }
        };
        let status = response.as_ref().map(|response| response.status);
        self.keep_response(number, status, response.as_ref().and_then(body_of));
        if let Some(difference) = difference {
            self.difference(Some(&conversation), difference);
        }
        self.judged(number, verdict);
    }

    /// A try was answered: is the call over?
    fn judged(&mut self, number: u64, verdict: Verdict) {
        let now = self.now;
        let Some(open) = self.open.get_mut(&number) else { return };
        let Kind::Call { tries, .. } = &mut open.kind else { return };
        match tries.next(verdict, now, open.give_up_at, NO_JITTER) {
            Next::Answer(answer) => self.answered(number, answer),
            Next::TryAgainAt(at) => self.schedule(at, Due::Try(number)),
            Next::RefreshTokenAndTryAgain => self.schedule(now, Due::Try(number)),
        }
    }

    fn give_up(&mut self, number: u64) {
        let Some(open) = self.open.get(&number) else { return };
        if matches!(open.kind, Kind::Search(_)) {
            return self.found(number, Vec::new());
        }
        let conversation = open.conversation.clone();
        if let Answers::Recorded(cassette) = &mut self.answers
            && let Some(difference) = cassette.give_up(TryId { call: number })
        {
            self.difference(Some(&conversation), difference);
        }
        self.answered(number, Answer::Lost);
    }

    fn answered(&mut self, number: u64, answer: Answer) {
        let Some(Open { id, conversation, began, kind, .. }) = self.open.remove(&number) else { return };
        let Kind::Call { call, wire, tries, status, response } = kind else { return };
        let what = What::Call(Box::new(CallNote {
            request: id.request.clone(),
            operation: operation(&call),
            method: wire.method.as_str(),
            path: wire.path,
            body: wire.body,
            status,
            response,
            answer: answer.clone(),
            tries: tries.made(),
            took: self.now.since(began),
        }));
        if let (Call::CreateAgentWork { rep, .. }, Answer::Done(Reply::Offered(Some(work)))) =
            (&call, &answer)
        {
            self.works.on_offer(&conversation, *rep, *work);
        }
        self.fill(number, began, &conversation, what);
        if let Some(turn) = self.conversations.on_answer(self.now, conversation, id, answer) {
            self.take_turn(turn);
        }
    }

    /// Writes the note of something that began earlier into its place.
    fn fill(&mut self, number: u64, began: Timestamp, conversation: &ConversationId, what: What) {
        let place = self.slots.iter_mut().find(|slot| matches!(slot, Slot::Open(open) if *open == number));
        if let Some(slot) = place {
            let note = Note { at: began, conversation: conversation.clone(), what };
            *slot = Slot::Written(Box::new(note));
        }
    }
}

fn body_of(response: &Response) -> Option<Value> {
    response.body.as_ref().and_then(|body| serde_json::from_str(body.get()).ok())
}

/// Whether a happening belongs into the story.
fn is_told(happening: &Happening) -> bool {
    !matches!(
        happening,
        Happening::ParticipantSeen(_) | Happening::WorkItemSeen(_) | Happening::RoutingStarted { .. }
    )
}
