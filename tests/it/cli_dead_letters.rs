//! `byoc dead-letters`: asks a connector what the partner did not take, and hands on what is ordered.

use std::process::Output;

use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::replaying::command::{byoc, stderr, stdout};

const ID: &str = "0f4e6d0c-3c52-5a51-9a55-1b6f0f3c8f11";
const SECRET: &str = "operator-0123456789-0123456789-0123456789";

/// A connector that answers the operator so, and nobody else.
async fn connector(how: &str, at: &str, status: u16, body: &Value) -> MockServer {
    let server = MockServer::start().await;
    let bearer = format!("Bearer {SECRET}");
    let answer = ResponseTemplate::new(status).set_body_json(body);
    let asked = Mock::given(method(how)).and(path(at)).and(header("authorization", &*bearer));
    asked.respond_with(answer).mount(&server).await;
    let refused = json!({ "error": "who are you?", "hint": "the operator's secret" });
    let refused = ResponseTemplate::new(401).set_body_json(refused);
    Mock::given(wiremock::matchers::any()).respond_with(refused).with_priority(9).mount(&server).await;
    server
}

async fn dead_letters(server: &MockServer, secret: Option<&str>, args: &[&str]) -> (i32, String, String) {
    let mut command = byoc();
    command.arg("dead-letters").args(args).args(["--url", &server.uri()]);
    match secret {
        Some(secret) => command.env("BYOC_SERVER_OPERATOR_SECRET", secret),
        None => command.env_remove("BYOC_SERVER_OPERATOR_SECRET"),
    };
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await;
    let output: Output = ran.unwrap();
    (output.status.code().unwrap(), stdout(&output), stderr(&output))
}

#[tokio::test]
async fn they_are_listed_with_the_reason() {
    let letter = json!({ "org": "00DHs0000000001", "channel": "Acme_Messaging", "id": ID, "conversation": "c-1",
        "sequence": 3, "news": {}, "at": "2026-06-01T12:01:10.000Z", "since": "2026-06-01T12:01:11.000Z",
        "reason": "HTTP 410\u{1b}[2J", "resending": true });
    let body = json!({ "deadLetters": [letter], "more": false });
    let server = connector("GET", "/v1/dead-letters", 200, &body).await;
    let (code, said, wrong) = dead_letters(&server, Some(SECRET), &["list"]).await;
    assert_eq!((code, wrong.as_str()), (0, ""), "{said}");
    for part in [
        ID,
        "number 3 of c-1",
        "given up 2026-06-01T12:01:11.000Z, being sent again: HTTP 410",
        "1 dead letter",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains('\u{1b}'), "what the partner wrote moves no cursor");
    let (code, said, _) = dead_letters(&server, Some(SECRET), &["list", "--json"]).await;
    assert_eq!((code, serde_json::from_str::<Value>(&said).unwrap()), (0, body));
}

#[tokio::test]
async fn one_is_sent_again_and_another_dropped() {
    let orders = [
        ("resend", "POST", format!("/v1/dead-letters/{ID}/resend")),
        ("drop", "DELETE", format!("/v1/dead-letters/{ID}")),
    ];
    for (order, how, at) in orders {
        let server = connector(how, &at, 202, &json!({ "ordered": order })).await;
        let (code, said, _) = dead_letters(&server, Some(SECRET), &[order, ID]).await;
        assert_eq!((code, said.as_str()), (0, "Done.\n"));
        let gone = json!({ "error": "no dead letter has this id", "field": "id", "hint": "list them" });
        let server = connector(how, &at, 404, &gone).await;
        let (code, said, _) = dead_letters(&server, Some(SECRET), &[order, ID]).await;
        assert_eq!((code, said.as_str()), (1, "no dead letter has this id; list them\n"));
        let (code, said, _) = dead_letters(&server, Some(SECRET), &[order, ID, "--json"]).await;
        assert_eq!((code, &serde_json::from_str::<Value>(&said).unwrap()["ok"]), (1, &json!(false)));
    }
}

#[tokio::test]
async fn what_cannot_be_asked_says_why() {
    let server = connector("GET", "/v1/dead-letters", 200, &json!({})).await;
    let (code, _, wrong) = dead_letters(&server, None, &["list"]).await;
    assert_eq!(code, 2);
    assert!(wrong.contains("HTTP 401: who are you?; the operator's secret"), "{wrong}");
    let (code, _, wrong) = dead_letters(&server, Some(SECRET), &["drop", "five"]).await;
    assert!(code == 2 && wrong.contains("five"), "{wrong}");
    let (code, _, wrong) = dead_letters(&server, None, &["list", "--secret-file", "/no-such-file"]).await;
    assert!(code == 2 && wrong.contains("/no-such-file: cannot be read"), "{wrong}");
}
