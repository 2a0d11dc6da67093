//! `byoc serve` as a process of its own, its configuration, and what the system says of it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::org::Org;

/// Long enough for a busy machine.
const HANGS: Duration = Duration::from_secs(60);

/// How many ticks of the system's clock a second of processor time has (`CLK_TCK`, the same on every Linux).
const TICKS: f64 = 100.0;

/// A folder with a configuration, and what the connector writes.
pub(crate) struct Home(TempDir);

impl Home {
    /// On the disk that is to be measured: `BYOC_BENCH_FOLDER`, or the system's for temporary files.
    pub(crate) fn new(orgs: &[Org]) -> Self {
        let folder = std::env::var_os("BYOC_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
        let home = Self(tempfile::tempdir_in(folder).expect("a folder"));
        for (name, text) in configuration(orgs) {
            fs::write(home.path(name), text).expect("a file");
        }
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// The configuration's files: all orgs have one definition and one roster.
fn configuration(orgs: &[Org]) -> [(&'static str, String); 3] {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/sample-private-key.pem");
    let mut main = String::from(
        "[store]\npath = 'byoc.db'\n[server]\nlisten = '127.0.0.1:0'\n[routing]\nring_seconds = 3600\n",
    );
    let (mut definition, mut roster) = (String::new(), String::new());
    for Org { options, address, calls, .. } in orgs {
        let (channel, events) = (&options.settings.channel, &options.settings.events);
        definition = format!(
            "developer_name = '{}'\nrouting_owner = 'Partner'\nis_conference_supported = true\n\
             max_participants_for_cnfr_override = 4\ncustom_platform_event = '{}'\n\
             custom_event_type_field = '{}'\ncustom_event_payload_field = '{}'\n",
            channel.developer_name,
            events.topic.trim_start_matches("/event/"),
            events.type_field,
            events.payload_field,
        );
        roster = options.roster.reps.iter().fold(String::new(), |mut text, rep| {
            let queues: Vec<String> = rep.queues.iter().map(|queue| format!("'{queue}'")).collect();
            let (id, queues) = (rep.id, queues.join(", "));
            writeln!(text, "[[reps]]\nid = '{id}'\ncapacity = {}\nqueues = [{queues}]", rep.capacity)
                .expect("a string takes everything");
            text
        });
        writeln!(
            main,
            "[[orgs]]\nid = '{}'\ninstance_url = 'http://{address}'\ninteraction_url = 'http://{calls}'\n\
             pubsub_endpoint = 'http://{address}'\nconsumer_key = '{}'\nusername = '{}'\n\
             token_url = 'http://{address}/services/oauth2/token'\nprivate_key_file = '{}'\n\
             channels = ['definition.toml']\nroster = 'roster.toml'",
            options.settings.org,
            options.app.consumer_key,
            options.app.username,
            key.display(),
        )
        .expect("a string takes everything");
    }
    [("byoc.toml", main), ("definition.toml", definition), ("roster.toml", roster)]
}

/// What a process has used up.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    at: Instant,
    processor_seconds: f64,
}

impl Used {
    fn of(pid: &str) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("this is measured on Linux");
        // The name of the process may have spaces; what comes behind it has none.
        let fields: Vec<&str> =
            stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Self { at: Instant::now(), processor_seconds: (ticks(11) + ticks(12)) / TICKS }
    }

    /// This process: the emulated orgs, and whoever asks.
    pub(crate) fn here() -> Self {
        Self::of("self")
    }

    /// Seconds of processor time a second since then.
    pub(crate) fn cores_since(self, before: Self) -> f64 {
        (self.processor_seconds - before.processor_seconds) / (self.at - before.at).as_secs_f64()
    }
}

/// A running `byoc serve`. It is killed when it is dropped.
pub(crate) struct Serve {
    child: Child,
    announced: PathBuf,
    began: Instant,
    http: reqwest::Client,
    address: Option<String>,
}

impl Serve {
    pub(crate) fn start(home: &Home) -> Self {
        let program = std::env::var_os("BYOC_BENCH_PROGRAM");
        Self::start_program(home, program.unwrap_or_else(|| env!("CARGO_BIN_EXE_byoc").into()).into())
    }

    pub(crate) fn start_program(home: &Home, program: PathBuf) -> Self {
        let announced = home.path("announced.json");
        let log = File::options().create(true).append(true).open(home.path("serve.log"));
        let stdout = File::create(&announced).expect("a file");
        let began = Instant::now();
        let child = Command::new(program)
            .args(["serve", "--json"])
            .current_dir(home.0.path())
            .env_remove("BYOC_CONFIG")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(log.expect("a file"))
            .spawn()
            .expect("it starts");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { child, announced, began, http, address: None }
    }

    async fn get(&mut self, path: &str) -> Option<(bool, String)> {
        if self.address.is_none() {
            let said = fs::read_to_string(&self.announced).ok()?;
            let said: Value = serde_json::from_str(&said).ok()?;
            self.address = said.get("address")?.as_str().map(str::to_owned);
        }
        let url = format!("{}{path}", self.address.as_ref()?);
        let response = self.http.get(url).send().await.ok()?;
        let fine = response.status().is_success();
        Some((fine, response.text().await.ok()?))
    }

    /// Waits until `/readyz` says that it is ready and so many conversations at least are open; gives how long
    /// that was since it was started.
    pub(crate) async fn until_ready(&mut self, open: u64) -> Duration {
        loop {
            let ready = self.get("/readyz").await.is_some_and(|(ready, _)| ready);
            if ready && (open == 0 || self.open().await >= open as f64) {
                return self.began.elapsed();
            }
            assert!(self.began.elapsed() < HANGS, "it does not become ready; see serve.log");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many conversations have an open request, by its own account.
    pub(crate) async fn open(&mut self) -> f64 {
        self.metric("byoc_conversations_open").await
    }

    /// How many commits it has made, by its own account.
    pub(crate) async fn commits(&mut self) -> f64 {
        self.metric("byoc_store_commit_seconds_count").await
    }

    async fn metric(&mut self, name: &str) -> f64 {
        let Some((true, metrics)) = self.get("/metrics").await else { return 0.0 };
        let of_one = metrics.lines().filter(|line| line.starts_with(name));
        of_one.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// How long an operator waits for the list of open requests, at the most of a few times.
    pub(crate) async fn listed(&mut self) -> Duration {
        let mut longest = Duration::ZERO;
        for _ in 0..5 {
            let begin = Instant::now();
            let (fine, list) = self.get("/v1/routing-requests?state=open").await.expect("an answer");
            assert!(fine, "{list}");
            longest = longest.max(begin.elapsed());
        }
        longest
    }

    pub(crate) fn used(&self) -> Used {
        Used::of(&self.child.id().to_string())
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(name)
    }

    /// How many sockets it has open.
    pub(crate) fn sockets(&self) -> usize {
        let open = fs::read_dir(self.proc("fd")).expect("it runs");
        let names = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        names.filter(|name| name.to_string_lossy().starts_with("socket:")).count()
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(self.proc("task")).expect("it runs").count()
    }

    /// Megabytes that are in memory now, and that were at the most.
    pub(crate) fn megabytes(&self) -> (f64, f64) {
        let status = fs::read_to_string(self.proc("status"));
        let status = status.expect("it runs");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes: f64 =
                line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0.0);
            kilobytes * 1024.0 / 1e6
        };
        (of("VmRSS:"), of("VmHWM:"))
    }
}

impl Drop for Serve {
    /// SIGKILL.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
