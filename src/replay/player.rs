//! The replay's clock: feeds an engine what was recorded at its time, does what the engine says, and lets time pass in
//! between, all of it virtual.
//!
//! Knows the recording, the engine and whoever answers. Must never know how anything is
//! printed.
//!
//! Invariants
//! 1. Time never goes back: what is due before a line is done before the line.
//! 2. The same recording gives the same notes, calls and endings, every time.
//! 3. Memory is bounded by what is open.

mod calls;
mod live_side;
mod looking;
mod time;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use smallvec::smallvec;

use crate::engine::{CallId, Delivery, Engine, Output};
use crate::events::Decoded;
use crate::interaction::{TryOutcome, WireRequest};
use crate::model::call::{Answer, Call};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::event::{Event, EventKind};
use crate::model::ids::{ConversationId, EventId, OrgId, RepId};
use crate::model::rep_query::RepQuery;
use crate::model::roster::Roster;
use crate::model::time::Timestamp;
use crate::model::words::RoutingOwner;
use crate::recording::{Exchange, RepFinder};
use crate::routing::{Announced, Ending, SearchFailure, Settings};
use crate::store::{Appended, ChannelKey, Loaded, Telling};

use super::cassette::Exchanges;
use super::difference::Difference;
use super::journal::JournalRow;
use super::note::{Note, Replayed, Summary, What};
use super::searches::Searches;
use super::side::Side;
use super::work_ids::WorkIds;
use looking::{Looking, Seen};

/// A call or a search that is not over.
struct Open {
    id: CallId,
    began: Timestamp,
    give_up_at: Timestamp,
    kind: Kind,
}

enum Kind {
    Call(Box<OpenCall>),
    Search(RepQuery),
}

/// A call that is not over, and the last answer to it.
struct OpenCall {
    call: Arc<Call>,
    wire: WireRequest,
    status: Option<u16>,
    response: Option<Value>,
}

/// What is due at a moment.
enum Due {
    TryOutcome(u64, TryOutcome),
    Answer(u64, Answer),
    Found(u64, Result<Vec<RepId>, SearchFailure>),
    GiveUp(u64),
}

/// A note, or the place of one that will be written when its call is over.
enum NoteSlot {
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

pub(super) struct Player<S: Side> {
    engine: Engine<(), Looking>,
    answers: Answers<S>,
    /// Whether the recording says whom the rep finder found.
    searches_recorded: bool,
    searches: Searches,
    works: WorkIds,
    roster: Roster,
    owner: RoutingOwner,
    now: Timestamp,
    due: BinaryHeap<Reverse<(Timestamp, u64)>>,
    due_what: BTreeMap<u64, Due>,
    open: BTreeMap<u64, Open>,
    /// The same by the names of their commands.
    numbers: HashMap<CallId, u64>,
    next: u64,
    slots: VecDeque<NoteSlot>,
    created: BTreeMap<EventId, Timestamp>,
    at_end: bool,
    failure: Option<S::Error>,
    /// What a store would hold, where somebody wants to have it.
    journal: Option<Vec<JournalRow>>,
    pub(super) summary: Summary,
}

impl<S: Side> Player<S> {
    pub(super) fn new(
        settings: Settings,
        answers: Answers<S>,
        searches_recorded: bool,
        file: Arc<str>,
    ) -> Self {
        let compared = matches!(answers, Answers::Recorded(_));
        Self {
            engine: Engine::new(nowhere(), settings, Looking::default()),
            answers,
            searches_recorded,
            searches: Searches::default(),
            works: WorkIds::default(),
            roster: Roster::default(),
            owner: RoutingOwner::Partner,
            now: Timestamp::from_millis(i64::MIN),
            due: BinaryHeap::new(),
            due_what: BTreeMap::new(),
            open: BTreeMap::new(),
            numbers: HashMap::new(),
            next: 0,
            slots: VecDeque::new(),
            created: BTreeMap::new(),
            at_end: false,
            failure: None,
            journal: None,
            summary: Summary { file, compared, ..Summary::default() },
        }
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The notes that are complete, in the order in which they began.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        let mut notes = Vec::new();
        while let Some(NoteSlot::Written(_)) = self.slots.front() {
            if let Some(NoteSlot::Written(note)) = self.slots.pop_front() {
                notes.push(*note);
            }
        }
        notes
    }

    /// Keeps what a store would hold from now on, for [`Engine::take_journal`].
    pub(super) fn keep_journal(&mut self) {
        self.journal = Some(Vec::new());
    }

    pub(super) fn take_journal(&mut self) -> Vec<JournalRow> {
        self.journal.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What went wrong with the live side.
    pub(super) fn take_failure(&mut self) -> Option<S::Error> {
        self.failure.take()
    }

    fn note(&mut self, conversation: &ConversationId, what: What) {
        let note = Note { at: self.now, conversation: conversation.clone(), what };
        self.slots.push_back(NoteSlot::Written(Box::new(note)));
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
        self.engine.set_settings(settings);
    }

    pub(super) fn settings(&self) -> &Settings {
        self.engine.settings()
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
        self.summary.events = self.summary.events.saturating_add(1);
        if let Some(reason) = decoded.ignored {
            self.summary.count_passed(&reason);
        }
        for field in &decoded.odd {
            self.summary.count_passed(&format_args!("{field}, which is not of its usual type"));
        }
        for event in decoded.events {
            self.on_event(event);
        }
    }

    pub(super) fn into_replayed(self) -> Replayed {
        Replayed {
            summary: self.summary,
            conversations: self.engine.into_conversations(),
            roster: self.roster,
        }
    }

    fn on_event(&mut self, mut event: Event) {
        if matches!(event.what, EventKind::RoutingRequested(_)) && !self.routes() {
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
        let Some(conversation) = self.conversation_of(&event) else {
            self.summary.count_passed(&"an event of a work item that was never heard of");
            return;
        };
        if is_told(&event.what) {
            self.note(&conversation, What::Event(Box::new(event.what.clone())));
        }
        let delivery = Delivery { events: smallvec![event], ..Delivery::default() };
        self.engine.deliver(self.now, (), delivery);
        self.do_outputs();
    }

    fn conversation_of(&self, event: &Event) -> Option<ConversationId> {
        match (&event.conversation, &event.what) {
            (Some(id), _) => Some(id.clone()),
            (None, EventKind::WorkChanged(change)) => {
                let known = self.engine.conversations().of_work_item(change.work_item?)?;
                Some(known.id().clone())
            }
            (None, _) => None,
        }
    }

    /// Feeds a recorded answer of the rep finder.
    pub(super) fn on_found(&mut self, found: RepFinder) {
        if let Some((call, reps)) = self.searches.on_found(self.now, found) {
            self.found(call, Ok(reps));
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
        self.summary.differences = self.summary.differences.saturating_add(1);
        let nowhere = ConversationId::parse("-").ok();
        if let Some(conversation) = conversation.cloned().or(nowhere) {
            self.note(&conversation, What::Difference(Box::new(difference)));
        }
    }

    /// Does what the engine says; what it wants to have stored is taken for stored.
    pub(super) fn do_outputs(&mut self) {
        loop {
            self.note_what_was_seen();
            let Some(output) = self.engine.output() else { return };
            match output {
                Output::Load => self.engine.loaded(self.now, Loaded::nothing()),
                Output::Append(turn) => {
                    if let Some(journal) = &mut self.journal {
                        journal.extend(JournalRow::of(*turn));
                    }
                    self.engine.appended(self.now, Ok(Appended::Stored { wants_state: false }));
                }
                Output::Send { id, attempt, .. } => self.send(id, &attempt),
                Output::Find(search) => self.search(search),
                Output::Tell(Telling { announcement: told, .. }) => {
                    // What becomes of a session is told by its event.
                    if let Announced::Rep { rep, joined } = told.what {
                        self.note(&told.conversation, What::Announced { rep, joined });
                    }
                }
                Output::Ended { conversation, ending } => self.end(&conversation, ending),
                // Nothing is delivered that the store would have to be asked about.
                Output::AskSeen(causes) => {
                    let seen = vec![false; causes.len()];
                    self.engine.seen(self.now, causes, Ok(seen));
                }
                // A recording has no answer to a question that nobody asked then.
                Output::AskWorkItem(_) | Output::Processed { .. } => {}
            }
        }
    }

    fn note_what_was_seen(&mut self) {
        for seen in self.engine.observer().take() {
            match seen {
                Seen::Requested { request, created } => drop(self.created.insert(request, created)),
                Seen::Remark(conversation, remark) => self.note(&conversation, What::Remark(remark)),
                Seen::Answered { id, answer, tries } => self.note_answer(&id, answer, tries),
            }
        }
    }

    fn end(&mut self, conversation: &ConversationId, ending: Ending) {
        let Ending { request, at, outcome, reason } = ending;
        self.summary.count_ending(outcome);
        let after = self.created.remove(&request).map_or(Duration::ZERO, |created| at.since(created));
        self.note(conversation, What::Ended { request, at, outcome, reason, after });
    }
}

/// Whether a happening belongs into the story.
fn is_told(happening: &EventKind) -> bool {
    !matches!(
        happening,
        EventKind::ParticipantSeen(_) | EventKind::WorkItemSeen(_) | EventKind::RoutingStarted { .. }
    )
}

/// A replay stores nothing, so whose turns it makes says nothing.
fn nowhere() -> ChannelKey {
    ChannelKey { org: OrgId::NONE, channel: "replay".into() }
}
