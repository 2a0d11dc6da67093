//! What is not known here is ignored, counted, and named.

use super::*;

#[test]
fn is_counted_and_ignored_and_changes_nothing() {
    let mut recording = Recording::load("conference-queue");
    let conversation = "08518f05-e610-4643-9d88-62688deaad81";
    let event = |payload: &Value| {
        json!({"CreatedDate": 1_780_305_001_500_u64, "devorg__EventType__c": "Interaction",
               "devorg__Payload__c": payload.to_string()})
    };
    let entry = |entry: Value| {
        json!({"conversationIdentifier": conversation, "payload": {"identifier": "x", "entryType": entry["entryType"],
               "entryPayload": entry}})
    };
    let at = "2026-06-01T09:10:01.700Z";
    let news = [
        json!({"at": at, "source": "carrier-pigeon", "feathers": 12}),
        json!({"at": at, "source": "connector-api", "message": "SET_STATUS", "status": [1]}),
        json!({"at": at, "source": "connector-api", "message": "AGENT_WORK_EVENT", "agentWork":
            {"workItemId": "0MwgL00000VSH84", "workId": "0BzgL00000Evm1S", "workEvent": "PAUSED", "new": {}}}),
        json!({"at": at, "source": "pubsub", "event": {"devorg__EventType__c": "Weather", "devorg__Payload__c": "{}"}}),
        json!({"at": at, "source": "pubsub", "event": {"Another__c": "event"}}),
        json!({"at": at, "source": "pubsub", "event": event(&entry(json!({"entryType": "HologramStarted"})))}),
        json!({"at": at, "source": "pubsub", "event": event(&entry(json!({"entryType": "SessionStatusChanged",
            "sessionId": "0MwgL00000VSH84", "sessionStatus": "Frozen"})))}),
        json!({"at": at, "source": "pubsub", "event": {"devorg__EventType__c": "RoutingRequested",
            "devorg__Payload__c": json!({"payload": {"conversationIdentifier": conversation, "routingType": "Teleport",
                "routingParameters": {"userId": "005gL00000YYgCy"}}}).to_string()}}),
    ];
    for line in news.into_iter().rev() {
        recording.lines.insert(5, line);
    }
    for line in &mut recording.lines {
        line["field of tomorrow"] = json!({"deep": [null]});
    }
    let said = fine(&replayed(&recording, &[]));
    let (story, sum) =
        below_title(&said).split_once("\n1 request").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(story, queue_timeline().split_once("\n1 request").unwrap().0);
    assert_snapshot!(sum, @r"
    : 1 joined · 3 calls · 27 lines
    ignored: GET_CONTACTS, not used for routing (1)
    ignored: Message, not used for routing (2)
    ignored: a rep's pause, not used for routing (1)
    ignored: an event of another channel (1)
    ignored: entry type HologramStarted, which this release does not know (1)
    ignored: event type Weather, which this release does not know (1)
    ignored: routingType Teleport, which this release does not know (1)
    ignored: sessionStatus Frozen, which this release does not know (1)
    ignored: source carrier-pigeon, which this release does not know (1)
    ignored: source connector-api SET_STATUS, which this release does not know (1)
    nothing differs
    ");
}

#[test]
fn a_channel_that_salesforce_routes_has_its_requests_ignored() {
    let recording =
        Recording::load("conference-rep").with(0, "/definition/RoutingOwner", json!("Salesforce"));
    let recording = recording.without(|line| line["source"] == "interaction-service");
    let said = fine(&replayed(&recording, &[]));
    assert!(said.contains("\nignored: RoutingRequested, while Salesforce owns the routing (1)\n"), "{said}");
    assert!(said.contains("\n0 requests · 0 calls · "), "{said}");
}
