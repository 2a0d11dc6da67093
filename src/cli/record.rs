//! `byoc record`: a recording from a live subscription.
//!
//! It holds what Salesforce published, people's messages included, and what is needed to replay it: the channel
//! definition, the roster, the policy. Tokens and keys never reach it.
//!
//! Invariant: the time of an event's line is when Salesforce published the event, not when it was fetched. A request
//! that was hours old when it was recorded is replayed as the fresh one that it was.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::output::printable;
use super::signals::asked_to_stop;
use super::{ConfigFile, Error, Outcome, Output};
use crate::config::{Org, Serving};
use crate::connector::TellNobody;
use crate::contacts::Index;
use crate::events::EventSource;
use crate::events::pubsub::{Start, Subscription};
use crate::events::source::{ReceivedEvent, ReplayId, State, StreamItem};
use crate::model::channel_definition::ChannelDefinition;
use crate::model::ids::OrgId;
use crate::model::roster::Roster;
use crate::model::time::{Clock, SystemClock, Timestamp};
use crate::recording::{Config, Json, Line, Source, Writer};
use crate::service::{OrgPlan, Ports};

/// One line for the list of commands.
pub const ABOUT: &str = "Record Salesforce's events for byoc replay";

/// What stands below the options in the help.
pub const EXAMPLES: &str = "\
Examples:
  byoc record -o today.jsonl
      until ctrl-c; the file contains people's messages
  byoc record --from earliest --events 100 | gzip > first.jsonl.gz
  byoc record --config byoc.toml --channel Acme_Messaging --duration 15m -o quarter.jsonl";

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The org, where the configuration has several
    #[arg(long, value_name = "00D…")]
    org: Option<OrgId>,
    /// The developer name of the channel definition, where the org has several
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Where to begin: earliest (72 hours ago), latest (now), or behind an event, by its replay id
    #[arg(long, value_name = "PLACE", default_value = "latest", value_parser = place)]
    from: Start,
    /// A new file that the recording is written to [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// For how long, such as 90s, 15m or "1h 30m" [default: until ctrl-c]
    #[arg(long, value_name = "TIME", value_parser = span)]
    duration: Option<Duration>,
    /// How many events at most
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    events: Option<u64>,
}

fn place(text: &str) -> Result<Start, String> {
    match text {
        "earliest" => Ok(Start::Earliest),
        "latest" => Ok(Start::Latest),
        other => ReplayId::parse(other).map(Start::After).ok_or_else(|| {
            "it must be earliest, latest, or a replay id in base64, as recordings have it".into()
        }),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    let span = text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| !span.is_zero()).ok_or_else(|| "it must be a time such as 90s, 15m or 1h 30m".into())
}

/// Records until it is told to stop.
///
/// # Errors
/// Where the configuration is mistaken, it does not say which channel is meant, or the recording cannot be
/// written.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let serving = args.config.load_to_serve()?;
    let org = org(&serving, args.org.as_ref())?;
    let (definition, topic) = channel(org, args.channel.as_deref())?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::new(format_args!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let plan = OrgPlan::new(&serving, org, &clock, |_| nobody()).map_err(Error::several)?;
        let pubsub =
            plan.pubsub.ok_or_else(|| Error::new("byoc does not read this org's events from Salesforce"))?;
        // Nothing is made before everything else is known to be right.
        let opening = opening(&serving, org, definition)?;
        let tape = RecordingFile::begin(args.output.as_deref(), clock.now(), opening)?;
        let source = pubsub.subscribe(&topic, args.from.clone());
        let mut recorder = Recorder { tape, source, progress: Progress::new(), topic };
        let ended = recorder.record(args).await;
        recorder.progress.finish();
        ended?;
        recorder.tape.open()?;
        recorder.tape.sum_up(output)
    })
}

/// What a channel works with that is listened to and nothing more.
fn nobody() -> Ports {
    Ports {
        finder: Arc::new(Roster::default()),
        directory: Arc::new(Index::build(Roster::default())),
        notifier: Arc::new(TellNobody),
        people: None,
    }
}

fn org<'a>(serving: &'a Serving, wanted: Option<&OrgId>) -> Result<&'a Org, Error> {
    let there = || serving.orgs.iter().map(|org| org.id.to_string()).collect::<Vec<_>>().join(", ");
    match (wanted, serving.orgs.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => {
            Err(Error::new(format_args!("there are several orgs; name one with --org: {}", there())))
        }
        (Some(wanted), orgs) => orgs.iter().find(|org| org.id == *wanted).ok_or_else(|| {
            Error::new(format_args!("the configuration has no org {wanted}; it has {}", there()))
        }),
    }
}

fn channel<'a>(org: &'a Org, wanted: Option<&str>) -> Result<(&'a ChannelDefinition, String), Error> {
    let names = org.channels.iter().filter_map(|channel| channel.developer_name.as_deref());
    let there = names.collect::<Vec<_>>().join(", ");
    let definition = match (wanted, org.channels.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("the org has several channels; name one with --channel: {there}")),
        (Some(wanted), channels) => {
            let found = channels.iter().find(|channel| channel.developer_name.as_deref() == Some(wanted));
            found.ok_or_else(|| format!("the org has no channel {wanted}; it has {there}"))
        }
    };
    let definition = definition.map_err(Error::new)?;
    let topic = definition.topic().ok_or_else(|| {
        Error::new("the channel definition has no custom_platform_event, the source of the events")
    })?;
    Ok((definition, topic))
}

/// Listens, and writes what comes.
struct Recorder {
    tape: RecordingFile,
    source: Subscription,
    progress: Progress,
    topic: String,
}

impl Recorder {
    async fn record(&mut self, args: &Args) -> Result<(), Error> {
        let mut stopped = pin!(asked_to_stop());
        let mut over = pin!(async {
            match args.duration {
                Some(duration) => sleep(duration).await,
                None => std::future::pending().await,
            }
        });
        let mut health = self.source.health().watch();
        while args.events.is_none_or(|most| self.tape.events < most) {
            tokio::select! {
                biased;
                () = &mut stopped => break,
                () = &mut over => break,
                Ok(()) = health.changed() => self.progress.heard(&health.borrow_and_update(), self.tape.events),
                delivery = self.source.next() => self.take(delivery.map_err(Error::new)?)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, delivery: StreamItem) -> Result<(), Error> {
        let replay_id = delivery.replay_id().cloned();
        match delivery {
            StreamItem::Event(event) => self.tape.event(&event, &self.topic)?,
            StreamItem::Gap { reason } => self.progress.say(&format!("events may be missing here: {reason}")),
            StreamItem::Unreadable { replay_id, reason, .. } => {
                self.progress.say(&format!("event {replay_id} skipped: {reason}"));
            }
            StreamItem::KeepAlive { .. } => {}
        }
        // What is written need not come again after a cut.
        if let Some(replay_id) = replay_id {
            self.source.position().processed(replay_id);
        }
        Ok(())
    }
}

/// What a replay has to know first.
fn opening(serving: &Serving, org: &Org, definition: &ChannelDefinition) -> Result<Vec<Source>, Error> {
    let json = |json: Result<Json, serde_json::Error>| json.map_err(Error::new);
    let routing = json(Json::of(&serving.config.routing))?;
    let config = Config { roster: org.roster.clone(), routing: Some(routing) };
    Ok(vec![Source::ChannelDefinition(json(Json::of(definition))?), Source::Config(Box::new(config))])
}

/// When Salesforce published an event; when it came, where the event does not say or says later than that.
fn published(event: &ReceivedEvent) -> Timestamp {
    #[derive(Deserialize)]
    struct Dated {
        #[serde(rename = "CreatedDate")]
        created: i64,
    }
    let dated = serde_json::from_str::<Dated>(&event.json);
    dated.map_or(event.received, |dated| Timestamp::from_millis(dated.created).min(event.received))
}

/// The recording as it is being written: after each line, all of it has been handed to the system.
struct RecordingFile {
    writer: Writer<Box<dyn Write>>,
    file: Option<PathBuf>,
    /// What stands first, until it is written: the first event may be older than the recording, and lines are in
    /// time order.
    opening: Vec<Source>,
    /// When the last line was: events of two clocks at Salesforce must not put lines out of order.
    last: Timestamp,
    events: u64,
}

/// What was recorded: one value with `--json`.
#[derive(Serialize)]
struct Recorded<'a> {
    file: &'a Path,
    events: u64,
}

impl RecordingFile {
    fn begin(file: Option<&Path>, now: Timestamp, opening: Vec<Source>) -> Result<Self, Error> {
        let output: Box<dyn Write> = match file {
            Some(path) => Box::new(create(path).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Error::new(format_args!(
                    "{} already exists; name a new file, or remove it",
                    path.display()
                )),
                _ => Error::new(format_args!("cannot create {}: {error}", path.display())),
            })?),
            None => Box::new(io::stdout()),
        };
        let (writer, file) = (Writer::new(output), file.map(Path::to_owned));
        Ok(Self { writer, file, opening, last: now, events: 0 })
    }

    /// Writes what stands first, where that is not done yet.
    fn open(&mut self) -> Result<(), Error> {
        for source in std::mem::take(&mut self.opening) {
            self.write(self.last, source)?;
        }
        Ok(())
    }

    fn event(&mut self, event: &ReceivedEvent, topic: &str) -> Result<(), Error> {
        let json = Json::parse(&event.json).map_err(Error::new)?;
        let replay_id = Some(event.replay_id.to_string().into());
        let at = published(event);
        if !self.opening.is_empty() {
            self.last = self.last.min(at);
            self.open()?;
        }
        self.write(at, Source::PlatformEvent { topic: topic.into(), replay_id, event: json })?;
        self.events = self.events.saturating_add(1);
        Ok(())
    }

    fn write(&mut self, at: Timestamp, source: Source) -> Result<(), Error> {
        self.last = self.last.max(at);
        let line = Line { at: self.last, number: 0, source };
        self.writer.write(&line).and_then(|()| self.writer.flush()).map_err(|error| match &self.file {
            Some(path) => Error::new(format_args!("cannot write {}: {error}", path.display())),
            None => Error::writing(&error),
        })
    }

    fn sum_up(&self, output: &Output) -> Result<Outcome, Error> {
        if let Some(file) = &self.file {
            output.json(&Recorded { file, events: self.events })?;
            let name = file.display().to_string();
            output.line(format_args!("{} events are in {}", self.events, printable(&name)))?;
        }
        Ok(Outcome::Done)
    }
}

/// A new file that nobody else on this machine may read: people's messages are in it.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What is said on stderr: how it is going on a terminal, what goes wrong in any case.
struct Progress {
    bar: Option<ProgressBar>,
    problem: Option<String>,
}

impl Progress {
    fn new() -> Self {
        let bar = io::stderr().is_terminal().then(ProgressBar::new_spinner);
        if let Some(bar) = &bar {
            bar.set_message("connecting");
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, problem: None }
    }

    fn heard(&mut self, state: &State, events: u64) {
        if let Some(bar) = &self.bar {
            let how = if state.connected { "listening" } else { "not connected" };
            bar.set_message(format!("{how}, {events} events; ctrl-c ends the recording"));
        }
        if self.problem != state.problem {
            self.problem.clone_from(&state.problem);
            if let Some(problem) = &state.problem {
                self.say(&format!("not connected, trying again: {problem}"));
            }
        }
    }

    fn say(&self, what: &str) {
        let said = format!("byoc record: {}", printable(what));
        match &self.bar {
            Some(bar) => bar.println(said),
            // With stderr gone there is nowhere left to say it.
            None => writeln!(io::stderr(), "{said}").unwrap_or_default(),
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
