//! `byoc record` as a user runs it, against an emulated org in this process.

mod of_the_past;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use byoc_connector::config::{Config, Environment};
use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
use byoc_connector::emulator::{Act, BearerRule, Done, Emission, Settings};
use byoc_connector::events::source::ReplayId;
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::EventId;
use byoc_connector::model::time::{Clock, SystemClock};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::replaying::command::{byoc, stderr, stdout};

/// Long enough for a busy machine; nothing waits for it to pass.
const HANGS: Duration = Duration::from_secs(30);

const CONFIG: &str = "fixtures/serve.toml";

/// An emulated org that is being served.
struct Org {
    emulator: Emulator,
    address: String,
}

impl Org {
    async fn start() -> Self {
        Self::start_at(Arc::new(SystemClock)).await
    }

    async fn start_at(clock: Arc<dyn Clock>) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIG);
        let config = Config::load(&file, &Environment::new()).unwrap();
        let mut settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
        settings.follow(&config.channel_definition.unwrap(), None);
        let app = AppSettings::default();
        let options = Options { seed: 7, roster: config.roster, settings, app, fixed_tokens: Vec::new() };
        let emulator = Emulator::new(options, clock).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(http::serve(listener, emulator.clone(), std::future::pending()));
        Self { emulator, address }
    }

    /// Anna asks the first queue for help.
    fn conference(&self) -> EventId {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIG);
        let roster = Config::load(&file, &Environment::new()).unwrap().roster;
        let anna = roster.reps[0].id;
        let act = |act| self.emulator.with(|salesforce, now| salesforce.act(now, act)).unwrap();
        let start = act(Act::StartConversation { end_user: None, reps: vec![anna] });
        let Done::Started { conversation, .. } = start else { panic!("{start:?}") };
        let target = Target::Queue(roster.queues[0].id);
        let asked = act(Act::RequestConference { conversation, requester: Some(anna), target });
        let Done::Requested { request } = asked else { panic!("{asked:?}") };
        request
    }

    /// The platform events that it has published: replay ids and fields.
    fn published(&self) -> Vec<(String, Value)> {
        let told = self.emulator.told(0).into_iter();
        told.filter_map(|emitted| match emitted.what {
            Emission::Platform { replay_id, event } => Some((ReplayId::new(replay_id).to_string(), event)),
            Emission::AgentWork { .. } => None,
        })
        .collect()
    }

    fn record(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_byoc"));
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["record", "--config", CONFIG])
            .args(args)
            .env("BYOC_ORG_INSTANCE_URL", &self.address)
            .env("BYOC_ORG_INTERACTION_URL", &self.address)
            .env("BYOC_ORG_PUBSUB_ENDPOINT", &self.address)
            .env("BYOC_ORG_TOKEN_URL", format!("{}/services/oauth2/token", self.address))
            .kill_on_drop(true);
        command
    }

    async fn recorded(&self, args: &[&str]) -> Output {
        tokio::time::timeout(HANGS, self.record(args).output()).await.expect("it ends").unwrap()
    }
}

fn lines(text: &str) -> Vec<Value> {
    assert!(text.ends_with('\n'), "the last line is whole");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn file_in(folder: &tempfile::TempDir) -> (PathBuf, String) {
    let path = folder.path().join("r.jsonl");
    let name = path.display().to_string();
    (path, name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conference_is_recorded_and_its_recording_replayed() {
    let org = Org::start().await;
    let request = org.conference();
    let published = org.published();
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = file_in(&folder);
    let count = published.len().to_string();
    let output = org.recorded(&["--from", "earliest", "--events", &count, "-o", &name, "--json"]).await;
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (said["file"].as_str(), said["events"].as_u64()),
        (Some(name.as_str()), Some(published.len() as u64))
    );

    let text = std::fs::read_to_string(&path).unwrap();
    let lines = lines(&text);
    assert_eq!((&lines[0]["source"], &lines[1]["source"]), (&"channel-definition".into(), &"config".into()));
    assert_eq!(lines[0]["definition"]["DeveloperName"], "devorg_PartnerMessaging");
    assert_eq!(
        (lines[1]["reps"][1]["name"].as_str(), &lines[1]["routing"]["ring_seconds"]),
        (Some("Bo Accepts"), &30.into())
    );
    let events: Vec<(String, Value)> = lines[2..]
        .iter()
        .map(|line| {
            assert_eq!(
                (&line["source"], &line["topic"]),
                (&"pubsub".into(), &"/event/devorg__PartnerMessaging__e".into())
            );
            let mut event = line["event"].clone();
            event.as_object_mut().unwrap().remove("EventUuid");
            (line["replayId"].as_str().unwrap().to_owned(), event)
        })
        .collect();
    assert_eq!(events, published);
    for secret in ["PRIVATE KEY", "Bearer", "accesstoken", "access_token", "3MVG9"] {
        assert!(!text.contains(secret), "{secret} was recorded");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "people's messages are in it"
        );
    }

    let replayed =
        tokio::task::spawn_blocking(move || byoc().args(["replay", &name, "--json"]).output().unwrap());
    let replayed = replayed.await.unwrap();
    assert_eq!((replayed.status.code(), stderr(&replayed).as_str()), (Some(0), ""), "{}", stdout(&replayed));
    let ended = stdout(&replayed)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|line: &Value| line["routingRequest"] == request.as_str() && line["outcome"].is_string());
    assert!(ended.is_some(), "{}", stdout(&replayed));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_is_stopped_ends_with_a_whole_line_and_can_be_gone_on_with() {
    let org = Org::start().await;
    org.conference();
    let before = org.published();
    let mut child =
        org.record(&["--from", "earliest"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut recording = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    for _ in 0..before.len() + 2 {
        let read = tokio::time::timeout(HANGS, recording.read_line(&mut text)).await;
        assert!(read.expect("a line comes").unwrap() > 0, "{text}");
    }
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let status = tokio::time::timeout(HANGS, child.wait()).await.expect("it stops").unwrap();
    recording.read_to_string(&mut text).await.unwrap();
    assert_eq!((status.code(), lines(&text).len()), (Some(0), before.len() + 2));

    org.conference();
    let more = (org.published().len() - before.len()).to_string();
    let last = &before.last().unwrap().0;
    let output = org.recorded(&["--from", last, "--events", &more]).await;
    let rest = lines(&stdout(&output));
    let ids: Vec<&str> = rest[2..].iter().map(|line| line["replayId"].as_str().unwrap()).collect();
    let expected: Vec<String> = org.published()[before.len()..].iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_ends_when_its_time_is_over_and_says_why_nothing_came() {
    let org = Org::start().await;
    let output = org.recorded(&["--duration", "300ms"]).await;
    assert_eq!((output.status.code(), lines(&stdout(&output)).len()), (Some(0), 2), "{}", stderr(&output));
    let gone = Org { address: "http://127.0.0.1:9".to_owned(), ..org };
    let output = gone.recorded(&["--duration", "2s"]).await;
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("not connected, trying again: "), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_recorded_is_refused_before_anything_is_made() {
    let org = Org::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (path, name) = file_in(&folder);
    for (args, complaint) in [
        (["--from", "yesterday"], "it must be earliest, latest, or a replay id in base64"),
        (["--duration", "0s"], "it must be a time such as 90s, 15m or 1h 30m"),
        (["--events", "0"], "0 is not in 1.."),
        (["--channel", "Other"], "the org has no channel Other; it has devorg_PartnerMessaging"),
        (
            ["--org", "00DHu0000099999"],
            "the configuration has no org 00DHu0000099999; it has 00DHu0000012345",
        ),
    ] {
        let output = org.recorded(&[args.as_slice(), &["-o", &name]].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = stderr(&output);
        assert!(said.contains(complaint) && said.lines().count() == 1, "{args:?}: {said}");
        assert!(!path.exists(), "{args:?}");
    }
    std::fs::write(&path, "precious").unwrap();
    let output = org.recorded(&["-o", &name]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("already exists; name a new file, or remove it"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}
