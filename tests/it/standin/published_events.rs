//! The emulator tells the partner what Salesforce publishes, and not a field more.

use std::collections::BTreeSet;

use byoc_connector::emulator::{Act, Settings};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{AgentWorkId, Subject};
use serde_json::{Value, json};

use super::rig::{ANNA, BO, Org, START, queue, rep};

const ENVELOPE: &[&str] = &["channelAddressIdentifier", "recipient", "payload", "conversationIdentifier"];
const REQUEST: &[&str] = &["conversationIdentifier", "routingParameters", "routingType", "workRecordId"];
const PARAMETERS: &[&str] = &[
    "queueId",
    "channelData",
    "isTransfer",
    "routingConfigId",
    "userId",
    "isFallbackOnPsrNotCreated",
    "serviceChannelId",
    "isEstimatedWaitTimeRequested",
    "skillsList",
    "botId",
    "flowId",
    "isScrt2",
    "isUserRequired",
];
const CHANNEL_DATA: &[&str] = &["eventId", "routerParticipantSubject", "routingType", "conversationId"];
const CONVERSATION_ENTRY: &[&str] = &[
    "senderDisplayName",
    "identifier",
    "entryType",
    "entryPayload",
    "sender",
    "recipients",
    "transcriptedTimestamp",
    "clientTimestamp",
    "clientDuration",
];

/// The fields of an entry type, beside `id` and `entryType`.
fn entry_fields(entry_type: &str) -> &'static [&'static str] {
    match entry_type {
        "RoutingResult" => &[
            "workOwnerId",
            "estimatedWaitTime",
            "initiator",
            "recordId",
            "errorMessages",
            "pendingServiceRoutingId",
            "skipRouterCPRemovalIfNoRoutingFailures",
            "routingType",
            "failureReason",
            "failureType",
            "isExternallyRouted",
            "cancelReason",
            "routingConfigurationDetails",
        ],
        "RoutingWorkResult" => &[
            "queueId",
            "errorMessages",
            "workTargetId",
            "agentSessionId",
            "routingType",
            "workType",
            "botId",
            "agentGroupIds",
            "workId",
        ],
        "ParticipantChanged" => &["entries"],
        "SessionStatusChanged" => &[
            "conversationIdentifier",
            "channelAddressIdentifier",
            "sessionStatusPrev",
            "sessionEndedByRole",
            "sessionEndTime",
            "sessionStatus",
            "sessionStartTime",
            "sessionId",
        ],
        other => panic!("{other} is not published"),
    }
}

fn only(value: &Value, published: &[&str]) {
    let fields = value.as_object().unwrap_or_else(|| panic!("{value} is an object"));
    let more: BTreeSet<_> = fields.keys().filter(|name| !published.contains(&name.as_str())).collect();
    assert!(more.is_empty(), "{more:?} is not published, in {value}");
}

fn check(event_type: &str, event: &Value) {
    only(event, ENVELOPE);
    only(&event["recipient"], &["appType", "subject", "role"]);
    let payload = &event["payload"];
    if event_type == "RoutingRequested" {
        only(payload, REQUEST);
        only(&payload["routingParameters"], PARAMETERS);
        only(&channel_data(event), CHANNEL_DATA);
        return;
    }
    only(payload, CONVERSATION_ENTRY);
    let entry = &payload["entryPayload"];
    let own = entry_fields(entry["entryType"].as_str().unwrap());
    only(entry, &[&["id", "entryType"], own].concat());
}

fn channel_data(event: &Value) -> Value {
    serde_json::from_str(event["payload"]["routingParameters"]["channelData"].as_str().unwrap()).unwrap()
}

/// A conference that is asked for, routed, offered and called off, and one that a rep joins.
fn a_busy_conversation(settings: Settings) -> Org {
    let mut org = Org::with(settings);
    let first = org.asks_for(Target::Queue(queue()));
    org.routes();
    let body = org.offer_body(BO, &first);
    let made = org.call("POST", "agentWork", &body);
    org.salesforce.act(START, Act::CancelRequest { request: first }).unwrap();
    org.call(
        "PATCH",
        "agentWork",
        &json!({ "workId": made.body["agentWorkId"], "contextType": "Agent", "status": "Cancel" }),
    );
    org.call(
        "DELETE",
        "route",
        &json!({ "conversationIdentifier": org.conversation, "cancelReason": "Decline" }),
    );
    let second = org.asks_for(Target::Queue(queue()));
    org.routes();
    let body = org.offer_body(BO, &second);
    let made = org.call("POST", "agentWork", &body);
    let work = AgentWorkId::parse(made.body["agentWorkId"].as_str().unwrap()).unwrap();
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    org
}

#[test]
fn every_event_has_the_published_fields_and_no_other() {
    let mut settings = Settings::default();
    settings.channel.routing_work_result_supported = true;
    let mut org = a_busy_conversation(settings);
    org.asks_for(Target::Rep(rep(BO)));
    org.asks_for(Target::Bot(Subject::parse("1JZHu0000000001").unwrap()));
    org.asks_for(Target::External(Subject::parse("c-1").unwrap()));
    org.salesforce.act(START, Act::EndUserLeaves { conversation: org.conversation.clone() }).unwrap();
    let events = org.published();
    for (event_type, event) in &events {
        check(event_type, event);
    }
    let entries: BTreeSet<&str> =
        events.iter().filter_map(|(_, event)| event["payload"]["entryType"].as_str()).collect();
    let all = ["ParticipantChanged", "RoutingResult", "RoutingWorkResult", "SessionStatusChanged"];
    assert_eq!(entries, BTreeSet::from(all), "each kind of entry was looked at");
}

#[test]
fn a_request_does_not_say_who_asked() {
    let mut org = Org::new();
    let request = org.asks_for(Target::Queue(queue()));
    let (_, event) = org.published().pop().unwrap();
    let data = channel_data(&event);
    assert_eq!(data["eventId"], json!(request));
    assert_eq!(data["conversationId"], json!(org.conversation));
    assert_eq!(data["routingType"], "Conference");
    assert!(!event.to_string().contains(rep(ANNA).as_str()), "{event}");
}

/// The entry of the cancel of a queue request that has a PSR, and that PSR.
fn cancel_of(settings: Settings) -> (Org, Value, Value) {
    let mut org = Org::with(settings);
    let request = org.asks_for(Target::Queue(queue()));
    let psr = org.routes().body["psrId"].clone();
    org.published();
    org.salesforce.act(START, Act::CancelRequest { request }).unwrap();
    let (_, event) = org.published().pop().unwrap();
    (org, event["payload"]["entryPayload"].clone(), psr)
}

#[test]
fn a_cancel_says_which_user_wants_it_and_what_omni_made() {
    let (org, entry, psr) = cancel_of(Settings::default());
    assert_eq!(entry["cancelReason"], "Cancel");
    assert_eq!(entry["failureType"], "Cancelled");
    assert_eq!(entry["routingType"], "Conference");
    assert_eq!(entry["workOwnerId"], json!(rep(ANNA).to_18()));
    assert_eq!(entry["initiator"]["subject"], json!(rep(ANNA).to_18()));
    assert_eq!(entry["pendingServiceRoutingId"], psr);
    assert_eq!(entry["recordId"], json!(org.work_item.to_18()));
}

#[test]
fn a_cancel_can_be_told_without_its_psr() {
    let mut settings = Settings::default();
    settings.events.cancel_names_psr = false;
    let (_, entry, _) = cancel_of(settings);
    assert_eq!((&entry["pendingServiceRoutingId"], &entry["recordId"]), (&Value::Null, &Value::Null));
    assert_eq!(entry["workOwnerId"], json!(rep(ANNA).to_18()));
}

#[test]
fn an_end_user_who_leaves_is_no_user_who_cancels() {
    let mut org = Org::new();
    org.asks_for(Target::Queue(queue()));
    org.published();
    org.salesforce.act(START, Act::EndUserLeaves { conversation: org.conversation.clone() }).unwrap();
    let (_, event) = org.published().remove(0);
    let entry = &event["payload"]["entryPayload"];
    assert_eq!(entry["cancelReason"], "EndUserEnded");
    assert_eq!(entry["workOwnerId"], Value::Null);
    assert_eq!(entry["initiator"]["subject"], json!(rep(ANNA).to_18()), "the one who initiated the routing");
}
