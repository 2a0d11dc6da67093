//! What is owed at Salesforce is shown, and an operator can see to it.

use byoc_connector::emulator::{Fault, FaultKind, Operation};

use super::*;

/// An offer that rings and that Salesforce refuses to take back: the token's user has no right to.
async fn cancel_refused() -> (Stage, EventId, AgentWorkId) {
    let mut stage = Stage::set().await;
    let (.., request) = stage.anna_asks().await;
    let work = stage.offer(&request).await;
    let no_right = FaultKind::ErrorCode { code: 10003, status: 403 };
    let fault = Fault { operation: Some(Operation::UpdateAgentWork), times: None, ..Fault::always(no_right) };
    stage.emulator.with(|salesforce, _| salesforce.plan_fault(fault));
    stage.act(Act::CancelRequest { request: request.clone() });
    stage.bring().await;
    loop {
        if !stage.owed().await.is_empty() {
            return (stage, request, work);
        }
        tokio::task::yield_now().await;
    }
}

impl Stage {
    async fn owed(&self) -> Vec<Value> {
        self.rig.get("/v1/owed").await.body["owed"].as_array().unwrap().clone()
    }

    async fn order(&self, method: Method, path: &str) -> (u16, Value) {
        let answer = self.rig.ask(method, path).send().await;
        (answer.status.as_u16(), answer.body)
    }
}

#[tokio::test]
async fn what_is_owed_is_listed_with_what_salesforce_said_and_can_be_tried_at_once() {
    let (stage, request, work) = cancel_refused().await;
    let [owed] = stage.owed().await.try_into().unwrap();
    assert_eq!((&owed["request"], &owed["work"]), (&json!(request), &json!(work)));
    assert_eq!((&owed["undo"], &owed["rep"]), (&json!("cancelOffer"), &json!(BO)));
    assert!(owed["lastAnswer"].as_str().unwrap().starts_with("error 10003"), "{owed}");
    let open = stage.rig.get(&format!("/v1/routing-requests/{request}")).await.body;
    assert_eq!((&open["state"], &open["outcome"]), (&json!("open"), &json!("cancelled")), "{open}");

    stage.emulator.with(|salesforce, _| salesforce.clear_faults());
    let path = format!("/v1/owed/{}/try", owed["id"].as_str().unwrap());
    let mut told = stage.rig.service.told();
    assert_eq!(stage.order(Method::POST, &path).await, (202, json!({ "ordered": "try" })));
    assert_eq!(told.recv().await.unwrap().ending.request, request, "it has ended, with nothing left over");
    assert_eq!(stage.owed().await, [Value::Null; 0]);
    assert_eq!(stage.order(Method::POST, &path).await.0, 404);
    assert!(stage.emulator.with(|salesforce, _| salesforce.leftovers()).is_empty());
}

#[tokio::test]
async fn what_was_seen_to_by_hand_is_struck_out() {
    let (stage, ..) = cancel_refused().await;
    let path = format!("/v1/owed/{}", stage.owed().await[0]["id"].as_str().unwrap());
    assert_eq!(stage.order(Method::DELETE, &path).await, (202, json!({ "ordered": "strike-out" })));
    assert_eq!(stage.owed().await, [Value::Null; 0]);
    assert_eq!(stage.order(Method::DELETE, "/v1/owed/none").await.0, 400);
}

#[tokio::test]
async fn an_operator_ends_a_request_that_is_stuck() {
    let mut stage = Stage::set().await;
    let (.., request) = stage.anna_asks().await;
    stage.offer(&request).await;
    let path = format!("/v1/routing-requests/{request}/end");
    assert_eq!(stage.order(Method::POST, &path).await, (202, json!({ "ordered": "end" })));
    let ending = stage.told.recv().await.unwrap().ending;
    assert_eq!(ending.reason.to_string(), "An operator ended the request.");
    assert!(
        stage.emulator.with(|salesforce, _| salesforce.leftovers()).is_empty(),
        "it was taken back first"
    );
    assert_eq!(stage.order(Method::POST, &path).await.0, 404, "it is not open any more");
}
