//! The live client against a server: headers, retries, tokens, lost answers.

mod logins_made;
mod tokens;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::interaction::{
    Attempt, Client, Error, FixedToken, Limiter, Offer, Priority, Sleeper, TokenSource, encode,
};
use byoc_connector::model::call::{Answer, Call, Refusal, Reply, RouteBy, RoutingOutcome};
use byoc_connector::model::ids::{
    AgentWorkId, ConversationId, EventId, OrgId, PsrId, QueueId, RepId, WorkItemId,
};
use byoc_connector::model::time::{Clock, Timestamp};
use byoc_connector::model::words::{CancelReason, RoutingType};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::openapi::every_call;
use crate::support::openapi::{
    assert_request_conforms, assert_response_conforms, problems, required_headers,
};

const START: i64 = 1_780_000_000_000;

/// A clock that moves only where somebody waits for it, and remembers for how long.
#[derive(Default)]
pub(crate) struct Hands {
    moved: AtomicI64,
    waits: Mutex<Vec<Duration>>,
}

impl Hands {
    pub(crate) fn advance(&self, by: Duration) {
        self.moved.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START + self.moved.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Sleeper for Hands {
    async fn until(&self, at: Timestamp) {
        let wait = at.since(self.now());
        self.waits.lock().unwrap().push(wait);
        self.advance(wait);
    }
}

fn give_up_at() -> Timestamp {
    Timestamp::from_millis(START) + Duration::from_secs(52)
}

fn request_id() -> Uuid {
    Uuid::parse_str("f7904eb6-5352-4c5e-adf6-5f100572cf5d").unwrap()
}

fn client(url: &str, tokens: Arc<dyn TokenSource>) -> (Client, Arc<Hands>) {
    let hands = Arc::new(Hands::default());
    let client = Client::builder(url, org(), "Acme_Messaging", tokens)
        .clock(Arc::clone(&hands) as Arc<dyn Clock>)
        .sleeper(Arc::clone(&hands) as Arc<dyn Sleeper>)
        .build()
        .unwrap();
    (client, hands)
}

fn org() -> OrgId {
    OrgId::parse(&OrgId::parse("00D5e000000OrGa").unwrap().to_18()).unwrap()
}

fn fixed_token() -> Arc<dyn TokenSource> {
    Arc::new(FixedToken::new("a-token"))
}

fn conversation() -> ConversationId {
    ConversationId::parse("b6fd18c4-5a0b-4c5e-9c1f-0d6c1f6c9e11").unwrap()
}

pub(crate) fn offer() -> Call {
    Call::CreateAgentWork {
        rep: RepId::parse("0055e000001AbCd").unwrap(),
        work_item: WorkItemId::parse("0Mw5e000000XyZa").unwrap(),
        conversation: conversation(),
        routing_type: RoutingType::Conference,
        correlation: EventId::parse("3f0d2a52").unwrap(),
        capacity: None,
    }
}

fn refused(status: u16, code: impl Into<Option<u32>>, message: &str, after_lost_try: bool) -> Answer {
    Answer::Refused(Refusal { status, code: code.into(), message: message.into(), after_lost_try })
}

/// A client whose token is always taken.
pub(crate) fn fixed_client(url: &str) -> Client {
    client(url, fixed_token()).0
}

/// Sends a call as the connector would.
pub(crate) async fn send(client: &Client, call: &Call) -> Answer {
    client.send(request_id(), call, give_up_at(), Priority::of(call)).await
}

/// A response that the description of the call's operation allows.
fn described(call: &Call, status: u16, body: &Value) -> ResponseTemplate {
    let wire = encode(call);
    assert_response_conforms(wire.method.as_str(), wire.path, status, body);
    ResponseTemplate::new(status).set_body_json(body)
}

fn error_body(code: u32) -> Value {
    json!({"code": code, "message": "m"})
}

async fn answers(
    server: &MockServer,
    first: impl IntoIterator<Item = ResponseTemplate>,
    then: ResponseTemplate,
) {
    for (turn, response) in first.into_iter().enumerate() {
        let priority = u8::try_from(turn + 1).unwrap();
        Mock::given(wiremock::matchers::any())
            .respond_with(response)
            .up_to_n_times(1)
            .with_priority(priority)
            .mount(server)
            .await;
    }
    Mock::given(wiremock::matchers::any()).respond_with(then).with_priority(200).mount(server).await;
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
}

#[tokio::test]
async fn every_call_has_the_headers_and_the_body_of_its_operation() {
    let server = MockServer::start().await;
    answers(&server, [], ResponseTemplate::new(202).set_body_json(json!({"success": true}))).await;
    let (client, _) = client(&server.uri(), fixed_token());
    for call in every_call() {
        assert!(matches!(send(&client, &call).await, Answer::Done(_)), "{call:?}");
        let wire = encode(&call);
        let requests = server.received_requests().await.unwrap();
        let request = requests.last().unwrap();
        assert_eq!((request.method.as_str(), request.url.path()), (wire.method.as_str(), wire.path));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body, wire.body);
        assert_request_conforms(wire.method.as_str(), wire.path, &body);
        for (name, schema) in required_headers(wire.method.as_str(), wire.path) {
            let value = json!(header(request, &name));
            assert_eq!(problems(&schema, &value), Vec::<String>::new(), "{name} of {call:?}");
        }
        assert_eq!(header(request, "Authorization"), "Bearer a-token");
        assert_eq!(header(request, "OrgId"), "00D5e000000OrGa");
        assert_eq!(header(request, "AuthorizationContext"), "Acme_Messaging");
        assert_eq!(header(request, "RequestId"), request_id().to_string());
        assert_eq!(header(request, "Content-Type"), "application/json");
        let context_type = request.headers.get("AuthorizationContextType");
        assert_eq!(context_type.is_some(), matches!(call, Call::CancelAgentWork { .. }), "{call:?}");
    }
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
    assert_eq!(send(&client, &offer()).await, Answer::Lost);
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
async fn a_refusal_is_final_and_keeps_what_salesforce_said() {
    for (status, body, answer) in [
        (400, r#"{"code":10030,"message":"m"}"#, refused(400, 10030, "m", false)),
        (403, "<html>no</html>", refused(403, None, "<html>no</html>", false)),
        (
            202,
            r#"{"success":false,"errorDetail":{"code":15110,"message":"m"}}"#,
            refused(202, 15110, "m", false),
        ),
        (307, "", refused(307, None, "", false)),
    ] {
        let server = MockServer::start().await;
        let elsewhere = format!("{}/elsewhere", server.uri());
        let response =
            ResponseTemplate::new(status).set_body_string(body).insert_header("Location", elsewhere);
        answers(&server, [], response).await;
        let (client, _) = client(&server.uri(), fixed_token());
        assert_eq!(send(&client, &offer()).await, answer);
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{status}");
    }
}

/// A server that answers each connection with the next of these: `None` reads the request and hangs up.
async fn raw_server(answers: Vec<Option<String>>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                let read = stream.read(&mut buffer).await.unwrap();
                assert_ne!(read, 0, "the client hung up");
                request.extend_from_slice(&buffer[..read]);
            }
            requests.push(String::from_utf8(request).unwrap());
            if let Some(answer) = answer {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
        requests
    });
    (url, task)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() == length.expect("our requests have a length").parse::<usize>().unwrap()
}

fn raw(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[tokio::test]
async fn a_15109_after_a_lost_answer_is_marked() {
    let exists = r#"{"code":15109,"message":"m"}"#;
    let (url, server) = raw_server(vec![None, Some(raw("400 Bad Request", exists))]).await;
    let (client, hands) = client(&url, fixed_token());
    assert_eq!(send(&client, &offer()).await, refused(400, 15109, "m", true));
    let requests = server.await.unwrap();
    let id = format!("requestid: {}", request_id());
    assert!(requests.iter().all(|request| request.contains(&id)), "{requests:?}");
    assert_eq!(hands.waits().len(), 1);
}

#[tokio::test]
async fn a_15109_after_a_connection_that_never_was_is_not_marked() {
    let exists = r#"{"code":15109,"message":"m"}"#;
    // Nobody listens on the port yet when the first try is made.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Arc::new(Mutex::new(None));
    let opens = OpensPort { address, server: Arc::clone(&server), answer: raw("400 Bad Request", exists) };
    let client = Client::builder(format!("http://{address}"), org(), "Acme_Messaging", fixed_token())
        .clock(Arc::new(Hands::default()))
        .sleeper(Arc::new(opens))
        .build()
        .unwrap();
    assert_eq!(send(&client, &offer()).await, refused(400, 15109, "m", false));
    assert!(server.lock().unwrap().is_some());
}

/// Opens the port while the client waits for its second try.
struct OpensPort {
    address: std::net::SocketAddr,
    server: Arc<Mutex<Option<tokio::task::JoinHandle<()>>>>,
    answer: String,
}

#[async_trait]
impl Sleeper for OpensPort {
    async fn until(&self, _at: Timestamp) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let answer = self.answer.clone();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 8192];
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        *self.server.lock().unwrap() = Some(task);
    }
}

#[tokio::test]
async fn a_yes_that_breaks_off_is_a_lost_answer() {
    let broken = "HTTP/1.1 202 Accepted\r\ncontent-length: 500\r\n\r\n{\"success\":fa".to_owned();
    let body = json!({"success": true, "agentWorkId": "0Bz5e000000WoRk"});
    assert_response_conforms("POST", "/api/v1/agentWork", 202, &body);
    let whole = raw("202 Accepted", &body.to_string());
    let (url, server) = raw_server(vec![Some(broken), Some(whole)]).await;
    let (client, _) = client(&url, fixed_token());
    let work = AgentWorkId::parse("0Bz5e000000WoRk").unwrap();
    assert_eq!(send(&client, &offer()).await, Answer::Done(Reply::Offered(Some(work))));
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_without_end_is_cut_and_its_status_counts() {
    let huge = "x".repeat(3 * 1024 * 1024);
    let server = MockServer::start().await;
    answers(
        &server,
        [ResponseTemplate::new(202).set_body_string(huge.clone())],
        ResponseTemplate::new(400).set_body_string(huge),
    )
    .await;
    let (client, _) = client(&server.uri(), fixed_token());
    let Answer::Refused(refusal) = send(&client, &offer()).await else { panic!("a 400 is a refusal") };
    assert_eq!((refusal.status, refusal.message.len()), (400, 500));
    assert!(refusal.after_lost_try, "whether the 202 said yes nobody knows");
}

#[tokio::test]
async fn each_operation_has_a_typed_method() {
    let server = MockServer::start().await;
    let psr = PsrId::parse("0JR5e000000PsRa").unwrap();
    let work = AgentWorkId::parse("0Bz5e000000WoRk").unwrap();
    for (verb, at, body) in [
        ("POST", "/api/v1/route", json!({"success": true, "psrId": psr})),
        ("DELETE", "/api/v1/route", json!({"success": true})),
        ("POST", "/api/v1/agentWork", json!({"success": true, "agentWorkId": work})),
        ("PATCH", "/api/v1/agentWork", json!({"success": true})),
        ("POST", "/api/v1/routingResult", json!({"success": true})),
    ] {
        assert_response_conforms(verb, at, 202, &body);
        let response = ResponseTemplate::new(202).set_body_json(body);
        Mock::given(method(verb)).and(path(at)).respond_with(response).expect(1).mount(&server).await;
    }
    let gone = error_body(10036);
    assert_response_conforms("POST", "/api/v1/participant", 400, &gone);
    let response = ResponseTemplate::new(400).set_body_json(gone);
    Mock::given(path("/api/v1/participant")).respond_with(response).expect(1).mount(&server).await;

    let (client, _) = client(&server.uri(), fixed_token());
    let attempt = Attempt { request_id: request_id(), give_up_at: give_up_at() };
    let rep = RepId::parse("0055e000001AbCd").unwrap();
    let work_item = WorkItemId::parse("0Mw5e000000XyZa").unwrap();
    let conference = RoutingType::Conference;
    let by = RouteBy::Queue(QueueId::parse("00G5e000000QuEu").unwrap());
    let routed = client.route(attempt, conversation(), conference, by).await.unwrap();
    assert_eq!(routed.psr, Some(psr));
    let offer = Offer {
        rep,
        work_item,
        conversation: conversation(),
        routing_type: conference,
        correlation: EventId::parse("e").unwrap(),
        capacity: None,
    };
    assert_eq!(client.create_agent_work(attempt, offer).await, Ok(Some(work)));
    assert_eq!(client.cancel_agent_work(attempt, work).await, Ok(()));
    let result = RoutingOutcome::Routed;
    assert_eq!(client.report_result(attempt, conversation(), work_item, conference, result).await, Ok(()));
    assert_eq!(client.clear_route(attempt, conversation(), CancelReason::Decline).await, Ok(()));
    let error = client.remove_participant(attempt, conversation(), rep).await.unwrap_err().to_string();
    assert!(error.starts_with("10036: The participant is not in the conversation. "), "{error}");
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
    assert!(message.contains("turn"), "{message}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[test]
fn a_client_is_not_built_from_settings_that_cannot_work() {
    let build = |url: &str, name: &str| Client::builder(url, org(), name, fixed_token()).build().map(drop);
    assert_eq!(build("https://acme.my.salesforce-scrt.com", "Acme_Messaging"), Ok(()));
    for (url, name) in [
        ("http://acme.my.salesforce-scrt.com", "Acme_Messaging"),
        ("https://acme.my.salesforce-scrt.com/api/v1", "Acme_Messaging"),
        ("https://acme.my.salesforce-scrt.com/?a=b", "Acme_Messaging"),
        ("acme", "Acme_Messaging"),
    ] {
        assert!(matches!(build(url, name), Err(Error::Url { field: "base_url", .. })), "{url}");
    }
    for name in ["", " ", "Acme\nMessaging"] {
        let wrong = build("https://acme.my.salesforce-scrt.com", name);
        assert!(matches!(wrong, Err(Error::Header { field: "channel_definition", .. })), "{name:?}");
    }
}

#[test]
fn a_client_does_not_print_its_token() {
    let (client, _) = client("http://localhost:1", fixed_token());
    let printed = format!("{client:#?}");
    assert!(printed.contains("00D5e000000OrGa") && !printed.contains("a-token"), "{printed}");
}
