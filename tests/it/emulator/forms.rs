//! The forms that others write: a recording's ids, acts as JSON, events as Avro's JSON has them.

use byoc_connector::emulator::EntryPayloadForm;
use byoc_connector::model::words::RoutingType;

use super::*;

#[test]
fn a_recording_is_taken_over_with_its_own_ids() {
    let mut salesforce = Salesforce::new(1, roster(), Settings::default());
    let conversation = ConversationId::parse(AN_ID).unwrap();
    let adopted = AdoptedConversation {
        conversation: conversation.clone(),
        work_item: Some(WorkItemId::parse("0MwSB0000012345").unwrap()),
        end_user: Some(Subject::parse("customer-1").unwrap()),
        reps: vec![rep(ANNA)],
    };
    salesforce.seed_conversation(START, adopted.clone()).unwrap();
    let again = salesforce.seed_conversation(START, adopted);
    assert_eq!(again, Err(ActError::ConversationExists { conversation: conversation.clone() }));
    let requested = RoutingRequested {
        event: EventId::parse("b6c4").unwrap(),
        created: START,
        routing_type: RoutingType::Conference,
        target: Target::Queue(queue()),
        work_item: None,
        end_user: None,
        requester: Some(rep(ANNA)),
        list_opened_by: None,
    };
    salesforce.adopt_request(START, &conversation, &requested).unwrap();
    assert!(salesforce.adopt_request(START, &conversation, &requested).is_err());
    assert_eq!(salesforce.take_events(), [], "nothing is told about what is only taken over");
    salesforce.advance(seconds(60));
    let request = salesforce.request(&requested.event).unwrap();
    assert_eq!(request.ended.as_ref().unwrap().1, RequestEnd::MarkedFailed);
}

#[test]
fn acts_read_from_json_in_salesforces_own_field_names() {
    let conversation = ConversationId::parse("c").unwrap();
    let act: Act = serde_json::from_value(json!({
        "act": "requestConference", "conversation": "c", "target": { "flowId": flow(1), "queueId": queue() },
    }))
    .unwrap();
    let target = Target::Flow { flow: flow(1), fallback: Some(queue()) };
    assert_eq!(act, Act::RequestConference { conversation, requester: None, target });
    let skill = SkillRequirement {
        id: SkillId::parse("0C5Hu0000000001").unwrap(),
        level: Some(5),
        priority: None,
        additional: true,
    };
    for target in [
        Target::Rep(rep(BO)),
        Target::Queue(queue()),
        Target::Skills(vec![skill]),
        Target::Bot(Subject::parse("1JZHu0000000001").unwrap()),
        Target::External(Subject::parse("contact-1").unwrap()),
        Target::Unreadable,
    ] {
        let act = Act::RequestTransfer {
            conversation: ConversationId::parse("c").unwrap(),
            requester: Some(rep(ANNA)),
            target,
        };
        let text = serde_json::to_string(&act).unwrap();
        assert_eq!(serde_json::from_str::<Act>(&text).unwrap(), act, "{text}");
    }
    let wrong: Result<Act, _> = serde_json::from_value(json!({ "act": "accept", "wrok": "0Bz" }));
    assert!(wrong.is_err());
}

#[test]
fn events_can_look_as_avros_json_has_them() {
    let mut settings = Settings::default();
    settings.events.avro_unions = true;
    settings.events.entry_payload = EntryPayloadForm::JsonString;
    settings.events.work_record_id = true;
    let mut org = Org::with(settings, roster());
    org.asks_for(START, Target::Rep(rep(BO)));
    org.routes(START);
    let events = org.salesforce.take_events();
    let fields = |n: usize| match &events[n].what {
        Emission::Platform { event, .. } => event.clone(),
        Emission::AgentWork { .. } => panic!(),
    };
    assert_eq!(fields(0)["devorg__EventType__c"], json!({ "string": "RoutingRequested" }));
    let payload = |n: usize| -> Value {
        serde_json::from_str(fields(n)["devorg__Payload__c"]["string"].as_str().unwrap()).unwrap()
    };
    assert_eq!(payload(0)["payload"]["workRecordId"], json!(org.work_item.to_18()));
    let entry: Value = serde_json::from_str(payload(1)["payload"]["entryPayload"].as_str().unwrap()).unwrap();
    assert_eq!(entry["entryType"], "RoutingResult");
}
