//! A page speaks for its own rep alone, about what was offered to that rep; a partner's key for its own orgs and
//! channels alone.

use axum::http::Method;
use byoc_connector::server::{PartnerKey, Settings};
use serde_json::{Value, json};

use super::offered::{CY, OTHER_CHANNEL, Offered};
use super::rig::{Answer, BO, CHANNEL, ORG, OTHER_ORG, QUEUE, guarded};
use super::sessions::token;

/// What a rep's page in the conversation's channel is answered.
async fn page(scene: &Offered, rep: &str, path: &str, body: &Value) -> Answer {
    let session = token(&json!({ "sub": rep, "channel": CHANNEL }));
    scene.rig.ask(Method::POST, path).bearer(&session).json(body).send().await
}

async fn tells(scene: &Offered, rep: &str, work_event: &str) -> Answer {
    let told = json!({ "workItemId": scene.work_item, "workId": scene.work, "workEvent": work_event });
    page(scene, rep, "/v1/agent-work", &told).await
}

async fn asks_for_contacts(scene: &Offered, rep: &str) -> Answer {
    page(scene, rep, "/v1/contacts", &json!({ "workItemId": scene.work_item })).await
}

#[tokio::test]
async fn nobody_settles_an_offer_that_was_made_to_another() {
    let scene = Offered::set(guarded()).await;
    for work_event in
        ["ASSIGNED", "ACCEPTED", "DECLINED", "CANCELED", "CLOSED", "TRANSFERRED", "TRANSFER_ERROR"]
    {
        let answer = tells(&scene, CY, work_event).await;
        assert_eq!(
            (answer.status.as_u16(), answer.field()),
            (403, &json!("workId")),
            "{work_event}: {}",
            answer.body
        );
        assert_eq!(scene.offer().await.as_deref(), Some("ringing"), "{work_event} of another rep's");
    }
    // What another has said before is no repetition.
    assert_eq!(tells(&scene, BO, "ACCEPTED").await.status, 202);
    let ended = scene.running().ended_request(&scene.request).expect("it has ended");
    assert_eq!(ended.outcome.as_str(), "joined");
}

#[tokio::test]
async fn two_tabs_of_one_rep_say_it_once() {
    let scene = Offered::set(guarded()).await;
    let first = tells(&scene, BO, "DECLINED").await;
    assert_eq!((first.status.as_u16(), &first.body), (202, &json!({})));
    // By then the request may be over, and the offer with it: either way it is taken, and changes nothing.
    let second = tells(&scene, BO, "DECLINED").await;
    assert_eq!(second.status, 202, "{}", second.body);
}

#[tokio::test]
async fn a_work_that_no_request_made_is_taken_and_ignored() {
    let scene = Offered::set(guarded()).await;
    for rep in [BO, CY] {
        let own =
            json!({ "workItemId": scene.work_item, "workId": "0Bz000000000077", "workEvent": "ASSIGNED" });
        let answer = page(&scene, rep, "/v1/agent-work", &own).await;
        assert!(answer.status == 202 && answer.body["ignored"].is_string(), "{}", answer.body);
    }
    assert_eq!(scene.offer().await.as_deref(), Some("ringing"));
}

#[tokio::test]
async fn who_may_ask_about_a_conversation_has_a_part_in_it() {
    let scene = Offered::set(guarded()).await;
    let anna = super::rig::ANNA;
    assert_eq!(asks_for_contacts(&scene, anna).await.status, 200, "she is in it");
    assert_eq!(asks_for_contacts(&scene, BO).await.status, 200, "he is asked to join");
    let foreign = asks_for_contacts(&scene, CY).await;
    assert_eq!((foreign.status.as_u16(), foreign.field()), (403, &json!("workItemId")));
    let unknown = json!({ "workItemId": "0Mw000000000099" });
    assert_eq!(page(&scene, CY, "/v1/contacts", &unknown).await.status, 200, "nothing is known to be hidden");
    let listens = json!({ "role": "Supervisor", "subject": CY, "appType": "agent" });
    scene.changes("add", &listens).await;
    assert_eq!(asks_for_contacts(&scene, CY).await.status, 200, "a supervisor is there as themselves");
    assert_eq!(tells(&scene, CY, "DECLINED").await.status, 403, "and is no page of the rep's");
}

#[tokio::test]
async fn of_a_conversation_whose_reps_are_not_known_every_rep_may_ask() {
    let scene = Offered::set(guarded()).await;
    assert_eq!(asks_for_contacts(&scene, CY).await.status, 403);
    scene
        .changes("remove", &json!({ "role": "Agent", "subject": super::rig::ANNA, "appType": "agent" }))
        .await;
    assert_eq!(asks_for_contacts(&scene, CY).await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_org_or_channel_does_not_find_it() {
    let scene = Offered::set(guarded()).await;
    let told = json!({ "workItemId": scene.work_item, "workId": scene.work, "workEvent": "ACCEPTED" });
    for elsewhere in [json!({ "channel": OTHER_CHANNEL }), json!({ "org": OTHER_ORG })] {
        let mut claims = elsewhere.clone();
        claims["sub"] = json!(BO);
        let ask = scene.rig.ask(Method::POST, "/v1/agent-work").bearer(&token(&claims));
        let answer = ask.json(&told).send().await;
        assert_eq!((answer.status.as_u16(), answer.field()), (404, &json!("workItemId")), "{elsewhere}");
    }
    assert_eq!(scene.offer().await.as_deref(), Some("ringing"));
}

const KEY: &str = "key-0123456789-0123456789-0123456789-0123";

fn with_key(orgs: &[&str], channels: &[&str]) -> Settings {
    let partner_keys = vec![PartnerKey {
        name: "acme".to_owned(),
        secret: KEY.to_owned().into(),
        orgs: orgs.iter().map(|org| org.parse().unwrap()).collect(),
        channels: channels.iter().map(|&channel| channel.to_owned()).collect(),
    }];
    Settings { partner_keys, ..guarded() }
}

async fn backend(scene: &Offered, method: Method, path: &str) -> (u16, Value) {
    let ask = scene.rig.ask(method.clone(), path).bearer(KEY);
    let answer = match method {
        Method::GET | Method::DELETE => ask.send().await,
        Method::POST => ask.json(&json!({})).send().await,
        _ => ask.json(&json!({ "availability": "BUSY" })).send().await,
    };
    (answer.status.as_u16(), answer.field().clone())
}

#[tokio::test]
async fn a_key_finds_its_own_channel_and_is_told_nothing_of_another() {
    let scene = Offered::set(with_key(&[ORG], &[CHANNEL])).await;
    assert_eq!(backend(&scene, Method::POST, "/v1/events").await.0, 202, "only one can be meant");
    assert_eq!(backend(&scene, Method::GET, "/v1/reps").await.0, 200);
    // One that is there, and one that is not: the same answer.
    for org in [OTHER_ORG, "00D000000000009"] {
        let path = format!("/v1/events?org={org}");
        assert_eq!(backend(&scene, Method::POST, &path).await, (403, json!("org")), "{org}");
    }
    for channel in [OTHER_CHANNEL, "None_Such"] {
        let path = format!("/v1/reps?channel={channel}");
        assert_eq!(backend(&scene, Method::GET, &path).await, (403, json!("channel")), "{channel}");
    }
}

#[tokio::test]
async fn reps_whom_channels_share_are_changed_by_a_key_for_all_of_them() {
    let rep = format!("/v1/reps/{BO}?channel={CHANNEL}");
    let scene = Offered::set(with_key(&[ORG], &[CHANNEL])).await;
    assert_eq!(backend(&scene, Method::PUT, &rep).await, (403, json!("channel")));
    assert_eq!(backend(&scene, Method::DELETE, &rep).await, (403, json!("channel")));
    let scene = Offered::set(with_key(&[ORG], &[CHANNEL, OTHER_CHANNEL])).await;
    assert_eq!(backend(&scene, Method::PUT, &rep).await.0, 200);
}

#[tokio::test]
async fn a_key_for_several_says_which_is_meant() {
    let scene = Offered::set(with_key(&[ORG, OTHER_ORG], &[])).await;
    assert_eq!(backend(&scene, Method::POST, "/v1/events").await, (400, json!("org")));
    let path = format!("/v1/events?org={ORG}");
    assert_eq!(backend(&scene, Method::POST, &path).await, (400, json!("channel")));
    assert_eq!(backend(&scene, Method::POST, &format!("{path}&channel={CHANNEL}")).await.0, 202);
    assert_eq!(backend(&scene, Method::POST, &format!("/v1/events?org={OTHER_ORG}")).await.0, 202);
}

#[tokio::test]
async fn keys_alone_close_the_group() {
    let settings = Settings { events_secret: None, ..with_key(&[ORG], &[]) };
    let scene = Offered::set(settings).await;
    assert_eq!(scene.rig.get("/v1/reps").await.status, 401);
    assert_eq!(scene.rig.ask(Method::GET, "/v1/reps").bearer("").send().await.status, 401);
    let queue = QUEUE.to_owned();
    assert_eq!(scene.rig.ask(Method::GET, "/v1/reps").bearer(&queue).send().await.status, 401);
}

#[tokio::test]
async fn an_id_in_a_path_that_cannot_be_is_named() {
    let scene = Offered::set(super::rig::loopback()).await;
    for (method, path) in [
        (Method::GET, "/v1/routing-requests/%FF"),
        (Method::DELETE, "/v1/reps/%C3%28"),
        (Method::DELETE, "/v1/reps/005000000000001%00"),
        (Method::DELETE, "/v1/reps/..%2F..%2Fetc"),
    ] {
        let answer = scene.rig.ask(method.clone(), path).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.field()),
            (400, &json!("id")),
            "{method} {path}: {}",
            answer.text
        );
    }
}
