//! Every recorded event.

use std::collections::{BTreeMap, BTreeSet};

use byoc_connector::events::{Decoded, Error, FieldNames, decode};
use byoc_connector::model::time::Timestamp;
use serde_json::{Value, json};

use super::{odd_values, places, with, words};
use crate::support::replaying::{Recording, names};

const TYPE: &str = "devorg__EventType__c";
const PAYLOAD: &str = "devorg__Payload__c";

/// What a decision about a request needs. Which of the targets is set says who is meant; how urgent a skill is says
/// which may be dropped; the work item and the end user are named in calls; `CreatedDate` says how long is left.
const OF_A_REQUEST: &[&str] = &[
    "CreatedDate",
    TYPE,
    PAYLOAD,
    "recipient",
    "recipient.subject",
    "payload",
    "payload.conversationIdentifier",
    "payload.routingType",
    "payload.workRecordId",
    "payload.routingParameters",
    "payload.routingParameters.botId",
    "payload.routingParameters.flowId",
    "payload.routingParameters.userId",
    "payload.routingParameters.queueId",
    "payload.routingParameters.skillsList",
    "payload.routingParameters.skillsList.id",
    "payload.routingParameters.skillsList.level",
    "payload.routingParameters.skillsList.priority",
    "payload.routingParameters.skillsList.isAdditionalSkill",
    "payload.routingParameters.channelData",
    "payload.routingParameters.channelData.eventId",
];

/// What is needed of whatever happens in a conversation: where, what it is, and who is there.
const OF_AN_ENTRY: &[&str] = &[
    TYPE,
    PAYLOAD,
    "conversationIdentifier",
    "payload",
    "payload.entryType",
    "payload.sender",
    "payload.sender.role",
    "payload.sender.subject",
];

/// And of those that tell of routing. An entry's own id keeps it from being taken twice.
const OF_ITS_PAYLOAD: &[(&str, &[&str])] = &[
    (
        "RoutingResult",
        &[
            "cancelReason",
            "failureType",
            "routingType",
            "pendingServiceRoutingId",
            "recordId",
            "workOwnerId",
            "initiator",
            "initiator.subject",
        ],
    ),
    ("RoutingWorkResult", &["workId", "workTargetId", "workType", "agentSessionId"]),
    ("SessionStatusChanged", &["sessionId", "sessionStatus", "sessionStatusPrev"]),
    (
        "ParticipantChanged",
        &[
            "entries",
            "entries.operation",
            "entries.participant",
            "entries.participant.role",
            "entries.participant.subject",
        ],
    ),
];

/// Without these nothing can be answered, and nobody can be told: the event is refused, by name.
const MAY_REFUSE: &[&str] = &[PAYLOAD, "payload", "payload.conversationIdentifier"];

fn read(event: &Value) -> Result<Decoded, Error> {
    decode(
        &FieldNames::new(TYPE, PAYLOAD),
        &event.to_string(),
        Timestamp::from_millis(7),
        Some("AAAAAAFf+XwAAA=="),
    )
}

/// Takes out what stands in texts, so that every field has a place.
fn opened(event: &Value) -> Value {
    let mut event = event.clone();
    let texts = [
        format!("/{PAYLOAD}"),
        format!("/{PAYLOAD}/payload/entryPayload"),
        format!("/{PAYLOAD}/payload/routingParameters/channelData"),
    ];
    for place in texts {
        if let Some(value) = event.pointer_mut(&place)
            && let Some(inner) = value.as_str().and_then(|text| serde_json::from_str(text).ok())
        {
            *value = inner;
        }
    }
    event
}

/// The path of a field in the words of the lists above.
fn name(place: &str) -> String {
    let name = words(place);
    match name.strip_prefix(PAYLOAD).and_then(|rest| rest.strip_prefix('.')) {
        Some(inner) => inner.to_owned(),
        None => name,
    }
}

fn needed(event: &Value) -> BTreeSet<String> {
    if event[TYPE] == "RoutingRequested" {
        return OF_A_REQUEST.iter().map(|name| (*name).to_owned()).collect();
    }
    let mut all: BTreeSet<String> = OF_AN_ENTRY.iter().map(|name| (*name).to_owned()).collect();
    let kind = &event[PAYLOAD]["payload"]["entryType"];
    for (_, fields) in OF_ITS_PAYLOAD.iter().filter(|(of, _)| kind == of) {
        all.extend(["payload.identifier".to_owned(), "payload.entryPayload".to_owned()]);
        all.extend(fields.iter().map(|field| format!("payload.entryPayload.{field}")));
    }
    if kind == "ParticipantChanged" {
        // What is older than the last move of somebody changes nothing.
        all.insert("payload.clientTimestamp".to_owned());
    }
    all
}

/// One recorded event of each form: its type, its entry's type, and which fields are set.
fn recorded() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for name in names() {
        for line in Recording::load(&name).lines.iter().filter(|line| line["source"] == "pubsub") {
            let mut event = opened(&line["event"]);
            for field in [TYPE, PAYLOAD] {
                if let Some(inner) = event[field].get("string").cloned() {
                    event[field] = inner;
                }
            }
            let event = opened(&event);
            let set = |place: &String| event.pointer(place).is_some_and(|value| !value.is_null());
            let form: BTreeSet<String> =
                places(&event).into_iter().filter(set).map(|place| words(&place)).collect();
            let kind = event[PAYLOAD]["payload"]["entryType"].as_str().unwrap_or("RoutingRequested");
            all.entry(format!("{kind} {form:?}")).or_insert(event);
        }
    }
    all
}

#[test]
fn only_what_a_decision_needs_may_change_it() {
    let (mut changed, mut tried) = (BTreeSet::new(), 0);
    let recorded = recorded();
    assert!(recorded.len() > 10, "only {} forms of events", recorded.len());
    for event in recorded.values() {
        let usual = read(event).unwrap();
        assert!(usual.odd.is_empty(), "{event}: {:?}", usual.odd);
        let needed = needed(event);
        for place in places(event) {
            let name = name(&place);
            for odd in odd_values() {
                let shown = format!("{place} = {odd:?} in {event}");
                let read = read(&with(event, &place, odd));
                tried += 1;
                let read = match read {
                    Ok(read) => read,
                    Err(_) if MAY_REFUSE.contains(&name.as_str()) => continue,
                    Err(error) => panic!("{shown}: {error}"),
                };
                if read.events != usual.events {
                    assert!(
                        needed.contains(&name),
                        "{name}: {shown}\nwas {:?}\nis {:?}",
                        usual.events,
                        read.events
                    );
                    changed.insert(name.clone());
                }
            }
        }
    }
    assert!(tried > 5_000, "{tried}");
    // The lists have nothing that makes no difference.
    let listed = OF_A_REQUEST.iter().chain(OF_AN_ENTRY).map(|name| (*name).to_owned());
    let listed: BTreeSet<String> = listed.filter(|name| !name.ends_with("workRecordId")).collect();
    assert_eq!(listed.difference(&changed).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_field_of_another_type_is_named_in_a_remark() {
    let event =
        recorded().into_values().find(|event| event[PAYLOAD]["payload"]["routingParameters"].is_object());
    let mut event = event.expect("a request");
    event["EventUuid"] = json!(17);
    event[PAYLOAD]["payload"]["routingParameters"]["channelData"]["initiator"] = json!("005");
    event[PAYLOAD]["payload"]["workRecordId"] = json!(["x"]);
    let mut odd = read(&event).unwrap().odd;
    odd.sort();
    assert_eq!(odd, ["EventUuid", "payload.routingParameters.channelData.initiator", "payload.workRecordId"]);
}
