//! Several orgs in one process: each has its own login, stream, state and people.

use std::fs;

use byoc_connector::emulator::LedgerEvent;
use byoc_connector::emulator::http::AppSettings;
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{EventId, OrgId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use serde_json::{Value, json};

use super::world::World;

const QUEUE: &str = "00G000000000001";
pub(super) const OTHER: &str = "00DHu0000099999";

/// A rep who asks and one who accepts, both with names of this org.
pub(super) fn roster(org: u32) -> Roster {
    serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [
            { "id": asking(org) },
            { "id": format!("00500000000{org:02}02"), "queues": [QUEUE],
              "script": { "does": "accept", "afterMilliseconds": 20 } },
        ]
    }))
    .unwrap()
}

fn asking(org: u32) -> RepId {
    RepId::parse(&format!("00500000000{org:02}01")).unwrap()
}

pub(super) fn ask(world: &World, org: u32) -> EventId {
    let conversation = world.conversation(asking(org));
    world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()))
}

pub(super) fn until_joined(world: &World, request: &EventId) {
    world.until("a rep joins", |world| {
        world.emulator.with(|salesforce, _| {
            let ended = |booked: &LedgerEvent| matches!(booked, LedgerEvent::RequestEnded { request: ended, .. } if ended == request);
            if salesforce.books().count(ended) == 1 { Ok(()) } else { Err(request.to_string()) }
        })
    });
}

/// The second org, as the first one's configuration has it.
pub(super) fn entry(other: &World) -> String {
    let folder = other.path("");
    let definition = "developer_name = 'devorg_PartnerMessaging'\nrouting_owner = 'Partner'\nis_conference_supported = true\n\
                      custom_platform_event = 'devorg__PartnerMessaging__e'\n\
                      custom_event_type_field = 'devorg__EventType__c'\n\
                      custom_event_payload_field = 'devorg__Payload__c'\n";
    fs::write(folder.join("definition.toml"), definition).unwrap();
    let (address, app) = (format!("http://{}", other.address()), AppSettings::default());
    format!(
        "[[orgs]]\nid = '{OTHER}'\ninstance_url = '{address}'\ninteraction_url = '{address}'\n\
         pubsub_endpoint = '{address}'\nconsumer_key = '{}'\nusername = '{}'\n\
         token_url = '{address}/services/oauth2/token'\n\
         private_key_file = '{}/fixtures/keys/sample-private-key.pem'\nbegin = 'earliest'\n\
         channels = ['{}']\nroster = '{}'\n",
        app.consumer_key,
        app.username,
        env!("CARGO_MANIFEST_DIR"),
        folder.join("definition.toml").display(),
        folder.join("byoc.toml").display(),
    )
}

fn names(contacts: &Value) -> Vec<&str> {
    contacts["contacts"].as_array().unwrap().iter().filter_map(|contact| contact["id"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_orgs_share_a_process_and_nothing_else() {
    let mut other = World::start_org(OrgId::parse(OTHER).unwrap(), roster(2)).await;
    let world = World::start(roster(1), &entry(&other)).await;
    let serve = world.serve();
    serve.until_ready().await;
    until_joined(&world, &ask(&world, 1));
    until_joined(&other, &ask(&other, 2));

    let search = json!({ "filter": { "types": ["AGENT"] }, "workItemId": null });
    let path = |org: &str| format!("/v1/contacts?org={org}");
    let (first, second) = (world.emulator.with(|salesforce, _| salesforce.settings().org), OTHER);
    let ours = serve.posted(&path(first.as_str()), &search).await;
    assert_eq!(names(&ours), ["005000000000101", "005000000000102"]);
    let theirs = serve.posted(&path(second), &search).await;
    assert_eq!(names(&theirs), ["005000000000201", "005000000000202"]);
    let unclear = serve.posted("/v1/contacts", &search).await;
    assert!(unclear["error"].as_str().is_some_and(|error| error.contains("2 channels")), "{unclear}");

    other.go_dark().await;
    let problem = serve.until_not_ready("stream").await;
    assert_eq!(problem["org"], OTHER);
    until_joined(&world, &ask(&world, 1));
    let late = ask(&other, 2);
    other.come_back().await;
    until_joined(&other, &late);
    serve.until_idle().await;
    assert_eq!(serve.stop().0, Some(0));
}
