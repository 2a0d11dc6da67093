//! What is brought by HTTP goes to the store with what names it: brought twice, it changes nothing.

use std::sync::Arc;

use byoc_connector::model::ids::{AgentWorkId, OrgId, WorkItemId};
use byoc_connector::model::time::{Clock as _, SystemClock};
use byoc_connector::service::Processed;
use byoc_connector::store::{Cause, ChannelKey, Memory, Store};

use crate::server::rig::{CHANNEL, ORG, org, service_with};

/// The platform events of a recorded conference to a rep, up to the request, as if they came now, with the fields of
/// the rig's channel.
pub(super) fn recorded() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/conference-rep.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let now = SystemClock.now().as_millis();
    let as_now = |mut line: serde_json::Value| {
        line["event"]["CreatedDate"] = now.into();
        line["event"].to_string().replace("devorg__", "acme__")
    };
    let mut events: Vec<String> = lines.filter(|line| line["source"] == "pubsub").map(as_now).collect();
    let request = events.iter().position(|event| event.contains("RoutingRequested")).unwrap();
    events.truncate(request + 1);
    events
}

#[tokio::test(start_paused = true)]
async fn what_is_brought_is_stored_with_what_names_it() {
    let store = Arc::new(Memory::new());
    let service =
        service_with(store.clone(), Arc::new(SystemClock), vec![org(ORG, "http://127.0.0.1:9", true)]).await;
    let channel = &service.channels()[0];
    let id = "d1f4a5ce-0a8c-4b5b-8f0f-0c5d1f2e3a4b";
    for event in recorded() {
        let event = event.replacen('{', &format!(r#"{{"EventUuid":"{id}","#), 1);
        // The first of them names all the others, which are taken for the same.
        assert_eq!(channel.platform_event(&event).await.unwrap(), Processed::Stored);
    }
    assert_eq!(channel.open_requests(9).await.unwrap(), [], "the request is taken for what came before");
    for event in recorded() {
        channel.platform_event(&event).await.unwrap();
    }
    assert_eq!(channel.open_requests(9).await.unwrap().len(), 1);
    let work_item = WorkItemId::parse("0MwgL00000Fu7zr").unwrap();
    let work = AgentWorkId::parse("0BzgL00000U941t").unwrap();
    channel.agent_work(work_item, work, "ASSIGNED", None).await.unwrap();
    let key = ChannelKey { org: ORG.parse::<OrgId>().unwrap(), channel: CHANNEL.into() };
    let causes = [format!("event {id}"), format!("agent work {work} ASSIGNED"), "event of nobody".to_owned()];
    let causes = causes.map(|cause| Cause::named(&cause).unwrap());
    assert_eq!(store.seen(&key, &causes).await.unwrap(), [true, true, false]);
}
