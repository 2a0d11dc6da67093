//! What can befall a call that is right: a token that ends, an id that comes again, a fault that was asked for.

use byoc_connector::emulator::{AnswerFate, BearerRule, Operation};

use super::*;

#[test]
fn tokens_age_out_and_can_be_revoked() {
    let settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
    let mut org = Org::with(settings, roster());
    let body = org.route_body(&json!({}));
    let mut call = request("POST", "/api/v1/route", &body, 1);
    assert_eq!(org.salesforce.handle(START, &call).code(), Some(10004));
    let token = org.salesforce.issue_token(seconds(10));
    call.headers[0].1 = format!("Bearer {token}");
    assert_eq!(org.salesforce.handle(seconds(9), &call).status, 202);
    assert_eq!(org.salesforce.handle(seconds(10), &call).status, 401);
    let token = org.salesforce.issue_token(seconds(100));
    call.headers[0].1 = format!("Bearer {token}");
    assert_eq!(org.salesforce.handle(seconds(20), &call).status, 202);
    assert_eq!(org.salesforce.revoke_tokens(Some(&token)), 1);
    assert_eq!(org.salesforce.handle(seconds(21), &call).code(), Some(10004));
    let books = serde_json::to_string(org.salesforce.books().entries()).unwrap();
    assert!(!books.contains(&token), "the books know no tokens");
}

#[test]
fn a_request_id_that_comes_again_is_carried_out_and_booked() {
    let mut org = Org::new();
    let call = request("POST", "/api/v1/route", &org.route_body(&json!({ "queueId": queue() })), 1);
    assert_eq!(org.salesforce.handle(START, &call).status, 202);
    assert_eq!(org.salesforce.handle(START, &call).status, 202);
    let other = request("POST", "/api/v1/route", &org.route_body(&json!({})), 1);
    org.salesforce.handle(START, &other);
    assert_eq!(org.salesforce.psrs().count(), 3);
    let again = |same| move |it: &LedgerEvent| matches!(it, LedgerEvent::RequestIdRepeated { same_call, .. } if *same_call == same);
    assert_eq!(org.salesforce.books().count(again(true)), 1);
    assert_eq!(org.salesforce.books().count(again(false)), 1);
}

#[test]
fn faults_spoil_calls_and_the_books_tell_which_were_carried_out() {
    let mut org = Org::new();
    let request_of = org.asks_for(START, Target::Rep(rep(BO)));
    let mut body = org.offer_body(BO, &request_of);
    body["capacityWeight"] = json!(1);
    let call = request("POST", "/api/v1/agentWork", &body, 1);
    let operation = Operation::CreateAgentWork;
    for kind in [
        FaultKind::RateLimited { retry_after_seconds: Some(2) },
        FaultKind::ConnectionRefused,
        FaultKind::AnswerLost { after_milliseconds: 40 },
    ] {
        org.salesforce.plan_fault(Fault::once(operation, kind));
    }
    org.salesforce.plan_fault(Fault::always(FaultKind::Latency { milliseconds: 5 }));
    let AnswerFate::Answer { after_ms: 5, response } = org.salesforce.deliver(START, &call, 0.0) else {
        panic!()
    };
    assert_eq!((response.status, response.headers), (429, vec![("Retry-After".to_owned(), "2".to_owned())]));
    assert_eq!(org.salesforce.works().count(), 1, "only Anna's own");
    let refused = AnswerFate::NoAnswer { after_ms: 5, carried_out: false };
    assert_eq!(org.salesforce.deliver(START, &call, 0.0), refused);
    let lost = AnswerFate::NoAnswer { after_ms: 45, carried_out: true };
    assert_eq!(org.salesforce.deliver(START, &call, 0.0), lost);
    assert_eq!(org.salesforce.works().count(), 2);
    let AnswerFate::Answer { response, .. } = org.salesforce.deliver(START, &call, 0.0) else { panic!() };
    assert_eq!(response.code(), Some(15109), "the first try had worked");
    let books = org.salesforce.books();
    assert_eq!(books.count(|it| matches!(it, LedgerEvent::CallSpoiled { .. })), 2);
    assert_eq!(books.count(|it| matches!(it, LedgerEvent::AnswerDropped)), 1);
    assert_eq!(books.calls(operation), 2);
}
