//! Whatever is sent, the answer is a 4xx that names the field.

use axum::http::Method;
use byoc_connector::server::BODY_LIMIT;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::rig::{ANNA, CHANNEL, ORG, OTHER_ORG, Rig, guarded, loopback, org, service};

const WORK_ITEM: &str = "0Mw000000000001";
const WORK: &str = "0Bz000000000001";

/// The operations that take a body, each with one that would do.
fn takers() -> Vec<(Method, String, Value)> {
    let rep = format!("/v1/reps/{ANNA}");
    vec![
        (
            Method::POST,
            "/v1/contacts".into(),
            json!({ "filter": { "contains": "a" }, "workItemId": WORK_ITEM }),
        ),
        (
            Method::POST,
            "/v1/agent-work".into(),
            json!({ "workItemId": WORK_ITEM, "workId": WORK, "workEvent": "ACCEPTED" }),
        ),
        (Method::POST, "/v1/presence".into(), json!({ "availability": "BUSY", "userId": ANNA })),
        (Method::POST, "/v1/events".into(), json!({ "acme__EventType__c": "Interaction" })),
        (Method::PUT, rep, json!({ "availability": "BUSY" })),
    ]
}

/// Method, path, body, status, field.
type Row = (Method, &'static str, Value, u16, Value);

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_value_that_cannot_be_is_named_by_its_field() {
    let rig = Rig::new(loopback()).await;
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let rep = "/v1/reps/005000000000001";
    let rows: Vec<Row> = vec![
        (post.clone(), "/v1/contacts", json!({ "filter": { "limit": 0.5 } }), 400, json!("filter.limit")),
        (post.clone(), "/v1/contacts", json!({ "filter": { "limit": "ten" } }), 400, json!("filter.limit")),
        (post.clone(), "/v1/contacts", json!({ "filter": { "types": [5] } }), 400, json!("filter.types.0")),
        (post.clone(), "/v1/contacts", json!({ "filter": 5 }), 400, json!("filter")),
        (post.clone(), "/v1/contacts", json!({ "filter": ["all", 5] }), 400, json!("filter")),
        (post.clone(), "/v1/contacts", json!({ "workItemId": "0Bz000000000001" }), 400, json!("workItemId")),
        (post.clone(), "/v1/contacts", json!({ "filters": {} }), 400, json!("filters")),
        (post.clone(), "/v1/agent-work", json!({}), 400, json!("workItemId")),
        (
            post.clone(),
            "/v1/agent-work",
            json!({ "workItemId": WORK_ITEM, "workEvent": "A" }),
            400,
            json!("workId"),
        ),
        (
            post.clone(),
            "/v1/agent-work",
            json!({ "workItemId": WORK_ITEM, "workId": "0Bz", "workEvent": "A" }),
            400,
            json!("workId"),
        ),
        (
            post.clone(),
            "/v1/agent-work",
            json!({ "workItemId": WORK_ITEM, "workId": WORK, "workEvent": null }),
            400,
            json!("workEvent"),
        ),
        (
            post.clone(),
            "/v1/agent-work",
            json!({ "workItemId": WORK_ITEM, "workId": WORK, "workEvent": "ACCEPTED" }),
            404,
            json!("workItemId"),
        ),
        (post.clone(), "/v1/presence", json!({ "userId": ANNA }), 400, json!("availability")),
        (post.clone(), "/v1/presence", json!({ "availability": "AWAY" }), 400, json!("availability")),
        (post.clone(), "/v1/presence", json!({ "availability": "BUSY" }), 400, json!("userId")),
        (post.clone(), "/v1/presence", json!({ "availability": "BUSY", "userId": 5 }), 400, json!("userId")),
        (put.clone(), "/v1/reps/anna", json!({}), 400, json!("id")),
        (put.clone(), "/v1/reps/005000000000001AAB", json!({}), 400, json!("id")),
        (put.clone(), "/v1/reps/005000000000009", json!({}), 404, json!("availability")),
        (put.clone(), rep, json!({ "capacity": -1 }), 400, json!("capacity")),
        (put.clone(), rep, json!({ "capacity": "ten" }), 400, json!("capacity")),
        (put.clone(), rep, json!({ "capacityUsed": 1e9 }), 400, json!("capacityUsed")),
        (put.clone(), rep, json!({ "queues": ["Billing"] }), 400, json!("queues.0")),
        (put.clone(), rep, json!({ "skills": [{ "level": 3 }] }), 400, json!("skills.0")),
        (put.clone(), rep, json!({ "name": "x".repeat(256) }), 400, json!("name")),
        (put.clone(), rep, json!({ "queues": vec![super::rig::QUEUE; 1001] }), 400, json!("queues")),
        (put, rep, json!({ "script": {} }), 400, json!("script")),
        (delete, "/v1/reps/005000000000009", Value::Null, 404, json!("id")),
        (get.clone(), "/v1/routing-requests?limit=0", Value::Null, 400, json!("limit")),
        (get.clone(), "/v1/routing-requests?limit=501", Value::Null, 400, json!("limit")),
        (get.clone(), "/v1/routing-requests?limit=all", Value::Null, 400, json!("limit")),
        (get.clone(), "/v1/routing-requests?limit=-1", Value::Null, 400, json!("limit")),
        (get.clone(), "/v1/routing-requests?state=shut", Value::Null, 400, json!("state")),
        (get.clone(), "/v1/routing-requests?states=open", Value::Null, 400, json!("states")),
        (get.clone(), "/v1/routing-requests?org=005000000000001", Value::Null, 400, json!("org")),
        (get.clone(), "/v1/routing-requests?org=00D000000000009", Value::Null, 404, json!("org")),
        (get.clone(), "/v1/routing-requests?channel=Other", Value::Null, 404, json!("channel")),
        (get.clone(), "/v1/routing-requests/none-such", Value::Null, 404, json!("id")),
        (get.clone(), "/v1/routing-requests/%0A", Value::Null, 400, json!("id")),
        (get.clone(), "/v1/stream?org=x", Value::Null, 400, json!("org")),
        (get.clone(), "/v1/session?rep=x", Value::Null, 400, json!("rep")),
        (get.clone(), "/v1/session?org=00D000000000009", Value::Null, 404, json!("org")),
        (get.clone(), "/v1/reps?channel=Other", Value::Null, 404, json!("channel")),
        (get.clone(), "/v1/session?org=%FF", Value::Null, 400, json!("org")),
        (get, "/v1", Value::Null, 404, Value::Null),
    ];
    for (method, path, body, status, field) in rows {
        let ask = rig.ask(method.clone(), path);
        let answer = if body.is_null() { ask.send().await } else { ask.json(&body).send().await };
        assert_eq!(
            (answer.status.as_u16(), answer.field()),
            (status, &field),
            "{method} {path} {body}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_body_that_is_none_is_refused_everywhere() {
    let rig = Rig::new(loopback()).await;
    for (method, path, good) in takers() {
        let at = format!("{method} {path}");
        for bad in ["", "null", "[]", "5", "\"x\"", "{", "{\"a\":1}x", "{\"a\":\u{0}}", "nothing"] {
            let answer = rig.ask(method.clone(), &path).body(bad).send().await;
            assert_eq!(answer.status, 400, "{at} {bad}: {}", answer.body);
        }
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert_eq!(rig.ask(method.clone(), &path).body(deep).send().await.status, 400, "{at}: deep");
        let answer = rig.ask(method.clone(), &path).body(b"{\"a\":\"\xff\"}".to_vec()).send().await;
        assert_eq!(answer.status, 400, "{at}: not UTF-8");
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(BODY_LIMIT));
        assert_eq!(rig.ask(method.clone(), &path).body(large).send().await.status, 413, "{at}: large");
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
        {
            let ask = rig.ask(method.clone(), &path).json(&good).header("content-type", kind);
            let answer = ask.send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.field()),
                (415, &json!("Content-Type")),
                "{at} as {kind}"
            );
        }
        let told = rig
            .ask(method.clone(), &path)
            .json(&good)
            .header("content-type", "Application/JSON; charset=utf-8");
        assert_ne!(told.send().await.status, 415, "{at}");
    }
}

#[tokio::test]
async fn an_unknown_field_is_refused_where_the_body_is_ours() {
    let rig = Rig::new(loopback()).await;
    for (method, path, mut body) in takers().into_iter().filter(|(_, path, _)| path != "/v1/events") {
        body["surprise"] = json!(true);
        let answer = rig.ask(method, &path).json(&body).send().await;
        assert_eq!((answer.status.as_u16(), answer.field()), (400, &json!("surprise")), "{path}");
    }
    let filter = json!({ "filter": { "contains": "Bo", "madeByTheNextRelease": 1 } });
    assert_eq!(rig.post("/v1/contacts", &filter).await.status, 200, "Salesforce's own may grow");
}

#[tokio::test]
async fn where_several_are_served_it_must_be_said_which_is_meant() {
    let nobody = "http://127.0.0.1:9";
    let service = service(vec![org(ORG, nobody, true), org(OTHER_ORG, nobody, false)]).await;
    let rig = Rig::over(loopback(), service);
    for path in ["/v1/session", "/v1/reps"] {
        let answer = rig.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.field()), (400, &json!("org")), "{path}: {}", answer.body);
        assert_eq!(rig.get(&format!("{path}?org={ORG}")).await.status, 200, "{path}");
        assert_eq!(rig.get(&format!("{path}?org={ORG}&channel={CHANNEL}")).await.status, 200, "{path}");
        assert_eq!(rig.get(&format!("{path}?org={ORG}&channel=Other")).await.status, 404, "{path}");
    }
    assert_eq!(rig.get("/v1/routing-requests").await.status, 200, "an operator sees all of them");
    let elsewhere = rig.get(&format!("/v1/reps?org={OTHER_ORG}")).await;
    assert_eq!(elsewhere.status, 409, "a router of the partner's own keeps its reps");
    let presence = json!({ "availability": "BUSY", "userId": ANNA });
    let answer = rig.post(&format!("/v1/presence?org={OTHER_ORG}"), &presence).await;
    assert_eq!(answer.status, 202);
    assert!(answer.body["ignored"].is_string(), "{}", answer.body);
}

#[tokio::test]
async fn without_its_credential_nothing_is_read_however_bad_it_is() {
    let rig = Rig::new(guarded()).await;
    for (method, path, _) in takers() {
        for bad in ["{", "[]"] {
            assert_eq!(rig.ask(method.clone(), &path).body(bad).send().await.status, 401, "{method} {path}");
        }
    }
}

/// JSON of any shape, with the names that matter among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!(WORK_ITEM)),
        Just(json!(ANNA)),
        Just(json!("RoutingRequested")),
    ];
    let key = prop_oneof![
        Just("filter".to_owned()),
        Just("workItemId".to_owned()),
        Just("availability".to_owned()),
        Just("acme__EventType__c".to_owned()),
        Just("acme__Payload__c".to_owned()),
        Just("skills".to_owned()),
        ".{0,8}",
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_sent_is_answered_as_described(body in any_json(), query in "[ -~]{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::new(loopback()).await;
            for (method, path, _) in takers() {
                let answer = rig.ask(method.clone(), &path).json(&body).send().await;
                assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.body);
            }
            let query: String = query.chars().filter(|c| !" \"<>`{}#|\\^".contains(*c)).collect();
            for path in ["/v1/session", "/v1/reps", "/v1/routing-requests", "/v1/routing-requests/x"] {
                let answer = rig.get(&format!("{path}?{query}")).await;
                assert!(answer.status.as_u16() < 500, "{path}?{query}: {}", answer.body);
            }
        });
    }
}
