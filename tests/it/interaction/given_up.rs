//! A call that is given up says in the log what came last: its answer has no room for that.

use tracing::Level;

use super::*;
use crate::support::log::Lines;

/// Sends an offer that is answered so for ever, and gives the log's lines at info.
async fn told(response: ResponseTemplate) -> Vec<String> {
    let lines = Lines::default();
    let server = MockServer::start().await;
    answers(&server, [], response).await;
    let (client, _) = client(&server.uri(), fixed_token());
    let keeping = lines.keep(Level::INFO);
    send(&client, &offer()).await;
    drop(keeping);
    // The client's clock is not the server's, which is a line of its own.
    lines.whole().lines().map(|line| line.trim().to_owned()).filter(|line| !line.contains("clock")).collect()
}

#[tokio::test]
async fn a_call_that_is_given_up_is_one_warning_with_what_came_last_and_without_names() {
    let body = json!({ "code": 10001, "message": "Bo Nyström is out" });
    let lines = told(ResponseTemplate::new(500).set_body_json(body)).await;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for wanted in
        ["WARN call given up: timed out", "status=500", "code=10001", "operation=\"post-agent-work\""]
    {
        assert!(lines[0].contains(wanted), "{wanted}: {}", lines[0]);
    }
    assert!(!lines[0].contains("Nyström"), "{}", lines[0]);

    let lines = told(ResponseTemplate::new(503).set_body_string("<html>busy</html>")).await;
    assert!(lines.len() == 1 && lines[0].contains("status=503") && !lines[0].contains("html"), "{lines:#?}");
}

#[tokio::test]
async fn a_call_that_is_answered_says_nothing() {
    assert_eq!(
        told(ResponseTemplate::new(400).set_body_json(json!({ "code": 10030, "message": "m" }))).await,
        Vec::<String>::new()
    );
}
