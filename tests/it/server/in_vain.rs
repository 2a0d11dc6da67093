//! A cancel that fails is shown at its first failure, long before it is given up and owed; and so is who asked for
//! what, when the request has ended.

use std::sync::atomic::Ordering;

use axum::http::Method;
use serde_json::{Value, json};

use super::offered::Offered;
use super::rig::{BO, QUEUE, loopback};

async fn owed(scene: &Offered) -> Vec<Value> {
    let listed = scene.rig.get("/v1/owed").await;
    assert_eq!(listed.status.as_u16(), 200, "{}", listed.text);
    listed.body["owed"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_cancel_that_fails_is_listed_at_once_and_who_asked_for_what_at_the_end() {
    let scene = Offered::set(loopback()).await;
    assert_eq!(owed(&scene).await, Vec::<Value>::new());
    let failing = scene.cancels_fail().await;
    let end = format!("/v1/routing-requests/{}/end", scene.request);
    assert_eq!(scene.rig.ask(Method::POST, &end).send().await.status.as_u16(), 202);
    let listed = loop {
        match &*owed(&scene).await {
            [one] => break one.clone(),
            none => assert!(none.is_empty(), "{none:?}"),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(listed["tries"], 0, "it is not given up yet: {listed}");
    assert_eq!(listed["undo"], "cancelOffer");
    assert_eq!((&listed["rep"], &listed["work"]), (&json!(BO), &json!(scene.work)));
    assert_eq!(listed["lastAnswer"], "HTTP 503: upstream is not available");
    assert!(listed["nextTry"].is_string() && listed["since"].is_string(), "{listed}");
    let order = format!("/v1/owed/{}/try", listed["id"].as_str().unwrap());
    let early = scene.rig.ask(Method::POST, &order).send().await;
    assert_eq!(early.status.as_u16(), 404, "it is being tried: {}", early.text);

    failing.store(false, Ordering::SeqCst);
    while !owed(&scene).await.is_empty() {
        tokio::task::yield_now().await;
    }
    // The call is over a moment before what follows from its answer is.
    let ended = loop {
        let listed = scene.rig.get("/v1/routing-requests?state=ended").await.body;
        if let Some(ended) = listed["requests"].get(0) {
            break ended.clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&ended["requester"], &ended["joined"]), (&Value::Null, &Value::Null), "{ended}");
    assert_eq!(ended["target"], format!("queue {QUEUE}"));
    assert_eq!(ended["routingType"], "Conference");
}
