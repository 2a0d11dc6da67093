//! A partner's platform that is asked and told over HTTP, from the click to the rep who joined.

use std::sync::mpsc;

use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{QueueId, RepId};
use byoc_connector::model::roster::{Queue, Rep, Roster, Script};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::world::{HANGS, World};
use crate::support::books::effective_results;

fn rep(number: u8) -> RepId {
    RepId::parse(&format!("00500000000000{number}")).unwrap()
}

/// Three reps of one queue, of whom the last two accept whatever they are offered.
fn roster() -> Roster {
    let queue = QueueId::parse("00G000000000001").unwrap();
    let scripts =
        [Script::Wait, Script::Accept { after_milliseconds: 10 }, Script::Accept { after_milliseconds: 10 }];
    let reps =
        (1..).zip(scripts).map(|(n, script)| Rep { queues: vec![queue], script, ..Rep::named(rep(n)) });
    let places = Queue {
        id: queue,
        name: "Support".to_owned(),
        wait_seconds: None,
        accepted_last_10_minutes: 0,
        reps: Vec::new(),
    };
    Roster { reps: reps.collect(), queues: vec![places], ..Roster::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_partners_router_names_the_rep_and_the_partners_channel_tells_the_end_user() {
    let partner = MockServer::start().await;
    let finds = ResponseTemplate::new(200).set_body_json(json!({"reps": [rep(3)]}));
    Mock::given(method("POST")).and(path("/find")).respond_with(finds).mount(&partner).await;
    let (told, news) = mpsc::channel();
    let tells = move |request: &Request| {
        told.send(serde_json::from_slice::<Value>(&request.body).unwrap()).ok();
        ResponseTemplate::new(204)
    };
    Mock::given(method("POST")).and(path("/tell")).respond_with(tells).mount(&partner).await;
    let at = partner.uri();
    let webhooks = format!("[webhooks]\nrep_finder_url = '{at}/find'\nend_user_notifier_url = '{at}/tell'\n");
    let world = World::start(roster(), &webhooks).await;
    let serve = world.serve();

    let conversation = world.conversation(rep(1));
    let request = world.ask(&conversation, Target::Queue(roster().queues[0].id));

    let joined = || news.recv_timeout(HANGS).expect("the end user is told");
    let heard: Vec<Value> = std::iter::repeat_with(joined).take(2).collect();
    for (news, who) in heard.iter().zip([rep(1), rep(3)]) {
        assert_eq!((&news["userId"], &news["joined"]), (&json!(who), &json!(true)), "{heard:?}");
        assert_eq!(news["conversationIdentifier"], conversation.as_str());
        assert_eq!(news["channel"], "devorg_PartnerMessaging");
    }
    let asked =
        partner.received_requests().await.unwrap().into_iter().find(|sent| sent.url.path() == "/find");
    let asked: Value = serde_json::from_slice(&asked.expect("the router was asked").body).unwrap();
    assert_eq!((&asked["queueId"], &asked["limit"]), (&json!("00G000000000001"), &json!(1)));
    world.until("the request is answered", |world| {
        let results = world.emulator.with(|salesforce, _| effective_results(salesforce.books(), &request));
        if results == 1 { Ok(()) } else { Err(format!("{results} results")) }
    });
    assert_eq!(serve.stop().0, Some(0));
}
