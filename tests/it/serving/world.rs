//! An emulated org that is served in this process, and `byoc serve` as a process of its own beside it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
use byoc_connector::emulator::{Act, BearerRule, Channel, Done, Emission, Settings, StreamForm};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{ConversationId, EventId, OrgId, RepId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::SystemClock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Long enough for a busy machine; nothing waits for it to pass.
pub(crate) const HANGS: Duration = Duration::from_secs(40);

/// An emulated org that is being served, and a folder with a configuration for it.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    folder: TempDir,
    address: SocketAddr,
    served: Option<Served>,
}

/// The org's server.
struct Served {
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl World {
    /// An org with these people, which tells by platform event what becomes of offers. Must be called within a
    /// runtime of several threads, for a test waits in one.
    pub(crate) async fn start(roster: Roster, more: &str) -> Self {
        Self::start_as(Settings::default().org, roster, more, true).await
    }

    /// As [`World::start`], of another org.
    pub(crate) async fn start_org(org: OrgId, roster: Roster) -> Self {
        Self::start_as(org, roster, "", true).await
    }

    /// As [`World::start`]; what becomes of offers is told by the reps' browsers alone.
    pub(crate) async fn start_without_work_results(roster: Roster, more: &str) -> Self {
        Self::start_as(Settings::default().org, roster, more, false).await
    }

    async fn start_as(org: OrgId, roster: Roster, more: &str, routing_work_result_supported: bool) -> Self {
        let stream = StreamForm { keep_alive_milliseconds: 500, ..StreamForm::default() };
        let channel = Channel {
            routing_work_result_supported,
            participant_limit: Some(4),
            default_queue: roster.queues.first().map(|queue| queue.id),
            ..Channel::default()
        };
        let settings = Settings { org, channel, stream, bearer: BearerRule::Granted, ..Settings::default() };
        let options =
            Options { seed: 5, roster, settings, app: AppSettings::default(), fixed_tokens: Vec::new() };
        let emulator = Emulator::new(options.clone(), Arc::new(SystemClock)).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = configuration(&options, &format!("http://{address}"), more);
        fs::write(folder.path().join("byoc.toml"), text).unwrap();
        let served = Some(Served::start(listener, &emulator));
        Self { emulator, folder, address, served }
    }

    /// The org is out of reach, and goes on.
    pub(crate) async fn go_dark(&mut self) {
        let Served { stop, task } = self.served.take().unwrap();
        stop.send(()).unwrap();
        task.await.unwrap().unwrap();
    }

    /// The org can be reached again.
    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.served = Some(Served::start(listener, &self.emulator));
    }

    /// Tells the connector what the reps' browsers have heard, as the connector page does.
    pub(crate) async fn forward_agent_work(&self, serve: &Serve) {
        let mut told = 0;
        for _ in 0..200 {
            for emitted in self.emulator.told(0).into_iter().skip(told) {
                told += 1;
                let Emission::AgentWork { work_item_id, work_id, work_event, .. } = emitted.what else {
                    continue;
                };
                let body = json!({ "workItemId": work_item_id, "workId": work_id, "workEvent": work_event });
                assert_eq!(serve.post("/v1/agent-work", &body).await, 202, "{body}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where the org is served.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `byoc serve`, from now on.
    pub(crate) fn serve(&self) -> Serve {
        self.serve_with(&[])
    }

    /// As [`World::serve`], with these variables.
    pub(crate) fn serve_with(&self, variables: &[(&str, &str)]) -> Serve {
        Serve::start(self.folder.path(), variables)
    }

    /// A conversation with a rep in it.
    pub(crate) fn conversation(&self, rep: RepId) -> ConversationId {
        let act = Act::StartConversation { end_user: None, reps: vec![rep] };
        match self.emulator.with(|salesforce, now| salesforce.act(now, act)) {
            Ok(Done::Started { conversation, .. }) => conversation,
            other => panic!("no conversation began: {other:?}"),
        }
    }

    /// The rep of a conversation asks for somebody.
    pub(crate) fn ask(&self, conversation: &ConversationId, target: Target) -> EventId {
        let act = Act::RequestConference { conversation: conversation.clone(), requester: None, target };
        match self.emulator.with(|salesforce, now| salesforce.act(now, act)) {
            Ok(Done::Requested { request }) => request,
            other => panic!("no conference was requested: {other:?}"),
        }
    }

    /// Waits until the org is as it should be; what is in the way is told where it stays so.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Self) -> Result<(), String>) {
        let begin = Instant::now();
        while let Err(problem) = is_so(self) {
            if begin.elapsed() > HANGS {
                let log = fs::read_to_string(self.path("serve.log")).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(20).collect();
                panic!("{what}: it did not come to be: {problem}\n{}", last.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Served {
    fn start(listener: TcpListener, emulator: &Emulator) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(http::serve(listener, emulator.clone(), async move { drop(stopped.await) }));
        Self { stop, task }
    }
}

fn configuration(options: &Options, address: &str, more: &str) -> String {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/sample-private-key.pem");
    let Settings { org, channel, events, .. } = &options.settings;
    let topic = events.topic.trim_start_matches("/event/");
    let mut text = format!(
        "[channel_definition]\ndeveloper_name = '{}'\nrouting_owner = 'Partner'\nis_conference_supported = true\n\
         max_participants_for_cnfr_override = 4\ncustom_platform_event = '{topic}'\ncustom_event_type_field = '{}'\n\
         custom_event_payload_field = '{}'\n\
         event_capabilities_is_routing_work_result_supported = {}\n\
         [org]\nid = '{org}'\ninstance_url = '{address}'\ninteraction_url = '{address}'\npubsub_endpoint = '{address}'\n\
         consumer_key = '{}'\nusername = '{}'\ntoken_url = '{address}/services/oauth2/token'\n\
         private_key_file = '{}'\nbegin = 'earliest'\n\
         [store]\npath = 'byoc.db'\n[server]\nlisten = '127.0.0.1:0'\n{more}\n",
        channel.developer_name,
        events.type_field,
        events.payload_field,
        channel.routing_work_result_supported,
        options.app.consumer_key,
        options.app.username,
        key.display(),
    );
    for rep in &options.roster.reps {
        let queues: Vec<String> = rep.queues.iter().map(|queue| format!("'{queue}'")).collect();
        let skills: Vec<String> = rep.skills.iter().map(|skill| format!("'{}'", skill.id)).collect();
        write!(
            text,
            "[[reps]]\nid = '{}'\ncapacity = 100000\nqueues = [{}]\nskills = [{}]\n",
            rep.id,
            queues.join(", "),
            skills.join(", ")
        )
        .unwrap();
    }
    text
}

/// `byoc serve`, running. It is killed when it is dropped.
pub(crate) struct Serve {
    child: Child,
    /// Where its HTTP server is, when it has said so.
    address: watch::Receiver<Option<String>>,
    http: reqwest::Client,
}

impl Serve {
    fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("serve.log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_byoc"))
            .args(["serve", "--json"])
            .current_dir(folder)
            .env_remove("BYOC_CONFIG")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (says, address) = watch::channel(None);
        std::thread::spawn(move || {
            let mut said = String::new();
            stdout.read_line(&mut said).ok();
            let said: Value = serde_json::from_str(&said).unwrap_or_default();
            says.send_replace(said["address"].as_str().map(str::to_owned));
            // Whatever else it says must not find its reader gone.
            std::io::copy(&mut stdout, &mut std::io::sink()).ok();
        });
        Self { child, address, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Where its HTTP server is, as soon as it says so.
    pub(crate) async fn address(&self) -> String {
        let mut address = self.address.clone();
        let said = tokio::time::timeout(HANGS, address.wait_for(Option::is_some)).await;
        said.expect("it does not say where it is").expect("it has ended").clone().unwrap()
    }

    async fn ask(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.address().await)).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.ask(path).await.text().await.unwrap()
    }

    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.ask(path).await.status().as_u16()
    }

    /// Posts, and gives the answer.
    pub(crate) async fn posted(&self, path: &str, body: &Value) -> Value {
        let post = self.http.post(format!("{}{path}", self.address().await)).json(body);
        post.send().await.unwrap().json().await.unwrap()
    }

    /// Posts, and gives the status.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> u16 {
        let post = self.http.post(format!("{}{path}", self.address().await)).json(body);
        post.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn until_ready(&self) {
        self.until("/readyz", "it is ready", |answer| answer["ready"] == true).await;
    }

    /// Waits until it says that a part of it is not fine, and gives what it says.
    pub(crate) async fn until_not_ready(&self, part: &str) -> Value {
        let bad = |check: &&Value| check["what"] == part && check["ok"] == false;
        let find = |answer: &Value| answer["checks"].as_array().unwrap().iter().find(bad).cloned();
        let answer = self.until("/readyz", part, |answer| find(answer).is_some()).await;
        find(&answer).unwrap()
    }

    /// Waits until it says of a part that is not fine something with these words, and gives what it says.
    pub(crate) async fn until_said(&self, part: &str, words: &str) -> String {
        let problem = |answer: &Value| {
            let checks = answer["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["what"] == part).unwrap();
            check["problem"].as_str().filter(|problem| problem.contains(words)).map(str::to_owned)
        };
        let answer = self.until("/readyz", words, |answer| problem(answer).is_some()).await;
        problem(&answer).unwrap()
    }

    /// Waits until a number of its metrics is as wanted.
    pub(crate) async fn until_counted(&self, name: &str, is_so: impl Fn(f64) -> bool) {
        let begin = Instant::now();
        loop {
            let metrics = self.get("/metrics").await;
            let line = metrics.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
            if value.is_some_and(&is_so) {
                return;
            }
            assert!(begin.elapsed() < HANGS, "{name} is {value:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it says that it owes.
    pub(crate) async fn owed(&self) -> Value {
        serde_json::from_str::<Value>(&self.get("/v1/owed").await).unwrap()["owed"].clone()
    }

    /// Waits until it has no open request.
    pub(crate) async fn until_idle(&self) {
        let path = "/v1/routing-requests?state=open";
        self.until(path, "no open request", |answer| answer["requests"] == json!([])).await;
    }

    /// Waits until a request has ended so.
    pub(crate) async fn until_ended(&self, request: &EventId, outcome: &str) {
        let path = format!("/v1/routing-requests/{request}");
        self.until(&path, outcome, |answer| answer["state"] == "ended" && answer["outcome"] == outcome).await;
    }

    async fn until(&self, path: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let response = self.ask(path).await;
            let status = response.status().as_u16();
            let answer: Value = response.json().await.unwrap();
            if path == "/readyz" {
                assert_eq!(status, if answer["ready"] == true { 200 } else { 503 }, "{answer}");
            }
            if is_so(&answer) {
                return answer;
            }
            assert!(begin.elapsed() < HANGS, "{what}: it did not come to be: {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGHUP.
    pub(crate) fn hang_up(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// SIGTERM; gives the exit code and how long it took.
    pub(crate) fn stop(mut self) -> (Option<i32>, Duration) {
        let begin = Instant::now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        let status = self.child.wait().unwrap();
        (status.code(), begin.elapsed())
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
