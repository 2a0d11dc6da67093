//! An emulated org that is served in this process, and `byoc serve` as a process of its own beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
use byoc_connector::emulator::{Act, BearerRule, Channel, Done, Settings, StreamForm};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{ConversationId, EventId, RepId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::SystemClock;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Long enough for a busy machine; nothing waits for it to pass.
pub(crate) const HANGS: Duration = Duration::from_secs(40);

/// An emulated org that is being served, and a folder with a configuration for it.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) folder: TempDir,
    _stop: oneshot::Sender<()>,
}

impl World {
    /// An org with these people. Must be called within a runtime of several threads, for a test waits in one.
    pub(crate) async fn start(roster: Roster, more: &str) -> Self {
        let stream = StreamForm { keep_alive_milliseconds: 500, ..StreamForm::default() };
        let channel = Channel {
            routing_work_result_supported: true,
            participant_limit: Some(4),
            default_queue: roster.queues.first().map(|queue| queue.id),
            ..Channel::default()
        };
        let settings = Settings { channel, stream, bearer: BearerRule::Granted, ..Settings::default() };
        let options =
            Options { seed: 5, roster, settings, app: AppSettings::default(), fixed_tokens: Vec::new() };
        let emulator = Emulator::new(options.clone(), Arc::new(SystemClock)).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(http::serve(listener, emulator.clone(), async move { drop(stopped.await) }));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("byoc.toml"), configuration(&options, &address, more)).unwrap();
        Self { emulator, folder, _stop: stop }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `byoc serve`, from now on.
    pub(crate) fn serve(&self) -> Serve {
        Serve::start(self.folder.path())
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
            other => panic!("nothing was requested: {other:?}"),
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

fn configuration(options: &Options, address: &str, more: &str) -> String {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/sample-private-key.pem");
    let Settings { org, channel, events, .. } = &options.settings;
    let topic = events.topic.trim_start_matches("/event/");
    let mut text = format!(
        "[channel_definition]\ndeveloper_name = '{}'\nrouting_owner = 'Partner'\nis_conference_supported = true\n\
         max_participants_for_cnfr_override = 4\ncustom_platform_event = '{topic}'\ncustom_event_type_field = '{}'\n\
         custom_event_payload_field = '{}'\n\
         [org]\nid = '{org}'\ninstance_url = '{address}'\ninteraction_url = '{address}'\npubsub_endpoint = '{address}'\n\
         consumer_key = '{}'\nusername = '{}'\ntoken_url = '{address}/services/oauth2/token'\n\
         private_key_file = '{}'\nbegin = 'earliest'\n\
         [store]\npath = 'byoc.db'\n[server]\nlisten = '127.0.0.1:0'\n{more}\n",
        channel.developer_name,
        events.type_field,
        events.payload_field,
        options.app.consumer_key,
        options.app.username,
        key.display(),
    );
    for rep in &options.roster.reps {
        let queues: Vec<String> = rep.queues.iter().map(|queue| format!("'{queue}'")).collect();
        let skills: Vec<String> = rep.skills.iter().map(|skill| format!("'{}'", skill.id)).collect();
        text.push_str(&format!(
            "[[reps]]\nid = '{}'\ncapacity = 100000\nqueues = [{}]\nskills = [{}]\n",
            rep.id,
            queues.join(", "),
            skills.join(", ")
        ));
    }
    text
}

/// `byoc serve`, running. It is killed when it is dropped.
pub(crate) struct Serve {
    child: Child,
}

impl Serve {
    fn start(folder: &Path) -> Self {
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("serve.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_byoc"))
            .arg("serve")
            .current_dir(folder)
            .env_remove("BYOC_CONFIG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child }
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
