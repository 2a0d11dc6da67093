//! A conversation that the partner's backend begins.

use byoc_connector::emulator::{FaultKind, LedgerEvent, Operation};

use super::*;

const KEY: &str = "order-4711/1";

impl Stage {
    async fn begins(&self, key: &str, text: &str) -> (u16, Value) {
        let address = self.emulator.with(|salesforce, _| salesforce.settings().channel.address.clone());
        let body = json!({ "channelAddressIdentifier": address, "endUser": "customer-7", "text": text });
        let ask = self.rig.ask(Method::POST, "/v1/conversations").header("idempotency-key", key);
        let answer = ask.json(&body).send().await;
        (answer.status.as_u16(), answer.body)
    }

    /// How many messages the org has taken, and how often it was asked to route.
    fn taken(&self) -> (usize, usize) {
        self.emulator.with(|salesforce, _| {
            let books = salesforce.books();
            let messages = books.count(|it| matches!(it, LedgerEvent::MessageTaken { .. }));
            (messages, books.calls(Operation::CreateRoute))
        })
    }
}

#[tokio::test]
async fn a_conversation_is_begun_once_and_routed_once_however_often_it_is_asked_for() {
    let stage = Stage::set().await;
    let (status, begun) = stage.begins(KEY, "Where is my order?").await;
    assert_eq!((status, &begun["repeated"]), (201, &json!(false)), "{begun}");
    let (status, again) = stage.begins(KEY, "Where is my order?").await;
    assert_eq!((status, &again["repeated"]), (200, &json!(true)), "{again}");
    assert_eq!(again["conversation"], begun["conversation"]);
    // The call is on its way over a real socket.
    while stage.taken().1 == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.taken(), (1, 1));
    let id = begun["conversation"].as_str().unwrap();
    let known = stage.rig.get(&format!("/v1/conversations/{id}")).await;
    assert_eq!(known.status, 200);
    assert_eq!((&known.body["workItem"], &known.body["waitsForARep"]), (&begun["workItem"], &json!(true)));
    assert_eq!(known.body["participants"], json!([{ "role": "EndUser", "subject": "customer-7" }]));
    assert_eq!(stage.rig.get("/v1/conversations/nobody-s").await.status, 404);
}

#[tokio::test]
async fn what_salesforce_does_not_take_is_told_and_an_answer_that_is_lost_is_none() {
    let stage = Stage::set().await;
    let plan = |kind: FaultKind| {
        let fault = json!({ "operation": "interactions" });
        let mut fault = fault.as_object().unwrap().clone();
        fault.extend(serde_json::to_value(kind).unwrap().as_object().unwrap().clone());
        let fault = serde_json::from_value(Value::Object(fault)).unwrap();
        stage.emulator.with(|salesforce, _| salesforce.plan_fault(fault));
    };
    plan(FaultKind::ErrorCode { code: 10028, status: 400 });
    let (status, refused) = stage.begins(KEY, "Hello?").await;
    assert_eq!(status, 502, "{refused}");
    assert!(refused["error"].as_str().unwrap().starts_with("10028"), "{refused}");
    plan(serde_json::from_value(json!({ "fault": "answerLost" })).unwrap());
    let (status, begun) = stage.begins(KEY, "Hello?").await;
    assert_eq!((status, &begun["conversation"]), (201, &Value::Null), "10073 tells no ids: {begun}");
    assert_eq!(stage.taken().0, 1);
    let (status, no_text) = stage.begins("another", "  ").await;
    assert_eq!((status, &no_text["field"]), (400, &json!("text")), "{no_text}");
    assert_eq!(stage.begins(&"x".repeat(256), "Hello?").await.0, 400);
}
