//! What the partner can do with a session, and what a session that has ended still takes.

use byoc_connector::model::words::{CancelReason, SessionStatus};

use super::refusals::changed;
use super::*;

impl Org {
    fn status(&self) -> SessionStatus {
        self.salesforce.conversation(&self.conversation).unwrap().status
    }

    fn changes_session(&mut self, body: &Value) -> ApiResponse {
        self.call(START, "POST", "/api/v1/messagingSession", body)
    }
}

#[test]
fn the_partners_system_ends_a_session() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    drop(org.told());
    let answer = org.changes_session(&org.session_body("End"));
    assert_eq!((answer.status, answer.body), (200, json!({ "success": true })));
    assert_eq!(org.status(), SessionStatus::Ended);
    assert_eq!(org.ending(&request), Some(RequestEnd::SessionEnded));
    let events = org.salesforce.take_events();
    let Some(Emission::Platform { event, .. }) = events.last().map(|it| &it.what) else {
        panic!("{events:?}")
    };
    assert_eq!(payload(event)["payload"]["entryPayload"]["sessionEndedByRole"], "System");
}

#[test]
fn a_session_that_ends_for_the_end_user_calls_open_requests_off() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    drop(org.told());
    let body = changed(&org.session_body("End"), "/operationBy", json!("EndUser"));
    assert_eq!(org.changes_session(&body).status, 200);
    assert_eq!(org.ending(&request), Some(RequestEnd::Cancelled { reason: CancelReason::EndUserEnded }));
    let told = org.told();
    assert_eq!(
        (told.first().unwrap().as_str(), org.status()),
        ("RoutingResult EndUserEnded", SessionStatus::Ended)
    );
}

#[test]
fn an_inactive_session_is_not_over_and_becomes_active_with_the_next_rep() {
    let mut org = Org::new();
    assert_eq!(org.changes_session(&org.session_body("Inactivate")).status, 200);
    assert_eq!(
        (org.status(), org.told()),
        (SessionStatus::Inactive, vec!["SessionStatusChanged Inactive".to_owned()])
    );
    assert_eq!(org.changes_session(&org.session_body("Inactivate")).status, 200, "it is so already");
    assert_eq!(org.told(), Vec::<String>::new());
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &request, Some(1.0));
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    assert_eq!(org.status(), SessionStatus::Active);
    assert_eq!(org.changes_session(&org.session_body("End")).status, 200);
}

#[test]
fn a_session_that_has_ended_takes_no_more_work() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    assert_eq!(org.changes_session(&org.session_body("End")).status, 200);
    let person = json!({ "appType": "agent", "subject": rep(ANNA), "role": "Agent" });
    let removal = json!({ "conversationIdentifier": org.conversation, "operation": "Remove", "participants": [person] });
    for (path, body) in [
        ("route", org.route_body(&json!({ "queueId": queue() }))),
        ("agentWork", org.offer_body(BO, &request)),
        ("participant", removal),
        ("messagingSession", org.session_body("End")),
        ("messagingSession", org.session_body("Inactivate")),
    ] {
        let answer = org.call(START, "POST", &format!("/api/v1/{path}"), &body);
        assert_eq!((answer.status, answer.code()), (400, Some(10071)), "{path} {body}");
    }
}

#[test]
fn every_wrong_change_of_a_session_has_its_code() {
    let mut org = Org::new();
    let good = org.session_body("Inactivate");
    let table = [
        (changed(&good, "/operation", json!("Pause")), 10102),
        (changed(&good, "/operation", Value::Null), 10102),
        (changed(&good, "/operation", json!(1)), 10089),
        (changed(&good, "/operationBy", json!("Agent")), 10103),
        (changed(&good, "/channelAddressIdentifier", json!(AN_ID)), 10017),
        (changed(&good, "/channelAddressIdentifier", Value::Null), 10089),
        (changed(&good, "/conversationIdentifier", json!(AN_ID)), 10018),
        (changed(&good, "/conversationIdentifier", Value::Null), 10089),
        (changed(&good, "/endUserClientId", json!("somebody")), 10105),
        (changed(&good, "/endUserClientId", Value::Null), 10089),
        (changed(&good, "/sessionId", Value::Null), 10106),
        (changed(&good, "/sessionId", json!("")), 10106),
        (changed(&good, "/sessionId", json!("005Hu0000000001")), 10072),
        (changed(&good, "/sessionId", json!("0MwHu0000099999")), 10071),
    ];
    for (body, code) in table {
        let answer = org.changes_session(&body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    assert_eq!(org.status(), SessionStatus::Active, "nothing has changed");
    let bare = json!({
        "channelAddressIdentifier": good["channelAddressIdentifier"], "operation": "End",
        "conversationIdentifier": good["conversationIdentifier"], "endUserClientId": good["endUserClientId"],
    });
    assert_eq!(org.changes_session(&bare).status, 200, "the rest may be left out");
}
