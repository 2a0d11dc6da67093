//! What the partner's webhooks answer: an odd field costs what it stands for, and nothing beside it.

use std::sync::{Arc, Mutex};

use byoc_connector::connector::RepFinder as _;
use byoc_connector::contacts::{ConversationView, Directory as _, Query};
use byoc_connector::model::contact::{ContactsFilter, ListType};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::webhook::{Contacts, Context, Finder, Settings, Webhooks};
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{odd_values, places, with, words};

const REPS: [&str; 2] = ["005000000000001", "005000000000002"];

/// A partner's platform that answers every question with what it was given last.
struct Partner {
    answer: Arc<Mutex<Value>>,
    finder: Finder,
    directory: Contacts,
    _server: MockServer,
}

impl Partner {
    async fn start() -> Self {
        let server = MockServer::start().await;
        let answer = Arc::new(Mutex::new(Value::Null));
        let given = Arc::clone(&answer);
        let answers = move |_: &Request| ResponseTemplate::new(200).set_body_json(&*given.lock().unwrap());
        Mock::given(method("POST")).respond_with(answers).mount(&server).await;
        let at = Some(server.uri());
        let settings = Settings { rep_finder_url: at.clone(), directory_url: at, ..Settings::default() };
        let webhooks = Webhooks::new(&settings).unwrap();
        let context = Context { org: "00DHs0000000001".parse().unwrap(), channel: "Acme".to_owned() };
        let finder = webhooks.rep_finder(&context).unwrap();
        let directory = webhooks.directory(&context).unwrap();
        Self { answer, finder, directory, _server: server }
    }

    async fn finds(&self, answer: Value) -> Result<Vec<String>, String> {
        *self.answer.lock().unwrap() = answer;
        let found = self.finder.find(&RepQuery { limit: 5, ..RepQuery::default() }).await;
        found.map(|reps| reps.iter().map(ToString::to_string).collect()).map_err(|error| error.to_string())
    }

    /// The names of the contacts that are listed.
    async fn lists(&self, answer: Value) -> Result<Vec<String>, String> {
        *self.answer.lock().unwrap() = answer;
        let conversation = ConversationView::of_channel(true);
        let filter = ContactsFilter::default();
        let query = Query { filter, list: ListType::Conference, conversation, work_item: None };
        let listed = self.directory.contacts(&query).await;
        let names = listed.map(|listed| listed.contacts.into_iter().map(|contact| contact.name).collect());
        names.map_err(|error| error.to_string())
    }
}

fn is_list(odd: Option<&Value>) -> bool {
    odd.is_some_and(Value::is_array)
}

#[tokio::test]
async fn an_odd_field_of_the_rep_finder_costs_the_rep_whom_it_names_and_no_other() {
    let partner = Partner::start().await;
    let whole = json!({ "reps": REPS });
    assert_eq!(partner.finds(whole.clone()).await.unwrap(), REPS);
    for place in places(&whole) {
        for odd in odd_values() {
            let told = partner.finds(with(&whole, &place, odd.clone())).await;
            let what = format!("{place} is {odd:?}: {told:?}");
            match &*place {
                "/reps" if odd == Some(json!([])) => assert_eq!(told.unwrap(), [""; 0], "{what}"),
                "/reps" => {
                    let error = told.unwrap_err();
                    assert!(error.starts_with("invalid answer: field `reps"), "{what}");
                    assert_eq!(
                        error.contains("a list is expected"),
                        odd.is_some() && !is_list(odd.as_ref()),
                        "{what}"
                    );
                    assert_eq!(error.contains("missing"), odd.is_none(), "{what}");
                    assert!(error.ends_with("(see webhooks.yaml)"), "{what}");
                }
                "/reps/0" => assert_eq!(told.unwrap(), [REPS[1]], "{what}"),
                "/reps/1" => assert_eq!(told.unwrap(), [REPS[0]], "{what}"),
                other => panic!("{other}"),
            }
        }
    }
    let more = json!({ "reps": REPS, "router": { "version": 2 }, "more": null });
    assert_eq!(partner.finds(more).await.unwrap(), REPS, "what is not known is no matter");
}

#[tokio::test]
async fn an_odd_field_of_the_directory_costs_the_contact_in_which_it_stands_and_no_other() {
    let partner = Partner::start().await;
    let whole = json!({
        "contacts": [
            { "id": REPS[0], "type": "Agent", "name": "Ada", "availability": "BUSY", "phoneNumber": "123",
              "prefix": "+49", "extension": "7", "endpointARN": "arn", "queue": "q", "recordId": "r",
              "description": "d", "queueWaitTime": 40, "listType": "Conference" },
            { "id": REPS[1], "type": "Agent", "name": "Bo" },
        ],
        "contactTypes": ["Agent", "Queue"],
    });
    assert_eq!(partner.lists(whole.clone()).await.unwrap(), ["Ada", "Bo"]);
    for place in places(&whole) {
        for odd in odd_values() {
            let told = partner.lists(with(&whole, &place, odd.clone())).await;
            let what = format!("{place} is {odd:?}: {told:?}");
            if place == "/contacts" && odd != Some(json!([])) {
                let error = told.unwrap_err();
                assert!(error.contains("invalid answer: field `contacts"), "{what}");
                continue;
            }
            let names = told.unwrap();
            let has = |name: &str| names.iter().any(|listed| listed == name);
            match (&*place, &*words(&place)) {
                ("/contacts", _) => assert_eq!(names, [""; 0], "{what}"),
                ("/contacts/0", _) | (_, "contacts.id" | "contacts.type" | "contacts.availability") => {
                    let other = if place.starts_with("/contacts/0") { "Bo" } else { "Ada" };
                    assert!(has(other), "{what}");
                }
                ("/contacts/1", _) => assert_eq!(names, ["Ada"], "{what}"),
                ("/contacts/0/name", _) => assert!(has("Bo"), "{what}"),
                ("/contacts/1/name", _) => assert!(has("Ada"), "{what}"),
                _ => assert_eq!(names, ["Ada", "Bo"], "{what}"),
            }
        }
    }
}

#[tokio::test]
async fn a_number_in_the_place_of_a_text_is_read_and_what_no_contact_can_do_without_is_named() {
    let partner = Partner::start().await;
    let by_number =
        json!({ "contacts": [{ "id": REPS[0], "type": "Agent", "name": 7, "phoneNumber": 49_301 }] });
    assert_eq!(partner.lists(by_number).await.unwrap(), ["7"]);
    for (contact, why) in [
        (json!({ "type": "Agent", "name": "Ada" }), "field `contacts[0].id` missing"),
        (
            json!({ "id": {}, "type": "Agent", "name": "Ada" }),
            "field `contacts[0].id` has another type; a string is expected",
        ),
        (
            json!({ "id": "x", "type": 5, "name": "Ada" }),
            "field `contacts[0].type` has another type; a string is expected",
        ),
        (
            json!({ "id": "x", "type": "Agent", "name": null }),
            "field `contacts[0].name` has another type; a string is expected",
        ),
        (json!(["x", "Agent", "Ada"]), "field `contacts[0]` has another type; an object is expected"),
    ] {
        let error = partner.lists(json!({ "contacts": [contact] })).await.unwrap_err();
        assert!(error.ends_with(&format!("invalid answer: {why} (see webhooks.yaml)")), "{error}");
    }
}
