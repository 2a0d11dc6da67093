//! The webhooks against a partner who answers, stalls, talks nonsense and hangs up; every body is checked
//! against `openapi/webhooks.yaml`.

use std::sync::LazyLock;
use std::time::Duration;

use byoc_connector::connector::{EndUserNotifier, News, RepFinder};
use byoc_connector::contacts::{ConversationView, Directory, Query};
use byoc_connector::model::contact::{ContactsResult, ListType};
use byoc_connector::model::ids::{ConversationId, OrgId, RepId, WorkItemId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::routing::{Announced, Announcement};
use byoc_connector::webhook::{Context, Settings, Webhooks};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

mod any;
mod contacts;
mod finding;
#[cfg(feature = "cli")]
mod log;
mod signed;
mod told;

/// What the webhooks are signed with.
const SIGNING: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"];

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_yaml_ng::from_str(include_str!("../../openapi/webhooks.yaml")).unwrap());

/// Fails where a value is not what the schema at that place of the description wants.
fn assert_described(place: &str, value: &Value) {
    let schema = DESCRIPTION.pointer(place).unwrap_or_else(|| panic!("nothing is described at {place}"));
    let whole = json!({"allOf": [schema], "components": DESCRIPTION["components"]});
    let validator = jsonschema::validator_for(&whole).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{error} at '{}'", error.instance_path())).collect();
    assert!(problems.is_empty(), "{place}: {value}\n{}", problems.join("\n"));
}

fn question(webhook: &str) -> String {
    format!("/webhooks/{webhook}/post/requestBody/content/application~1json/schema")
}

fn answer(webhook: &str) -> String {
    format!("/webhooks/{webhook}/post/responses/200/content/application~1json/schema")
}

fn rep(number: u32) -> RepId {
    RepId::parse(&format!("005{number:012}")).unwrap()
}

fn context() -> Context {
    Context { org: OrgId::parse("00DHs0000000001").unwrap(), channel: "Acme_Messaging".to_owned() }
}

/// A partner's platform.
struct Partner(MockServer);

impl Partner {
    /// Who answers one request after the other so, and the last ones as the last.
    async fn answering(at: &str, answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let server = MockServer::start().await;
        let answers: Vec<ResponseTemplate> = answers.into_iter().collect();
        for (n, answer) in answers.iter().enumerate() {
            let mock = Mock::given(method("POST")).and(path(at)).respond_with(answer.clone());
            if n + 1 < answers.len() { mock.up_to_n_times(1) } else { mock }.mount(&server).await;
        }
        Self(server)
    }

    fn webhooks(&self) -> Webhooks {
        let at = |path: &str| Some(format!("{}{path}", self.0.uri()));
        Webhooks::new(&Settings {
            rep_finder_url: at("/find"),
            directory_url: at("/contacts"),
            end_user_notifier_url: at("/tell"),
            timeout: Duration::from_secs(1),
            secret: Some("hush".to_owned().into()),
            signing_secrets: SIGNING.map(Into::into).to_vec(),
        })
        .unwrap()
    }

    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, String> {
        let finder = self.webhooks().rep_finder(&context()).unwrap();
        finder.find(query).await.map_err(|error| error.to_string())
    }

    async fn contacts(&self, query: &Query) -> Result<ContactsResult, String> {
        let directory = self.webhooks().directory(&context()).unwrap();
        directory.contacts(query).await.map_err(|error| error.to_string())
    }

    async fn requests(&self) -> Vec<Request> {
        self.0.received_requests().await.unwrap()
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers[name].to_str().unwrap()
}

fn found(reps: &Value) -> ResponseTemplate {
    let reps = json!({ "reps": reps });
    assert_described(&answer("repFinder"), &reps);
    ResponseTemplate::new(200).set_body_json(reps)
}

fn wanted(limit: usize) -> RepQuery {
    RepQuery { limit, ..RepQuery::default() }
}

/// Transfers are routed here, so that there is something in each list.
fn routing_transfers(conferences: bool) -> ConversationView {
    ConversationView {
        transfers_routed: true,
        outside_routed: true,
        ..ConversationView::of_channel(conferences)
    }
}

fn opened(list: ListType) -> Query {
    let filter = json!({"contains": "jo", "limit": 9_000, "offset": 20, "types": ["AGENT", "SWARM"]});
    let mut conversation = routing_transfers(true);
    conversation.present.insert(rep(2));
    Query {
        filter: serde_json::from_value(filter).unwrap(),
        list,
        conversation,
        work_item: WorkItemId::parse("0Mw000000000001").ok(),
    }
}

fn news(conversation: &str, number: u32) -> News {
    let conversation = ConversationId::parse(conversation).unwrap();
    let what = Announced::Rep { rep: rep(number), joined: !number.is_multiple_of(3) };
    let announcement = Announcement { conversation, what };
    let id = uuid::Uuid::from_u128(number.into());
    News { id, announcement, sequence: number.into(), after_gap: false, resent: false }
}
