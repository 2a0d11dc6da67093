//! Salesforce's published schemas, where they are at hand.

use super::*;

pub(super) fn schemas(file: &str) -> Option<Value> {
    let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
    let read =
        |folder: &std::path::Path| std::fs::read_to_string(folder.join("shared/reference").join(file)).ok();
    let Some(text) = above.into_iter().find_map(read) else {
        #[expect(clippy::print_stdout, reason = "a test that skips says so")]
        {
            println!("skipped: {file} is not at hand");
        }
        return None;
    };
    let mut document: Value = serde_yaml_ng::from_str(&text).unwrap();
    repair(&mut document);
    Some(document["components"].take())
}

/// The slips in the published files that a validator would trip over.
fn repair(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            match fields.get("type").and_then(Value::as_str) {
                Some("double" | "float") => drop(fields.insert("type".to_owned(), json!("number"))),
                Some("int") => drop(fields.insert("type".to_owned(), json!("integer"))),
                _ => {}
            }
            if let Some(Value::Array(required)) = fields.get_mut("required") {
                // Named as required of objects that do not define them.
                required.retain(|name| name != "participant" && name != "conversationId");
            }
            fields.remove("discriminator");
            fields.values_mut().for_each(repair);
        }
        Value::Array(items) => items.iter_mut().for_each(repair),
        _ => {}
    }
}

fn validator(components: &Value, name: &str) -> jsonschema::Validator {
    assert!(components["schemas"][name].is_object(), "{name} is not a published schema");
    let document = json!({ "$ref": format!("#/components/schemas/{name}"), "components": components });
    jsonschema::validator_for(&document).unwrap()
}

/// The schemas know no null; real events are full of them.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), without_nulls(v))).collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

pub(super) fn conforms(components: &Value, name: &str, value: &Value) {
    let value = without_nulls(value);
    let found: Vec<_> = validator(components, name).iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(found.is_empty(), "{name}: {found:?}\n{value:#}");
}

/// One of everything that can be told.
fn a_long_story() -> Vec<Emitted> {
    let mut org = Org::new();
    let asked = [
        Target::Queue(queue()),
        Target::Flow { flow: flow(1), fallback: Some(queue()) },
        Target::Rep(rep(BO)),
        Target::Bot(Subject::parse("1JZHu0000000001").unwrap()),
        Target::External(Subject::parse("contact-1").unwrap()),
        Target::Skills(vec![SkillRequirement {
            id: SkillId::parse("0C5Hu0000000001").unwrap(),
            level: Some(4),
            priority: Some(1),
            additional: false,
        }]),
    ];
    let requests: Vec<_> = asked.into_iter().map(|target| org.asks_for(START, target)).collect();
    org.routes(START);
    org.clears(START, "Decline");
    org.routes(START);
    let declined = org.offers(START, CLEO, &requests[0], None);
    org.salesforce.act(START, Act::Decline { work: declined }).unwrap();
    let work = org.offers(START, BO, &requests[0], None);
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    org.salesforce.act(START, Act::CancelRequest { request: requests[1].clone() }).unwrap();
    org.salesforce.act(START, Act::EndUserLeaves { conversation: org.conversation.clone() }).unwrap();
    org.salesforce.take_events()
}

#[test]
fn events_have_the_published_shape() {
    let Some(outbound) = schemas("outbound-custom-event-payload.yaml") else { return };
    let inbound = schemas("inbound-interaction-api.yaml").unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for emitted in a_long_story() {
        let Emission::Platform { event, .. } = &emitted.what else { continue };
        let payload = payload(event);
        if event["devorg__EventType__c"] == "RoutingRequested" {
            conforms(&outbound, "RoutingRequested", &payload);
            continue;
        }
        conforms(&outbound, "InteractionEvent", &payload);
        let entry = &payload["payload"]["entryPayload"];
        let name = entry["entryType"].as_str().unwrap();
        // The outbound file names the entry type RoutingWorkResult and leaves its schema to the inbound one.
        let file = if name == "RoutingWorkResult" { &inbound } else { &outbound };
        conforms(file, name, entry);
        seen.insert(name.to_owned());
    }
    let expected = ["ParticipantChanged", "RoutingResult", "RoutingWorkResult", "SessionStatusChanged"];
    assert!(seen.iter().eq(expected), "{seen:?}");
}

#[test]
fn answers_have_the_published_shape() {
    let Some(inbound) = schemas("inbound-interaction-api.yaml") else { return };
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    let route = org.route_body(&json!({ "queueId": queue() }));
    conforms(&inbound, "PostRouteRequest", &route);
    let offer = org.offer_body(BO, &request);
    conforms(&inbound, "AgentWorkRequest", &without_nulls(&offer));
    let answer = org.call(START, "POST", "/api/v1/route", &route);
    conforms(&inbound, "PostRouteResponse", &answer.body);
    let answer = org.call(START, "POST", "/api/v1/agentWork", &offer);
    conforms(&inbound, "AgentWorkResponse", &answer.body);
    let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
    conforms(&inbound, "PatchAgentWorkResponse", &org.cancels(START, work).body);
    conforms(&inbound, "Error", &org.cancels(START, work).body);
    conforms(&inbound, "DeleteRouteResponse", &org.clears(START, "Decline").body);
    let result = org.result_body(false);
    let answer = org.call(START, "POST", "/api/v1/routingResult", &result);
    conforms(&inbound, "RoutingResultResponse", &answer.body);
    let begin = org.conversation_body();
    conforms(&inbound, "PostConversationRequest", &begin);
    let answer = org.call(START, "POST", "/api/v1/conversation", &begin);
    conforms(&inbound, "PostConversationResponse", &answer.body);
    let consent = org.consent_body("ExplicitlyOptedIn");
    conforms(&inbound, "ConsentRequest", &consent);
    let answer = org.call(START, "PATCH", "/api/v1/consent", &consent);
    conforms(&inbound, "ConsentResponse", &answer.body);
    let end = org.session_body("End");
    conforms(&inbound, "PostMessagingSessionRequest", &end);
    let answer = org.call(START, "POST", "/api/v1/messagingSession", &end);
    conforms(&inbound, "PostMessagingSessionResponse", &answer.body);
}
