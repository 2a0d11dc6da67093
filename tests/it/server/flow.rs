//! A conference from the rep's click to the rep who joins, with all of it told by HTTP: the platform events by
//! the partner's backend, the offers by the reps' browsers.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
use byoc_connector::emulator::{Act, Done, Emission, Salesforce, Settings as OrgSettings};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, WorkItemId};
use byoc_connector::model::time::SystemClock;
use byoc_connector::service::RequestEnded;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tower::ServiceExt;

use super::described::schema_problems;
use super::rig::{ANNA, BO, CHANNEL, ORG, QUEUE, Rig, definition, loopback, org, roster, service};

mod begun;
mod owed;

/// The server, and the emulated org that its calls go to.
struct Stage {
    rig: Rig,
    emulator: Emulator,
    told: broadcast::Receiver<RequestEnded>,
    /// How far the org's events have been brought.
    brought: usize,
}

impl Stage {
    async fn set() -> Self {
        let mut settings = OrgSettings { org: ORG.parse().unwrap(), ..OrgSettings::default() };
        settings.follow(&definition(), None);
        let options = Options {
            seed: 7,
            roster: roster(),
            settings,
            app: AppSettings::default(),
            fixed_tokens: Vec::new(),
        };
        let emulator = Emulator::new(options, Arc::new(SystemClock)).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let salesforce = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(http::serve(listener, emulator.clone(), std::future::pending()));
        let service = service(vec![org(ORG, &salesforce, true)]).await;
        let told = service.told();
        Self { rig: Rig::over(loopback(), service), emulator, told, brought: 0 }
    }

    fn act(&self, act: Act) -> Done {
        self.emulator.with(|salesforce, now| salesforce.act(now, act)).unwrap()
    }

    /// Brings what the org has told since: platform events as the backend would, the rest as browsers would.
    async fn bring(&mut self) {
        let told = self.emulator.told(0);
        for emitted in &told[self.brought..] {
            let answer = match &emitted.what {
                Emission::Platform { event, .. } => self.rig.post("/v1/events", event).await,
                Emission::AgentWork { work_item_id, work_id, work_event, .. } => {
                    let told =
                        json!({ "workItemId": work_item_id, "workId": work_id, "workEvent": work_event });
                    self.rig.post("/v1/agent-work", &told).await
                }
            };
            assert_eq!(answer.status, 202, "{:?}: {}", emitted.what, answer.body);
        }
        self.brought = told.len();
    }

    /// A conversation with Anna in it, who asks the queue for help.
    async fn anna_asks(&mut self) -> (ConversationId, WorkItemId, EventId) {
        let start = Act::StartConversation { end_user: None, reps: vec![ANNA.parse().unwrap()] };
        let Done::Started { conversation, work_item } = self.act(start) else { panic!("no conversation") };
        let target = Target::Queue(QUEUE.parse().unwrap());
        let ask = Act::RequestConference { conversation: conversation.clone(), requester: None, target };
        let Done::Requested { request } = self.act(ask) else { panic!("no request") };
        self.bring().await;
        (conversation, work_item, request)
    }

    /// The offers of a request that the org has.
    fn offers(&self, request: &EventId) -> Vec<AgentWorkId> {
        let of_it = |salesforce: &mut Salesforce, _| {
            salesforce.works().filter(|work| work.correlation == *request).map(|work| work.id).collect()
        };
        self.emulator.with(of_it)
    }

    /// The offer to Bo, once the org has it.
    async fn offer(&mut self, request: &EventId) -> AgentWorkId {
        loop {
            let offered = self.offers(request).pop();
            if let Some(work) = offered {
                self.bring().await;
                return work;
            }
            // The calls are on their way over a real socket.
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_conference_is_routed_by_what_is_told_over_http() {
    let mut stage = Stage::set().await;
    let (conversation, work_item, request) = stage.anna_asks().await;
    let work = stage.offer(&request).await;

    let open = stage.rig.get("/v1/routing-requests?state=open").await;
    let line = &open.body["requests"][0];
    assert_eq!((&line["request"], &line["state"]), (&json!(request), &json!("open")), "{}", open.body);
    assert_eq!((&line["org"], &line["channel"]), (&json!(ORG), &json!(CHANNEL)));
    assert_eq!(line["target"], format!("queue {QUEUE}"));
    assert_eq!(line["offers"][0]["rep"], BO);
    let one = stage.rig.get(&format!("/v1/routing-requests/{request}")).await;
    assert_eq!(one.body["conversation"], json!(conversation));

    let contacts = json!({ "filter": { "types": ["AGENT"] }, "workItemId": work_item });
    let contacts = stage.rig.post("/v1/contacts", &contacts).await.body;
    let lists = |name: &str| {
        let found = contacts["contacts"].as_array().unwrap().iter().find(|contact| contact["name"] == name);
        found.map(|contact| contact["listType"].clone())
    };
    assert_eq!(lists("Anna"), Some(json!("Transfer")), "she is in the conversation");
    assert_eq!(lists("Bo"), None, "he is being asked already");

    let watch = Request::get("/v1/stream").header("host", "localhost").body(Body::empty()).unwrap();
    let mut stream = stage.rig.server.router().oneshot(watch).await.unwrap().into_body().into_data_stream();
    assert!(stream.next().await.unwrap().unwrap().starts_with(b"event: watching\n"));
    stage.act(Act::Accept { work });
    stage.bring().await;
    let ended = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
    let data = ended.strip_prefix("event: ended\ndata: ").and_then(|rest| rest.strip_suffix("\n\n"));
    let ended: Value = serde_json::from_str(data.unwrap_or_else(|| panic!("{ended}"))).unwrap();
    assert_eq!(schema_problems("EndedRequest", &ended), [""; 0], "{ended}");
    assert_eq!(ended["request"], json!(request));
    let one = stage.rig.get(&format!("/v1/routing-requests/{request}")).await.body;
    assert_eq!((&one["state"], &one["outcome"]), (&json!("ended"), &json!("joined")), "{one}");
    assert_eq!(stage.rig.get("/v1/routing-requests?state=open").await.body["requests"], json!([]));
    assert!(stage.emulator.with(|salesforce, _| salesforce.leftovers()).is_empty());
}

#[tokio::test]
async fn the_same_told_twice_changes_nothing() {
    let mut stage = Stage::set().await;
    let (.., request) = stage.anna_asks().await;
    let work = stage.offer(&request).await;
    // Everything again, as a backend does that was not answered.
    stage.brought = 0;
    stage.bring().await;
    stage.act(Act::Accept { work });
    stage.bring().await;
    stage.told.recv().await.unwrap();
    stage.brought = 0;
    stage.bring().await;
    assert_eq!(stage.offers(&request), [work], "nobody was offered it again");
    let ended = stage.rig.get("/v1/routing-requests").await.body;
    assert_eq!(ended["requests"].as_array().unwrap().len(), 1, "{ended}");
}

#[tokio::test]
async fn what_is_of_no_use_is_ignored_with_the_reason() {
    let rig = Rig::new(loopback()).await;
    for event in [
        json!({}),
        json!({ "another__Type__c": "x" }),
        json!({ "acme__EventType__c": "Tomorrow", "acme__Payload__c": "{}" }),
    ] {
        let answer = rig.post("/v1/events", &event).await;
        assert_eq!(answer.status, 202, "{event}: {}", answer.body);
        assert!(answer.body["ignored"].is_string(), "{event}: {}", answer.body);
    }
    let snoozed =
        json!({ "workItemId": "0Mw000000000001", "workId": "0Bz000000000001", "workEvent": "SNOOZED" });
    let answer = rig.post("/v1/agent-work", &snoozed).await;
    assert!(answer.status == 202 && answer.body["ignored"].is_string(), "{}", answer.body);
}

#[tokio::test]
async fn a_backend_changes_its_reps() {
    let rig = Rig::new(loopback()).await;
    let changed = rig
        .ask(Method::PUT, &format!("/v1/reps/{BO}"))
        .json(&json!({ "availability": "OFFLINE" }))
        .send()
        .await;
    assert_eq!((changed.status.as_u16(), &changed.body["availability"]), (200, &json!("OFFLINE")));
    assert_eq!(changed.body["name"], "Bo", "what is not said stays");
    let new = json!({ "availability": "AVAILABLE", "name": "Cy", "queues": [QUEUE], "skills": ["german", { "id": "billing", "level": 7 }] });
    let added = rig.ask(Method::PUT, "/v1/reps/005000000000003").json(&new).send().await;
    assert_eq!(added.status, 200, "{}", added.body);
    assert_eq!(added.body["skills"], json!([{ "id": "german" }, { "id": "billing", "level": 7 }]));
    let names = async || -> Vec<Value> {
        let reps = rig.get("/v1/reps").await.body["reps"].clone();
        reps.as_array().unwrap().iter().map(|rep| rep["name"].clone()).collect()
    };
    assert_eq!(names().await, ["Anna", "Bo", "Cy"]);
    let contacts = rig.post("/v1/contacts", &json!({ "filter": { "types": ["AGENT"] } })).await.body;
    assert!(!contacts.to_string().contains("\"Bo\""), "who is offline cannot be picked: {contacts}");
    let gone = rig.ask(Method::DELETE, "/v1/reps/005000000000003").send().await;
    assert_eq!((gone.status.as_u16(), &gone.body["name"]), (200, &json!("Cy")));
    assert_eq!(names().await, ["Anna", "Bo"]);
}

#[tokio::test]
async fn the_figures_are_given_as_they_are_rendered() {
    let answer = Rig::new(loopback()).await.get("/metrics").await;
    assert_eq!(answer.text, "byoc_up 1\n");
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
}
