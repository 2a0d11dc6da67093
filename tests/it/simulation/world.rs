//! One world: the connector, Salesforce, the people and the link between them, in virtual time.
//!
//! Calls go as a client would send them: encoded, delivered, decoded, tried again. Events come as
//! Salesforce writes them. A seed decides everything; nothing here reads a clock.

mod calling;
mod driving;
mod hearing;
mod people;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use byoc_connector::emulator::{Act, Done, LedgerEvent, Salesforce, WorkState};
use byoc_connector::engine::{CallId, Engine};
use byoc_connector::events::Decoder;
use byoc_connector::interaction::TryOutcome;
use byoc_connector::model::call::Call;
use byoc_connector::model::event::{Event, Target};
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, RepId, WorkItemId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{Availability, WorkChange};
use byoc_connector::routing::{CommandId, Ending, Remark, SearchFailure, Settings};
use byoc_connector::store::{Telling, TurnRecord};

use super::journal::Journal;
use super::link::{Dice, Link};

pub(crate) use calling::api_request;
pub(crate) use driving::StoreTrouble;
use driving::{Commanded, Looking};

/// How long a client waits for the answer to one try.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long sessions that wait are routed anew.
const WATCHED: Duration = Duration::from_secs(600);

/// More steps than this, and a world goes in circles.
const MOST_STEPS: usize = 20_000;

/// What people do.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Some rep of the conversation asks for somebody.
    Ask(ConversationId, Target),
    /// As above, and changes their mind so many milliseconds later.
    AskAndCancel(ConversationId, Target, u64),
    Cancel(EventId),
    EndUserLeaves(ConversationId),
    EndSession(ConversationId),
    SomebodyLeaves(ConversationId),
    Presence(RepId, Availability),
    Answer(AgentWorkId, bool),
}

/// How reps answer who have no script.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    pub(crate) accept: f64,
    pub(crate) decline: f64,
    /// The longest that they think, in milliseconds.
    pub(crate) think: u64,
    /// How often the rep finder names nobody, keeps silent, or names whoever it likes.
    pub(crate) finder_trouble: f64,
    /// Whether reps hand conversations over as well.
    pub(crate) transfers: bool,
}

/// When the connector stops, for how long, and whether the commands of its last turn still went out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crash {
    pub(crate) after_turn: usize,
    pub(crate) commands_sent: bool,
    pub(crate) down_for: Duration,
}

#[derive(Debug)]
enum Due {
    Deed(Deed),
    Platform(ConversationId, Vec<Event>),
    Browser(Event),
    Reaches(UnderWay),
    /// Of which process, and of which call.
    Tried(u32, CallId, TryOutcome),
    Found(u32, CallId, Result<Vec<RepId>, SearchFailure>),
    /// The oldest turn on its way to the store arrives.
    Append,
    Restart,
}

/// A try on its way to Salesforce.
#[derive(Debug)]
struct UnderWay {
    id: CallId,
    call: Arc<Call>,
    /// When nobody waits for its answer any more.
    until: Timestamp,
    /// Which process made it; where that is gone, nobody waits for the answer.
    process: u32,
}

/// A call that has no answer yet.
#[derive(Debug)]
struct OpenCall {
    call: Arc<Call>,
    failures: u32,
}

/// A call as it was carried out or refused at Salesforce.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) at: Timestamp,
    pub(crate) id: CommandId,
    pub(crate) conversation: ConversationId,
    pub(crate) call: Call,
    pub(crate) status: u16,
    pub(crate) code: Option<u32>,
    /// What it changed there.
    pub(crate) changed: Vec<LedgerEvent>,
}

/// What happened, for whoever judges.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) made: Vec<Made>,
    pub(crate) endings: Vec<(ConversationId, Ending)>,
    pub(crate) commands: BTreeMap<CommandId, ConversationId>,
    pub(crate) works: BTreeMap<AgentWorkId, EventId>,
    pub(crate) psrs: BTreeMap<PsrId, EventId>,
    /// Requests that people called off while Salesforce had them for open.
    pub(crate) called_off: BTreeSet<EventId>,
    /// When the connector first said a last word on a request; a rep who joins after all may change it.
    pub(crate) decided: BTreeMap<EventId, Timestamp>,
    numbers: BTreeMap<(ConversationId, u32), EventId>,
    /// Requests that ended with a rep who was the only one in the conversation then.
    pub(crate) alone: BTreeSet<EventId>,
    /// Reps whose offers a request could not take back at first: its PSR does not wait for it.
    pub(crate) owed_cancels: BTreeSet<(EventId, RepId)>,
    /// Offers whose ids the connector has learned.
    pub(crate) named: BTreeSet<AgentWorkId>,
    /// Clean-ups that failed, that are still needed, and that the connector does not owe.
    pub(crate) not_owed: Vec<String>,
    /// Participants and open offers of a conversation, when an offer of ours made them too many.
    pub(crate) over_limit: Vec<String>,
    /// Endings that the engine told, which is once they are durable.
    pub(crate) told: Vec<(ConversationId, Ending)>,
    /// What the partner heard, as often as it did.
    pub(crate) heard: Vec<Telling>,
    /// First tries that left before what had been commanded earlier.
    pub(crate) overtaken: Vec<String>,
    /// How many turns are stored.
    pub(crate) turns: usize,
    pub(crate) store_failures: usize,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) facts: usize,
    pub(crate) story: Vec<String>,
}

pub(crate) struct World {
    pub(crate) salesforce: Salesforce,
    pub(crate) engine: Engine<u64, Looking>,
    pub(crate) journal: Journal,
    pub(crate) settings: Settings,
    pub(crate) link: Link,
    pub(crate) habits: Habits,
    pub(crate) now: Timestamp,
    pub(crate) trace: Trace,
    pub(crate) dice: Dice,
    pub(crate) crash: Option<Crash>,
    pub(crate) store_trouble: Option<StoreTrouble>,
    /// Whether the story is written down.
    pub(crate) told: bool,
    began: Timestamp,
    reps: Vec<RepId>,
    decoder: Decoder,
    due: BTreeMap<(Timestamp, u64), Due>,
    next: u64,
    /// How often the connector has stopped.
    process: u32,
    open: BTreeMap<CallId, OpenCall>,
    commanded: Commanded,
    /// Turns on their way to the store.
    appends: VecDeque<TurnRecord>,
    /// How often the store was read.
    loads: usize,
    /// What the engine has not called processed, by its ticket.
    delivered: BTreeMap<u64, Vec<Event>>,
    /// When the last event of each surface comes, per conversation: order is kept.
    last: BTreeMap<(WorkItemId, bool), Timestamp>,
    /// The platform events of each conversation that came, the latest last.
    heard: BTreeMap<ConversationId, Vec<Vec<Event>>>,
    down: bool,
    missed: Vec<(ConversationId, Vec<Event>)>,
    missed_browser: Vec<Event>,
}

impl World {
    /// Whether anybody tells what becomes of an offer that was declined or taken back.
    pub(crate) fn is_told(&self) -> bool {
        self.link.browser || self.salesforce.settings().channel.routing_work_result_supported
    }

    /// Whether nobody can take the offer back: the answer to its creation was lost, and nobody tells its id, or only
    /// when it is assigned, and it still waits for its rep to have room.
    pub(crate) fn is_nameless(&self, work: AgentWorkId) -> bool {
        let waits = self.salesforce.work(work).is_some_and(|it| it.state == WorkState::Waiting);
        (waits || !self.is_told()) && !self.trace.named.contains(&work)
    }
}

impl World {
    pub(crate) fn new(
        salesforce: Salesforce,
        settings: Settings,
        link: Link,
        habits: Habits,
        dice: Dice,
        now: Timestamp,
    ) -> Self {
        let listed = salesforce.snapshot()["reps"].as_array().cloned().unwrap_or_default();
        let reps = listed.iter().map(|rep| RepId::parse(rep["id"].as_str().unwrap()).unwrap()).collect();
        let mut world = Self {
            salesforce,
            engine: driving::engine(now, &settings),
            journal: Journal::default(),
            settings,
            link,
            habits,
            now,
            trace: Trace::default(),
            dice,
            crash: None,
            store_trouble: None,
            told: false,
            began: now,
            reps,
            decoder: Decoder::default(),
            due: BTreeMap::new(),
            next: 0,
            process: 0,
            open: BTreeMap::new(),
            commanded: Commanded::default(),
            appends: VecDeque::new(),
            loads: 0,
            delivered: BTreeMap::new(),
            last: BTreeMap::new(),
            heard: BTreeMap::new(),
            down: false,
            missed: Vec::new(),
            missed_browser: Vec::new(),
        };
        world.do_outputs();
        world
    }

    fn say(&mut self, text: impl FnOnce() -> String) {
        if self.told {
            let line = format!("{:>7} {}", self.now.as_millis() % 10_000_000, text());
            self.trace.story.push(line);
        }
    }

    fn later(&mut self, millis: u64, due: Due) {
        self.at(self.now + Duration::from_millis(millis), due);
    }

    fn at(&mut self, at: Timestamp, due: Due) {
        self.due.insert((at.max(self.now), self.next), due);
        self.next += 1;
    }

    pub(crate) fn plan(&mut self, millis: u64, deed: Deed) {
        self.later(millis, Due::Deed(deed));
    }

    /// Lets a conversation begin, and everybody hear of it in time.
    pub(crate) fn start(&mut self, reps: Vec<RepId>) -> ConversationId {
        let done = self.salesforce.act(self.now, Act::StartConversation { end_user: None, reps });
        let Ok(Done::Started { conversation, .. }) = done else { panic!("{done:?}") };
        self.listen();
        conversation
    }

    /// Runs until nothing is due and nothing is open.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        for _ in 0..MOST_STEPS {
            if !self.step() {
                return Ok(());
            }
        }
        Err("it never comes to rest".to_owned())
    }

    fn step(&mut self) -> bool {
        let due = self.due.keys().next().map(|(at, _)| *at);
        let salesforce = self.salesforce.deadline();
        // A session that waits is routed anew for as long as it waits; no world is watched for ever.
        let watched = |at: &Timestamp| !self.is_settled() || *at < self.began + WATCHED;
        let engine = if self.down { None } else { self.engine.deadline().filter(watched) };
        let Some(next) = [due, salesforce, engine].into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        if salesforce == Some(next) {
            self.salesforce.advance(self.now);
            self.listen();
        } else if due == Some(next) {
            let (_, due) = self.due.pop_first().unwrap();
            self.on_due(due);
        } else {
            self.say(|| "time passes".to_owned());
            self.tick();
        }
        true
    }

    fn on_due(&mut self, due: Due) {
        match due {
            Due::Deed(deed) => self.do_deed(deed),
            Due::Platform(conversation, events) => self.hear_platform(conversation, events),
            Due::Browser(event) if !self.down => self.hear(vec![event], "browser"),
            // Where the platform event tells of offers too, nobody needs the browser's word; where it
            // does not, the page says it again until it is heard.
            Due::Browser(event) => {
                if !self.salesforce.settings().channel.routing_work_result_supported {
                    self.missed_browser.push(event);
                }
            }
            Due::Reaches(under_way) => self.reaches(under_way),
            Due::Tried(process, id, outcome) => self.tried(process, &id, outcome),
            Due::Found(process, id, found) => self.found(process, id, found),
            Due::Append => self.append_next(),
            Due::Restart => self.restart(),
        }
    }
}

/// Whether an offer stops ringing with that change.
pub(crate) const fn ends_ringing(change: WorkChange) -> bool {
    matches!(change, WorkChange::Accepted | WorkChange::Declined | WorkChange::Cancelled)
}
