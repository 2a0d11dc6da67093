//! The emulated org behind its HTTP face, with a real client over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
use byoc_connector::emulator::{BearerRule, Settings};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::{Clock, Timestamp};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

mod beside;
mod calls;
#[cfg(all(feature = "cli", unix))]
mod command;
mod control;
mod logins;
mod operations;

const NOW: i64 = 1_780_000_000_000;
const ANNA: &str = "005Hu0000000001";
const BO: &str = "005Hu0000000002";
const QUEUE: &str = "00GHu0000000001";
const FIXED: &str = "a-fixed-token";

/// A clock that stands still until it is told otherwise.
struct Stopped(AtomicI64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

struct Server {
    address: String,
    client: reqwest::Client,
    clock: Arc<Stopped>,
    emulator: Emulator,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start() -> Self {
        let roster: Roster = serde_json::from_value(json!({
            "reps": [{ "id": ANNA, "queues": [QUEUE] }, { "id": BO, "queues": [QUEUE] }],
            "queues": [{ "id": QUEUE, "name": "Billing" }],
        }))
        .unwrap();
        let mut settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
        settings.channel.routing_work_result_supported = true;
        let options = Options {
            seed: 7,
            roster,
            settings,
            app: AppSettings::default(),
            fixed_tokens: vec![FIXED.to_owned()],
        };
        let clock = Arc::new(Stopped(AtomicI64::new(NOW)));
        let emulator = Emulator::new(options, clock.clone()).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let served = tokio::spawn(http::serve(listener, emulator.clone(), shutdown));
        Self { address, client: reqwest::Client::new(), clock, emulator, stop, served }
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.address)).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {response:?}");
        response.json().await.unwrap()
    }

    async fn control(&self, path: &str, body: &Value) -> Response {
        self.client.post(format!("{}/emulator/v1/{path}", self.address)).json(body).send().await.unwrap()
    }

    /// A control call that works.
    async fn does(&self, path: &str, body: Value) -> Value {
        let response = self.control(path, &body).await;
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path} {body}: {answer}");
        answer
    }

    async fn api(&self, method: Method, path: &str, token: &str, body: &Value) -> reqwest::Result<Response> {
        let settings = Settings::default();
        self.client
            .request(method, format!("{}/api/v1/{path}", self.address))
            .bearer_auth(token)
            .header("OrgId", settings.org.as_str())
            .header("RequestId", uuid::Uuid::new_v4().to_string())
            .header("AuthorizationContext", settings.channel.developer_name)
            .header("AuthorizationContextType", "ConversationChannelDefinition")
            .json(body)
            .send()
            .await
    }

    async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let url = format!("{}/services/oauth2/token", self.address);
        let response = self.client.post(url).form(form).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn stops(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

/// A conversation with Anna in it, and a conference for which she asks a queue.
async fn a_conference(server: &Server) -> (Value, Value) {
    let started = server.does("conversations", json!({ "reps": [ANNA] })).await;
    let act = json!({
        "act": "requestConference", "conversation": started["conversation"], "target": { "queueId": QUEUE },
    });
    let requested = server.does("acts", act).await;
    (started, requested["request"].clone())
}
