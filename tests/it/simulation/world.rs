//! One world: the connector, Salesforce, the people and the link between them, in virtual time.
//!
//! Calls go as a client would send them: encoded, delivered, decoded, tried again. Events come as
//! Salesforce writes them. A seed decides everything; nothing here reads a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use byoc_connector::emulator::{
    Act, ApiRequest, Booked, Delivery, Done, Emission, Emitted, Operation, Salesforce,
};
use byoc_connector::events::{self, Decoder};
use byoc_connector::interaction::{Next, Tries, Verdict, decode, encode, jitter};
use byoc_connector::model::call::{Answer, Call};
use byoc_connector::model::event::{Event, Happening, Target};
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, RepId, WorkItemId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::model::roster::{Roster, Script};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{Availability, WorkChange};
use byoc_connector::rep_finder::choose;
use byoc_connector::routing::{
    Command, CommandId, Effects, Ending, Fact, Order, Remark, RequestFact, Settings, Turn,
};

use super::core::Core;
use super::link::{Dice, Fate, Link};

/// How long a client waits for the answer to one try.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);

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
    Try(u64),
    Reaches(u64, Timestamp),
    Judge(u64, Verdict),
    Found(u64, Vec<RepId>),
    Restart,
}

#[derive(Debug)]
struct Open {
    id: CommandId,
    conversation: ConversationId,
    give_up_at: Timestamp,
    order: Order,
    tries: Tries,
    failures: u32,
    /// Whether the process that made it is gone, and nobody waits for the answer.
    orphan: bool,
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
    pub(crate) changed: Vec<Booked>,
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
    /// Participants and open offers of a conversation, when an offer of ours made them too many.
    pub(crate) over_limit: Vec<String>,
    pub(crate) turns: usize,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) facts: usize,
    pub(crate) story: Vec<String>,
}

pub(crate) struct World<C> {
    pub(crate) salesforce: Salesforce,
    pub(crate) core: C,
    pub(crate) settings: Settings,
    pub(crate) link: Link,
    pub(crate) habits: Habits,
    pub(crate) now: Timestamp,
    pub(crate) trace: Trace,
    pub(crate) dice: Dice,
    pub(crate) crash: Option<Crash>,
    /// Whether the story is written down.
    pub(crate) told: bool,
    reps: Vec<RepId>,
    decoder: Decoder,
    due: BTreeMap<(Timestamp, u64), Due>,
    next: u64,
    calls: BTreeMap<u64, Open>,
    /// When the last event of each surface comes, per conversation: order is kept.
    last: BTreeMap<(WorkItemId, bool), Timestamp>,
    /// The platform events of each conversation that came, the latest last.
    heard: BTreeMap<ConversationId, Vec<Vec<Event>>>,
    down: bool,
    missed: Vec<(ConversationId, Vec<Event>)>,
    missed_browser: Vec<Event>,
}

impl<C: Core> World<C> {
    pub(crate) fn new(
        salesforce: Salesforce,
        core: C,
        settings: Settings,
        link: Link,
        habits: Habits,
        dice: Dice,
        now: Timestamp,
    ) -> Self {
        let listed = salesforce.snapshot()["reps"].as_array().cloned().unwrap_or_default();
        let reps = listed.iter().map(|rep| RepId::parse(rep["id"].as_str().unwrap()).unwrap()).collect();
        Self {
            salesforce,
            core,
            settings,
            link,
            habits,
            now,
            trace: Trace::default(),
            dice,
            crash: None,
            told: false,
            reps,
            decoder: Decoder::default(),
            due: BTreeMap::new(),
            next: 0,
            calls: BTreeMap::new(),
            last: BTreeMap::new(),
            heard: BTreeMap::new(),
            down: false,
            missed: Vec::new(),
            missed_browser: Vec::new(),
        }
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
        let core = if self.down { None } else { self.core.deadline() };
        let Some(next) = [due, salesforce, core].into_iter().flatten().min() else { return false };
        self.now = self.now.max(next);
        if salesforce == Some(next) {
            self.salesforce.advance(self.now);
            self.listen();
        } else if due == Some(next) {
            let (_, due) = self.due.pop_first().unwrap();
            self.on_due(due);
        } else if let Some(turn) = self.core.on_deadline(self.now) {
            self.say(|| "time passes".to_owned());
            self.on_turn(turn);
        }
        true
    }

    fn on_due(&mut self, due: Due) {
        match due {
            Due::Deed(deed) => self.do_deed(deed),
            Due::Platform(conversation, events) => self.hear_platform(conversation, events),
            Due::Browser(event) if !self.down => self.hear(event, "browser"),
            // Where the platform event tells of offers too, nobody needs the browser's word; where it
            // does not, the page says it again until it is heard.
            Due::Browser(event) => {
                if !self.salesforce.settings().channel.routing_work_result_supported {
                    self.missed_browser.push(event);
                }
            }
            Due::Try(number) => self.try_call(number),
            Due::Reaches(number, until) => self.reaches(number, until),
            Due::Judge(number, verdict) => self.judge(number, verdict),
            Due::Found(number, reps) => self.found(number, reps),
            Due::Restart => self.restart(),
        }
    }

    // People.

    fn do_deed(&mut self, deed: Deed) {
        match deed {
            Deed::Ask(conversation, target) => drop(self.ask(&conversation, &target)),
            Deed::AskAndCancel(conversation, target, millis) => {
                if let Some(request) = self.ask(&conversation, &target) {
                    self.plan(millis, Deed::Cancel(request));
                }
            }
            Deed::Cancel(request) => {
                if self.pends(&request) && self.act(Act::CancelRequest { request: request.clone() }) {
                    self.trace.called_off.insert(request);
                }
            }
            Deed::EndUserLeaves(conversation) => {
                self.act(Act::EndUserLeaves { conversation });
            }
            Deed::EndSession(conversation) => {
                self.act(Act::EndSession { conversation });
            }
            Deed::SomebodyLeaves(conversation) => {
                let reps: Vec<RepId> =
                    self.salesforce.conversation(&conversation).map(|it| it.reps().collect()).unwrap();
                if !reps.is_empty() {
                    let rep = *self.dice.pick(&reps);
                    self.act(Act::RepLeaves { conversation, rep });
                }
            }
            Deed::Presence(rep, availability) => {
                self.act(Act::SetPresence { rep, availability });
            }
            Deed::Answer(work, true) => {
                self.act(Act::Accept { work });
            }
            Deed::Answer(work, false) => {
                self.act(Act::Decline { work });
            }
        }
    }

    fn act(&mut self, act: Act) -> bool {
        let text = format!("{act:?}");
        let done = self.salesforce.act(self.now, act);
        self.say(|| format!("deed {text} -> {done:?}"));
        self.listen();
        done.is_ok()
    }

    /// A rep who waits for nobody asks. Salesforce lets a rep invite one at a time.
    fn ask(&mut self, conversation: &ConversationId, target: &Target) -> Option<EventId> {
        let reps: Vec<RepId> = self
            .salesforce
            .conversation(conversation)?
            .reps()
            .filter(|rep| !self.waits(conversation, *rep))
            .collect();
        if reps.is_empty() {
            return None;
        }
        let requester = *self.dice.pick(&reps);
        let act = Act::RequestConference {
            conversation: conversation.clone(),
            requester: Some(requester),
            target: target.clone(),
        };
        let done = self.salesforce.act(self.now, act);
        self.say(|| format!("deed {requester} asks for {target:?} -> {done:?}"));
        self.listen();
        match done {
            Ok(Done::Requested { request }) => Some(request),
            _ => None,
        }
    }

    fn waits(&self, conversation: &ConversationId, rep: RepId) -> bool {
        let known = self.salesforce.conversation(conversation).unwrap();
        let asked = |event: &EventId| {
            self.salesforce.request(event).is_some_and(|request| request.requester == Some(rep))
        };
        known.requests.iter().any(|event| asked(event) && self.pends(event))
    }

    /// Whether a rep sees the request as going on. Salesforce is told of no end after a success that came
    /// to nothing, but its rep sees that nobody rings any more.
    fn pends(&self, event: &EventId) -> bool {
        let Some(request) = self.salesforce.request(event) else { return false };
        let rings = || {
            self.salesforce.works().any(|it| it.correlation == *event && it.state.is_open())
                || self.salesforce.psrs().any(|psr| psr.correlation == *event)
        };
        request.is_open() && (request.answered.is_none() || rings())
    }

    // Events.

    /// Sends what Salesforce told on its way.
    fn listen(&mut self) {
        for emitted in self.salesforce.take_events() {
            self.send_event(emitted);
        }
    }

    fn send_event(&mut self, emitted: Emitted) {
        match emitted.what {
            Emission::AgentWork { rep, work_item_id, work_id, work_event } => {
                if work_event == "ASSIGNED" {
                    self.consider(rep, work_id);
                }
                if !self.link.browser {
                    return;
                }
                let told =
                    events::agent_work_event(work_item_id.as_str(), work_id.as_str(), &work_event, Some(rep));
                for event in told.unwrap().events {
                    let at = self.arrival(work_item_id, true);
                    if self.dice.chance(self.link.again) {
                        let again = at + Duration::from_millis(self.dice.between(1, 6_000));
                        self.at(again, Due::Browser(event.clone()));
                    }
                    self.at(at, Due::Browser(event));
                }
            }
            Emission::Platform { event, .. } => {
                let decoded = self.decoder.decode(&event.to_string(), emitted.at, None).unwrap();
                let Some(conversation) = decoded.events.iter().find_map(|it| it.conversation.clone()) else {
                    return;
                };
                let item = self.salesforce.conversation(&conversation).unwrap().work_item;
                let at = self.arrival(item, false);
                self.at(at, Due::Platform(conversation, decoded.events.into_vec()));
            }
        }
    }

    fn arrival(&mut self, item: WorkItemId, browser: bool) -> Timestamp {
        let drawn = self.now + Duration::from_millis(self.link.lateness(&mut self.dice));
        let last = self.last.entry((item, browser)).or_insert(drawn);
        *last = drawn.max(*last);
        *last
    }

    /// A rep without a script makes up their mind.
    fn consider(&mut self, rep: RepId, work: AgentWorkId) {
        if self.salesforce.rep(rep).is_none_or(|rep| rep.script != Script::Wait) {
            return;
        }
        let mood = self.dice.unit();
        let after = self.dice.between(1, self.habits.think);
        if mood < self.habits.accept {
            self.plan(after, Deed::Answer(work, true));
        } else if mood < self.habits.accept + self.habits.decline {
            self.plan(after, Deed::Answer(work, false));
        }
    }

    fn hear_platform(&mut self, conversation: ConversationId, events: Vec<Event>) {
        if self.down {
            self.missed.push((conversation, events));
            return;
        }
        let heard = self.heard.entry(conversation.clone()).or_default();
        heard.push(events.clone());
        // A stream that broke starts again at an event that was processed already.
        let again =
            if self.dice.chance(self.link.again) { self.dice.below(heard.len().min(4)) + 1 } else { 0 };
        let redelivered: Vec<Vec<Event>> = heard[heard.len() - again..].to_vec();
        for event in events {
            self.hear(event, "platform");
        }
        self.hear_again(redelivered.into_iter().flatten().collect());
    }

    /// What comes again. Routing requests, cancels, sessions and offers are the state machine's to know
    /// again. Who came and went has no name there: a coming of the past would be taken for an accept, so
    /// the duplicate check of whoever stores the events keeps it away.
    fn hear_again(&mut self, events: Vec<Event>) {
        for event in events {
            if !matches!(event.what, Happening::ParticipantsChanged(_)) {
                self.hear(event, "again");
            }
        }
    }

    fn hear(&mut self, event: Event, surface: &str) {
        self.say(|| format!("{surface}: {:?}", event.what));
        if let Some(turn) = self.core.on_event(self.now, event) {
            self.on_turn(turn);
        }
    }

    // The connector.

    fn on_turn(&mut self, turn: Turn) {
        let Turn { conversation, effects, .. } = turn;
        let Effects { facts, commands, announcements: _, endings, remarks } = effects;
        if facts.is_empty() {
            self.trace.remarks.extend(remarks);
            return;
        }
        for fact in &facts {
            self.say(|| format!("    {fact:?}"));
            self.note_decision(&conversation, fact);
        }
        self.trace.facts += facts.len();
        self.trace.remarks.extend(remarks);
        for ending in endings {
            self.trace.endings.push((conversation.clone(), ending));
        }
        let crash = self.crash.filter(|crash| crash.after_turn == self.trace.turns);
        self.trace.turns += 1;
        if crash.is_none_or(|crash| crash.commands_sent) {
            for command in commands {
                self.begin(&conversation, command, Tries::new());
            }
        }
        if let Some(crash) = crash {
            self.say(|| format!("the connector stops; what was asked for went out: {}", crash.commands_sent));
            self.down = true;
            for open in self.calls.values_mut() {
                open.orphan = true;
            }
            self.at(self.now + crash.down_for, Due::Restart);
        }
    }

    fn note_decision(&mut self, conversation: &ConversationId, fact: &Fact) {
        let Trace { decided, numbers, .. } = &mut self.trace;
        match fact {
            Fact::Requested(requested) => {
                numbers.insert((conversation.clone(), requested.number), requested.event.clone());
            }
            Fact::About(number, RequestFact::Decided(verdict)) => {
                let event = &numbers[&(conversation.clone(), *number)];
                decided.entry(event.clone()).or_insert(verdict.at);
            }
            _ => {}
        }
    }

    fn restart(&mut self) {
        self.say(|| "the connector starts again".to_owned());
        self.down = false;
        for (conversation, command) in self.core.restart() {
            self.begin(&conversation, command, Tries::resumed());
        }
        // The stream goes on from the last event that was processed, which comes again.
        let last: Vec<Event> =
            self.heard.values().filter_map(|heard| heard.last()).flatten().cloned().collect();
        self.hear_again(last);
        for event in std::mem::take(&mut self.missed_browser) {
            self.hear(event, "browser");
        }
        for (conversation, events) in std::mem::take(&mut self.missed) {
            self.hear_platform(conversation, events);
        }
    }

    fn begin(&mut self, conversation: &ConversationId, command: Command, tries: Tries) {
        let Command { id, give_up_at, order } = command;
        self.trace.commands.insert(id.clone(), conversation.clone());
        let number = self.next;
        self.next += 1;
        let found = match &order {
            Order::Call(_) => None,
            Order::Find(query) => Some(query.clone()),
        };
        let conversation = conversation.clone();
        let open = Open { id, conversation, give_up_at, order, tries, failures: 0, orphan: false };
        self.calls.insert(number, open);
        match found {
            None => self.try_call(number),
            Some(query) => self.find(number, &query, give_up_at),
        }
    }

    fn find(&mut self, number: u64, query: &RepQuery, give_up_at: Timestamp) {
        let reps = self.reps.iter().filter_map(|id| self.salesforce.rep(*id)).cloned().collect();
        let mut reps = choose(&Roster { reps, ..Roster::default() }, query);
        let mut after = self.now + Duration::from_millis(self.dice.between(1, 1_500));
        if self.dice.chance(self.habits.finder_trouble) {
            match self.dice.below(4) {
                0 => reps.clear(),
                1 => (reps, after) = (Vec::new(), give_up_at),
                2 => after = self.now + Duration::from_millis(self.dice.between(1_000, 60_000)),
                _ => {
                    reps = (0..3).map(|_| *self.dice.pick(&self.reps)).collect();
                }
            }
        }
        if after >= give_up_at {
            reps.clear();
        }
        self.at(after.min(give_up_at), Due::Found(number, reps));
    }

    fn found(&mut self, number: u64, reps: Vec<RepId>) {
        let Some(open) = self.calls.remove(&number) else { return };
        if open.orphan {
            return;
        }
        self.say(|| format!("found {reps:?} for {:?}", open.id));
        if let Some(turn) = self.core.on_found(self.now, open.conversation, open.id, reps) {
            self.on_turn(turn);
        }
    }

    // Calls.

    fn try_call(&mut self, number: u64) {
        let Some(open) = self.calls.get(&number).filter(|open| !open.orphan) else { return };
        if self.now >= open.give_up_at {
            return self.judge(number, Verdict::not_sent("its time was over before it could be sent"));
        }
        let until = (self.now + TRY_TIMEOUT).min(open.give_up_at);
        let way = Duration::from_millis(self.link.way(&mut self.dice));
        self.at((self.now + way).min(until - Duration::from_millis(1)), Due::Reaches(number, until));
    }

    fn reaches(&mut self, number: u64, until: Timestamp) {
        let Some(open) = self.calls.get(&number) else { return };
        let Order::Call(call) = open.order.clone() else { return };
        let clean_up = matches!(
            call,
            Call::CancelAgentWork { .. } | Call::ClearRoute { .. } | Call::RemoveParticipant { .. }
        );
        let (id, conversation) = (open.id.clone(), open.conversation.clone());
        let fate = self.link.fate(&mut self.dice, self.now.as_millis(), clean_up, open.failures);
        let verdict = self.deliver(&id, conversation, &call, fate);
        self.listen();
        let Some(open) = self.calls.get_mut(&number) else { return };
        if fate != Fate::Fine {
            open.failures += 1;
        }
        let back = self.now + Duration::from_millis(self.link.way_back(&mut self.dice));
        if back >= until {
            self.at(until, Due::Judge(number, Verdict::answer_lost("it took too long")));
        } else {
            self.at(back, Due::Judge(number, verdict));
        }
    }

    /// Lets a try meet Salesforce, and books what it did there.
    fn deliver(&mut self, id: &CommandId, conversation: ConversationId, call: &Call, fate: Fate) -> Verdict {
        let request = api_request(&self.salesforce, id, call);
        if let Some(fault) = fate.fault(operation_of(call)) {
            self.salesforce.plan_fault(fault);
        }
        self.salesforce.advance(self.now);
        let before = self.salesforce.books().entries().len();
        let draw = self.dice.unit();
        let delivery = self.salesforce.deliver(self.now, &request, draw);
        self.salesforce.clear_faults();
        let entries = &self.salesforce.books().entries()[before..];
        let changed: Vec<Booked> = entries.iter().map(|entry| entry.what.clone()).collect();
        let answered = changed.iter().find_map(|booked| match booked {
            Booked::Call { status, code, .. } => Some((*status, *code)),
            _ => None,
        });
        self.say(|| format!("at Salesforce: {:?} {call:?} {fate:?} -> {answered:?}", id.number));
        if let Some((status, code)) = answered {
            self.note_made(Made {
                at: self.now,
                id: id.clone(),
                conversation,
                call: call.clone(),
                status,
                code,
                changed,
            });
        }
        match (delivery, fate) {
            (Delivery::NoAnswer { .. }, Fate::NotConnected) => Verdict::not_sent("no connection"),
            (Delivery::NoAnswer { .. }, _) => Verdict::answer_lost("the connection broke"),
            (Delivery::Answer { .. }, Fate::DoneAnd503) => decode(call, 503, None, b"upstream is not well"),
            (Delivery::Answer { response, .. }, Fate::DoneAndGarbled) if response.status < 300 => {
                decode(call, response.status, None, b"{}")
            }
            (Delivery::Answer { response, .. }, _) => {
                let wait = response.headers.iter().find(|(name, _)| name == "Retry-After");
                let wait = wait.and_then(|(_, seconds)| seconds.parse().ok()).map(Duration::from_secs);
                decode(call, response.status, wait, response.body.to_string().as_bytes())
            }
        }
    }

    fn note_made(&mut self, made: Made) {
        for booked in &made.changed {
            match booked {
                Booked::OfferCreated { work, .. } => {
                    self.trace.works.insert(*work, made.id.request.clone());
                    self.count_seats(&made.conversation, *work);
                }
                Booked::PsrCreated { psr, .. } => {
                    self.trace.psrs.insert(*psr, made.id.request.clone());
                }
                _ => {}
            }
        }
        self.trace.made.push(made);
    }

    fn count_seats(&mut self, conversation: &ConversationId, work: AgentWorkId) {
        let Some(limit) = self.settings.participant_limit else { return };
        let there = self.salesforce.conversation(conversation).unwrap();
        let open = there.works.iter().filter_map(|id| self.salesforce.work(*id));
        let open = open.filter(|work| work.state.is_open()).count();
        let taken = there.participants.len() + open;
        if taken > limit as usize {
            let text = format!("{taken} of {limit} seats with the offer {work} in {conversation}");
            self.trace.over_limit.push(text);
        }
    }

    fn judge(&mut self, number: u64, verdict: Verdict) {
        let Some(open) = self.calls.get_mut(&number) else { return };
        if open.orphan {
            self.calls.remove(&number);
            return;
        }
        let chance = jitter(open.id.request_id(), open.tries.made());
        match open.tries.next(verdict, self.now, open.give_up_at, chance) {
            Next::Answer(answer) => self.answered(number, answer),
            Next::TryAgainAt(at) => self.at(at, Due::Try(number)),
            Next::RefreshTokenAndTryAgain => self.later(0, Due::Try(number)),
        }
    }

    fn answered(&mut self, number: u64, answer: Answer) {
        let Some(Open { id, conversation, .. }) = self.calls.remove(&number) else { return };
        self.say(|| format!("answer to {:?}: {answer:?}", id.number));
        if let Some(turn) = self.core.on_answer(self.now, conversation, id, answer) {
            self.on_turn(turn);
        }
    }
}

/// A call as the client puts it on the wire.
pub(crate) fn api_request(salesforce: &Salesforce, id: &CommandId, call: &Call) -> ApiRequest {
    let wire = encode(call);
    let settings = salesforce.settings();
    let mut headers = vec![
        ("Authorization".to_owned(), "Bearer simulation".to_owned()),
        ("OrgId".to_owned(), settings.org.to_string()),
        ("AuthorizationContext".to_owned(), settings.channel.developer_name.clone()),
        ("RequestId".to_owned(), id.request_id().to_string()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ];
    if wire.context_type {
        let value = "ConversationChannelDefinition".to_owned();
        headers.push(("AuthorizationContextType".to_owned(), value));
    }
    ApiRequest {
        method: wire.method.as_str().to_owned(),
        path: wire.path.to_owned(),
        headers,
        body: wire.body.to_string().into_bytes(),
    }
}

pub(crate) fn operation_of(call: &Call) -> Operation {
    match call {
        Call::Route { .. } => Operation::CreateRoute,
        Call::ClearRoute { .. } => Operation::DeleteRoute,
        Call::CreateAgentWork { .. } => Operation::CreateAgentWork,
        Call::CancelAgentWork { .. } => Operation::UpdateAgentWork,
        Call::ReportResult { .. } => Operation::RoutingResult,
        Call::RemoveParticipant { .. } => Operation::Participant,
    }
}

/// Whether an offer stops ringing with that change.
pub(crate) const fn ends_ringing(change: WorkChange) -> bool {
    matches!(change, WorkChange::Accepted | WorkChange::Declined | WorkChange::Cancelled)
}
