//! Events that cannot be read, and `byoc serve` as a process: it waits where that may help, sets aside where it may not,
//! says both, and lives.

use byoc_connector::emulator::http::StreamFault;
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{QueueId, RepId};
use byoc_connector::model::roster::Roster;
use serde_json::{Value, json};

use super::world::{Serve, World};

const QUEUE: &str = "00G000000000001";
const REQUESTER: &str = "005000000000001";

async fn start() -> (World, Serve) {
    let roster: Roster = serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [
            { "id": REQUESTER, "capacity": 1000 },
            { "id": "005000000000002", "capacity": 1000, "queues": [QUEUE],
              "script": { "does": "accept", "afterMilliseconds": 20 } },
        ]
    }))
    .unwrap();
    let world = World::start(roster, "").await;
    let serve = world.serve();
    serve.until_ready().await;
    (world, serve)
}

/// A conference is asked for, and somebody joins.
async fn conference(world: &World, serve: &Serve) {
    let conversation = world.conversation(RepId::parse(REQUESTER).unwrap());
    let request = world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()));
    serve.until_ended(&request, "joined").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_not_there_for_a_while_loses_nothing_and_is_said() {
    let (world, serve) = start().await;
    world.emulator.stream_fault(StreamFault::ChangeSchema);
    world.emulator.stream_fault(StreamFault::RefuseSchema { times: u32::MAX, status: 5 });
    let conversation = world.conversation(RepId::parse(REQUESTER).unwrap());
    let request = world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()));
    let problem = serve.until_said("stream", "cannot fetch an event's schema").await;
    assert!(problem.contains("NotFound"), "{problem}");
    world.emulator.stream_fault(StreamFault::RefuseSchema { times: 0, status: 5 });
    serve.until_ended(&request, "joined").await;
    serve.until_ready().await;
    serve.until_counted("byoc_stream_set_aside{", |count| count == 0.0).await;
    assert_eq!(serve.stop().0, Some(0));
}

/// Each of the two used to end the process, and each restart of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_without_an_end_ends_no_process() {
    let (world, serve) = start().await;
    conference(&world, &serve).await;
    for schema in [
        include_str!("../../../fixtures/cases/avro/recursive.avsc"),
        include_str!("../../../fixtures/cases/avro/fixed-huge.avsc"),
    ] {
        world.emulator.say_schema(schema);
        world.conversation(RepId::parse(REQUESTER).unwrap());
    }
    world.emulator.stream_fault(StreamFault::ChangeSchema);
    serve.until_counted("byoc_stream_set_aside{", |count| count >= 2.0).await;
    serve.until_ready().await;
    let told: Value = serde_json::from_str(&serve.get("/readyz").await).unwrap();
    let notices = told["notices"].as_array().unwrap();
    let notice = notices.iter().find(|notice| notice["what"] == "events-set-aside").expect("a notice");
    assert!(notice["problem"].as_str().is_some_and(|words| words.contains("could not be read")), "{notice}");
    let kept = std::fs::read_to_string(world.path("byoc.db-set-aside.jsonl")).unwrap();
    assert!(kept.lines().count() >= 2 && kept.contains("contains itself"), "{kept}");
    // What comes behind is served, and again after it was killed.
    conference(&world, &serve).await;
    serve.kill();
    let serve = world.serve();
    serve.until_ready().await;
    conference(&world, &serve).await;
    assert_eq!(serve.stop().0, Some(0));
}
