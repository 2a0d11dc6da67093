//! The day after: the emulator has begun anew, and the connector has yesterday's store.

use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{EventId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use serde_json::{Value, json};

use super::world::World;

const QUEUE: &str = "00G000000000001";
const ANNA: &str = "005000000000001";

async fn world() -> World {
    let roster: Roster = serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [
            { "id": ANNA, "capacity": 100_000 },
            { "id": "005000000000002", "capacity": 100_000, "queues": [QUEUE],
              "script": { "does": "accept", "afterMilliseconds": 10 } },
        ]
    }))
    .unwrap();
    World::start(roster, "").await
}

fn ask(world: &World) -> EventId {
    let conversation = world.conversation(RepId::parse(ANNA).unwrap());
    world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()))
}

/// A conference on the first day, and the org as it is when it begins anew with this seed, or any.
async fn a_day_later(seed: Option<u64>) -> (World, EventId, u64) {
    let world = world().await;
    // Before anybody logs in: a token takes its turn at the seed as well.
    let request = ask(&world);
    let serve = world.serve();
    serve.until_ended(&request, "joined").await;
    assert_eq!(serve.stop().0, Some(0));
    let url = format!("http://{}/emulator/v1", world.address());
    let first: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
    let first = first["seed"].as_u64().unwrap();
    let reset = reqwest::Client::new().post(format!("{url}/reset"));
    let reset = reset.json(&json!({ "seed": seed.unwrap_or(first) })).send().await.unwrap();
    assert!(reset.status().is_success(), "{reset:?}");
    (world, request, first)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_new_org_beside_an_old_store_is_told_about_and_served() {
    let (world, yesterday, _) = a_day_later(Some(77)).await;
    let serve = world.serve();
    let request = ask(&world);
    assert_ne!(request, yesterday);
    serve.until_ended(&request, "joined").await;
    serve.until_counted("byoc_stream_gaps{", |gaps| gaps > 0.0).await;
    assert_eq!(serve.stop().0, Some(0));
    let log = std::fs::read_to_string(world.path("serve.log")).unwrap();
    assert!(log.contains("from another org or emulator"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_request_with_yesterdays_id_is_counted_and_named() {
    let (world, yesterday, _) = a_day_later(None).await;
    let request = ask(&world);
    let serve = world.serve();
    assert_eq!(request, yesterday, "the seed decides every id");
    serve.until_counted("byoc_duplicate_events_total{", |again| again > 0.0).await;
    world.until("the request is named", |world| {
        let log = std::fs::read_to_string(world.path("serve.log")).unwrap();
        let named = log
            .lines()
            .any(|line| line.contains("duplicate routing request") && line.contains(request.as_str()));
        if named { Ok(()) } else { Err("no line names it".to_owned()) }
    });
    assert_eq!(serve.stop().0, Some(0));
}

#[tokio::test]
async fn two_emulators_give_different_ids_unless_they_are_asked_for_the_same() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let seed_of = async |more: &[&str]| -> u64 {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_byoc"))
            .args(["emulator", "--port", "0", "--json"])
            .args(more)
            .env_remove("BYOC_CONFIG")
            .current_dir(std::env::temp_dir())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        child.kill().await.unwrap();
        serde_json::from_str::<Value>(&line).unwrap()["seed"].as_u64().unwrap()
    };
    assert_ne!(seed_of(&[]).await, seed_of(&[]).await);
    assert_eq!(seed_of(&["--seed", "9"]).await, 9);
    assert!(seed_of(&[]).await < 1 << 53, "JavaScript reads it as it is");
}
