//! The rep finder: where and how it is asked, what counts as its answer, what as its failure.

use super::*;

#[tokio::test]
async fn a_rep_is_found_where_the_partner_says() {
    let named = json!([rep(9), rep(2), rep(2), rep(3).to_18(), rep(4)]);
    let partner = Partner::answering("/find", [found(&named)]).await;
    let query: RepQuery = serde_json::from_value(json!({
        "queueId": "00G000000000001", "exclude": [rep(9)], "limit": 2,
        "skills": [{"id": "french", "level": 3, "isAdditionalSkill": true}, {"id": "billing"}],
    }))
    .unwrap();
    assert_eq!(
        partner.find(&query).await.unwrap(),
        [rep(2), rep(3)],
        "each once, not the excluded one, not too many"
    );
    let requests = partner.requests().await;
    let [request] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    assert_eq!(header(request, "authorization"), "Bearer hush");
    assert_eq!(header(request, "content-type"), "application/json");
    assert_described(&question("repFinder"), &body(request));
    let expected = json!({
        "org": "00DHs0000000001", "channel": "Acme_Messaging", "queueId": "00G000000000001",
        "skills": [{"id": "french", "level": 3, "isAdditionalSkill": true}, {"id": "billing", "isAdditionalSkill": false}],
        "exclude": [rep(9)], "limit": 2,
    });
    assert_eq!(body(request), expected);
}

#[tokio::test]
async fn what_may_pass_is_asked_again_with_the_same_id() {
    let slow = found(&json!([rep(1)])).set_delay(Duration::from_secs(5));
    let busy = ResponseTemplate::new(429).insert_header("Retry-After", "0");
    let partner =
        Partner::answering("/find", [ResponseTemplate::new(500), slow, busy, found(&json!([rep(2)]))]).await;
    assert_eq!(partner.find(&wanted(1)).await.unwrap(), [rep(2)]);
    let requests = partner.requests().await;
    assert_eq!(requests.len(), 4);
    let ids: Vec<&str> = requests.iter().map(|request| header(request, "requestid")).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && uuid::Uuid::parse_str(id).is_ok()), "{ids:?}");
    assert_described(&question("repFinder"), &body(&requests[0]));
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_and_not_nobody() {
    let many = json!({"reps": vec![rep(1).to_string(); 10_000]});
    let text = |text: &str| ResponseTemplate::new(200).set_body_string(text);
    let json = |json: Value| ResponseTemplate::new(200).set_body_json(json);
    for (why, answer) in [
        ("invalid answer: it is not a JSON object (see webhooks.yaml)", text("<html>")),
        ("invalid answer: it is not a JSON object (see webhooks.yaml)", text("null")),
        ("invalid answer: it is empty; a JSON object is expected (see webhooks.yaml)", text("")),
        (
            "invalid answer: it is empty; a JSON object is expected (see webhooks.yaml)",
            ResponseTemplate::new(204),
        ),
        (
            "invalid answer: unexpected text after the JSON object, line 1 column 14 (see webhooks.yaml)",
            text(r#"{"reps": []} and so on"#),
        ),
        ("invalid answer: field `reps` missing (see webhooks.yaml)", json(json!({"rep": rep(1)}))),
        (
            "invalid answer: field `reps[0]` has another type; a string is expected (see webhooks.yaml)",
            json(json!({"reps": [5]})),
        ),
        (
            "invalid answer: field `reps` has no user id (005…) (see webhooks.yaml)",
            json(json!({"reps": ["bo", "00G000000000001"]})),
        ),
        ("invalid answer: larger than 65536 bytes (see webhooks.yaml)", json(many.clone())),
        ("invalid answer: larger than 65536 bytes (see webhooks.yaml)", gzipped(&many.to_string())),
        (
            "invalid answer: Content-Encoding is br; only gzip or none is accepted (see webhooks.yaml)",
            json(json!({"reps": []})).insert_header("Content-Encoding", "br"),
        ),
        ("HTTP 404", ResponseTemplate::new(404)),
        ("HTTP 401; check that it has the same secret", ResponseTemplate::new(401)),
    ] {
        let partner = Partner::answering("/find", [answer, found(&json!([rep(2)]))]).await;
        assert_eq!(partner.find(&wanted(1)).await, Err(why.to_owned()));
        assert_eq!(partner.requests().await.len(), 1, "{why}");
    }
    let mixed = ResponseTemplate::new(200).set_body_json(json!({"reps": ["bo", rep(3), "00G000000000001"]}));
    let partner = Partner::answering("/find", [mixed]).await;
    assert_eq!(partner.find(&wanted(3)).await.unwrap(), [rep(3)], "who is no rep is passed over");
}

fn gzipped(text: &str) -> ResponseTemplate {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    ResponseTemplate::new(200).set_body_bytes(body).insert_header("Content-Encoding", "gzip")
}

#[tokio::test]
async fn an_answer_may_have_a_byte_order_mark_be_gzipped_and_name_nobody() {
    let reps = json!({"reps": [rep(2)]}).to_string();
    let marked = ResponseTemplate::new(200).set_body_string(format!("\u{feff}{reps}\r\n"));
    for answer in [marked, gzipped(&reps)] {
        let partner = Partner::answering("/find", [answer]).await;
        assert_eq!(partner.find(&wanted(1)).await.unwrap(), [rep(2)]);
    }
    let partner = Partner::answering("/find", [found(&json!([]))]).await;
    assert_eq!(partner.find(&wanted(1)).await.unwrap(), [], "nobody is an answer");
}
