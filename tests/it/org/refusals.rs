//! What Salesforce refuses is told in words, and not asked for again and again.

use byoc_connector::org::{Closed, Error};
use reqwest::StatusCode;

use super::*;

#[tokio::test]
async fn a_token_that_is_not_taken_is_told_and_then_left_alone() {
    let rig = Rig::start(reps(1)).await;
    let stranger = reader(&rig.address, "another", &rig.clock, 100);
    let error = stranger.presence().await.unwrap_err();
    assert!(error.to_string().contains("needs the scope api"), "{error}");
    assert_eq!(stranger.presence().await, Err(Error::Closed(Closed::NotAllowed)));
    rig.clock.0.fetch_add(15 * 60_000, Ordering::Relaxed);
    assert_eq!(stranger.presence().await, Err(Error::NotAllowed(401)));
}

#[tokio::test]
async fn an_org_without_requests_left_is_left_alone() {
    let rig = Rig::start(reps(1)).await;
    rig.plan(|plan| (plan.daily_limit, plan.used) = (5, 5));
    let error = rig.reader.presence().await.unwrap_err();
    assert_eq!(error, Error::Refused { status: 403, code: "REQUEST_LIMIT_EXCEEDED".to_owned() });
    assert_eq!(rig.reader.presence().await, Err(Error::Closed(Closed::OrgAtLimit)));
}

#[tokio::test]
async fn what_the_user_may_not_see_closes_nothing_else() {
    let rig = Rig::start(reps(1)).await;
    rig.plan(|plan| plan.hidden = vec!["AgentWork".to_owned()]);
    let statuses = [byoc_connector::org::WorkStatus::Assigned];
    assert_eq!(rig.reader.work(&statuses).await, Err(Error::Hidden));
    rig.reader.presence().await.unwrap();
    rig.plan(|plan| plan.refuse = Some("INSUFFICIENT_ACCESS".to_owned()));
    assert_eq!(rig.reader.presence().await, Err(Error::NotAllowed(403)));
    rig.plan(|plan| plan.refuse = Some("SERVER_UNAVAILABLE".to_owned()));
    let error = rig.reader.presence().await.unwrap_err();
    assert_eq!(error.to_string(), "HTTP 503: SERVER_UNAVAILABLE");
}

#[tokio::test]
async fn the_emulator_refuses_as_salesforce_does() {
    let rig = Rig::start(reps(1)).await;
    let data = format!("{}/services/data/v64.0", rig.address);
    for (path, question, status, code) in [
        ("query", "SELECT Id FROM", 400, "MALFORMED_QUERY"),
        ("query", "SELECT Id FROM User WHERE Id IN ()", 400, "MALFORMED_QUERY"),
        ("query", "SELECT Id FROM User WHERE Name = 'O'Hara'", 400, "MALFORMED_QUERY"),
        ("query", "SELECT Id FROM User WHERE Name = 'x", 400, "MALFORMED_QUERY"),
        ("query", "SELECT Id FROM User; DELETE", 400, "MALFORMED_QUERY"),
        ("query", "SELECT Id FROM Contact", 400, "INVALID_TYPE"),
        ("query", "SELECT Id FROM ConversationChannelDefinition", 400, "INVALID_TYPE"),
        ("query", "SELECT Email FROM User", 400, "INVALID_FIELD"),
        ("query/0r8000-1", "", 400, "INVALID_QUERY_LOCATOR"),
        ("query", "SELECT Id FROM User WHERE Name = 'Rep \\'0'", 200, ""),
        ("tooling/query", "SELECT Id FROM ConversationChannelDefinition", 200, ""),
    ] {
        let url = format!("{data}/{path}");
        let asked = reqwest::Client::new().get(url).query(&[("q", question)]).bearer_auth(TOKEN);
        let answer = asked.send().await.unwrap();
        assert!(answer.headers().contains_key("Sforce-Limit-Info"), "{question}");
        assert_eq!(answer.status(), StatusCode::from_u16(status).unwrap(), "{question}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body[0]["errorCode"].as_str().unwrap_or_default(), code, "{question}: {body}");
    }
}
