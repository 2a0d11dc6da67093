//! A conversation that cannot be read is told of, counted and listed with what may be open of it, and stays so
//! until that is undone.

use std::sync::Arc;

use axum::http::Method;
use byoc_connector::model::event::WorkChanged;
use byoc_connector::model::ids::OrgId;
use byoc_connector::model::time::SystemClock;
use byoc_connector::model::words::WorkChange;
use byoc_connector::routing::{Fact, RequestFact};
use byoc_connector::store::{ChannelKey, Memory, Store};
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::rig::{CHANNEL, ORG, Rig, loopback, org, service_with};
use crate::support::scenario::work;
use crate::support::turns::record;

const LIST: &str = "/v1/unreadable-conversations";
const GIVE_UP: &str = "/v1/unreadable-conversations/lost/give-up";

/// A service whose store has a conversation that makes no sense, with an offer in it.
async fn rig(salesforce: &str) -> (Rig, Arc<Memory>) {
    let store = Arc::new(Memory::new());
    let channel = ChannelKey { org: OrgId::parse(ORG).unwrap(), channel: CHANNEL.into() };
    let epoch = store.load(&channel).await.unwrap().epoch;
    let mut lost = record(&channel, epoch, "lost");
    let named = WorkChanged { work: work(1), work_item: None, rep: None, change: WorkChange::Assigned };
    lost.change.as_mut().unwrap().facts =
        vec![Fact::OfferEventHeld(named), Fact::OfRequest(7, RequestFact::Closed)];
    store.append(lost).await.unwrap();
    let orgs = vec![org(ORG, salesforce, true)];
    let service = service_with(Arc::clone(&store) as Arc<dyn Store>, Arc::new(SystemClock), orgs).await;
    (Rig::over(loopback(), service), store)
}

fn listed(body: &Value) -> usize {
    body["conversations"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_conversation_that_cannot_be_read_is_told_of_and_given_up_when_nothing_is_left() {
    let salesforce = MockServer::start().await;
    let cancelled = ResponseTemplate::new(202).set_body_json(json!({ "success": true }));
    Mock::given(method("PATCH"))
        .and(body_partial_json(json!({ "workId": work(1).as_str() })))
        .respond_with(cancelled)
        .expect(1)
        .mount(&salesforce)
        .await;
    let (rig, store) = rig(&salesforce.uri()).await;
    let notice = rig.get("/readyz").await.body["notices"][0].clone();
    assert_eq!(notice["what"], "unreadable-conversations");
    assert!(notice["problem"].as_str().unwrap().contains("1 conversation cannot be read, such as lost"));
    let list = rig.get(LIST).await.body;
    assert_eq!(list["conversations"][0]["works"], json!([work(1)]));
    let nobody = rig.ask(Method::POST, "/v1/unreadable-conversations/other/give-up").send().await;
    assert_eq!((nobody.status.as_u16(), nobody.field()), (404, &json!("id")));
    let given = rig.ask(Method::POST, GIVE_UP).send().await;
    assert_eq!((given.status.as_u16(), &given.body["givenUp"]), (200, &json!(true)), "{}", given.text);
    assert_eq!(given.body["undone"], json!([format!("offer {}", work(1))]));
    assert_eq!(listed(&rig.get(LIST).await.body), 0);
    assert_eq!(rig.get("/readyz").await.body["notices"], json!([]));
    let channel = ChannelKey { org: OrgId::parse(ORG).unwrap(), channel: CHANNEL.into() };
    assert_eq!(store.load(&channel).await.unwrap().unreadable, []);
}

#[tokio::test]
async fn what_could_not_be_undone_stays_listed_unless_an_operator_insists() {
    let salesforce = MockServer::start().await;
    let no = ResponseTemplate::new(403).set_body_json(json!({ "code": 10047, "message": "no" }));
    Mock::given(method("PATCH")).respond_with(no).mount(&salesforce).await;
    let (rig, _store) = rig(&salesforce.uri()).await;
    let given = rig.ask(Method::POST, GIVE_UP).send().await;
    assert_eq!((given.status.as_u16(), &given.body["givenUp"]), (200, &json!(false)), "{}", given.text);
    assert!(given.body["left"][0].as_str().unwrap().contains("Salesforce refused"), "{}", given.text);
    assert_eq!(listed(&rig.get(LIST).await.body), 1);
    let given = rig.ask(Method::POST, &format!("{GIVE_UP}?insist=true")).send().await;
    assert_eq!(given.body["givenUp"], true);
    assert_eq!(listed(&rig.get(LIST).await.body), 0);
}
