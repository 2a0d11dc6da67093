//! Killed while it tells the partner who joined: the partner hears each join, and under one id where it hears it twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use byoc_connector::emulator::Request as RoutingRequest;
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{ConversationId, EventId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::world::{HANGS, World};
use crate::support::books::joined;

const KILLS: usize = 8;

/// How many conferences are asked for in each life. Of each, two joins are told: of who asks and of who is asked.
const ASKED: usize = 3;

const ASKING: &str = "005000000000001";

const QUEUE: &str = "00G000000000001";

/// A join that was told, and under which id.
#[derive(Debug)]
struct Heard {
    join: (String, String),
    id: String,
    /// Whether it was not answered.
    held: bool,
}

fn roster() -> Roster {
    let accepts = json!({ "does": "accept", "afterMilliseconds": 5 });
    serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [
            { "id": ASKING },
            { "id": "005000000000002", "queues": [QUEUE], "capacity": 1000, "script": accepts },
        ]
    }))
    .unwrap()
}

fn ask(world: &World) -> (ConversationId, EventId) {
    let conversation = world.conversation(RepId::parse(ASKING).unwrap());
    let request = world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()));
    (conversation, request)
}

/// A partner who answers as often as it is allowed to, and then lets whoever tells wait.
async fn partner(answers: Arc<AtomicUsize>) -> (MockServer, mpsc::Receiver<Heard>) {
    let server = MockServer::start().await;
    let (tell, heard) = mpsc::channel();
    let tells = move |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["joined"], true, "{body}");
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let one_less = |left: usize| left.checked_sub(1);
        let held = answers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_err();
        let id = request.headers.get("RequestId").unwrap().to_str().unwrap().to_owned();
        tell.send(Heard { join: (text("conversationIdentifier"), text("userId")), id, held }).ok();
        let answer = ResponseTemplate::new(204);
        if held { answer.set_delay(HANGS) } else { answer }
    };
    Mock::given(method("POST")).and(path("/tell")).respond_with(tells).mount(&server).await;
    (server, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn killed_while_it_tells_each_join_is_heard_and_under_one_id_where_it_is_heard_twice() {
    let answers = Arc::new(AtomicUsize::new(0));
    let (server, news) = partner(Arc::clone(&answers)).await;
    let webhooks = format!("[webhooks]\nend_user_notifier_url = '{}/tell'\n", server.uri());
    let world = World::start(roster(), &webhooks).await;
    let (mut asked, mut heard): (Vec<(ConversationId, EventId)>, Vec<Heard>) = Default::default();
    for life in 0..KILLS {
        // Some are answered: of them, the process may die before it has marked them.
        answers.store(life % 4, Ordering::SeqCst);
        let mut serve = world.serve();
        asked.extend((0..ASKED).map(|_| ask(&world)));
        loop {
            heard.push(news.recv_timeout(HANGS).expect("the partner is told"));
            if heard.last().is_some_and(|heard| heard.held) {
                break;
            }
        }
        assert!(serve.is_running());
        serve.kill();
        // What was sent before it died arrives for certain, and belongs to this life.
        heard.extend(news.try_iter());
    }
    answers.store(usize::MAX, Ordering::SeqCst);
    let serve = world.serve();
    let open = |request: &&RoutingRequest| request.answered.is_none() && request.ended.is_none();
    world.until("every request is answered", |world| {
        let open = world.emulator.with(|salesforce, _| salesforce.requests().filter(open).count());
        if open == 0 { Ok(()) } else { Err(format!("{open} are open")) }
    });
    serve.until_idle().await;
    // It ends when the partner was told of everything.
    assert_eq!(serve.stop().0, Some(0));
    heard.extend(news.try_iter());

    let mut ids: BTreeMap<&(String, String), (usize, BTreeSet<&str>)> = BTreeMap::new();
    for Heard { join, id, .. } in &heard {
        let (times, known) = ids.entry(join).or_default();
        *times += 1;
        known.insert(id);
    }
    let joins = world.emulator.with(|salesforce, _| joined(salesforce));
    assert_eq!(joins.len(), KILLS * ASKED);
    for (conversation, request) in &asked {
        let rep = joins.iter().find(|(event, _)| event == request).unwrap().1.to_string();
        for who in [ASKING, &rep] {
            let join = (conversation.to_string(), who.to_owned());
            let (_, known) = ids.get(&join).unwrap_or_else(|| panic!("{join:?} was never heard"));
            assert_eq!(known.len(), 1, "{join:?} has one id: {known:?}");
        }
    }
    assert_eq!(ids.len(), 2 * KILLS * ASKED, "nothing else is heard");
    let held: Vec<_> = heard.iter().filter(|heard| heard.held).collect();
    assert!(held.len() >= KILLS);
    for Heard { join, .. } in held {
        assert!(ids[join].0 > 1, "{join:?} was not answered, and so is told again");
    }
}
