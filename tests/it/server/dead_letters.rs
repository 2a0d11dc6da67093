//! What the partner did not take is listed, sent again and dropped by an operator, and told of in health and numbers.

use std::sync::Arc;

use axum::http::Method;
use byoc_connector::model::ids::ConversationId;
use byoc_connector::model::time::{SystemClock, Timestamp};
use byoc_connector::routing::{Announced, Announcement};
use byoc_connector::store::{Change, ChannelKey, GivenUp, Memory, Store, Telling, TurnRecord};
use serde_json::{Value, json};

use super::rig::{BO, CHANNEL, ORG, Rig, guarded, loopback, org, service_with};

/// A store with two dead letters of one conversation.
async fn kept() -> (Arc<Memory>, ChannelKey, Vec<Telling>) {
    let store = Arc::new(Memory::new());
    let channel = ChannelKey { org: ORG.parse().unwrap(), channel: CHANNEL.into() };
    let epoch = store.load(&channel).await.unwrap().epoch;
    let at = Timestamp::from_millis(1_780_300_800_000);
    let conversation = ConversationId::parse("c-1").unwrap();
    let news = [true, false].map(|joined| Announcement {
        conversation: conversation.clone(),
        what: Announced::Rep { rep: BO.parse().unwrap(), joined },
    });
    let tellings: Vec<_> =
        (0..).zip(news).map(|(number, news)| Telling::new(&channel, at, number, news)).collect();
    let change = Change {
        conversation,
        began: true,
        ended: false,
        facts: Vec::new(),
        state: None,
        endings: Vec::new(),
        tellings: tellings.clone(),
    };
    let (cause, position, change) = (None, None, Some(change));
    let turn = TurnRecord { channel: channel.clone(), epoch, at, cause, position, change, urgent: true };
    store.append(turn).await.unwrap();
    for telling in &tellings {
        let given_up = GivenUp { id: telling.id, at, why: "HTTP 410".to_owned() };
        store.give_up(&channel, given_up).await.unwrap();
    }
    (store, channel, tellings)
}

async fn rig(store: Arc<Memory>) -> Rig {
    let orgs = vec![org(ORG, "http://localhost:1", true)];
    Rig::over(loopback(), service_with(store, Arc::new(SystemClock), orgs).await)
}

async fn listed(rig: &Rig) -> Vec<Value> {
    rig.get("/v1/dead-letters").await.body["deadLetters"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_the_partner_did_not_take_is_listed_with_the_reason() {
    let (store, _, tellings) = kept().await;
    let rig = rig(store).await;
    let [first, second] = listed(&rig).await.try_into().unwrap();
    let line = json!({ "org": ORG, "channel": CHANNEL, "id": tellings[0].id.to_string(), "conversation": "c-1",
        "sequence": 1, "news": { "conversation": "c-1", "rep": BO, "joined": true },
        "at": "2026-06-01T08:00:00.000Z", "since": "2026-06-01T08:00:00.000Z", "reason": "HTTP 410",
        "resending": false });
    assert_eq!(first, line);
    assert_eq!((&second["sequence"], &second["news"]["joined"]), (&json!(2), &json!(false)));
    let one = rig.get("/v1/dead-letters?limit=1").await.body;
    assert_eq!((one["deadLetters"].as_array().unwrap().len(), &one["more"]), (1, &json!(true)));
    assert_eq!(rig.get("/v1/dead-letters?limit=0").await.status, 400);

    let ready = rig.get("/readyz").await.body;
    let notices = ready["notices"].as_array().unwrap();
    let notice = notices.iter().find(|notice| notice["what"] == "dead-letters").unwrap();
    assert_eq!(notice["problem"], "the partner did not take 2 things that it was told");
    assert_eq!((&notice["since"], &notice["channel"]), (&json!("2026-06-01T08:00:00.000Z"), &json!(CHANNEL)));
}

#[tokio::test]
async fn an_operator_has_one_sent_again_and_drops_another() {
    let (store, channel, tellings) = kept().await;
    let rig = rig(Arc::clone(&store)).await;
    let resend = format!("/v1/dead-letters/{}/resend", tellings[0].id);
    let drop = format!("/v1/dead-letters/{}", tellings[1].id);
    let sent = rig.ask(Method::POST, &resend).send().await;
    assert_eq!((sent.status.as_u16(), sent.body), (202, json!({ "ordered": "resend" })));
    while store.count_dead_letters(&channel).await.unwrap().count > 1 {
        tokio::task::yield_now().await;
    }
    let dropped = rig.ask(Method::DELETE, &drop).send().await;
    assert_eq!((dropped.status.as_u16(), dropped.body), (202, json!({ "ordered": "drop" })));
    assert_eq!(listed(&rig).await, Vec::<Value>::new());
    for (method, path) in [(Method::POST, &resend), (Method::DELETE, &drop)] {
        let gone = rig.ask(method, path).send().await;
        assert_eq!((gone.status.as_u16(), &gone.body["field"]), (404, &json!("id")));
    }
    for (method, path) in
        [(Method::POST, "/v1/dead-letters/x/resend"), (Method::DELETE, "/v1/dead-letters/x")]
    {
        let wrong = rig.ask(method, path).send().await;
        assert_eq!((wrong.status.as_u16(), &wrong.body["field"]), (400, &json!("id")));
    }
    let ready = rig.get("/readyz").await.body;
    assert!(ready["notices"].as_array().unwrap().iter().all(|one| one["what"] != "dead-letters"), "{ready}");
}

#[tokio::test]
async fn nobody_but_an_operator_sees_them() {
    let rig = Rig::new(guarded()).await;
    assert_eq!(rig.get("/v1/dead-letters").await.status, 401);
}
