//! The live client against a server: headers, retries, tokens, lost answers.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::interaction::{Client, Error, FixedToken, Priority, Sleeper, TokenSource, encode};
use byoc_connector::model::call::{Answer, Call, CreateAgentWork, Refusal, Reply, UpdateAgentWork};
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, OrgId, RepId, WorkItemId};
use byoc_connector::model::time::{Clock, Timestamp};
use byoc_connector::model::words::RoutingType;
use serde_json::{Value, json};
use uuid::Uuid;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::openapi::assert_response_conforms;

mod answers;
mod calls;
#[cfg(feature = "cli")]
mod given_up;
mod logins_made;
mod tokens;
mod tries;

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
    Call::CreateAgentWork(CreateAgentWork {
        rep: RepId::parse("0055e000001AbCd").unwrap(),
        work_item: WorkItemId::parse("0Mw5e000000XyZa").unwrap(),
        conversation: conversation(),
        routing_type: RoutingType::Conference,
        correlation: EventId::parse("3f0d2a52").unwrap(),
        capacity: None,
    })
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
