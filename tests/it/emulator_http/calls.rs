//! The Interaction API over HTTP: a whole conference, what happens by itself, faults and bounds on the wire.

use super::*;

fn offer(started: &Value, request: &Value) -> Value {
    json!({
        "userId": BO, "workItemId": started["workItem"], "capacityWeight": 1,
        "routingContext": {
            "conversationIdentifier": started["conversation"], "routingType": "Conference",
            "routingCorrelationId": request,
        },
    })
}

#[tokio::test]
async fn a_conference_over_http_from_the_act_to_the_join() {
    let server = Server::start().await;
    let (started, request) = a_conference(&server).await;
    let told = server.get("/emulator/v1/events").await;
    let last = &told["events"].as_array().unwrap().last().unwrap()["event"];
    assert_eq!(last["devorg__EventType__c"], "RoutingRequested");
    let response = server.api(Method::POST, "agentWork", FIXED, &offer(&started, &request)).await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let answer: Value = response.json().await.unwrap();
    let work = &answer["agentWorkId"];
    // A long poll that is under way hears of the accept.
    let path =
        format!("/emulator/v1/events?after={}&waitMilliseconds=60000", told["last"].as_u64().unwrap() + 2);
    let (heard, ()) = tokio::join!(server.get(&path), async {
        server.does("acts", json!({ "act": "accept", "work": work })).await;
    });
    assert_eq!(heard["events"][0]["workEvent"], "ACCEPTED", "{heard}");
    let state = server.get("/emulator/v1/state").await;
    assert_eq!(state["routingRequests"][0]["ended"][1]["how"], "joined");
    let books = server.get("/emulator/v1/books?after=1").await;
    assert_eq!(books["entries"][0]["number"], 2);
    assert_eq!(books["leftovers"], json!({ "offers": [], "psrs": [] }));
    assert!(!books.to_string().contains(FIXED), "the books know no tokens");
    server.stops().await;
}

#[tokio::test]
async fn what_is_due_happens_without_a_call() {
    let server = Server::start().await;
    server.does("reps", json!({ "id": BO, "script": { "does": "accept", "afterMilliseconds": 1 } })).await;
    let (started, request) = a_conference(&server).await;
    server.api(Method::POST, "agentWork", FIXED, &offer(&started, &request)).await.unwrap();
    let last = server.get("/emulator/v1/events").await["last"].as_u64().unwrap();
    server.clock.0.fetch_add(1, Ordering::Relaxed);
    let path = format!("/emulator/v1/events?after={last}&waitMilliseconds=60000");
    let heard = server.get(&path).await;
    assert_eq!(heard["events"][0]["workEvent"], "ACCEPTED", "{heard}");
    server.stops().await;
}

#[tokio::test]
async fn faults_are_felt_on_the_wire() {
    let server = Server::start().await;
    let (started, request) = a_conference(&server).await;
    let body = offer(&started, &request);
    let planned = json!([
        { "fault": "rateLimited", "retryAfterSeconds": 3 },
        { "fault": "serverError", "status": 503 },
        { "fault": "connectionRefused" },
        { "fault": "answerLost", "operation": "createAgentWork" },
    ]);
    assert_eq!(server.does("faults", planned).await, json!({ "planned": 4 }));
    let call = || server.api(Method::POST, "agentWork", FIXED, &body);
    let limited = call().await.unwrap();
    assert_eq!(
        (limited.status(), &limited.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"3".parse().unwrap())
    );
    assert_eq!(call().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    for _ in 0..2 {
        let broken = call().await.unwrap_err();
        assert!(broken.is_request() && !broken.is_timeout(), "{broken:?}");
    }
    server.does("faults", json!({ "fault": "latency", "milliseconds": 60 })).await;
    let before = Instant::now();
    let answer: Value = call().await.unwrap().json().await.unwrap();
    assert!(before.elapsed() >= Duration::from_millis(60));
    assert_eq!(answer["code"], 15109, "the lost answer's work was done");
    server.does("faults", json!({ "fault": "serverError", "times": null })).await;
    server.client.delete(format!("{}/emulator/v1/faults", server.address)).send().await.unwrap();
    assert_eq!(call().await.unwrap().status(), StatusCode::BAD_REQUEST);
    server.stops().await;
}

#[tokio::test]
async fn a_body_that_is_too_long_and_a_path_that_is_not_there_are_refused() {
    let server = Server::start().await;
    let body = json!({ "conversationIdentifier": "x".repeat(http::BODY_LIMIT) });
    let response = server.api(Method::POST, "route", FIXED, &body).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for path in ["/", "/api/v1/capabilities"] {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.json::<Value>().await.unwrap()["code"], 404);
    }
    server.stops().await;
}
