//! A server on a service of two channels, without a stream and without a network: requests go to the router,
//! and each answer is checked against `openapi/connector.yaml`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use byoc_connector::connector::TellNobody;
use byoc_connector::events::pubsub::Start;
use byoc_connector::events::quarantine::Quarantine;
use byoc_connector::interaction::{Client, FixedToken};
use byoc_connector::model::channel_definition::ChannelDefinition;
use byoc_connector::model::ids::OrgId;
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::{Clock, SystemClock};
use byoc_connector::notices::Notices;
use byoc_connector::people::People;
use byoc_connector::rep_finder::Choice;
use byoc_connector::routing::{Policy, Settings as Rules};
use byoc_connector::server::{Parts, Server, SessionAuth, Settings};
use byoc_connector::service::{ChannelPlan, OrgPlan, Plan, Service, WatchedTokens};
use byoc_connector::store::{Memory, Store};
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::described::assert_described;

pub(crate) const ORG: &str = "00D000000000001";
pub(super) const OTHER_ORG: &str = "00D000000000002";
pub(crate) const CHANNEL: &str = "Acme_Messaging";
pub(super) const ANNA: &str = "005000000000001";
pub(super) const BO: &str = "005000000000002";
pub(super) const QUEUE: &str = "00G000000000001";
pub(super) const SESSION_SECRET: &str = "session-0123456789-0123456789-0123456789";
pub(super) const EVENTS_SECRET: &str = "events-0123456789-0123456789-0123456789";
pub(super) const OPERATOR_SECRET: &str = "operator-0123456789-0123456789-0123456789";

/// The server as it is where nothing is configured.
pub(super) fn loopback() -> Settings {
    Settings::default()
}

/// The server with every credential, where others can reach it.
pub(super) fn guarded() -> Settings {
    Settings {
        listen: "0.0.0.0:8080".parse().unwrap(),
        allowed_origins: vec!["https://acme.lightning.force.com".parse().unwrap()],
        session: Some(SessionAuth::Secret(SESSION_SECRET.into())),
        events_secret: Some(SecretString::from(EVENTS_SECRET)),
        operator_secret: Some(SecretString::from(OPERATOR_SECRET)),
        login_url: Some("https://login.example.com/byoc".to_owned()),
        ..Settings::default()
    }
}

pub(super) fn definition() -> ChannelDefinition {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/definitions/acme.toml");
    ChannelDefinition {
        developer_name: Some(CHANNEL.to_owned()),
        ..ChannelDefinition::from_file(path).unwrap()
    }
}

pub(super) fn roster() -> Roster {
    let rep = |id: &str, name: &str| json!({ "id": id, "name": name, "queues": [QUEUE] });
    serde_json::from_value(json!({
        "reps": [rep(ANNA, "Anna"), rep(BO, "Bo")],
        "queues": [{ "id": QUEUE, "name": "Billing" }],
    }))
    .unwrap()
}

/// One org with one channel, whose calls go to `salesforce`.
pub(crate) fn org(id: &str, salesforce: &str, with_people: bool) -> OrgPlan {
    let id: OrgId = id.parse().unwrap();
    let definition = definition();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tokens = WatchedTokens::new(id, Arc::new(FixedToken::new("a-token")), clock);
    let people = People::new(roster(), Choice::default());
    let channel = ChannelPlan {
        settings: Rules {
            conference_supported: definition.is_conference_supported,
            participant_limit: definition.participant_limit(None),
            policy: Policy::default(),
        },
        definition,
        name: CHANNEL.into(),
        client: Client::builder(salesforce, id, CHANNEL, Arc::new(tokens.clone())).build().unwrap(),
        finder: Arc::new(people.clone()),
        work_items: Arc::new(byoc_connector::connector::NoWorkItems),
        directory: Arc::new(people.clone()),
        notifier: Arc::new(TellNobody),
        begin: Start::Latest,
        people: with_people.then_some(people),
    };
    OrgPlan { id, tokens, reader: None, pubsub: None, channels: vec![channel] }
}

pub(super) async fn service(orgs: Vec<OrgPlan>) -> Service {
    service_at(Arc::new(SystemClock), orgs).await
}

pub(super) async fn service_at(clock: Arc<dyn Clock>, orgs: Vec<OrgPlan>) -> Service {
    service_with(Arc::new(Memory::new()), clock, orgs).await
}

pub(crate) async fn service_with(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    orgs: Vec<OrgPlan>,
) -> Service {
    let plan = Plan { orgs, store, clock, notices: Notices::default(), aside: Quarantine::default() };
    Service::start(plan).await.unwrap()
}

pub(super) struct Rig {
    pub(super) server: Server,
    pub(super) service: Service,
    router: Router,
}

/// A request that is being put together.
pub(super) struct Ask<'a> {
    rig: &'a Rig,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Body,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// `null` where it is not JSON.
    pub(super) body: Value,
    pub(super) text: String,
}

impl Rig {
    /// One org, and nobody at the other end of a call.
    pub(super) async fn new(settings: Settings) -> Self {
        Self::over(settings, service(vec![org(ORG, "http://127.0.0.1:9", true)]).await)
    }

    pub(super) fn over(settings: Settings, service: Service) -> Self {
        let metrics = Arc::new(|| "byoc_up 1\n".to_owned());
        let server =
            Server::new(Parts { settings, service: service.clone(), reload: None, metrics }).unwrap();
        let router = server.router();
        Self { server, service, router }
    }

    pub(super) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost:8080"));
        Ask { rig: self, method, path: path.to_owned(), headers, body: Body::empty() }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path).send().await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path).json(body).send().await
    }
}

impl Ask<'_> {
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// A body that says that it is JSON.
    pub(super) fn body(self, body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..self.header("content-type", "application/json") }
    }

    pub(super) async fn send(self) -> Answer {
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        let response = self.rig.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        // A stream has no end.
        let bytes =
            if is_stream { Vec::new().into() } else { axum::body::to_bytes(body, 1 << 24).await.unwrap() };
        if self.method != Method::OPTIONS && self.method != Method::HEAD {
            assert_described(&self.method, &self.path, parts.status, &parts.headers, &bytes);
        }
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body, text }
    }
}

impl Answer {
    pub(super) fn field(&self) -> &Value {
        &self.body["field"]
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
