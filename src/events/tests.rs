//! Events as an org sends them, and what they come to.

mod entries;

use serde_json::{Value, json};

use super::*;
use crate::model::event::{EventKind, Participant, RoutingRequested, SkillRequirement, Target};
use crate::model::ids::{EventId, RepId, Subject};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, ParticipantRole, RoutingType, SessionStatus, WorkChange};

const CONVERSATION: &str = "6f1d5f0e-2f43-4b5e-9a52-0c1d5f0b8a11";
const EVENT_ID: &str = "0d8b7f6c-6a5f-4d1c-8f6e-1b2c3d4e5f60";
const REP: &str = "005gL00000AbCdE";
const QUEUE: &str = "00GgL00000AbCdE";
const FLOW: &str = "300gL00000AbCdE";
const SKILL: &str = "0C5gL00000AbCdF";
const SESSION: &str = "0MwgL00000AbCdE";
const WORK: &str = "0BzgL00000AbCdE";
const PSR: &str = "0JRgL00000AbCdE";
const RECEIVED: Timestamp = Timestamp::from_millis(1_780_300_800_500);

fn names() -> FieldNames {
    FieldNames::new("devorg__Conference__e.devorg__EventType__c", "devorg__Conference__e.devorg__Payload__c")
}

fn read(event: &Value) -> Result<Decoded, Error> {
    decode(&names(), &event.to_string(), RECEIVED, Some("AAAAAAFf+XwAAA=="))
}

fn event(event_type: &str, payload: &Value) -> Value {
    json!({
        "CreatedDate": 1_780_300_800_123_i64,
        "CreatedById": "005gL00000THmd4",
        "devorg__EventType__c": event_type,
        "devorg__Payload__c": payload.to_string(),
    })
}

fn request_payload(parameters: &Value, channel_data: &Value) -> Value {
    let mut routing = json!({
        "queueId": null, "userId": null, "flowId": null, "botId": null, "skillsList": null,
        "isTransfer": false, "channelData": channel_data,
    });
    for (key, value) in parameters.as_object().unwrap() {
        routing[key] = value.clone();
    }
    json!({
        "channelAddressIdentifier": "c0ffee",
        "recipient": {"appType": "custom", "subject": "wharf-1", "role": "EndUser"},
        "payload": {
            "conversationIdentifier": CONVERSATION, "routingType": "Conference", "workRecordId": null,
            "routingParameters": routing,
        },
    })
}

fn channel_data() -> Value {
    json!({"eventId": EVENT_ID, "initiator": {"subject": REP, "role": "Agent"}}).to_string().into()
}

fn requested(event: &Value) -> RoutingRequested {
    match read(event).unwrap().events.into_vec().as_slice() {
        [Event { conversation: Some(conversation), what: EventKind::RoutingRequested(requested) }] => {
            assert_eq!(conversation.as_str(), CONVERSATION);
            (**requested).clone()
        }
        other => panic!("not one routing request: {other:?}"),
    }
}

fn target(parameters: &Value) -> Target {
    requested(&event("RoutingRequested", &request_payload(parameters, &channel_data()))).target
}

fn interaction(entry_type: &str, entry: &Value, sender: &Value) -> Value {
    event(
        "Interaction",
        &json!({
            "channelAddressIdentifier": "c0ffee",
            "recipient": {"appType": "custom", "subject": "wharf-1", "role": "EndUser"},
            "conversationIdentifier": CONVERSATION,
            "payload": {
                "identifier": "entry-1", "entryType": entry_type, "entryPayload": entry, "sender": sender,
                "recipients": null, "clientTimestamp": 1,
            },
        }),
    )
}

fn by_system() -> Value {
    json!({"appType": "conversation", "subject": "conversation", "role": "System"})
}

fn by_rep() -> Value {
    json!({"appType": "agent", "subject": REP, "role": "Agent"})
}

#[test]
fn the_target_is_whichever_parameter_is_set() {
    let rep = Target::Rep(RepId::parse(REP).unwrap());
    let queue = Target::Queue(QUEUE.parse().unwrap());
    let flow = |fallback| Target::Flow { flow: FLOW.parse().unwrap(), fallback };
    let outside = |text| Target::External(Subject::parse(text).unwrap());
    let cases = [
        (json!({"userId": REP}), rep.clone()),
        (json!({"userId": RepId::parse(REP).unwrap().to_18()}), rep.clone()),
        (json!({"userId": REP, "queueId": QUEUE}), rep),
        (json!({"queueId": QUEUE}), queue.clone()),
        (json!({"queueId": QUEUE, "skillsList": []}), queue),
        (json!({"flowId": FLOW, "queueId": QUEUE}), flow(QUEUE.parse().ok())),
        (json!({"flowId": FLOW}), flow(None)),
        (json!({"flowId": FLOW, "userId": REP, "queueId": "nonsense"}), flow(None)),
        (json!({"botId": "1JZgL00000AbCdE", "userId": REP}), Target::Bot("1JZgL00000AbCdE".parse().unwrap())),
        (json!({"userId": "ext-harbour-master"}), outside("ext-harbour-master")),
        (json!({"contactId": "c-1"}), outside("c-1")),
        (json!({"phoneNumber": "+46 31 555 01 00"}), outside("+46 31 555 01 00")),
        (json!({"externalContact": {"id": null, "phoneNumber": "+46 31"}}), outside("+46 31")),
        (json!({"queueId": REP}), Target::Unreadable),
        (json!({"flowId": "nonsense"}), Target::Unreadable),
        (json!({"userId": "", "queueId": null}), Target::Unreadable),
        (json!({}), Target::Unreadable),
    ];
    for (parameters, expected) in cases {
        assert_eq!(target(&parameters), expected, "{parameters}");
    }
}

#[test]
fn skills_keep_their_levels_and_which_may_be_dropped() {
    let skills = json!({"queueId": QUEUE, "skillsList": [
        {"id": "0C5gL00000AbCdE", "level": 6, "priority": 0, "isAdditionalSkill": false, "requirementId": null},
        {"id": "0C5gL00000AbCdF", "level": null, "priority": 2, "isAdditionalSkill": true},
        {"id": "0C5gL00000AbCdG", "isAdditionalSkill": null},
    ]});
    let skill = |id: &str, level, priority, additional| SkillRequirement {
        id: id.parse().unwrap(),
        level,
        priority,
        additional,
    };
    let expected = vec![
        skill("0C5gL00000AbCdE", Some(6), Some(0), false),
        skill("0C5gL00000AbCdF", None, Some(2), true),
        skill("0C5gL00000AbCdG", None, None, false),
    ];
    assert_eq!(target(&skills), Target::Skills(expected));
}

#[test]
fn a_contact_outside_of_salesforce_may_stand_in_channel_data() {
    let data = json!({"eventId": EVENT_ID, "externalContactId": "c-2"});
    let found = requested(&event("RoutingRequested", &request_payload(&json!({}), &data)));
    assert_eq!(found.target, Target::External(Subject::parse("c-2").unwrap()));
}

#[test]
fn a_request_has_its_ids_from_channel_data_and_recipient() {
    for data in [channel_data(), serde_json::from_str(channel_data().as_str().unwrap()).unwrap()] {
        let mut payload = request_payload(&json!({"queueId": QUEUE}), &data);
        payload["payload"]["workRecordId"] = SESSION.into();
        let found = requested(&event("RoutingRequested", &payload));
        assert_eq!(found.event.as_str(), EVENT_ID);
        assert_eq!(found.routing_type, RoutingType::Conference);
        assert_eq!(found.work_item, SESSION.parse().ok());
        assert_eq!(found.end_user, Subject::parse("wharf-1").ok());
        assert_eq!(found.requester, RepId::parse(REP).ok());
        assert_eq!(found.created.as_millis(), 1_780_300_800_123);
    }
}

#[test]
fn both_spellings_of_the_unions_are_read() {
    let plain = event("RoutingRequested", &request_payload(&json!({"userId": REP}), &channel_data()));
    let mut union = plain.clone();
    for field in ["devorg__EventType__c", "devorg__Payload__c"] {
        union[field] = json!({"string": plain[field]});
    }
    union["CreatedDate"] = json!({"long": plain["CreatedDate"]});
    union["EventUuid"] = json!({"string": null});
    assert_eq!(read(&plain).unwrap(), read(&union).unwrap());
}

#[test]
fn a_payload_that_has_been_taken_out_of_its_string_is_read_too() {
    let payload = request_payload(&json!({"userId": REP}), &channel_data());
    let mut object = event("RoutingRequested", &payload);
    let text = read(&object).unwrap();
    object["devorg__Payload__c"] = payload;
    assert_eq!(read(&object).unwrap(), text);
}

#[test]
fn the_time_of_creation_is_read_in_all_its_forms() {
    let created = |value: Value| {
        let mut event = event("RoutingRequested", &request_payload(&json!({"userId": REP}), &channel_data()));
        event["CreatedDate"] = value;
        requested(&event).created.as_millis()
    };
    assert_eq!(created(json!(1_780_300_800_123_i64)), 1_780_300_800_123);
    assert_eq!(created(json!(1_780_300_800)), 1_780_300_800_000);
    assert_eq!(created(json!("1780300800123")), 1_780_300_800_123);
    assert_eq!(created(json!("2026-06-01T08:00:00.123Z")), 1_780_300_800_123);
    assert_eq!(created(json!({"long": 1_780_300_800_123_i64})), 1_780_300_800_123);
    assert_eq!(created(Value::Null), RECEIVED.as_millis());
    for (end, at) in [(json!(u64::MAX), i64::MAX), (json!(i64::MAX), i64::MAX), (json!(i64::MIN), i64::MIN)] {
        assert_eq!(created(json!({"long": end})), at);
        assert_eq!(created(end), at);
    }
    assert_eq!(created(json!(i64::MIN.to_string())), i64::MIN);
}

#[test]
fn a_request_without_an_event_id_is_unreadable_under_a_name_that_stays() {
    let payload = request_payload(&json!({"userId": REP}), &json!("{\"conversation\":1}"));
    let mut event = event("RoutingRequested", &payload);
    let by_replay_id = requested(&event);
    assert_eq!(
        (by_replay_id.event.as_str(), &by_replay_id.target),
        ("AAAAAAFf+XwAAA==", &Target::Unreadable)
    );
    event["EventUuid"] = "uuid-1".into();
    assert_eq!(requested(&event).event, EventId::parse("uuid-1").unwrap());
    event["EventUuid"] = Value::Null;
    let derived = || decode(&names(), &event.to_string(), RECEIVED, None).unwrap();
    let EventKind::RoutingRequested(request) = &derived().events[0].what else { panic!("a request") };
    assert_eq!(request.event.as_str().len(), 36);
    assert_eq!(derived(), derived());
}

#[test]
fn what_salesforce_may_add_is_ignored() {
    let passed = |event: &Value| {
        let decoded = read(event).unwrap();
        assert_eq!(decoded.events[..], []);
        decoded.ignored.unwrap().to_string()
    };
    assert_eq!(passed(&event("Weather", &json!({}))), "event type Weather, which this release does not know");
    assert_eq!(passed(&json!({"CreatedDate": 1})), "an event of another channel");
    assert_eq!(passed(&json!({"devorg__EventType__c": null})), "an event of another channel");
    let mut payload = request_payload(&json!({"userId": REP}), &channel_data());
    payload["payload"]["routingType"] = "Consult".into();
    assert_eq!(
        passed(&event("RoutingRequested", &payload)),
        "routingType Consult, which this release does not know"
    );
}

#[test]
fn what_cannot_be_read_is_named_by_its_field() {
    let mut cut = event("RoutingRequested", &request_payload(&json!({}), &channel_data()));
    let text = cut["devorg__Payload__c"].as_str().unwrap();
    cut["devorg__Payload__c"] = text.split_at(150).0.into();
    let mut nameless = request_payload(&json!({}), &channel_data());
    nameless["payload"]["conversationIdentifier"] = Value::Null;
    let cases = [
        (cut, "devorg__Payload__c.payload.routingParameters: the JSON ends too early"),
        (
            event("RoutingRequested", &nameless),
            "devorg__Payload__c.payload.conversationIdentifier is missing: the request cannot be answered \
             without it",
        ),
        (
            json!({"devorg__EventType__c": "Interaction", "devorg__Payload__c": 12}),
            "devorg__Payload__c: expected a string that holds a JSON object",
        ),
    ];
    for (event, expected) in cases {
        assert_eq!(read(&event).unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_is_of_another_type_is_a_remark() {
    let request =
        |parameters: Value, data: Value| event("RoutingRequested", &request_payload(&parameters, &data));
    let skills =
        json!({"skillsList": [{"id": "0C5gL00000AbCdE", "level": 5.0}, {"id": SKILL, "level": "high"}]});
    let cases = [
        (request(json!({"userId": 5}), channel_data()), "payload.routingParameters.userId"),
        (request(skills.clone(), channel_data()), "payload.routingParameters.skillsList.level"),
        (request(json!({}), json!("{\"eventId\": ")), "payload.routingParameters.channelData"),
        (request(json!({}), json!(7)), "payload.routingParameters.channelData"),
        (
            interaction("RoutingWorkResult", &json!({"workId": [WORK]}), &by_system()),
            "payload.entryPayload.workId",
        ),
        (interaction("RoutingWorkResult", &json!([]), &by_system()), "payload.entryPayload"),
        (json!({"devorg__EventType__c": "Interaction", "CreatedDate": "soon"}), "CreatedDate"),
    ];
    for (event, expected) in cases {
        assert_eq!(read(&event).unwrap().odd, [expected], "{event}");
    }
    let Target::Skills(skills) = target(&skills) else { panic!("no skills") };
    assert_eq!(skills.iter().map(|skill| skill.level).collect::<Vec<_>>(), [Some(5), None]);
    // Without its id nothing can be asked on a request's behalf; it is answered with a refusal all the same.
    assert_eq!(requested(&request(json!({"userId": REP}), json!(7))).target, Target::Unreadable);
}

#[test]
fn a_payload_with_nothing_in_it_is_ignored() {
    for nothing in [json!(null), json!(""), json!(" "), json!({"string": null}), json!({"string": ""})] {
        let decoded = read(&json!({"devorg__EventType__c": "Interaction", "devorg__Payload__c": nothing}));
        assert_eq!(decoded.unwrap().ignored, Some(Ignored::Incomplete { field: "payload" }), "{nothing}");
    }
}

#[test]
fn a_decoder_finds_the_names_by_itself_and_remembers_them() {
    let mut decoder = Decoder::new(Some(FieldNames::new("Old__e.Type__c", "Old__e.Body__c")));
    let event = event("RoutingRequested", &request_payload(&json!({"userId": REP}), &channel_data()));
    let read = decoder.decode(&event.to_string(), RECEIVED, None).unwrap();
    assert_eq!(read.events.len(), 1);
    let emptied = json!({"devorg__EventType__c": "Interaction", "devorg__Payload__c": null}).to_string();
    let emptied = decoder.decode(&emptied, RECEIVED, None).unwrap();
    assert_eq!(emptied.ignored, Some(Ignored::Incomplete { field: "payload" }));
    let error = Decoder::default().decode("{\"a\": ", RECEIVED, None).unwrap_err();
    assert_eq!(error.to_string(), "a: the JSON ends too early");
}
