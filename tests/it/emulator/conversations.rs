//! Conversations that the partner begins.

use byoc_connector::emulator::OptIn;
use byoc_connector::model::words::{ConsentStatus, ParticipantRole, SessionStatus};

use super::refusals::changed;
use super::*;

impl Org {
    /// Begins a conversation, and follows it from here on.
    fn begins(&mut self) {
        let answer = self.call(START, "POST", "/api/v1/conversation", &self.conversation_body());
        assert_eq!(answer.status, 202, "{answer:?}");
        let text = |key: &str| answer.body[key].as_str().unwrap().to_owned();
        self.conversation = ConversationId::parse(&text("conversationIdentifier")).unwrap();
        self.work_item = WorkItemId::parse(&text("messagingSessionId")).unwrap();
    }

    fn session_status(&self) -> SessionStatus {
        self.salesforce.conversation(&self.conversation).unwrap().status
    }
}

#[test]
fn a_conversation_begins_with_its_end_user_alone_and_is_not_routed() {
    let mut org = Org::new();
    org.begins();
    let begun = org.salesforce.conversation(&org.conversation).unwrap();
    assert_eq!(begun.work_item, org.work_item);
    let [only] = begun.participants.as_slice() else { panic!("{begun:?}") };
    assert_eq!((only.role, only.subject.as_str()), (ParticipantRole::EndUser, "customer-7"));
    assert_eq!(org.session_status(), SessionStatus::New);
    assert_eq!(org.told(), ["SessionStatusChanged New", "ParticipantChanged add"]);
}

#[test]
fn each_call_begins_a_conversation_also_a_repeated_one() {
    let mut org = Org::new();
    org.begins();
    let first = org.conversation.clone();
    org.begins();
    assert_ne!(org.conversation, first);
}

#[test]
fn a_session_waits_for_consent_where_the_channel_asks_for_it() {
    let mut settings = telling();
    settings.channel.opt_in = OptIn::Explicit;
    let mut org = Org::with(settings, roster());
    org.begins();
    assert_eq!(org.session_status(), SessionStatus::Consent);
    let route = json!({ "conversationIdentifier": org.conversation, "routingType": "Initial" });
    assert_eq!(org.call(START, "POST", "/api/v1/route", &route).code(), Some(15103));
    let opt_in = org.consent_body(ConsentStatus::ExplicitlyOptedIn.as_str());
    assert_eq!(org.call(START, "PATCH", "/api/v1/consent", &opt_in).status, 200);
    assert_eq!(org.session_status(), SessionStatus::New);
    assert_eq!(org.call(START, "POST", "/api/v1/route", &route).status, 202);
}

#[test]
fn a_conversation_is_routed_to_its_first_rep() {
    let mut org = Org::new();
    org.begins();
    let route = json!({ "conversationIdentifier": org.conversation, "routingType": "Initial",
                        "routingInfo": { "queueId": queue() } });
    let answer = org.call(START, "POST", "/api/v1/route", &route);
    let correlation = answer.body["routingCorrelationId"].clone();
    let offer = json!({
        "userId": rep(BO), "workItemId": org.work_item,
        "routingContext": { "conversationIdentifier": org.conversation, "routingType": "Initial",
                            "routingCorrelationId": correlation },
    });
    let answer = org.call(START, "POST", "/api/v1/agentWork", &offer);
    let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    assert_eq!(org.session_status(), SessionStatus::Active);
    assert!(org.salesforce.leftovers().is_empty() && org.salesforce.psrs().next().is_none());
}

#[test]
fn every_wrong_beginning_has_its_code() {
    let mut org = Org::new();
    let good = org.conversation_body();
    let two = json!([good["participants"][0], good["participants"][0]]);
    let table = [
        (changed(&good, "/channelAddressIdentifier", json!("elsewhere")), 10052),
        (changed(&good, "/channelAddressIdentifier", Value::Null), 10089),
        (changed(&good, "/participants", Value::Null), 10053),
        (changed(&good, "/participants", json!([])), 10053),
        (changed(&good, "/participants", json!(["customer-7"])), 10053),
        (changed(&good, "/participants", two), 10053),
        (changed(&good, "/participants/0/appType", json!("fax")), 10037),
        (changed(&good, "/participants/0/role", json!("Agent")), 10042),
        (changed(&good, "/participants/0/subject", Value::Null), 10054),
        (changed(&good, "/participants/0/subject", json!("x".repeat(241))), 10054),
        (changed(&good, "/routingAttributes", json!({ "Priority": 1 })), 10089),
    ];
    for (body, code) in table {
        let answer = org.call(START, "POST", "/api/v1/conversation", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
}

#[test]
fn salesforce_asks_for_a_first_rep_by_itself_where_it_is_set_up_so() {
    let mut settings = telling();
    settings.asks_for_first_rep = true;
    settings.channel.opt_in = OptIn::Explicit;
    let mut org = Org::with(settings, roster());
    org.begins();
    assert!(org.salesforce.requests().next().is_none(), "nothing before opt-in");
    let opt_in = org.consent_body(ConsentStatus::ExplicitlyOptedIn.as_str());
    assert_eq!(org.call(START, "PATCH", "/api/v1/consent", &opt_in).status, 200);
    assert!(org.told().iter().any(|told| told.starts_with("RoutingRequested")));
    let request = org.salesforce.requests().next().unwrap().event.clone();
    let route = json!({ "conversationIdentifier": org.conversation, "routingType": "Initial" });
    let answer = org.call(START, "POST", "/api/v1/route", &route);
    assert_eq!(answer.body["routingCorrelationId"], request.as_str(), "the PSR is for what was asked");
    let mut offer = org.offer_body(BO, &request);
    offer["routingContext"]["routingType"] = json!("Initial");
    let answer = org.call(START, "POST", "/api/v1/agentWork", &offer);
    let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
    org.salesforce.advance(seconds(61));
    org.salesforce.act(seconds(61), Act::Accept { work }).unwrap();
    assert_eq!(
        org.ending(&request),
        Some(RequestEnd::Joined { rep: rep(BO) }),
        "60 seconds end nothing here"
    );
}
