//! Tries of a call: one id, waits that are asked for, none past the deadline, one limiter an org.

use byoc_connector::interaction::Limiter;

use super::*;

/// A response that the description of the call's operation allows.
fn described(call: &Call, status: u16, body: &Value) -> ResponseTemplate {
    let wire = encode(call);
    assert_response_conforms(wire.method.as_str(), wire.path, status, body);
    ResponseTemplate::new(status).set_body_json(body)
}

#[tokio::test]
async fn every_try_of_a_call_has_the_same_request_id() {
    let server = MockServer::start().await;
    let call = offer();
    let first = [503, 429, 500].map(ResponseTemplate::new);
    let done = described(&call, 202, &json!({"agentWorkId": "0Bz5e000000WoRk", "success": true}));
    answers(&server, first, done).await;
    let (client, hands) = client(&server.uri(), fixed_token());
    let work = AgentWorkId::parse("0Bz5e000000WoRk").unwrap();
    assert_eq!(send(&client, &call).await, Answer::Done(Reply::Offered(Some(work))));
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 4);
    let ids: Vec<_> = requests.iter().map(|request| header(request, "RequestId")).collect();
    assert!(ids.iter().all(|id| *id == request_id().to_string()), "{ids:?}");
    assert!(requests.windows(2).all(|pair| pair[0].body == pair[1].body));
    for (wait, (least, most)) in hands.waits().into_iter().zip([(100, 200), (200, 400), (400, 800)]) {
        assert!((least..=most).contains(&wait.as_millis()), "{wait:?}");
    }
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    for (value, least) in [("7", 7_000), ("Thu, 28 May 2026 20:27:00 GMT", 20_000)] {
        let server = MockServer::start().await;
        let call = offer();
        let busy = described(&call, 429, &error_body(0)).insert_header("Retry-After", value);
        answers(&server, [busy], described(&call, 202, &json!({"success": true}))).await;
        let (client, hands) = client(&server.uri(), fixed_token());
        assert_eq!(send(&client, &call).await, Answer::Done(Reply::Offered(None)));
        let waits = hands.waits();
        assert_eq!(waits.len(), 1, "{value}");
        assert!(waits[0] >= Duration::from_millis(least), "{value}: {waits:?}");
    }
}

#[tokio::test]
async fn no_try_is_made_past_the_deadline() {
    let server = MockServer::start().await;
    answers(&server, [], ResponseTemplate::new(503).set_body_string("busy")).await;
    let (client, hands) = client(&server.uri(), fixed_token());
    assert_eq!(send(&client, &offer()).await, Answer::Lost("503 Service Unavailable".into()));
    assert!(hands.now() < give_up_at());
    let made = server.received_requests().await.unwrap().len();
    assert!((12..40).contains(&made), "{made} tries in 52 s");

    hands.advance(Duration::from_mins(1));
    let late = send(&client, &offer()).await;
    assert!(matches!(late, Answer::Refused(Refusal { status: 0, after_lost_try: false, .. })), "{late:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), made, "no try after the deadline");
}

#[tokio::test]
async fn a_rate_limit_to_the_end_is_a_refusal_for_nothing_happened() {
    let server = MockServer::start().await;
    let message = "Interaction request rate limit exceeded";
    let limited = described(&offer(), 429, &json!({"code": 429, "message": message}));
    answers(&server, [], limited.insert_header("Retry-After", "30")).await;
    let (client, hands) = client(&server.uri(), fixed_token());
    assert_eq!(send(&client, &offer()).await, refused(429, 429, message, false));
    assert_eq!(hands.waits().len(), 1, "30 s fit once into 52 s");
}

#[tokio::test]
async fn clients_of_one_org_share_its_limiter() {
    let server = MockServer::start().await;
    answers(&server, [], ResponseTemplate::new(202).set_body_json(json!({"success": true}))).await;
    let one = std::num::NonZeroU32::MIN;
    let limiter = Limiter::new(one, one);
    let hands = Arc::new(Hands::default());
    let build = || {
        Client::builder(server.uri(), org(), "Acme_Messaging", fixed_token())
            .clock(Arc::clone(&hands) as Arc<dyn Clock>)
            .sleeper(Arc::clone(&hands) as Arc<dyn Sleeper>)
            .limiter(limiter.clone())
            .build()
            .unwrap()
    };
    assert!(matches!(send(&build(), &offer()).await, Answer::Done(_)));
    // The second turn comes a second later, which this call does not have.
    let soon = hands.now() + Duration::from_millis(20);
    let answer = build().send(request_id(), &offer(), soon, Priority::Later).await;
    let Answer::Refused(Refusal { status: 0, message, after_lost_try: false, .. }) = answer else {
        panic!("{answer:?}")
    };
    assert!(message.contains("timed out in the queue"), "{message}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}
