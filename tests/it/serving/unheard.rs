//! Where Salesforce does not tell of declines and no connector page is open, the ring time concludes one.

use byoc_connector::emulator::{Fault, FaultKind, LedgerEvent, Operation};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{EventId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::words::WorkChange;
use serde_json::json;

use super::world::World;

const QUEUE: &str = "00G000000000001";
const REQUESTER: &str = "005000000000001";
const DECLINES: &str = "005000000000002";
const ACCEPTS: &str = "005000000000003";

/// The one who declines is asked first.
fn roster() -> Roster {
    let rep = |id: &str, does: &str| {
        json!({ "id": id, "capacity": 100_000, "queues": [QUEUE],
            "script": { "does": does, "afterMilliseconds": 20 } })
    };
    serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [
            { "id": REQUESTER, "capacity": 100_000 },
            rep(DECLINES, "decline"),
            rep(ACCEPTS, "accept"),
        ]
    }))
    .unwrap()
}

/// A decline that nobody tells of, and a cancel that Salesforce answers with this code.
async fn declined_unheard(code: u32) {
    let world = World::start_without_work_results(roster(), "[routing]\nring_seconds = 2\n").await;
    if code != STATUS_NOT_VALID {
        let kind = FaultKind::ErrorCode { code, status: 400 };
        let fault = Fault::once(Operation::UpdateAgentWork, kind);
        world.emulator.with(|salesforce, _| salesforce.plan_fault(fault));
    }
    let serve = world.serve();
    serve.until_ready().await;
    let conversation = world.conversation(RepId::parse(REQUESTER).unwrap());
    let request = world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()));
    serve.until_ended(&request, "joined").await;
    assert_eq!(
        story(&world, &request),
        [
            format!("offer {DECLINES}"),
            format!("declined {DECLINES}"),
            format!("cancel {code}"),
            format!("offer {ACCEPTS}"),
            format!("accepted {ACCEPTS}"),
        ]
    );
    assert_eq!(serve.owed().await, json!([]), "there was nothing to take back");
    assert!(world.emulator.with(|salesforce, _| salesforce.leftovers()).is_empty());
    assert_eq!(serve.stop().0, Some(0));
}

const STATUS_NOT_VALID: u32 = 10085;
const WORK_NOT_VALID: u32 = 10082;

/// What the org's books say of offers and cancels, a line each.
fn story(world: &World, request: &EventId) -> Vec<String> {
    world.emulator.with(|salesforce, _| {
        let line = |what: &LedgerEvent| match what {
            LedgerEvent::OfferCreated { rep, correlation, .. } if correlation == request => {
                Some(format!("offer {rep}"))
            }
            LedgerEvent::OfferChanged { rep, change: WorkChange::Declined, .. } => {
                Some(format!("declined {rep}"))
            }
            LedgerEvent::OfferChanged { rep, change: WorkChange::Accepted, .. } => {
                Some(format!("accepted {rep}"))
            }
            LedgerEvent::Call { operation: Some(Operation::UpdateAgentWork), code, .. } => {
                Some(format!("cancel {}", code.map_or_else(|| "works".to_owned(), |code| code.to_string())))
            }
            // A planned fault answers in the org's place.
            LedgerEvent::CallSpoiled { operation: Some(Operation::UpdateAgentWork), .. } => {
                Some(format!("cancel {WORK_NOT_VALID}"))
            }
            _ => None,
        };
        salesforce.books().entries().iter().filter_map(|entry| line(&entry.what)).collect()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decline_that_nobody_tells_of_ends_with_the_ring_time_and_the_next_rep_is_asked() {
    declined_unheard(STATUS_NOT_VALID).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_where_salesforce_no_longer_knows_the_offer() {
    declined_unheard(WORK_NOT_VALID).await;
}
