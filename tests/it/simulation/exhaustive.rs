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

use byoc_connector::emulator::Salesforce;
use byoc_connector::model::call::Answer;
use byoc_connector::model::event::{Event, Target};
use byoc_connector::model::ids::{AgentWorkId, EventId, RepId};
use byoc_connector::model::roster::{Queue, Rep, Roster};
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Command, Conversation, Ending, Outcome, Report, Ring, Settings};

use super::seeds::{queue_id, rep_id};

mod explorer;

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
