//! The emulator takes what the org takes: bodies and headers that a stricter reading of the schemas refuses.

use byoc_connector::emulator::{Act, PsrEnd, Settings};
use byoc_connector::emulator::{LedgerEvent, WorkState};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{AgentWorkId, EventId};
use serde_json::{Value, json};

use super::rig::{BO, CLEO, Org, START, queue, rep};

fn made(answer: &byoc_connector::emulator::ApiResponse) -> AgentWorkId {
    assert_eq!(answer.status, 202, "{answer:?}");
    AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap()
}

/// A request for the queue with its PSR, and the body of an offer for it.
fn routed() -> (Org, EventId, Value) {
    let mut org = Org::new();
    let request = org.asks_for(Target::Queue(queue()));
    assert_eq!(org.routes().status, 202);
    let body = org.offer_body(BO, &request);
    (org, request, body)
}

#[test]
fn a_capacity_may_be_a_number_in_a_text() {
    for (field, value) in [("capacityWeight", json!("1")), ("capacityPercentage", json!(" 12.5 "))] {
        let mut org = Org::new();
        let request = org.asks_for(Target::Rep(rep(BO)));
        let mut body = org.offer_body(BO, &request);
        body[field] = value;
        let answer = org.call("POST", "agentWork", &body);
        assert_eq!(answer.status, 202, "{field}: {answer:?}");
        assert!(answer.body["agentWorkDetails"][field].is_number(), "{answer:?}");
    }
}

#[test]
fn beside_a_psr_a_rep_and_a_work_item_are_enough() {
    let (mut org, request, _) = routed();
    let body = json!({ "userId": rep(BO), "workItemId": org.work_item });
    let answer = org.call("POST", "agentWork", &body);
    let work = org.salesforce.work(made(&answer)).unwrap();
    assert!(work.psr.is_some());
    assert_eq!((&work.correlation, work.routing_type.as_str()), (&request, "Conference"));
    let details = &answer.body["agentWorkDetails"];
    assert_eq!(details["existPsr"], true);
    assert_eq!(details["routingContext"]["routingCorrelationId"], json!(request));
}

#[test]
fn without_a_psr_and_without_a_context_the_offer_says_what_it_costs() {
    let mut org = Org::new();
    let bare = json!({ "userId": rep(BO), "workItemId": org.work_item });
    assert_eq!(org.call("POST", "agentWork", &bare).code(), Some(10013));
    let weighed = json!({ "userId": rep(BO), "workItemId": org.work_item, "capacityWeight": 1 });
    let work = made(&org.call("POST", "agentWork", &weighed));
    assert_eq!(
        org.salesforce.work(work).unwrap().routing_type.as_str(),
        "Initial",
        "no request is behind it"
    );
    let request = org.asks_for(Target::Rep(rep(CLEO)));
    let weighed = json!({ "userId": rep(CLEO), "workItemId": org.work_item, "capacityWeight": 1 });
    let work = made(&org.call("POST", "agentWork", &weighed));
    assert_eq!(org.salesforce.work(work).unwrap().correlation, request);
}

#[test]
fn beside_a_psr_the_weight_does_not_count_and_the_psr_is_used_up() {
    let (mut org, _, mut body) = routed();
    body["capacityWeight"] = json!(7);
    let answer = org.call("POST", "agentWork", &body);
    let id = made(&answer);
    let work = org.salesforce.work(id).unwrap();
    assert!((work.weight - Settings::default().psr_weight).abs() < f64::EPSILON, "{work:?}");
    assert_eq!(answer.body["agentWorkDetails"].get("capacityWeight"), None);
    org.salesforce.act(START, Act::Accept { work: id }).unwrap();
    let used = |it: &LedgerEvent| matches!(it, LedgerEvent::PsrDeleted { end: PsrEnd::Accept, .. });
    assert_eq!((org.salesforce.books().count(used), org.salesforce.psrs().count()), (1, 0));
}

#[test]
fn a_weight_does_not_use_up_the_psr_of_another_request() {
    let (mut org, _, _) = routed();
    let direct = org.asks_for(Target::Rep(rep(CLEO)));
    let mut body = org.offer_body(CLEO, &direct);
    body["capacityWeight"] = json!(1);
    let work = made(&org.call("POST", "agentWork", &body));
    assert_eq!(org.salesforce.work(work).unwrap().psr, None);
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    assert_eq!(org.salesforce.work(work).unwrap().state, WorkState::Accepted);
    assert_eq!(org.salesforce.psrs().count(), 1, "that of the queue request");
}

#[test]
fn an_unknown_flow_leads_to_its_fallback_queue() {
    let mut org = Org::new();
    org.asks_for(Target::Queue(queue()));
    let body = org.route_body(&json!({ "flow": { "flowId": "300Hu0000000009", "queueId": queue() } }));
    let answer = org.call("POST", "route", &body);
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.body["contextParamMap"], json!({ "queueId": queue().to_18() }));
}

#[test]
fn the_authorization_contexts_type_is_taken_in_any_case_and_asked_of_two_operations_alone() {
    let (mut org, _, body) = routed();
    let work = made(&org.call("POST", "agentWork", &body));
    let cancel = json!({ "workId": work, "contextType": "Agent", "status": "Cancel" });
    let name = "AuthorizationContextType";
    let lower = [(name, "conversationchanneldefinition")];
    assert_eq!(org.call_with("PATCH", "agentWork", &lower, &cancel).status, 202);
    let other = [(name, "EmbeddedMessagingChannel")];
    assert_eq!(org.call_with("PATCH", "agentWork", &other, &cancel).code(), Some(10093));
    assert_eq!(org.call_with("PATCH", "agentWork", &[(name, "")], &cancel).code(), Some(10016));
    let clear = json!({ "conversationIdentifier": org.conversation });
    assert_eq!(org.call_with("DELETE", "route", &other, &clear).status, 202, "no parameter of this one");
}

#[test]
fn the_org_id_has_15_characters() {
    let mut org = Org::new();
    let long = org.salesforce.settings().org.to_18();
    let clear = json!({ "conversationIdentifier": org.conversation });
    assert_eq!(org.call_with("DELETE", "route", &[("OrgId", &long)], &clear).code(), Some(10016));
}

#[test]
fn what_hides_a_button_names_the_button_and_whether_it_shows() {
    let mut org = Org::new();
    let request = org.asks_for(Target::Rep(rep(BO)));
    let mut body = org.offer_body(BO, &request);
    body["capacityWeight"] = json!(1);
    for odd in [
        json!([{ "agentAction": "Transfer" }]),
        json!([{ "visible": true }]),
        json!([{ "agentAction": "Hide", "visible": true }]),
        json!(["Transfer"]),
        json!("Transfer"),
    ] {
        body["agentActionVisibilities"] = odd;
        assert_eq!(org.call("POST", "agentWork", &body).code(), Some(10089), "{body}");
    }
    let conference = json!([{ "agentAction": "Conference", "visible": false }]);
    body["agentActionVisibilities"] = conference.clone();
    made(&org.call("POST", "agentWork", &body));
    let mut settings = Settings::default();
    settings.channel.conference_supported = false;
    let mut org = Org::with(settings);
    let body = json!({
        "userId": rep(BO), "workItemId": org.work_item, "capacityWeight": 1,
        "agentActionVisibilities": conference,
    });
    assert_eq!(org.call("POST", "agentWork", &body).code(), Some(10077));
}
