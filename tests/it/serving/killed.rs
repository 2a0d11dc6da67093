//! Killed again and again while requests come in, it loses nothing and does nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use byoc_connector::emulator::{Act, Ledger, LedgerEvent, Operation, Request};
use byoc_connector::model::event::{SkillRequirement, Target};
use byoc_connector::model::ids::{AgentWorkId, EventId, QueueId, RepId, SkillId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::words::WorkChange;
use byoc_connector::store::{Options, OutcomeId, OutcomeRecord, Sqlite, Store as _};
use serde_json::json;

use super::world::{HANGS, Serve, World};
use crate::support::books::{assert_same, joined, said_to_have_joined};

const KILLS: u64 = 50;

const REQUESTER: &str = "005000000000001";

fn rep(n: u32) -> String {
    format!("0050000000000{n:02}")
}

fn queue(n: u32) -> String {
    format!("00G0000000000{n:02}")
}

/// Reps who accept, decline and keep silent, in two queues. They have room for everything.
fn roster() -> Roster {
    let scripts = [
        json!({ "does": "wait" }),
        json!({ "does": "accept", "afterMilliseconds": 30 }),
        json!({ "does": "decline", "afterMilliseconds": 20 }),
        json!({ "does": "accept", "afterMilliseconds": 250 }),
        json!({ "does": "ignore" }),
        json!({ "does": "decline", "afterMilliseconds": 300 }),
        json!({ "does": "accept", "afterMilliseconds": 5 }),
    ];
    let reps: Vec<_> = scripts
        .iter()
        .zip(1..)
        .map(|(script, n)| {
            let queues = if n == 1 { vec![] } else { vec![queue(1 + n % 2)] };
            let skills = if n > 4 { vec!["french"] } else { vec![] };
            json!({ "id": rep(n), "script": script, "capacity": 100_000, "queues": queues, "skills": skills })
        })
        .collect();
    let flows =
        json!([{ "id": "300000000000001", "rep": rep(4) }, { "id": "300000000000002", "queue": queue(2) }]);
    serde_json::from_value(json!({
        "reps": reps, "queues": [{ "id": queue(1) }, { "id": queue(2) }], "flows": flows
    }))
    .unwrap()
}

/// What is asked for, by turns.
fn target(n: u64) -> Target {
    let queue_id = |n| QueueId::parse(&queue(n)).unwrap();
    let flow = |id| Target::Flow {
        flow: byoc_connector::model::ids::FlowId::parse(id).unwrap(),
        fallback: Some(queue_id(1)),
    };
    match n % 7 {
        0 | 1 => Target::Queue(queue_id(1)),
        2 => Target::Queue(queue_id(2)),
        3 => Target::Rep(RepId::parse(&rep(2 + u32::try_from(n % 6).unwrap())).unwrap()),
        4 => flow("300000000000001"),
        5 => flow("300000000000002"),
        _ => Target::Skills(vec![SkillRequirement {
            id: SkillId::parse("french").unwrap(),
            level: None,
            priority: None,
            additional: false,
        }]),
    }
}

/// Numbers that are always the same: a kill that shows a mistake shows it again, as far as time allows.
struct SeededRandom(u64);

impl SeededRandom {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Lets requests come in for a while.
fn load(world: &World, draws: &mut SeededRandom, asked: &mut Vec<EventId>, time: Duration) {
    let begin = std::time::Instant::now();
    while begin.elapsed() < time {
        let conversation = world.conversation(RepId::parse(REQUESTER).unwrap());
        let n = asked.len() as u64;
        asked.push(world.ask(&conversation, target(n)));
        let act = match n % 11 {
            3 => Some(Act::CancelRequest { request: asked[asked.len() - 1].clone() }),
            7 => Some(Act::EndUserLeaves { conversation: conversation.clone() }),
            _ => None,
        };
        std::thread::sleep(Duration::from_millis(5 + draws.below(10)));
        if let Some(act) = act {
            // It may have been answered already; then there is nothing to call off.
            world.emulator.with(|salesforce, now| salesforce.act(now, act)).ok();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_fifty_times_under_load_nothing_is_lost_or_done_twice() {
    let world = World::start(roster(), "[routing]\nring_seconds = 2\nsearch_seconds = 20\n").await;
    let seed = std::env::var("BYOC_KILL_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut draws = SeededRandom(seed.unwrap_or(20_261_120));
    let mut asked = Vec::new();
    for _ in 0..KILLS {
        let mut serve = world.serve();
        let uptime = Duration::from_millis(60 + draws.below(240));
        load(&world, &mut draws, &mut asked, uptime);
        assert!(serve.is_running(), "it ended by itself: {}", log(&world));
        serve.kill();
    }
    let serve = world.serve();
    world.until("every request is answered or called off, and no offer and no PSR is left", at_rest);
    // What has no trace at Salesforce ends a little later: what was cancelled, and what was unclear.
    let outcomes = ended(&world, serve, asked.len()).await;
    check(&world, &asked, &outcomes);
    world.emulator.with(|salesforce, _| assert_same(&said_to_have_joined(&outcomes), &joined(salesforce)));
    let serve = world.serve();
    serve.until_idle().await;
    assert_eq!(serve.owed().await, json!([]));
}

fn at_rest(world: &World) -> Result<(), String> {
    world.emulator.with(|salesforce, _| {
        let open = |request: &&Request| request.answered.is_none() && request.ended.is_none();
        let unanswered: Vec<_> = salesforce.requests().filter(open).collect();
        let ringing: Vec<_> = salesforce.works().filter(|work| work.state.is_open()).collect();
        let psrs: Vec<_> = salesforce.psrs().collect();
        if unanswered.is_empty() && ringing.is_empty() && psrs.is_empty() {
            return Ok(());
        }
        Err(format!("{unanswered:?}, {ringing:?}, {psrs:?}"))
    })
}

fn log(world: &World) -> String {
    std::fs::read_to_string(world.path("serve.log")).unwrap_or_default()
}

/// Stops the connector, and reads from its store how every request ended; starts it again while some are open.
async fn ended(world: &World, mut serve: Serve, wanted: usize) -> Vec<OutcomeRecord> {
    let begin = std::time::Instant::now();
    loop {
        let (code, took) = serve.stop();
        assert_eq!(code, Some(0), "{}", log(world));
        assert!(took < Duration::from_secs(10), "stopping took {took:?}");
        let store = Sqlite::open(Options::new(world.path("byoc.db"))).await.unwrap();
        let outcomes = store.outcomes(OutcomeId::START, 1_000_000).await.unwrap();
        store.close().await.unwrap();
        if outcomes.len() >= wanted {
            return outcomes;
        }
        assert!(begin.elapsed() < HANGS, "{} of {wanted} ended", outcomes.len());
        serve = world.serve();
        std::thread::sleep(Duration::from_secs(3));
    }
}

fn check(world: &World, asked: &[EventId], outcomes: &[OutcomeRecord]) {
    let mut ended: BTreeMap<&EventId, usize> = BTreeMap::new();
    for outcome in outcomes {
        *ended.entry(outcome.request()).or_default() += 1;
    }
    let lost: Vec<_> = asked.iter().filter(|request| !ended.contains_key(request)).collect();
    assert!(lost.is_empty(), "these events were lost: {lost:?}");
    let twice: Vec<_> = ended.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "these ended twice: {twice:?}");
    assert_eq!(at_rest(world), Ok(()));
    world.emulator.with(|salesforce, _| {
        let books = salesforce.books();
        let unanswered = books.count(|booked| matches!(booked, LedgerEvent::RequestUnanswered { .. }));
        assert_eq!(unanswered, 0, "Salesforce waited in vain");
        assert!(books.calls(Operation::CreateAgentWork) > 200, "there was load");
        let mut offers: BTreeMap<(&EventId, RepId), BTreeSet<AgentWorkId>> = BTreeMap::new();
        for entry in books.entries() {
            if let LedgerEvent::OfferCreated { work, rep, correlation, .. } = &entry.what {
                offers.entry((correlation, *rep)).or_default().insert(*work);
            }
        }
        let twice: Vec<_> = offers.iter().filter(|(_, works)| works.len() > 1).collect();
        let story = twice.first().map(|((request, _), _)| story(books, request)).unwrap_or_default();
        assert!(twice.is_empty(), "{} agent works were created twice: {twice:?}\n{story}", twice.len());
        let joined = books
            .count(|booked| matches!(booked, LedgerEvent::OfferChanged { change: WorkChange::Accepted, .. }));
        assert!(joined > asked.len() / 4, "{joined} of {} joined", asked.len());
    });
}

/// What the books say of a request, a line each.
fn story(books: &Ledger, request: &EventId) -> String {
    let lines = books.entries().iter().filter_map(|entry| {
        let line = serde_json::to_string(entry).unwrap();
        line.contains(request.as_str()).then_some(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}
