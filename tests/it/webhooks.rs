//! The webhooks against a partner who answers, stalls, talks nonsense and hangs up; every body is checked
//! against `openapi/webhooks.yaml`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use byoc_connector::connector::{EndUserNotifier, RepFinder};
use byoc_connector::contacts::{ConversationView, Directory, Query};
use byoc_connector::model::contact::{ContactsFilter, ContactsResult, ListType};
use byoc_connector::model::ids::{ConversationId, OrgId, RepId, WorkItemId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::routing::Announcement;
use byoc_connector::webhook::{Context, Error, Kind, Settings, Webhooks};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

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
            "invalid answer: something follows the JSON object, line 1 column 14 (see webhooks.yaml)",
            text(r#"{"reps": []} and so on"#),
        ),
        ("invalid answer: field `reps` missing (see webhooks.yaml)", json(json!({"rep": rep(1)}))),
        (
            "invalid answer: field `reps[0]` has another type; a string is expected (see webhooks.yaml)",
            json(json!({"reps": [5]})),
        ),
        (
            "invalid answer: field `reps` names no rep; user ids are expected (see webhooks.yaml)",
            json(json!({"reps": ["bo", "00G000000000001"]})),
        ),
        ("invalid answer: larger than 65536 bytes (see webhooks.yaml)", json(many.clone())),
        ("invalid answer: larger than 65536 bytes (see webhooks.yaml)", gzipped(&many.to_string())),
        (
            "invalid answer: it is encoded as br; gzip or nothing was asked for (see webhooks.yaml)",
            json(json!({"reps": []})).insert_header("Content-Encoding", "br"),
        ),
        ("it answered 404", ResponseTemplate::new(404)),
        ("it answered 401; does it know the secret?", ResponseTemplate::new(401)),
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

#[tokio::test]
async fn each_webhook_says_how_it_is_doing_at_once() {
    let slow = found(&json!([rep(1)])).set_delay(Duration::from_secs(5));
    let partner = Partner::answering("/find", [slow, found(&json!([rep(2)]))]).await;
    let webhooks = partner.webhooks();
    let failing = |webhooks: &Webhooks| {
        let failing = webhooks.health().filter_map(|health| Some((health.kind(), health.failing()?.problem)));
        failing.collect::<Vec<_>>()
    };
    assert_eq!(failing(&webhooks), []);
    let finder = webhooks.rep_finder(&context()).unwrap();
    let finding = tokio::spawn(async move { finder.find(&wanted(1)).await });
    // The second try has not ended yet when the first has failed.
    while failing(&webhooks).is_empty() {
        assert!(!finding.is_finished());
        tokio::task::yield_now().await;
    }
    assert_eq!(failing(&webhooks), [(Kind::RepFinder, "no answer: none came within 1000 ms".to_owned())]);
    assert_eq!(finding.await.unwrap().unwrap(), [rep(2)]);
    assert_eq!(failing(&webhooks), [], "it works again");

    let directory = webhooks.directory(&context()).unwrap();
    directory.contacts(&opened(ListType::All)).await.unwrap_err();
    let notifier = webhooks.end_user_notifier(&context()).unwrap();
    notifier.tell(news("one", 1)).await;
    notifier.settled().await;
    let not_there = |kind| (kind, "it answered 404".to_owned());
    assert_eq!(failing(&webhooks), [Kind::Directory, Kind::EndUserNotifier].map(not_there));
}

#[tokio::test]
async fn a_redirect_does_not_get_the_secret() {
    let thief = Partner::answering("/find", [found(&json!([rep(1)]))]).await;
    for status in [301, 302, 303, 307, 308] {
        let there = format!("{}/find", thief.0.uri());
        let redirect = ResponseTemplate::new(status).insert_header("Location", there.as_str());
        let partner = Partner::answering("/find", [redirect]).await;
        let why = format!("it answered {status}; redirects are not followed, for the secret would go along");
        assert_eq!(partner.find(&wanted(1)).await, Err(why));
    }
    assert!(thief.requests().await.is_empty());
}

/// Transfers are routed here, so that there is something in each list.
fn routing_transfers(conferences: bool) -> ConversationView {
    ConversationView { transfers_routed: true, ..ConversationView::of_channel(conferences) }
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

fn page() -> ResponseTemplate {
    let page = json!({
        "contacts": [
            {"id": rep(1).to_18(), "type": "Agent", "name": "Ada", "availability": "BUSY", "listType": "Transfer"},
            {"id": rep(2), "type": "Agent", "name": "Bo"},
            {"id": rep(3), "type": "Agent", "name": "Olaf Offline", "availability": "OFFLINE"},
            {"id": "00G000000000001", "type": "Queue", "name": "Billing", "queueWaitTime": 40, "availability": "BUSY"},
            {"id": "notary", "type": "PhoneBook", "name": "N".repeat(400), "description": "by\u{7}phone", "listType": "All"},
        ],
        "contactTypes": ["Agent", "Queue"],
    });
    assert_described(&answer("directory"), &page);
    ResponseTemplate::new(200).set_body_json(page)
}

#[tokio::test]
async fn contacts_come_from_the_partner_and_their_lists_from_us() {
    let partner = Partner::answering("/contacts", [page()]).await;
    let result = partner.contacts(&opened(ListType::All)).await.unwrap();
    let expected = json!({
        "contacts": [
            {"id": rep(1), "type": "Agent", "name": "Ada", "availability": "BUSY", "listType": "All"},
            {"id": rep(2), "type": "Agent", "name": "Bo", "availability": "AVAILABLE", "listType": "Transfer"},
            {"id": "00G000000000001", "type": "Queue", "name": "Billing", "queueWaitTime": "40", "listType": "All"},
            {"id": "notary", "type": "PhoneBook", "name": "N".repeat(255), "description": "by phone", "listType": "Transfer"},
        ],
        "contactTypes": ["Queue", "Agent"],
    });
    let mut told = serde_json::to_value(&result).unwrap();
    told["contactTypes"].as_array_mut().unwrap().reverse();
    assert_eq!(told, expected);
    let asked = body(&partner.requests().await[0]);
    assert_described(&question("directory"), &asked);
    let expected = json!({
        "org": "00DHs0000000001", "channel": "Acme_Messaging", "list": "All", "workItemId": "0Mw000000000001",
        "filter": {"contains": "jo", "limit": 500, "offset": 20, "types": ["AGENT", "SWARM"]},
        "conversation": {"conferenceSupported": true, "full": false, "present": [rep(2)]},
    });
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_list_shows_nobody_who_could_not_be_picked() {
    let partner = Partner::answering("/contacts", [page()]).await;
    let names = |result: ContactsResult| result.contacts.into_iter().map(|one| one.name).collect::<Vec<_>>();
    let shown = partner.contacts(&opened(ListType::Conference)).await.unwrap();
    assert_eq!(names(shown), ["Ada", "Billing"]);
    let full = Query { conversation: routing_transfers(false), ..opened(ListType::Conference) };
    assert_eq!(names(partner.contacts(&full).await.unwrap()), [""; 0]);
    let one =
        Query { filter: ContactsFilter { limit: 1, ..ContactsFilter::default() }, ..opened(ListType::All) };
    assert_eq!(names(partner.contacts(&one).await.unwrap()), ["Ada"]);
}

#[tokio::test]
async fn what_can_only_be_transferred_to_is_not_shown_while_transfers_are_not_routed() {
    let partner = Partner::answering("/contacts", [page()]).await;
    let mut query = opened(ListType::All);
    query.conversation.transfers_routed = false;
    let shown = partner.contacts(&query).await.unwrap().contacts;
    let shown: Vec<_> = shown.iter().map(|one| (one.name.as_str(), one.list_type)).collect();
    assert_eq!(shown, [("Ada", ListType::Conference), ("Billing", ListType::Conference)]);
}

#[tokio::test]
async fn a_contact_that_is_none_is_left_out() {
    let odd = json!({"contacts": [
        {"id": "bo", "type": "Agent", "name": "No rep"},
        {"id": rep(1), "type": "Queue", "name": "No queue"},
        {"id": rep(1), "type": "Robot", "name": "Of no type"},
        {"id": "", "type": "PhoneBook", "name": "Without id"},
        {"id": "x".repeat(241), "type": "PhoneBook", "name": "Long id"},
        {"id": rep(1), "type": "Agent", "name": "Ada", "availability": "ASLEEP"},
        {"id": "ok", "type": "PhoneNumber", "name": "Fine", "listType": "Conference", "phoneNumber": "1".repeat(300), "queueWaitTime": "soon"},
        {"id": "ok", "type": "PhoneNumber", "name": "Twice"},
    ]});
    let partner = Partner::answering("/contacts", [ResponseTemplate::new(200).set_body_json(odd)]).await;
    let shown = partner.contacts(&opened(ListType::All)).await.unwrap();
    let expected = json!({"contacts": [{"id": "ok", "type": "PhoneNumber", "name": "Fine", "listType": "Transfer"}],
                          "contactTypes": []});
    assert_eq!(serde_json::to_value(shown).unwrap(), expected);
}

#[tokio::test]
async fn a_directory_that_fails_says_why_and_nothing_else() {
    let large = format!(r#"{{"contacts": [], "padding": "{}"}}"#, "x".repeat(5 << 20));
    for (answer, why) in [
        (
            ResponseTemplate::new(200).set_body_string(r#"{"contacts": [{"id": "secret person"}]}"#),
            "invalid answer: field `contacts[0].type` missing (see webhooks.yaml)",
        ),
        (
            ResponseTemplate::new(200).set_body_string(large),
            "invalid answer: larger than 4194304 bytes (see webhooks.yaml)",
        ),
        (
            ResponseTemplate::new(302).insert_header("Location", "/contacts"),
            "it answered 302; redirects are not followed, for the secret would go along",
        ),
        (ResponseTemplate::new(403), "it answered 403; does it know the secret?"),
    ] {
        let partner = Partner::answering("/contacts", [answer]).await;
        let error = partner.contacts(&opened(ListType::All)).await.unwrap_err();
        assert_eq!(error, format!("the directory of contacts cannot be asked: {why}"));
    }
    let again = Partner::answering("/contacts", [ResponseTemplate::new(502), page()]).await;
    assert_eq!(again.contacts(&opened(ListType::All)).await.unwrap().contacts.len(), 4);
}

fn news(conversation: &str, number: u32) -> Announcement {
    let conversation = ConversationId::parse(conversation).unwrap();
    Announcement { conversation, rep: rep(number), joined: !number.is_multiple_of(3) }
}

/// Who was told of, by conversation, in the order in which it was taken.
type Taken = Arc<Mutex<HashMap<String, Vec<String>>>>;

#[tokio::test]
async fn the_news_of_a_conversation_come_in_their_order_whatever_fails_in_between() {
    let taken = Taken::default();
    let failed = Arc::new(Mutex::new(HashMap::<String, u32>::new()));
    let server = MockServer::start().await;
    let (books, fails) = (Arc::clone(&taken), Arc::clone(&failed));
    let answer = move |request: &Request| {
        let body = body(request);
        assert_described(&question("endUserNotifier"), &body);
        let (conversation, user) = (body["conversationIdentifier"].to_string(), body["userId"].to_string());
        assert_eq!(body["joined"], !user.trim_matches('"')[3..].parse::<u32>().unwrap().is_multiple_of(3));
        // Every other news fails at first, in its own way.
        let mut fails = fails.lock().unwrap();
        let tries = fails.entry(header(request, "requestid").to_owned()).or_default();
        *tries += 1;
        if *tries == 1 && user.ends_with("2\"") {
            return ResponseTemplate::new(500);
        }
        if *tries == 1 && user.ends_with("4\"") {
            return ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
        }
        // A partner that is slow beyond the time-out takes the same again.
        let mut books = books.lock().unwrap();
        let taken = books.entry(conversation).or_default();
        if !taken.contains(&user) {
            taken.push(user);
        }
        ResponseTemplate::new(202).set_body_string("thank you")
    };
    Mock::given(method("POST")).and(path("/tell")).respond_with(answer).mount(&server).await;
    let partner = Partner(server);
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    for number in 1..=6 {
        for conversation in ["a", "b", "c"] {
            notifier.tell(news(conversation, number)).await;
        }
    }
    notifier.settled().await;
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    let expected: Vec<String> = (1..=6).map(|number| format!("\"{}\"", rep(number))).collect();
    for conversation in ["\"a\"", "\"b\"", "\"c\""] {
        assert_eq!(taken[conversation], expected, "{conversation}");
    }
    assert_eq!(header(&partner.requests().await[0], "authorization"), "Bearer hush");
}

#[tokio::test]
async fn a_conversation_whose_news_is_not_taken_holds_up_no_other() {
    let (told, mut others) = tokio::sync::mpsc::unbounded_channel();
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        if body(request)["conversationIdentifier"] == "stuck" {
            return ResponseTemplate::new(503);
        }
        told.send(()).unwrap();
        ResponseTemplate::new(200)
    };
    Mock::given(method("POST")).and(path("/tell")).respond_with(answer).mount(&server).await;
    let notifier = Partner(server).webhooks().end_user_notifier(&context()).unwrap();
    notifier.tell(news("stuck", 1)).await;
    notifier.tell(news("stuck", 2)).await;
    notifier.tell(news("free", 1)).await;
    others.recv().await.unwrap();
}

#[tokio::test]
async fn news_that_is_refused_for_good_is_given_up_and_the_next_is_told() {
    let partner = Partner::answering("/tell", [ResponseTemplate::new(410), ResponseTemplate::new(200)]).await;
    let notifier = partner.webhooks().end_user_notifier(&context()).unwrap();
    notifier.tell(news("a", 1)).await;
    notifier.tell(news("a", 2)).await;
    notifier.settled().await;
    let told: Vec<Value> =
        partner.requests().await.iter().map(|request| body(request)["userId"].clone()).collect();
    assert_eq!(told, [json!(rep(1)), json!(rep(2))]);
}

#[tokio::test]
async fn a_webhook_that_is_not_configured_is_not_there() {
    let settings =
        Settings { rep_finder_url: Some("http://localhost:1/find".to_owned()), ..Settings::default() };
    let webhooks = Webhooks::new(&settings).unwrap();
    assert!(webhooks.rep_finder(&context()).is_some());
    assert!(webhooks.directory(&context()).is_none() && webhooks.end_user_notifier(&context()).is_none());
    let outside =
        Settings { rep_finder_url: Some("https://acme.example/find".to_owned()), ..Settings::default() };
    assert_eq!(Webhooks::new(&outside).unwrap_err(), Error::NoSecret { field: "rep_finder_url" });
    let secret = Settings { secret: Some("hush".to_owned().into()), ..outside };
    assert!(!format!("{:?}{secret:?}", Webhooks::new(&secret).unwrap()).contains("hush"));
}
