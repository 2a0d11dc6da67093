//! What ends a request or a session from outside: a cancel, a clearing, people who leave.

use byoc_connector::model::words::{CancelReason, SessionStatus};

use super::*;

#[test]
fn a_requester_can_cancel_a_conference_and_the_offer_stays_until_the_partner_takes_it_back() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    let psr = org.routes(START);
    let work = org.offers(START, BO, &request, None);
    drop(org.told());
    org.salesforce.act(seconds(3), Act::CancelRequest { request: request.clone() }).unwrap();
    let events = org.salesforce.take_events();
    let Emission::Platform { event, .. } = &events[0].what else { panic!("{events:?}") };
    let entry = payload(event)["payload"]["entryPayload"].clone();
    assert_eq!(entry["cancelReason"], "Cancel");
    assert_eq!(entry["workOwnerId"], json!(rep(ANNA).to_18()));
    assert_eq!(entry["pendingServiceRoutingId"], json!(psr.to_18()));
    assert_eq!(org.salesforce.leftovers().offers, [work]);
    assert_eq!(org.salesforce.leftovers().psrs, [psr]);
    org.cancels(seconds(3), work);
    org.clears(seconds(3), "Cancel");
    assert_eq!(org.told(), ["CANCELED", "RoutingWorkResult Cancelled"], "the clear is not told as a cancel");
    assert!(org.salesforce.leftovers().is_empty());
    let again = org.salesforce.act(seconds(3), Act::CancelRequest { request: request.clone() });
    assert_eq!(again, Err(ActError::RequestOver { request }));
}

#[test]
fn an_answered_request_whose_route_is_cleared_was_given_up() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    org.reports(START, true);
    drop(org.told());
    org.clears(seconds(70), "Decline");
    assert_eq!(org.told(), ["RoutingResult Decline"]);
    assert_eq!(org.ending(&request), Some(RequestEnd::GivenUp { reason: CancelReason::Decline }));
    assert_eq!(org.clears(seconds(70), "Decline").body, json!({ "success": false }), "there is none");
}

#[test]
fn an_end_user_who_leaves_ends_everything_but_what_the_partner_must_take_back() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    let psr = org.routes(START);
    let work = org.offers(START, BO, &request, None);
    drop(org.told());
    let conversation = org.conversation.clone();
    org.salesforce.act(seconds(1), Act::EndUserLeaves { conversation: conversation.clone() }).unwrap();
    let told = org.told();
    assert_eq!(told.first().unwrap(), "RoutingResult EndUserEnded");
    assert_eq!(told.last().unwrap(), "SessionStatusChanged Ended");
    assert_eq!(
        org.ending(&request),
        Some(RequestEnd::Cancelled { reason: CancelReason::EndUserEnded }),
        "{told:?}"
    );
    assert_eq!(org.salesforce.leftovers().offers, [work]);
    assert_eq!(org.salesforce.leftovers().psrs, [psr]);
    let accepted = org.salesforce.act(seconds(1), Act::Accept { work });
    assert_eq!(accepted, Err(ActError::SessionOver { conversation }));
    let body = org.offer_body(CLEO, &request);
    assert_eq!(org.call(seconds(1), "POST", "/api/v1/agentWork", &body).code(), Some(10071));
    assert_eq!(org.cancels(seconds(1), work).status, 202);
    assert_eq!(org.clears(seconds(1), "Cancel").body, json!({ "success": true }));
    assert!(org.salesforce.leftovers().is_empty());
}

#[test]
fn a_rep_who_ends_the_session_ends_open_requests_without_a_word_about_them() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    drop(org.told());
    org.salesforce.act(START, Act::EndSession { conversation: org.conversation.clone() }).unwrap();
    assert_eq!(org.ending(&request), Some(RequestEnd::SessionEnded));
    assert_eq!(org.told(), ["CLOSED", "RoutingWorkResult Closed", "SessionStatusChanged Ended"]);
    assert_eq!(org.salesforce.conversation_of(org.work_item).unwrap().status, SessionStatus::Ended);
}

#[test]
fn a_session_whose_only_rep_goes_offline_waits_again() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &request, Some(1.0));
    org.salesforce.act(START, Act::RepGoesOffline { rep: rep(BO) }).unwrap();
    assert_eq!(org.state(work), WorkState::Cancelled);
    drop(org.told());
    org.salesforce.act(START, Act::RepGoesOffline { rep: rep(ANNA) }).unwrap();
    assert_eq!(org.told().last().unwrap(), "SessionStatusChanged Waiting");
    assert_eq!(org.reps(), []);
}
