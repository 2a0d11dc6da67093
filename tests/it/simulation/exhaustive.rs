//! Every interleaving of a small world: what arrives when, who clicks when, which deadline passes first.
//!
//! Anything that is under way may arrive next, each surface in its own order. Time stands still but for
//! two steps: up to a second before the next deadline, and past it. Nothing is under way for longer than
//! [`LATEST`], which is what the connector relies on where Salesforce will not say what became of an
//! offer. States that differ in ids alone are one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use byoc_connector::emulator::{Act, Channel, Delivery, Done, Emission, Salesforce, Settings as Org};
use byoc_connector::events::{self, Decoder};
use byoc_connector::interaction::{Verdict, decode};
use byoc_connector::model::call::{Answer, Call, Refusal};
use byoc_connector::model::event::{Event, Target};
use byoc_connector::model::ids::{AgentWorkId, EventId, RepId};
use byoc_connector::model::roster::{Queue, Rep, Roster, Script};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::Availability;
use byoc_connector::rep_finder::choose;
use byoc_connector::routing::{
    Command, Conversation, Effects, Ending, Input, Order, Outcome, Policy, Reason, Remark, Report, Ring,
    Settings,
};

use super::seeds::{queue_id, rep_id};
use super::world::api_request;

const START: Timestamp = Timestamp::from_millis(1_780_000_000_000);
/// The longest that anything is under way.
const LATEST: Duration = Duration::from_secs(9);

/// A small world.
struct Small {
    target: Target,
    /// How many reps can be asked.
    reps: usize,
    ring: Ring,
    report: Report,
    browser: bool,
    /// How often the requester may cancel, and how many answers may be lost.
    cancels: u8,
    losses: u8,
}

/// A call or a question on its way.
#[derive(Debug, Clone)]
struct Under {
    since: Timestamp,
    command: Command,
    lost_before: bool,
}

#[derive(Debug, Clone)]
enum Come {
    Answer(Answer),
    Reps(Vec<RepId>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Reaches(usize),
    ReachesAndIsLost(usize),
    Arrives(usize),
    Platform,
    Browser,
    Cancel,
    Accept(AgentWorkId),
    Decline(AgentWorkId),
    Approach(Timestamp),
    Pass(Timestamp),
}

#[derive(Clone)]
struct State {
    now: Timestamp,
    conversation: Conversation,
    salesforce: Salesforce,
    request: EventId,
    calls: Vec<Under>,
    answers: Vec<(Timestamp, Command, Come)>,
    platform: VecDeque<(Timestamp, Vec<Event>)>,
    browser: VecDeque<(Timestamp, Event)>,
    cancels: u8,
    losses: u8,
    cancelled: bool,
    endings: Vec<Ending>,
    reports: BTreeSet<u16>,
    path: Vec<Step>,
}

struct Explorer {
    small: Small,
    settings: Settings,
    roster: Roster,
    seen: HashSet<u64>,
    steps: usize,
    endings: BTreeMap<Outcome, usize>,
}

impl Explorer {
    fn new(small: Small) -> Self {
        let policy = Policy { ring: small.ring, report: small.report, ..Policy::default() };
        let settings = Settings { conference_supported: true, participant_limit: None, policy };
        let rep = |number: usize| Rep {
            id: rep_id(number),
            name: String::new(),
            availability: Availability::Available,
            messaging: true,
            capacity: 10.0,
            capacity_used: 0.0,
            queues: if number == 1 { Vec::new() } else { vec![queue_id(1)] },
            skills: Vec::new(),
            script: Script::Wait,
        };
        let roster = Roster {
            reps: (1..=small.reps + 1).map(rep).collect(),
            queues: vec![Queue {
                id: queue_id(1),
                name: String::new(),
                wait_seconds: None,
                accepted_last_10_minutes: 0,
                reps: Vec::new(),
            }],
            ..Roster::default()
        };
        Self { small, settings, roster, seen: HashSet::new(), steps: 0, endings: BTreeMap::new() }
    }

    fn start(&self) -> State {
        let channel = Channel { routing_work_result_supported: !self.small.browser, ..Channel::default() };
        let mut salesforce = Salesforce::new(1, self.roster.clone(), Org { channel, ..Org::default() });
        let begun = salesforce.act(START, Act::StartConversation { end_user: None, reps: vec![rep_id(1)] });
        let Ok(Done::Started { conversation, .. }) = begun else { panic!("{begun:?}") };
        let target = self.small.target.clone();
        let asked = Act::RequestConference { conversation: conversation.clone(), requester: None, target };
        let asked = salesforce.act(START, asked);
        let Ok(Done::Requested { request }) = asked else { panic!("{asked:?}") };
        let mut state = State {
            now: START,
            conversation: Conversation::new(conversation),
            salesforce,
            request,
            calls: Vec::new(),
            answers: Vec::new(),
            platform: VecDeque::new(),
            browser: VecDeque::new(),
            cancels: self.small.cancels,
            losses: self.small.losses,
            cancelled: false,
            endings: Vec::new(),
            reports: BTreeSet::new(),
            path: Vec::new(),
        };
        self.listen(&mut state);
        // What led to the request has been heard before anything else can happen.
        while let Some((_, events)) = state.platform.pop_front() {
            for event in events {
                self.feed(&mut state, Input::Happened(event.what));
            }
        }
        state
    }

    fn explore(&mut self) {
        let mut open = vec![self.start()];
        while let Some(state) = open.pop() {
            let steps = self.steps_of(&state);
            if steps.is_empty() {
                self.check_end(&state);
            }
            for step in steps {
                let mut next = state.clone();
                next.path.push(step);
                self.take(&mut next, step);
                self.steps += 1;
                self.check(&next);
                if self.seen.insert(key(&next)) {
                    open.push(next);
                }
            }
        }
    }

    fn steps_of(&self, state: &State) -> Vec<Step> {
        let mut steps = Vec::new();
        for number in 0..state.calls.len() {
            steps.push(Step::Reaches(number));
            if state.losses > 0 && matches!(state.calls[number].command.order, Order::Call(_)) {
                steps.push(Step::ReachesAndIsLost(number));
            }
        }
        steps.extend((0..state.answers.len()).map(Step::Arrives));
        if !state.platform.is_empty() {
            steps.push(Step::Platform);
        }
        if !state.browser.is_empty() {
            steps.push(Step::Browser);
        }
        if state.cancels > 0 && state.salesforce.request(&state.request).unwrap().is_open() {
            steps.push(Step::Cancel);
        }
        for work in state.salesforce.works().filter(|work| work.state.is_open()) {
            steps.push(Step::Accept(work.id));
            steps.push(Step::Decline(work.id));
        }
        if let Some(deadline) = state.conversation.deadline(&self.settings) {
            let oldest = state.oldest();
            let may_wait_until = |at: Timestamp| oldest.is_none_or(|since| at <= since + LATEST);
            let before = deadline - Duration::from_secs(1);
            if before > state.now && may_wait_until(before) {
                steps.push(Step::Approach(before));
            } else if may_wait_until(deadline) {
                steps.push(Step::Pass(deadline));
            }
        }
        steps
    }

    fn take(&self, state: &mut State, step: Step) {
        match step {
            Step::Reaches(number) => self.reaches(state, number, false),
            Step::ReachesAndIsLost(number) => self.reaches(state, number, true),
            Step::Arrives(number) => {
                let (_, command, come) = state.answers.remove(number);
                let input = match come {
                    Come::Answer(answer) => Input::Answered(command.id, answer),
                    Come::Reps(reps) => Input::Found(command.id, Ok(reps)),
                };
                self.feed(state, input);
            }
            Step::Platform => {
                for event in state.platform.pop_front().unwrap().1 {
                    self.feed(state, Input::Happened(event.what));
                }
            }
            Step::Browser => {
                let (_, event) = state.browser.pop_front().unwrap();
                self.feed(state, Input::Happened(event.what));
            }
            Step::Cancel => {
                let request = state.request.clone();
                state.cancels -= 1;
                state.cancelled = true;
                state.salesforce.act(state.now, Act::CancelRequest { request }).unwrap();
            }
            Step::Accept(work) => drop(state.salesforce.act(state.now, Act::Accept { work }).unwrap()),
            Step::Decline(work) => drop(state.salesforce.act(state.now, Act::Decline { work }).unwrap()),
            Step::Approach(at) => state.now = at,
            Step::Pass(at) => {
                state.now = state.now.max(at);
                self.feed(state, Input::DeadlineReached);
            }
        }
        state.salesforce.advance(state.now);
        self.listen(state);
    }

    fn reaches(&self, state: &mut State, number: usize, lost: bool) {
        let under = state.calls.remove(number);
        let Under { command, lost_before, .. } = under;
        let call = match &command.order {
            Order::Find(query) => {
                let reps = choose(&self.roster, query);
                state.answers.push((state.now, command, Come::Reps(reps)));
                return;
            }
            Order::Call(call) => call.clone(),
        };
        if let Call::ReportResult { .. } = call {
            state.reports.insert(command.id.number);
        }
        let request = api_request(&state.salesforce, &command.id, &call);
        let delivery = state.salesforce.deliver(state.now, &request, 0.0);
        let Delivery::Answer { response, .. } = delivery else { panic!("{delivery:?}") };
        if lost {
            state.losses -= 1;
            state.calls.push(Under { since: state.now, command, lost_before: true });
            return;
        }
        let answer = match decode(&call, response.status, None, response.body.to_string().as_bytes()) {
            Verdict::Done(reply) => Answer::Done(reply),
            Verdict::Refused(what) => Answer::Refused(Refusal {
                status: what.status,
                code: what.code,
                message: what.message,
                after_lost_try: lost_before,
            }),
            other => panic!("{other:?}"),
        };
        state.answers.push((state.now, command, Come::Answer(answer)));
    }

    fn feed(&self, state: &mut State, input: Input) {
        let Effects { commands, endings, remarks, .. } =
            state.conversation.handle(&self.settings, state.now, input);
        for remark in remarks {
            assert!(!matches!(remark, Remark::Broken(_)), "{remark:?} {:?}", state.path);
        }
        state.endings.extend(endings);
        let now = state.now;
        state.calls.extend(commands.into_iter().map(|command| Under {
            since: now,
            command,
            lost_before: false,
        }));
    }

    fn listen(&self, state: &mut State) {
        for emitted in state.salesforce.take_events() {
            match emitted.what {
                Emission::Platform { event, .. } => {
                    let decoded = Decoder::default().decode(&event.to_string(), emitted.at, None).unwrap();
                    state.platform.push_back((state.now, decoded.events.into_vec()));
                }
                Emission::AgentWork { rep, work_item_id, work_id, work_event } if self.small.browser => {
                    let (item, work) = (work_item_id.as_str(), work_id.as_str());
                    let decoded = events::agent_work_event(item, work, &work_event, Some(rep)).unwrap();
                    state.browser.extend(decoded.events.into_iter().map(|event| (state.now, event)));
                }
                Emission::AgentWork { .. } => {}
            }
        }
    }

    /// How a state came about, step by step.
    fn tell(&self, state: &State) -> String {
        let mut again = self.start();
        let mut story = format!("{:?}\n", state.endings);
        for step in &state.path {
            let before = again.conversation.clone();
            self.take(&mut again, *step);
            writeln!(
                story,
                "{step:?}: calls {:?}",
                again.calls.iter().map(|it| it.command.id.number).collect::<Vec<_>>()
            )
            .unwrap();
            if again.conversation != before {
                writeln!(story, "    {:?}", again.conversation).unwrap();
            }
        }
        story
    }

    /// What holds at every moment.
    fn check(&self, state: &State) {
        let ringing = state.salesforce.works().filter(|work| work.state.is_open()).count();
        assert!(self.small.ring == Ring::All || ringing <= 1, "5: {ringing} ring: {}", self.tell(state));
        assert!(state.reports.len() <= 1, "2: {:?}: {}", state.reports, self.tell(state));
        assert!(state.endings.len() <= 1, "1: {:?}: {}", state.endings, self.tell(state));
    }

    /// What holds when nothing more can happen.
    fn check_end(&mut self, state: &State) {
        let told = || self.tell(state);
        assert!(state.conversation.is_idle(), "1: it is stuck: {}", told());
        let [ending] = state.endings.as_slice() else { panic!("1: {}", told()) };
        assert!(state.salesforce.works().all(|work| !work.state.is_open()), "3: {}", told());
        assert_eq!(state.salesforce.psrs().count(), 0, "4: {}", told());
        let inside = state.salesforce.conversation(state.conversation.id()).unwrap();
        let joined: Vec<RepId> = inside.reps().filter(|rep| *rep != rep_id(1)).collect();
        match ending.reason {
            Reason::Joined(rep) => assert_eq!(joined, [rep], "{}", told()),
            _ => assert_eq!(joined, [], "{}", told()),
        }
        assert!(ending.reason != Reason::RequesterCancelled || state.cancelled, "{}", told());
        let answered = state.salesforce.request(&state.request).unwrap().answered;
        assert!(answered.is_some() || state.cancelled, "2: no answer: {}", told());
        *self.endings.entry(ending.outcome).or_default() += 1;
    }
}

impl State {
    /// When the oldest of what is under way set out.
    fn oldest(&self) -> Option<Timestamp> {
        let calls = self.calls.iter().map(|under| under.since);
        let answers = self.answers.iter().map(|(since, ..)| *since);
        let platform = self.platform.iter().map(|(since, _)| *since);
        let browser = self.browser.iter().map(|(since, _)| *since);
        calls.chain(answers).chain(platform).chain(browser).min()
    }
}

/// Names a state: all that decides what can happen from it, with ids numbered as they come up.
fn key(state: &State) -> u64 {
    let mut text = String::new();
    let inside = state.salesforce.conversation(state.conversation.id()).unwrap();
    let request = state.salesforce.request(&state.request).unwrap();
    write!(
        text,
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {:?} {:?} {:?}",
        state.now,
        state.conversation,
        state.calls,
        state.answers,
        state.platform,
        state.browser,
        inside.participants,
        state.cancels,
        state.losses,
        request.answered.is_some(),
        request.ended.as_ref().map(|(_, how)| how),
        state.endings.iter().map(|it| it.outcome).collect::<Vec<_>>(),
    )
    .unwrap();
    for work in state.salesforce.works() {
        write!(text, " {} {} {:?}", work.id, work.rep, work.state).unwrap();
    }
    for psr in state.salesforce.psrs() {
        write!(text, " {} {}", psr.id, psr.correlation).unwrap();
    }
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut hasher = DefaultHasher::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let minted = bare.len() == 36 || bare.starts_with("0Bz") || bare.starts_with("0JR");
        if minted {
            let next = names.len();
            names.entry(bare).or_insert(next).hash(&mut hasher);
            word[bare.len()..].hash(&mut hasher);
        } else {
            word.hash(&mut hasher);
        }
    }
    hasher.finish()
}

fn rep_conference() -> Small {
    Small {
        target: Target::Rep(rep_id(2)),
        reps: 1,
        ring: Ring::OneAtATime,
        report: Report::Offered,
        browser: false,
        cancels: 1,
        losses: 1,
    }
}

fn queue_conference(reps: usize) -> Small {
    Small { target: Target::Queue(queue_id(1)), reps, losses: 0, ..rep_conference() }
}

/// Explores a small world, and checks that it was not a smaller one than it is meant to be.
fn explore(small: Small, states: usize, outcomes: &[Outcome]) {
    let mut explorer = Explorer::new(small);
    explorer.explore();
    let Explorer { seen, steps, endings, .. } = explorer;
    assert!(seen.len() >= states, "only {} states in {steps} steps", seen.len());
    assert_eq!(endings.into_keys().collect::<Vec<_>>(), outcomes);
}

const ANY: [Outcome; 4] = [Outcome::Joined, Outcome::Declined, Outcome::Unanswered, Outcome::Cancelled];
const UNLESS_CANCELLED: [Outcome; 3] = [Outcome::Joined, Outcome::Declined, Outcome::Unanswered];

#[test]
fn a_rep_with_a_cancel_and_a_lost_answer() {
    explore(rep_conference(), 5_000, &ANY);
}

#[test]
fn a_rep_whose_browser_tells_and_a_cancel() {
    explore(Small { browser: true, losses: 0, ..rep_conference() }, 600, &ANY);
}

#[test]
fn a_rep_whose_accept_is_waited_for_and_a_cancel_and_a_lost_answer() {
    explore(Small { report: Report::Accepted, ..rep_conference() }, 3_500, &ANY);
}

#[test]
fn a_queue_with_one_rep_and_a_lost_answer() {
    let small = Small { losses: 1, cancels: 0, ..queue_conference(1) };
    explore(small, 1_500, &UNLESS_CANCELLED);
}

#[test]
fn a_queue_with_two_reps_one_after_the_other_and_a_cancel() {
    explore(queue_conference(2), 5_000, &ANY);
}

#[test]
fn a_queue_with_two_reps_at_once() {
    let small = Small { ring: Ring::All, cancels: 0, ..queue_conference(2) };
    explore(small, 16_000, &UNLESS_CANCELLED);
}
