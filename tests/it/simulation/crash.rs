//! A stop after every turn, in every sequence: what Salesforce sees is what it would have seen.
//!
//! The facts of one turn are stored in one transaction, so a cut lies between turns. After it, the turn's
//! facts are stored; its commands have gone out, or have not; whatever was under way reaches Salesforce,
//! and its answer reaches nobody. A cut inside a turn is what the transaction is there to rule out.

use std::collections::BTreeMap;
use std::time::Duration;

use byoc_connector::emulator::{Channel, LedgerEvent, PsrEnd, Salesforce, Settings as Org};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{RepId, SkillId};
use byoc_connector::model::roster::{Flow, Queue, Rep, Roster, Script, Skill};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::Availability;
use byoc_connector::routing::{Outcome, Policy, Reason, Report, Ring, Settings};

use super::checks::mistakes;
use super::link::{Dice, Link};
use super::seeds::{flow_id, queue_id, rep_id};
use super::world::{Crash, Deed, Habits, World};

const START: Timestamp = Timestamp::from_millis(1_780_000_000_000);
/// Long enough for an answer to be lost on, short enough for everything to end the same.
const DOWN_FOR: Duration = Duration::from_millis(120);

const ACCEPT: Script = Script::Accept { after_milliseconds: 7_000 };
const DECLINE: Script = Script::Decline { after_milliseconds: 3_000 };

/// One sequence of PROTOCOL, with what people do in it.
#[derive(Debug, Clone)]
struct Sequence {
    name: String,
    target: Target,
    /// The reps beside the one who asks, the first one asked first.
    scripts: Vec<Script>,
    ring: Ring,
    report: Report,
    limit: Option<u32>,
    cancel_after: Option<u64>,
    end_after: Option<(u64, bool)>,
    outcome: Option<Outcome>,
}

fn sequence(name: &str, target: Target, scripts: &[Script], outcome: Outcome) -> Sequence {
    Sequence {
        name: name.to_owned(),
        target,
        scripts: scripts.to_vec(),
        ring: Ring::OneAtATime,
        report: Report::Offered,
        limit: None,
        cancel_after: None,
        end_after: None,
        outcome: Some(outcome),
    }
}

fn skills() -> Target {
    let skill = |id: &str, additional| byoc_connector::model::event::SkillRequirement {
        id: SkillId::parse(id).unwrap(),
        level: None,
        priority: None,
        additional,
    };
    Target::Skills(vec![skill("french", false), skill("mouse", true)])
}

fn sequences() -> Vec<Sequence> {
    let rep = || Target::Rep(rep_id(2));
    let queue = || Target::Queue(queue_id(1));
    let flow = |number| Target::Flow { flow: flow_id(number), fallback: Some(queue_id(1)) };
    let mut all = vec![
        sequence("rep", rep(), &[ACCEPT], Outcome::Joined),
        sequence("queue", queue(), &[ACCEPT], Outcome::Joined),
        sequence("flow to rep", flow(1), &[ACCEPT], Outcome::Joined),
        sequence("flow to queue", flow(2), &[ACCEPT], Outcome::Joined),
        sequence("unknown flow", flow(3), &[ACCEPT], Outcome::Joined),
        sequence("unknown queue", Target::Queue(queue_id(9)), &[ACCEPT], Outcome::Failed),
        sequence("skills", skills(), &[ACCEPT], Outcome::Joined),
        sequence("unreadable", Target::Unreadable, &[ACCEPT], Outcome::Refused),
        sequence("rep declines", rep(), &[DECLINE], Outcome::Declined),
        sequence("next accepts", queue(), &[DECLINE, ACCEPT], Outcome::Joined),
        sequence("nobody left", queue(), &[DECLINE, DECLINE], Outcome::Declined),
        sequence("skills, nobody left", skills(), &[DECLINE, DECLINE], Outcome::Declined),
        sequence("rep is silent", rep(), &[Script::Ignore], Outcome::Unanswered),
        sequence("queue is silent", queue(), &[Script::Ignore], Outcome::Unanswered),
        sequence("silent, then accepted", queue(), &[Script::Ignore, ACCEPT], Outcome::Joined),
        sequence("nobody there", queue(), &[], Outcome::Failed),
    ];
    for name in ["queue", "skills"] {
        let target = || if name == "queue" { queue() } else { skills() };
        for (scripts, outcome) in [
            (vec![DECLINE, ACCEPT, Script::Ignore], Outcome::Joined),
            (vec![DECLINE, DECLINE], Outcome::Declined),
            (vec![ACCEPT, Script::Ignore, Script::Ignore], Outcome::Joined),
        ] {
            let ring_all = sequence(&format!("{name}, ring all"), target(), &scripts, outcome);
            all.push(Sequence { ring: Ring::All, ..ring_all.clone() });
            all.push(Sequence { ring: Ring::All, limit: Some(4), ..ring_all });
        }
    }
    let reported: Vec<Sequence> =
        all.iter().cloned().map(|it| Sequence { report: Report::Accepted, ..it }).collect();
    all.extend(reported);
    // A cancel, the end user's leaving and the session's end at every step.
    let mut interrupted = Vec::new();
    for target in [rep(), queue(), flow(1), skills()] {
        for after in [0, 20, 60, 120, 240, 400, 2_000, 7_010] {
            let quiet = sequence(
                &format!("{target:?} off after {after}"),
                target.clone(),
                &[ACCEPT],
                Outcome::Joined,
            );
            let quiet = Sequence { outcome: None, ..quiet };
            interrupted.push(Sequence { cancel_after: Some(after), ..quiet.clone() });
            interrupted.push(Sequence { end_after: Some((after, true)), ..quiet.clone() });
            interrupted.push(Sequence { end_after: Some((after, false)), ring: Ring::All, ..quiet });
        }
    }
    all.extend(interrupted);
    all
}

impl Sequence {
    fn roster(&self) -> Roster {
        let rep = |number: usize, script, queues| Rep {
            id: rep_id(number),
            name: String::new(),
            availability: Availability::Available,
            messaging: true,
            // The earlier a rep is to be asked, the more room they have.
            capacity: 100.0 - f64::from(u32::try_from(number).unwrap()),
            capacity_used: 0.0,
            queues,
            skills: ["french", "mouse"]
                .map(|id| Skill { id: SkillId::parse(id).unwrap(), level: None })
                .into(),
            script,
        };
        let others =
            self.scripts.iter().zip(2..).map(|(script, number)| rep(number, *script, vec![queue_id(1)]));
        Roster {
            reps: std::iter::once(rep(1, Script::Wait, Vec::new())).chain(others).collect(),
            queues: vec![Queue {
                id: queue_id(1),
                name: String::new(),
                wait_seconds: None,
                accepted_last_10_minutes: 0,
                reps: Vec::new(),
            }],
            flows: vec![
                Flow { id: flow_id(1), name: String::new(), rep: Some(rep_id(2)), queue: None },
                Flow { id: flow_id(2), name: String::new(), rep: None, queue: Some(queue_id(1)) },
            ],
            contacts: Vec::new(),
        }
    }

    fn run(&self, crash: Option<Crash>, told: bool) -> World {
        let policy = Policy { ring: self.ring, report: self.report, ring_seconds: 10, ..Policy::default() };
        let settings = Settings { conference_supported: true, participant_limit: self.limit, policy };
        let channel = Channel { participant_limit: self.limit, ..Channel::default() };
        let salesforce = Salesforce::new(7, self.roster(), Org { channel, ..Org::default() });
        let habits = Habits { accept: 0.0, decline: 0.0, think: 1, finder_trouble: 0.0, transfers: false };
        let mut world = World::new(salesforce, settings, Link::clean(), habits, Dice::new(11), START);
        world.crash = crash;
        world.told = told;
        let conversation = world.start(vec![rep_id(1)]);
        match self.cancel_after {
            Some(after) => {
                world.plan(200, Deed::AskAndCancel(conversation.clone(), self.target.clone(), after));
            }
            None => world.plan(200, Deed::Ask(conversation.clone(), self.target.clone())),
        }
        match self.end_after {
            Some((after, true)) => world.plan(200 + after, Deed::EndUserLeaves(conversation)),
            Some((after, false)) => world.plan(200 + after, Deed::EndSession(conversation)),
            None => {}
        }
        world.run().unwrap();
        world
    }
}

/// What Salesforce saw in the end, ids and times left aside.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    outcomes: Vec<Outcome>,
    /// Who was offered the work more than once.
    rung_again: Vec<String>,
    /// How each PSR went away.
    psrs: Vec<PsrEnd>,
    inside: Vec<String>,
    /// Who joined, as the connector says.
    joined: Vec<Option<RepId>>,
}

fn seen(world: &World) -> Seen {
    let mut offers: BTreeMap<String, usize> = BTreeMap::new();
    let mut psrs = Vec::new();
    for entry in world.salesforce.books().entries() {
        match &entry.what {
            LedgerEvent::OfferCreated { rep, .. } => *offers.entry(rep.to_string()).or_default() += 1,
            LedgerEvent::PsrDeleted { end, .. } => psrs.push(*end),
            _ => {}
        }
    }
    // A route that was made twice is two PSRs, which go together.
    psrs.dedup();
    offers.retain(|_, times| *times > 1);
    let inside = world.salesforce.requests().next().map(|request| &request.conversation);
    let inside = inside.and_then(|id| world.salesforce.conversation(id));
    let joined = world.trace.endings.iter().map(|(_, ending)| match ending.reason {
        Reason::Joined(rep) => Some(rep),
        _ => None,
    });
    Seen {
        joined: joined.collect(),
        outcomes: world.trace.endings.iter().map(|(_, ending)| ending.outcome).collect(),
        rung_again: offers.into_keys().collect(),
        psrs,
        inside: inside.map(|it| it.reps().map(|rep| rep.to_string()).collect()).unwrap_or_default(),
    }
}

#[test]
fn a_stop_after_any_turn_ends_the_same() {
    let (mut cuts, mut sequences_run) = (0, 0);
    for sequence in sequences() {
        let whole = sequence.run(None, false);
        assert_eq!(mistakes(&whole), [""; 0], "{sequence:?}");
        let expected = seen(&whole);
        if let Some(outcome) = sequence.outcome {
            assert_eq!(expected.outcomes, [outcome], "{}", sequence.name);
        }
        sequences_run += 1;
        for after_turn in 0..whole.trace.turns {
            for commands_sent in [false, true] {
                let crash = Crash { after_turn, commands_sent, down_for: DOWN_FOR };
                let resumed = sequence.run(Some(crash), false);
                let found = mistakes(&resumed);
                let same = sequence.outcome.is_none() || seen(&resumed) == expected;
                if !found.is_empty() || !same {
                    let told = sequence.run(Some(crash), true).trace.story.join("\n");
                    panic!(
                        "{sequence:?}\n{crash:?}\n{found:#?}\n{expected:#?}\n{:#?}\n{told}",
                        seen(&resumed)
                    );
                }
                cuts += 1;
            }
        }
    }
    assert!(sequences_run > 130 && cuts > 2_000, "{cuts} cuts in {sequences_run} sequences");
}
