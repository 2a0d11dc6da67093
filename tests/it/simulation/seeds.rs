//! Worlds by the thousand: a seed decides who there is, what they do and what goes wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use byoc_connector::emulator::{self, Channel, Salesforce};
use byoc_connector::model::event::{SkillRequirement, Target};
use byoc_connector::model::ids::{ConversationId, FlowId, QueueId, RepId, SkillId, Subject};
use byoc_connector::model::roster::{Flow, Queue, Rep, Roster, Script, Skill};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::Availability;
use byoc_connector::routing::{Policy, Report, Ring, Settings};

use super::checks::mistakes;
use super::link::{Dice, Link};
use super::world::{Crash, Deed, Habits, StoreTrouble, World};

const START: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const SKILLS: [&str; 3] = ["french", "billing", "hardware"];

pub(crate) fn rep_id(number: usize) -> RepId {
    RepId::parse(&format!("005{number:012}")).unwrap()
}

pub(crate) fn queue_id(number: usize) -> QueueId {
    QueueId::parse(&format!("00G{number:012}")).unwrap()
}

pub(crate) fn flow_id(number: usize) -> FlowId {
    FlowId::parse(&format!("300{number:012}")).unwrap()
}

fn draw_rep(dice: &mut Dice, number: usize, queues: usize) -> Rep {
    let queues = (1..=queues).filter(|_| dice.chance(0.7)).map(queue_id).collect();
    let skills: Vec<&str> = SKILLS.into_iter().filter(|_| dice.chance(0.5)).collect();
    let after_milliseconds = dice.between(0, 40_000);
    Rep {
        id: rep_id(number),
        name: format!("Rep {number}"),
        availability: *dice.pick(&[
            Availability::Available,
            Availability::Available,
            Availability::Available,
            Availability::Busy,
            Availability::Offline,
        ]),
        messaging: dice.chance(0.95),
        capacity: *dice.pick(&[1.0, 2.0, 10.0]),
        capacity_used: 0.0,
        queues,
        skills: skills.into_iter().map(|id| Skill { id: SkillId::parse(id).unwrap(), level: None }).collect(),
        script: match dice.below(8) {
            0 => Script::Accept { after_milliseconds },
            1 => Script::Decline { after_milliseconds },
            2 => Script::Ignore,
            _ => Script::Wait,
        },
    }
}

fn draw_target(dice: &mut Dice, reps: usize, queues: usize) -> Target {
    let queue = queue_id(1 + dice.below(queues));
    match dice.below(20) {
        0..=5 => Target::Rep(rep_id(1 + dice.below(reps))),
        6..=10 => Target::Queue(queue),
        11..=14 => Target::Flow { flow: flow_id(1 + dice.below(3)), fallback: Some(queue) },
        15..=16 => {
            let asked: Vec<&&str> = SKILLS.iter().filter(|_| dice.chance(0.5)).collect();
            let skills = asked.into_iter().map(|id| SkillRequirement {
                id: SkillId::parse(id).unwrap(),
                level: None,
                priority: dice.chance(0.5).then_some(1),
                additional: dice.chance(0.5),
            });
            Target::Skills(skills.collect())
        }
        17 => Target::Bot(Subject::parse("1JZ000000000001").unwrap()),
        18 => Target::External(Subject::parse("contact-1").unwrap()),
        _ => Target::Unreadable,
    }
}

fn draw_settings(dice: &mut Dice) -> Settings {
    let policy = Policy {
        ring: if dice.chance(0.5) { Ring::OneAtATime } else { Ring::All },
        report: if dice.chance(0.6) { Report::Offered } else { Report::Accepted },
        ring_seconds: u32::try_from(dice.between(3, 40)).unwrap(),
        search_seconds: u32::try_from(dice.between(20, 120)).unwrap(),
        ring_all_at_most: 1 + dice.below(6),
        ..Policy::default()
    };
    let participant_limit = *dice.pick(&[None, None, Some(3), Some(4), Some(5)]);
    Settings { conference_supported: true, participant_limit, policy }
}

/// The world of a seed, with everything planned that people will do.
pub(crate) fn world(seed: u64) -> World {
    world_with_link(seed, |_| {})
}

fn world_with_link(seed: u64, change: fn(&mut Link)) -> World {
    let mut dice = Dice::new(seed);
    let settings = draw_settings(&mut dice);
    let link = Link::drawn(&mut dice, START.as_millis());
    let (reps, queues) = (3 + dice.below(6), 1 + dice.below(2));
    let roster = Roster {
        reps: (1..=reps).map(|number| draw_rep(&mut dice, number, queues)).collect(),
        queues: (1..=queues)
            .map(|number| Queue {
                id: queue_id(number),
                name: String::new(),
                wait_seconds: None,
                accepted_last_10_minutes: 0,
                reps: Vec::new(),
            })
            .collect(),
        // The third flow is one that the org does not have.
        flows: vec![
            Flow { id: flow_id(1), name: String::new(), rep: Some(rep_id(reps)), queue: None },
            Flow { id: flow_id(2), name: String::new(), rep: None, queue: Some(queue_id(queues)) },
        ],
        contacts: Vec::new(),
    };
    // Somebody tells of declines as a rule; in some worlds nobody does, and ring times conclude them.
    let told = if link.browser { dice.chance(0.6) } else { Dice::new(!seed).chance(0.7) };
    let org = emulator::Settings {
        channel: Channel {
            participant_limit: settings.participant_limit,
            default_queue: Some(queue_id(1)),
            routing_work_result_supported: told,
            ..Channel::default()
        },
        ..emulator::Settings::default()
    };
    let salesforce = Salesforce::new(seed, roster, org);
    let habits = Habits {
        accept: dice.unit() * 0.8,
        decline: 0.2 + dice.unit() * 0.3,
        think: dice.between(200, 45_000),
        finder_trouble: *dice.pick(&[0.0, 0.0, 0.1, 0.4]),
        transfers: true,
    };
    let mut world = World::new(salesforce, settings, link, habits, dice, START);
    change(&mut world.link);
    plan_people(&mut world, reps, queues);
    world
}

fn plan_people(world: &mut World, reps: usize, queues: usize) {
    let conversations = 1 + world.dice.below(4);
    for _ in 0..conversations {
        let first = 1 + world.dice.below(reps);
        let mut inside = vec![rep_id(first)];
        if world.dice.chance(0.4) {
            inside.push(rep_id(1 + first % reps));
        }
        let conversation = world.start(inside);
        plan_conversation(world, &conversation, reps, queues);
    }
    for number in 1..=reps {
        if world.dice.chance(0.25) {
            let gone = world.dice.between(0, 120_000);
            world.plan(gone, Deed::Presence(rep_id(number), Availability::Offline));
            if world.dice.chance(0.7) {
                let back = gone + world.dice.between(100, 60_000);
                world.plan(back, Deed::Presence(rep_id(number), Availability::Available));
            }
        }
    }
}

fn plan_conversation(world: &mut World, conversation: &ConversationId, reps: usize, queues: usize) {
    let span = *world.dice.pick(&[2_000, 30_000, 120_000]);
    for _ in 0..=world.dice.below(4) {
        let at = world.dice.between(0, span);
        let target = draw_target(&mut world.dice, reps, queues);
        let longest = *world.dice.pick(&[500, 5_000, 70_000]);
        let deed = if world.dice.chance(0.3) {
            let after = world.dice.between(0, longest);
            Deed::AskAndCancel(conversation.clone(), target, after)
        } else {
            Deed::Ask(conversation.clone(), target)
        };
        world.plan(at, deed);
    }
    let at = world.dice.between(0, 150_000);
    match world.dice.below(12) {
        0 => world.plan(at, Deed::EndUserLeaves(conversation.clone())),
        1 => world.plan(at, Deed::EndSession(conversation.clone())),
        2..=4 => world.plan(at, Deed::SomebodyLeaves(conversation.clone())),
        _ => {}
    }
}

/// What a run came to.
pub(crate) struct Run {
    pub(crate) mistakes: Vec<String>,
    pub(crate) story: Vec<String>,
    pub(crate) requests: usize,
    pub(crate) calls: usize,
    pub(crate) facts: usize,
}

fn run(mut world: World) -> Run {
    let rested = catch_unwind(AssertUnwindSafe(|| world.run()));
    let mut found = match rested {
        Ok(Ok(())) => mistakes(&world),
        Ok(Err(endless)) => vec![endless],
        Err(_) => vec!["panicked".to_owned()],
    };
    found.dedup();
    let World { trace, .. } = world;
    Run {
        mistakes: found,
        story: trace.story,
        requests: trace.endings.len(),
        calls: trace.made.len(),
        facts: trace.facts,
    }
}

/// The world of a seed, in which the connector runs without a break.
pub(crate) fn run_seed(seed: u64, told: bool) -> Run {
    let mut world = world(seed);
    world.told = told;
    run(world)
}

/// The world of a seed, in which the connector stops once and starts again. To start takes longer than a
/// call that is under way takes to arrive.
pub(crate) fn run_seed_with_crash(seed: u64, told: bool) -> Run {
    let mut world = world(seed);
    world.told = told;
    run(with_crash(world))
}

/// The world of a seed with another link, without a stop and with one in turn.
pub(super) fn run_seed_with_link(seed: u64, change: fn(&mut Link)) -> Run {
    let world = world_with_link(seed, change);
    run(if seed.is_multiple_of(2) { world } else { with_crash(world) })
}

fn with_crash(mut world: World) -> World {
    world.crash = Some(Crash {
        after_turn: world.dice.below(60),
        commands_sent: world.dice.chance(0.5),
        down_for: Duration::from_millis(*world.dice.pick(&[450, 800, 3_000])),
    });
    world
}

/// The world of a seed, in which the store is slow, fails now and then, and cannot be read for a while.
pub(crate) fn run_seed_with_store_failures(seed: u64, told: bool) -> Run {
    let mut world = world(seed);
    world.told = told;
    let mut dice = Dice::new(seed.rotate_left(32));
    let (append, load) = (*dice.pick(&[0.01, 0.05, 0.2]), *dice.pick(&[0.0, 0.3]));
    let slow = *dice.pick(&[0, 5, 60]);
    // What is taken up after a failure may have been tried before, as if one more answer had been lost: with a bad link
    // on top of that, these worlds would show the known limit of lost answers instead of what a store does.
    world.link.trouble = world.link.trouble.min(0.05);
    world.store_trouble = Some(StoreTrouble { slow, append, load, dice });
    run(world)
}

/// The journal of a seed's world: a row a turn, as JSON, in order.
pub(crate) fn journal(seed: u64) -> Vec<(ConversationId, String)> {
    let mut world = world(seed);
    world.run().unwrap();
    let rows = world.journal.rows.into_iter().filter(|row| row.facts != "[]");
    rows.map(|row| (row.conversation, row.facts)).collect()
}
