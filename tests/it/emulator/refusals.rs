//! Each call that is wrong is refused with the code that the org has for it.

use super::*;

#[test]
fn every_wrong_header_has_its_code() {
    let table: [(&str, Option<&str>, u16, u32); 16] = [
        ("authorization", None, 401, 10004),
        ("authorization", Some("Basic abc"), 401, 10004),
        ("authorization", Some("Bearer "), 401, 10004),
        ("orgid", None, 400, 10016),
        ("orgid", Some(""), 400, 10016),
        ("orgid", Some("00DHu0000012345MAB"), 400, 10016),
        ("orgid", Some("005Hu0000012345"), 400, 10016),
        ("orgid", Some("00DHu0000099999"), 401, 10005),
        ("requestid", None, 400, 10016),
        ("requestid", Some("42"), 400, 10016),
        ("authorizationcontext", None, 400, 10016),
        ("authorizationcontext", Some("devorg_Other"), 400, 10001),
        ("authorizationcontexttype", None, 400, 10016),
        ("authorizationcontexttype", Some("EmbeddedMessagingChannel"), 400, 10093),
        ("content-type", None, 400, 10016),
        ("content-type", Some("text/plain"), 400, 10016),
    ];
    for (name, value, status, code) in table {
        let mut org = Org::new();
        let mut call = request("PATCH", "/api/v1/agentWork", &json!({}), 1);
        call.headers.retain(|(key, _)| key != name);
        call.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        let answer = org.salesforce.handle(START, &call);
        assert_eq!((answer.status, answer.code()), (status, Some(code)), "{name} {value:?}");
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{code}: ")), "{message}");
    }
    // Elsewhere the context's type may be left out.
    let mut org = Org::new();
    let mut call = request("POST", "/api/v1/route", &org.route_body(&json!({})), 1);
    call.headers.retain(|(key, _)| key != "authorizationcontexttype");
    assert_eq!(org.salesforce.handle(START, &call).status, 202);
}

#[test]
fn every_wrong_path_method_and_body_has_its_code() {
    let table: [(&str, &str, &[u8], u16, u32); 8] = [
        ("POST", "/api/v1/nothing", b"{}", 404, 404),
        ("POST", "/route", b"{}", 404, 404),
        ("GET", "/api/v1/route", b"", 405, 405),
        ("PUT", "/api/v1/agentWork?x=1", b"{}", 405, 405),
        ("POST", "/api/v1/route", b" \n", 400, 10100),
        ("POST", "/api/v1/route", b"{\"conversationIdentifier\":", 400, 10089),
        ("POST", "/api/v1/route", b"\xff\xfe", 400, 10089),
        ("POST", "/api/v1/route", b"[1]", 400, 10089),
    ];
    for (method, path, body, status, code) in table {
        let mut org = Org::new();
        let call = ApiRequest { body: body.to_vec(), ..request(method, path, &Value::Null, 1) };
        let answer = org.salesforce.handle(START, &call);
        assert_eq!((answer.status, answer.code()), (status, Some(code)), "{method} {path}");
    }
}

/// A body that is right, with one field changed; an absent pointer adds to the object before it.
pub(super) fn changed(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() { Some(&mut body) } else { body.pointer_mut(parent) };
    parent.unwrap()[name] = value;
    body
}

#[test]
fn every_wrong_route_call_has_its_code() {
    let mut org = Org::new();
    let good = org.route_body(&json!({ "queueId": queue() }));
    let info = |value: Value| changed(&good, "/routingInfo", value);
    let flow_id = flow(1);
    let table = [
        (changed(&good, "/conversationIdentifier", json!(AN_ID)), 10018),
        (changed(&good, "/conversationIdentifier", Value::Null), 10089),
        (changed(&good, "/conversationIdentifier", json!(4)), 10089),
        (changed(&good, "/routingType", json!("Sideways")), 10089),
        (changed(&good, "/routingType", Value::Null), 10089),
        (info(json!("queue")), 10089),
        (info(json!({ "queueId": "00GHu0000000009" })), 10032),
        (info(json!({ "queueId": "Billing" })), 10032),
        (info(json!({ "queueId": queue(), "flow": { "flowId": flow_id, "queueId": queue() } })), 10030),
        (info(json!({ "flow": { "flowId": flow_id } })), 10024),
        (info(json!({ "flow": { "queueId": queue() } })), 10024),
        (info(json!({ "flow": {} })), 10024),
        (info(json!({ "flow": { "flowId": flow_id, "queueId": "00GHu0000000009" } })), 10032),
        (info(json!({ "flow": { "flowId": "tide", "queueId": queue() } })), 10089),
        (info(json!({ "routingAttributes": { "a": 1 }, "queueId": queue() })), 10089),
        (info(json!({ "routingAttributes": "a", "queueId": queue() })), 10089),
    ];
    for (body, code) in table {
        let answer = org.call(START, "POST", "/api/v1/route", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    assert_eq!(org.salesforce.psrs().count(), 0);
    let clear = json!({ "conversationIdentifier": org.conversation });
    for (body, code) in [
        (changed(&clear, "/conversationIdentifier", json!(AN_ID)), 10018),
        (changed(&clear, "/cancelReason", json!("EndUserEnded")), 10089),
        (changed(&clear, "/cancelReason", json!("Whim")), 10089),
    ] {
        assert_eq!(org.call(START, "DELETE", "/api/v1/route", &body).code(), Some(code), "{body}");
    }
}

#[test]
fn every_wrong_offer_has_its_code() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let other = org
        .salesforce
        .seed_conversation(
            START,
            AdoptedConversation {
                conversation: ConversationId::parse(AN_ID).unwrap(),
                work_item: None,
                end_user: None,
                reps: Vec::new(),
            },
        )
        .unwrap();
    let good = changed(&org.offer_body(BO, &request), "/capacityWeight", json!(1));
    let table = [
        (changed(&good, "/userId", Value::Null), 15106),
        (changed(&good, "/userId", json!("bo")), 15106),
        (changed(&good, "/userId", json!("005Hu0000000077")), 15106),
        (changed(&good, "/userId", json!(rep(WITHOUT_MESSAGING))), 15105),
        (changed(&good, "/userId", json!(rep(OFFLINE))), 15112),
        (changed(&good, "/workItemId", Value::Null), 15110),
        (changed(&good, "/workItemId", json!(org.work_item.to_18())), 15110),
        (changed(&good, "/workItemId", json!("005Hu0000000001")), 15110),
        (changed(&good, "/workItemId", json!("0MwHu0000099999")), 15111),
        (changed(&good, "/workItemId", json!(other)), 15107),
        (changed(&good, "/routingContext", json!("Conference")), 10089),
        (changed(&good, "/routingContext", json!({ "routingType": "Conference" })), 10089),
        (changed(&good, "/routingContext/conversationIdentifier", json!("nowhere")), 10018),
        (changed(&good, "/routingContext/routingType", json!("Detour")), 10089),
        (changed(&good, "/routingContext/routingCorrelationId", Value::Null), 10089),
        (changed(&good, "/capacityPercentage", json!(10)), 10013),
        (changed(&good, "/capacityWeight", Value::Null), 10013),
        (changed(&good, "/capacityWeight", json!(-0.5)), 10014),
        (changed(&good, "/capacityWeight", json!("a lot")), 10089),
        (changed(&good, "/capacityWeight", json!("NaN")), 10089),
        (changed(&good, "/capacityWeight", json!("-1")), 10014),
        (changed(&good, "/capacityWeight", json!(true)), 10089),
        (
            changed(&changed(&good, "/capacityWeight", Value::Null), "/capacityPercentage", json!(100.5)),
            10015,
        ),
        (changed(&changed(&good, "/capacityWeight", Value::Null), "/capacityPercentage", json!(-1)), 10015),
    ];
    for (body, code) in table {
        let answer = org.call(START, "POST", "/api/v1/agentWork", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    assert_eq!(org.call(START, "POST", "/api/v1/agentWork", &good).status, 202);
    assert_eq!(org.call(START, "POST", "/api/v1/agentWork", &good).code(), Some(15109));
    let anna = changed(&good, "/userId", json!(rep(ANNA)));
    assert_eq!(
        org.call(START, "POST", "/api/v1/agentWork", &anna).code(),
        Some(15109),
        "she is in it already"
    );
    assert_eq!(org.salesforce.books().count(|it| matches!(it, LedgerEvent::DuplicateRefused { .. })), 2);
}

#[test]
fn every_wrong_change_of_an_offer_has_its_code() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &request, Some(1.0));
    let good = json!({ "workId": work.to_18(), "contextType": "Agent", "status": "Cancel" });
    let table = [
        (changed(&good, "/workId", Value::Null), 10082),
        (changed(&good, "/workId", json!("0BzHu0000099999")), 10082),
        (changed(&good, "/workId", json!("work")), 10082),
        (changed(&good, "/contextType", json!("Chatbot")), 10083),
        (changed(&good, "/contextType", Value::Null), 10083),
        (changed(&good, "/status", json!("Snooze")), 10085),
        (changed(&good, "/status", Value::Null), 10085),
        (changed(&good, "/status", json!("Close")), 10085),
        (changed(&good, "/status", json!("Accept")), 10085),
        (changed(&good, "/status", json!("Decline")), 10085),
    ];
    for (body, code) in table {
        let answer = org.call(START, "PATCH", "/api/v1/agentWork", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    assert_eq!(org.call(START, "PATCH", "/api/v1/agentWork", &good).code(), Some(10085), "it is accepted");
    let close = changed(&good, "/status", json!("Close"));
    assert_eq!(org.call(START, "PATCH", "/api/v1/agentWork", &close).body, json!({ "success": true }));
    let second = org.offers(START, BO, &request, Some(1.0));
    org.salesforce.act(START, Act::Decline { work: second }).unwrap();
    assert_eq!(org.cancels(START, second).code(), Some(10085), "it is declined");
}

#[test]
fn every_wrong_result_and_removal_has_its_code() {
    let mut org = Org::new();
    let good = org.result_body(true);
    let table = [
        (changed(&good, "/errorMessage", json!("but")), 10033),
        (changed(&good, "/success", json!(false)), 10034),
        (changed(&org.result_body(false), "/errorMessage", json!("  ")), 10034),
        (changed(&good, "/success", Value::Null), 10089),
        (changed(&good, "/externallyRouted", json!("no")), 10089),
        (changed(&good, "/routingType", json!("Up")), 10089),
        (changed(&good, "/workItemId", json!(org.work_item.to_18())), 15110),
        (changed(&good, "/workItemId", json!("0MwHu0000099999")), 15111),
        (changed(&good, "/conversationIdentifier", json!(AN_ID)), 10018),
    ];
    for (body, code) in table {
        assert_eq!(org.call(START, "POST", "/api/v1/routingResult", &body).code(), Some(code), "{body}");
    }
    let person = json!({ "appType": "agent", "subject": rep(ANNA), "role": "Agent" });
    let good = json!({
        "conversationIdentifier": org.conversation, "operation": "Remove", "participants": [person],
    });
    let table = [
        (changed(&good, "/operation", json!("Add")), 10097),
        (changed(&good, "/operation", Value::Null), 10097),
        (changed(&good, "/participants", json!([])), 10039),
        (changed(&good, "/participants", json!([person, person])), 10089),
        (changed(&good, "/participants", json!([3])), 10089),
        (changed(&good, "/participants/0/appType", json!("fax")), 10037),
        (changed(&good, "/conversationIdentifier", json!(AN_ID)), 10018),
    ];
    for (body, code) in table {
        assert_eq!(org.call(START, "POST", "/api/v1/participant", &body).code(), Some(code), "{body}");
    }
    for (field, value, code) in
        [("role", "EndUser", 10038), ("role", "Boss", 10038), ("subject", "005", 10036)]
    {
        let mut person = person.clone();
        person[field] = json!(value);
        let body = changed(&good, "/participants", json!([person]));
        assert_eq!(org.call(START, "POST", "/api/v1/participant", &body).code(), Some(code), "{body}");
    }
}

#[test]
fn a_channel_without_conferences_refuses_them_everywhere() {
    let mut settings = Settings::default();
    settings.channel.conference_supported = false;
    let mut org = Org::with(settings, roster());
    let act = Act::RequestConference {
        conversation: org.conversation.clone(),
        requester: None,
        target: Target::Rep(rep(BO)),
    };
    assert_eq!(org.salesforce.act(START, act), Err(ActError::ConferencesNotSupported));
    let body = org.route_body(&json!({ "queueId": queue() }));
    assert_eq!(org.call(START, "POST", "/api/v1/route", &body).code(), Some(10075));
    let body = org.offer_body(BO, &EventId::parse(AN_ID).unwrap());
    assert_eq!(org.call(START, "POST", "/api/v1/agentWork", &body).code(), Some(10075));
}
