//! The emulated org behind its HTTP face, with a real client over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options, SAMPLE_PRIVATE_KEY};
use byoc_connector::emulator::{BearerRule, Settings};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::{Clock, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const NOW: i64 = 1_780_000_000_000;
const ANNA: &str = "005Hu0000000001";
const BO: &str = "005Hu0000000002";
const QUEUE: &str = "00GHu0000000001";
const FIXED: &str = "a-fixed-token";

/// A clock that stands still until it is told otherwise.
struct Stopped(AtomicI64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

struct Server {
    address: String,
    client: reqwest::Client,
    clock: Arc<Stopped>,
    emulator: Emulator,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start() -> Self {
        let roster: Roster = serde_json::from_value(json!({
            "reps": [{ "id": ANNA, "queues": [QUEUE] }, { "id": BO, "queues": [QUEUE] }],
            "queues": [{ "id": QUEUE, "name": "Billing" }],
        }))
        .unwrap();
        let mut settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
        settings.channel.routing_work_result_supported = true;
        let options = Options {
            seed: 7,
            roster,
            settings,
            app: AppSettings::default(),
            fixed_tokens: vec![FIXED.to_owned()],
        };
        let clock = Arc::new(Stopped(AtomicI64::new(NOW)));
        let emulator = Emulator::new(options, clock.clone()).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let served = tokio::spawn(http::serve(listener, emulator.clone(), shutdown));
        Self { address, client: reqwest::Client::new(), clock, emulator, stop, served }
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.address)).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {response:?}");
        response.json().await.unwrap()
    }

    async fn control(&self, path: &str, body: &Value) -> Response {
        self.client.post(format!("{}/emulator/v1/{path}", self.address)).json(body).send().await.unwrap()
    }

    /// A control call that works.
    async fn does(&self, path: &str, body: Value) -> Value {
        let response = self.control(path, &body).await;
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path} {body}: {answer}");
        answer
    }

    async fn api(&self, method: Method, path: &str, token: &str, body: &Value) -> reqwest::Result<Response> {
        let settings = Settings::default();
        self.client
            .request(method, format!("{}/api/v1/{path}", self.address))
            .bearer_auth(token)
            .header("OrgId", settings.org.as_str())
            .header("RequestId", uuid::Uuid::new_v4().to_string())
            .header("AuthorizationContext", settings.channel.developer_name)
            .header("AuthorizationContextType", "ConversationChannelDefinition")
            .json(body)
            .send()
            .await
    }

    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let url = format!("{}/services/oauth2/token", self.address);
        let response = self.client.post(url).form(form).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn stops(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn claims() -> Value {
    let app = AppSettings::default();
    json!({
        "iss": app.consumer_key, "sub": app.username, "aud": "https://login.salesforce.com",
        "exp": NOW / 1000 + 180,
    })
}

fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(SAMPLE_PRIVATE_KEY.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

#[tokio::test]
async fn an_assertion_becomes_a_token_that_the_api_takes_until_it_is_revoked() {
    let server = Server::start().await;
    let (status, answer) = server.token(&[("grant_type", GRANT), ("assertion", &signed(&claims()))]).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "interaction_api");
    assert_eq!(answer["instance_url"], json!(server.address));
    let token = answer["access_token"].as_str().unwrap();
    let body = json!({ "conversationIdentifier": "nowhere" });
    let code = async |token: &str| -> Value {
        let response = server.api(Method::DELETE, "route", token, &body).await.unwrap();
        response.json::<Value>().await.unwrap()["code"].clone()
    };
    assert_eq!(code(token).await, 10018, "past the token's check");
    assert_eq!(code("another").await, 10004);
    assert_eq!(server.does("tokens/revoke", json!({ "token": token })).await["revoked"], 1);
    assert_eq!(code(token).await, 10004);
    assert_eq!(code(FIXED).await, 10018);
    // A token ages out by the emulator's clock.
    let (_, answer) = server.token(&[("grant_type", GRANT), ("assertion", &signed(&claims()))]).await;
    let token = answer["access_token"].as_str().unwrap();
    server.clock.0.fetch_add(7_200_000, Ordering::Relaxed);
    assert_eq!(code(token).await, 10004);
    server.stops().await;
}

#[tokio::test]
async fn every_wrong_assertion_is_denied_as_oauth_does() {
    let server = Server::start().await;
    let good = signed(&claims());
    let own = signed(&with("aud", json!(server.address)));
    assert_eq!(server.token(&[("grant_type", GRANT), ("assertion", &own)]).await.0, StatusCode::OK);
    let (head, tail) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
    let key = EncodingKey::from_secret(b"shared");
    let other_algorithm = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &key).unwrap();
    let table = [
        ("client_credentials", good.clone(), "unsupported_grant_type"),
        (GRANT, String::new(), "invalid_request"),
        (GRANT, "no.jwt".to_owned(), "invalid_grant"),
        (GRANT, forged, "invalid_grant"),
        (GRANT, other_algorithm, "invalid_grant"),
        (GRANT, signed(&with("iss", json!("3MVG9other"))), "invalid_client_id"),
        (GRANT, signed(&with("iss", Value::Null)), "invalid_client_id"),
        (GRANT, signed(&with("sub", json!("somebody@example.com"))), "invalid_grant"),
        (GRANT, signed(&with("aud", json!("https://login.example.com"))), "invalid_grant"),
        (GRANT, signed(&with("exp", json!(NOW / 1000))), "invalid_grant"),
        (GRANT, signed(&with("exp", Value::Null)), "invalid_grant"),
    ];
    for (grant, assertion, error) in table {
        let (status, answer) = server.token(&[("grant_type", grant), ("assertion", &assertion)]).await;
        assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{answer}");
        assert!(answer["error_description"].as_str().unwrap().len() > 10);
    }
    let url = format!("{}/services/oauth2/token", server.address);
    let response = server.client.post(url).json(&json!({})).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "invalid_request");
    server.stops().await;
}

/// A conversation with Anna in it, and a conference for which she asks a queue.
async fn a_conference(server: &Server) -> (Value, Value) {
    let started = server.does("conversations", json!({ "reps": [ANNA] })).await;
    let act = json!({
        "act": "requestConference", "conversation": started["conversation"], "target": { "queueId": QUEUE },
    });
    let requested = server.does("acts", act).await;
    (started, requested["request"].clone())
}

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
    for path in ["/", "/api/v1/consent"] {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.json::<Value>().await.unwrap()["code"], 404);
    }
    server.stops().await;
}

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
async fn the_sample_key_is_given_only_where_it_is_the_one_in_use() {
    let server = Server::start().await;
    let given = server.get("/emulator/v1/sample-credentials").await;
    assert_eq!(given["privateKey"], SAMPLE_PRIVATE_KEY);
    let app = AppSettings { public_key: "-----BEGIN".to_owned(), ..AppSettings::default() };
    let options = Options {
        seed: 1,
        roster: Roster::default(),
        settings: Settings::default(),
        app,
        fixed_tokens: Vec::new(),
    };
    let refused = Emulator::new(options, server.clock.clone()).unwrap_err();
    assert!(refused.to_string().contains("RSA public key in PEM"), "{refused}");
    server.emulator.with(|salesforce, _| assert_eq!(salesforce.works().count(), 0));
    server.stops().await;
}

/// The command, as a user starts it.
#[cfg(all(feature = "cli", unix))]
mod command {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    fn byoc() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_byoc"));
        command.current_dir(std::env::temp_dir()).env_remove("BYOC_CONFIG").arg("emulator");
        command
    }

    #[tokio::test]
    async fn the_command_says_where_it_is_and_stops_when_it_is_asked_to() {
        let mut child =
            byoc().args(["--port", "0", "--seed", "9", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let control = said["control"].as_str().unwrap();
        let identity: Value = reqwest::get(control).await.unwrap().json().await.unwrap();
        assert_eq!((&identity["seed"], &identity["org"]), (&json!(9), &said["orgId"]));
        let state: Value = reqwest::get(format!("{control}/state")).await.unwrap().json().await.unwrap();
        assert_eq!(state["reps"].as_array().unwrap().len(), 5, "the sample's people are there");
        let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(killed.success());
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn a_port_that_is_taken_and_a_key_that_is_none_are_named() {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/README.md");
        for (args, part) in [
            (["--port", &port], format!("cannot listen on 127.0.0.1:{port}")),
            (["--public-key", key], "is not an RSA public key in PEM".to_owned()),
            (["--public-key", "/nowhere.pem"], "cannot read the public key /nowhere.pem".to_owned()),
            (["--config", "/nowhere.toml"], "/nowhere.toml".to_owned()),
        ] {
            let output = byoc().args(args).output().unwrap();
            let complaint = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{complaint}");
            assert_eq!((output.stdout.len(), complaint.lines().count()), (0, 1), "{complaint}");
            assert!(complaint.contains(&part), "{complaint}");
        }
    }
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

#[tokio::test]
async fn something_else_is_served_beside_the_org_on_one_port() {
    use axum::Router;
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use std::net::SocketAddr;

    let options = Options {
        seed: 7,
        roster: Roster::default(),
        settings: Settings::default(),
        app: AppSettings::default(),
        fixed_tokens: Vec::new(),
    };
    let clock = Arc::new(Stopped(AtomicI64::new(NOW)));
    let emulator = Emulator::new(options, clock).unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let beside = Router::new()
        .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
        .route("/emulator/v1/state", get(|| async { "not the org's" }))
        .fallback(|| async { "never asked" });
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let served = tokio::spawn(http::serve_with(listener, emulator, beside, shutdown));
    let get =
        async |path: &str| reqwest::get(format!("{address}{path}")).await.unwrap().text().await.unwrap();
    assert_eq!(get("/").await, "127.0.0.1", "its handlers know who asks");
    assert_eq!(get("/emulator/v1/state").await, "not the org's", "its routes go first");
    let books: Value = serde_json::from_str(&get("/emulator/v1/books").await).unwrap();
    assert_eq!(books["entries"], json!([]), "the rest is the org's");
    let refused: Value = serde_json::from_str(&get("/api/v1/route").await).unwrap();
    assert!(refused["code"].is_number(), "and so is what has no route: {refused}");
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_stand_in_console_is_served_whole_and_names_what_it_shows() {
    let server = Server::start().await;
    let mut open = vec!["/console".to_owned()];
    let mut seen = Vec::new();
    while let Some(path) = open.pop() {
        let response = server.client.get(format!("{}{path}", server.address)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        let text = response.text().await.unwrap();
        seen.push(path);
        // What a file names, in quotes: other files by their whole path, or beside it.
        let is_file =
            |part: &&str| part.rsplit_once('.').is_some_and(|(_, end)| ["js", "css"].contains(&end));
        for name in text.split('"').filter(is_file) {
            let wanted = name.strip_prefix("./").map_or(name.to_owned(), |name| format!("/console/{name}"));
            if !seen.contains(&wanted) && !open.contains(&wanted) {
                open.push(wanted);
            }
        }
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
    assert_eq!(server.get("/console/names").await, json!({ ANNA: "", BO: "", QUEUE: "Billing" }));
    server.stops().await;
}
