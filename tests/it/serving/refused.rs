//! A rep whom Salesforce refuses again and again is a notice, until Salesforce takes an offer to them again.

use byoc_connector::emulator::{Fault, FaultKind, Operation};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{EventId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use serde_json::{Value, json};

use super::world::{Serve, World};

const QUEUE: &str = "00G000000000001";
const REQUESTER: &str = "005000000000001";
const REFUSED: &str = "005000000000002";
const ACCEPTS: &str = "005000000000003";

/// The one who is refused is asked first.
fn roster() -> Roster {
    let rep = |id: &str| {
        json!({ "id": id, "capacity": 100_000, "queues": [QUEUE],
            "script": { "does": "accept", "afterMilliseconds": 20 } })
    };
    serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [{ "id": REQUESTER, "capacity": 100_000 }, rep(REFUSED), rep(ACCEPTS)],
    }))
    .unwrap()
}

/// A conference with the queue, in which Salesforce refuses the first rep or takes them.
async fn conference(world: &World, serve: &Serve, is_refused: bool) -> EventId {
    if is_refused {
        let kind = FaultKind::ErrorCode { code: 15106, status: 400 };
        let fault = Fault::once(Operation::CreateAgentWork, kind);
        world.emulator.with(|salesforce, _| salesforce.plan_fault(fault));
    }
    let conversation = world.conversation(RepId::parse(REQUESTER).unwrap());
    let request = world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()));
    serve.until_ended(&request, "joined").await;
    request
}

async fn told(serve: &Serve) -> Vec<Value> {
    let ready: Value = serde_json::from_str(&serve.get("/readyz").await).unwrap();
    let notices = ready["notices"].as_array().unwrap();
    notices.iter().filter(|notice| notice["what"] == "reps-refused").cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rep_who_is_refused_again_and_again_is_a_notice_until_an_offer_is_taken() {
    let world = World::start(roster(), "").await;
    let serve = world.serve();
    serve.until_ready().await;
    conference(&world, &serve, true).await;
    assert_eq!(told(&serve).await, Vec::<Value>::new(), "once is a roster that lags by a moment");
    conference(&world, &serve, true).await;
    let notices = told(&serve).await;
    let [notice] = &*notices else { panic!("one notice, not {notices:?}") };
    assert!(notice["org"].is_string() && notice["channel"] == "devorg_PartnerMessaging", "{notice}");
    let problem = notice["problem"].as_str().unwrap();
    assert!(problem.contains(REFUSED) && problem.contains("2 times, 15106: "), "{problem}");
    assert!(!problem.contains(ACCEPTS), "{problem}");
    assert!(notice["since"].is_string() && notice["hint"].is_string(), "{notice}");
    conference(&world, &serve, false).await;
    assert_eq!(told(&serve).await, Vec::<Value>::new(), "an offer was taken");
    assert_eq!(serve.stop().0, Some(0));
}
