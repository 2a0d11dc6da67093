//! The control API: what it does, and what it says to a call that is wrong.

use super::*;

#[tokio::test]
async fn a_control_call_that_is_wrong_says_what_would_be_right() {
    let server = Server::start().await;
    let table = [
        ("acts", json!({ "act": "accept", "work": "0BzHu0000000009" }), 404, json!("work")),
        ("acts", json!({ "act": "dance" }), 400, json!("dance")),
        ("acts", json!({ "act": "accept" }), 400, json!("work")),
        ("conversations", json!({ "workItem": "0MwHu0000000001" }), 400, json!("conversation")),
        ("conversations", json!({ "rep": [] }), 400, json!("rep")),
        ("conversations", json!({ "reps": ["005Hu0000000077"] }), 404, json!("rep")),
        ("faults", json!([{ "fault": "flood" }]), 400, json!("flood")),
        ("reps", json!({ "name": "Bo" }), 400, json!("id")),
        ("nothing", json!({}), 404, Value::Null),
        ("books", json!({}), 405, Value::Null),
    ];
    for (path, body, status, field) in table {
        let response = server.control(path, &body).await;
        assert_eq!(response.status().as_u16(), status, "{path} {body}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["field"], field, "{path} {body}: {answer}");
        assert!(answer["error"].is_string() && answer["hint"].is_string(), "{answer}");
    }
    let response =
        server.client.get(format!("{}/emulator/v1/events?after=x", server.address)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    server.stops().await;
}

#[tokio::test]
async fn a_reset_starts_over_with_the_same_ids() {
    let server = Server::start().await;
    let (first, _) = a_conference(&server).await;
    let last = server.get("/emulator/v1/events").await["last"].clone();
    assert_eq!(server.does("reset", Value::Null).await["seed"], 7);
    assert_eq!(server.get("/emulator/v1/state").await["conversations"], json!([]));
    assert_eq!(server.get("/emulator/v1/events").await["last"], last, "event numbers go on");
    let (second, _) = a_conference(&server).await;
    assert_eq!(first, second);
    server.does("reset", json!({ "seed": 8 })).await;
    let identity = server.get("/emulator/v1").await;
    assert_eq!((&identity["name"], &identity["seed"]), (&json!("byoc emulator"), &json!(8)));
    let (third, _) = a_conference(&server).await;
    assert_ne!(first, third);
    server.stops().await;
}

#[tokio::test]
async fn an_adopted_conversation_keeps_its_ids() {
    let server = Server::start().await;
    let body = json!({ "conversation": "b6c4", "workItem": "0MwSB0000012345", "endUser": "customer", "reps": [ANNA] });
    let started = server.does("conversations", body.clone()).await;
    assert_eq!(started["workItem"], "0MwSB0000012345");
    assert_eq!(server.control("conversations", &body).await.status(), StatusCode::CONFLICT);
    assert_eq!(server.get("/emulator/v1/events").await["events"], json!([]));
    server.stops().await;
}

#[tokio::test]
async fn shutting_down_waits_for_no_long_poll() {
    let server = Server::start().await;
    let url = format!("{}/emulator/v1/events?after=9&waitMilliseconds=60000", server.address);
    let poll = tokio::spawn(server.client.get(url).send());
    // While this one is answered, the poll gets under way.
    server.get("/emulator/v1").await;
    let before = Instant::now();
    server.stops().await;
    drop(poll.await.unwrap());
    assert!(before.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn streams_are_broken_by_the_control_api_and_counted() {
    let server = Server::start().await;
    let counts = server.get("/emulator/v1/streams").await;
    assert_eq!(counts["streams"], json!({ "open": 0, "begun": 0, "delivered": 0, "schemasAsked": 0 }));
    let faults = json!([
        { "fault": "changeSchema" }, { "fault": "end" }, { "fault": "unavailable" },
        { "fault": "cutAfter", "events": 3 }, { "fault": "refuseSubscribe" },
        { "fault": "forgetReplayIds" }, { "fault": "delay", "milliseconds": 5 },
        { "fault": "refuseSchema" }, { "fault": "refuseSchema", "times": 2, "status": 3 },
    ]);
    assert_eq!(server.does("streams", faults).await["done"], 9);
    assert_ne!(server.get("/emulator/v1/streams").await["schemaId"], counts["schemaId"]);
    for (wrong, field) in [
        (json!({ "fault": "cutAfter" }), json!("events")),
        (json!({ "fault": "explode" }), json!("explode")),
        (json!({}), json!("fault")),
    ] {
        let response = server.control("streams", &wrong).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(response.json::<Value>().await.unwrap()["field"], field, "{wrong}");
    }
    // A reset takes the changed schema with it.
    server.does("reset", json!({})).await;
    assert_eq!(server.get("/emulator/v1/streams").await["schemaId"], counts["schemaId"]);
    server.stops().await;
}
