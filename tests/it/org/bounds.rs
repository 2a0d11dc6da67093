//! Pages are followed to the end, and no further than the bounds.

use byoc_connector::org::{Closed, Error};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

#[tokio::test]
async fn every_page_is_read_and_counted() {
    let rig = Rig::start(reps(450)).await;
    rig.plan(|plan| plan.page_size = 200);
    let people = rig.reader.messaging_users().await.unwrap();
    assert_eq!((people.len(), rig.used()), (450, 3));
    assert_eq!(rig.reader.rest().budget().made().ours, 3);
    assert_eq!(rig.reader.rest().budget().made().org, Some((3, 100_000)));
}

#[tokio::test]
async fn a_question_of_too_many_pages_is_given_up() {
    let rig = Rig::start(reps(30)).await;
    rig.plan(|plan| plan.page_size = 1);
    let error = rig.reader.messaging_users().await.unwrap_err();
    assert_eq!(error.to_string(), "the answer is too large: more than 20 pages");
}

#[tokio::test]
async fn no_more_is_read_in_a_day_than_is_set() {
    let rig = Rig::start(reps(1)).await;
    let reader = reader(&rig.address, TOKEN, &rig.clock, 2);
    reader.presence().await.unwrap();
    reader.presence().await.unwrap();
    assert_eq!(reader.presence().await, Err(Error::Closed(Closed::Spent(2))));
    assert_eq!(rig.used(), 2, "it was asked all the same");
    rig.clock.0.fetch_add(24 * 3_600_000, Ordering::Relaxed);
    reader.presence().await.unwrap();
}

#[tokio::test]
async fn near_the_orgs_own_limit_nothing_is_read() {
    let rig = Rig::start(reps(1)).await;
    rig.plan(|plan| (plan.daily_limit, plan.used) = (100, 79));
    rig.reader.presence().await.unwrap();
    assert_eq!(rig.reader.presence().await, Err(Error::Closed(Closed::OrgNearLimit(80))));
    assert_eq!(rig.used(), 80);
}

/// What somebody else than Salesforce answers.
async fn answering(body: serde_json::Value) -> (MockServer, OrgReader) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
    let clock = Arc::new(Stopped(AtomicI64::new(0)));
    let reader = reader(&server.uri(), TOKEN, &clock, 100);
    (server, reader)
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked_for() {
    for next in
        ["https://evil.example/services/data/v64.0/query/1", "/other", "/services/data/../../x", "@evil"]
    {
        let (server, reader) = answering(json!({ "records": [], "nextRecordsUrl": next })).await;
        let error = reader.presence().await.unwrap_err();
        assert_eq!(error.to_string(), "the answer cannot be read: nextRecordsUrl is no path", "{next}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_too_large_or_no_answer_is_told() {
    let (_server, reader) = answering(json!({ "records": ["x".repeat(5 << 20)] })).await;
    assert!(reader.presence().await.unwrap_err().to_string().starts_with("the answer is too large"));
    let (_server, reader) = answering(json!("<html>")).await;
    assert!(reader.presence().await.unwrap_err().to_string().starts_with("the answer cannot be read"));
    let (_server, reader) = answering(json!({ "records": [{ "UserId": "not an id" }] })).await;
    assert!(reader.presence().await.unwrap_err().to_string().contains("not a valid rep id"));
}
