//! `byoc replay`: replays recordings and says where today's connector would do something else.

mod json;
mod live;
mod pace;
mod packed;
mod timeline;

use std::fs::File;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use crate::model::roster::Roster;
use crate::model::time::Timestamp;
use crate::replay::{self, Emulated, Note, Options, Replayed, Stop, Summary, Watcher, What};
use crate::routing::{Policy, Report, Ring};

use super::{Error, Outcome, Output};
use json::JsonLines;
use pace::{Pace, Progress};
use timeline::Timeline;

/// What the command is for.
pub const ABOUT: &str = "Replay recordings, and compare today's decisions with the recorded ones";

/// How it is used.
pub const EXAMPLES: &str = "\
Examples:
  byoc replay fixtures/conference-queue.jsonl
      the timeline, with answers from the recording; exit code 1 if something differs
  byoc replay incident.jsonl --json | jq 'select(.outcome)'
      one JSON line per call, then one per ended request
  byoc replay incident.jsonl --against emulator
      the same events, answered by the stand-in Salesforce
  byoc replay first.jsonl.gz second.jsonl.zst
      recordings that are packed by gzip or zstd
  byoc replay incident.jsonl --speed 1
      in real time; 10 is ten times as fast

A recording without recorded calls is replayed against the emulator by itself.";

/// How reps are rung.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum RingArg {
    /// One rep after another.
    OneAtATime,
    /// All at once.
    All,
}

/// When the routing result is sent.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ReportArg {
    /// When an offer has been made.
    Offered,
    /// When a rep has accepted.
    Accepted,
}

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recordings, one JSON object a line; packed by gzip or zstd too
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Who answers calls: `emulator`, or the address of a live side [default: the recording]
    #[arg(long, value_name = "emulator|URL", value_parser = side)]
    against: Option<String>,
    /// Replay in real time times this; without it, as fast as it goes
    #[arg(long, value_name = "TIMES", value_parser = positive)]
    speed: Option<f64>,
    /// How reps are rung, where the recording does not say
    #[arg(long, value_enum)]
    ring: Option<RingArg>,
    /// When the routing result is sent, where the recording does not say
    #[arg(long, value_enum)]
    report: Option<ReportArg>,
    /// The platform's own limit of participants in a conversation
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    platform_participant_limit: Option<u32>,
    /// Seed of the emulator's ids
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    org: live::OrgArgs,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("it must be a number above 0, e.g. 1 for real time".to_owned()),
    }
}

fn side(text: &str) -> Result<String, String> {
    let is_address = || reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if text == "emulator" || is_address() {
        Ok(text.to_owned())
    } else {
        Err("it must be 'emulator' or an address, e.g. http://127.0.0.1:8085".to_owned())
    }
}

/// Replays each file in turn.
///
/// # Errors
/// Where a recording cannot be read, or a live side cannot be used.
pub fn run(args: &Args, output: &Output) -> Result<Outcome, Error> {
    let mut outcome = Outcome::Done;
    for file in &args.files {
        if replay_file(args, file, output)? > 0 {
            outcome = Outcome::No;
        }
    }
    Ok(outcome)
}

/// Replays one file and tells how many differences there are.
fn replay_file(args: &Args, file: &Path, output: &Output) -> Result<u64, Error> {
    let name = file.display().to_string();
    let scan = replay::scan(open(file)?).map_err(|error| unreadable(file, &error))?;
    let options = Options {
        policy: policy(args),
        platform_participant_limit: args.platform_participant_limit,
        scan,
        ..Options::default()
    };
    let by_itself = args.against.is_none() && !scan.has_exchanges;
    let mut view = View::new(output, args.speed);
    view.begin(&name, &side_name(args, by_itself))?;
    let input = open(file)?;
    let replayed = match args.against.as_deref() {
        None if !by_itself => replay::from_cassette(&name, input, options, &mut view),
        None | Some("emulator") => {
            let side = Emulated::new(args.seed, scan.has_work_events);
            replay::against(&name, input, options, side, &mut view)
        }
        Some(address) => {
            let side = live::connect(address, &args.org, scan)?;
            replay::against(&name, input, options, side, &mut view)
        }
    };
    view.finish(replayed, output)
}

/// Replays a file for what it leaves behind, as it replays by itself, and shows nothing.
pub(super) fn in_silence(file: &Path) -> Result<Replayed, Error> {
    struct Nobody;
    impl Watcher for Nobody {
        fn note(&mut self, _note: Note, _roster: &Roster) -> Result<(), Stop> {
            Ok(())
        }
    }
    let name = file.display().to_string();
    let scan = replay::scan(open(file)?).map_err(|error| unreadable(file, &error))?;
    let options = Options { scan, ..Options::default() };
    let replayed = if scan.has_exchanges {
        replay::from_cassette(&name, open(file)?, options, &mut Nobody)
    } else {
        replay::against(&name, open(file)?, options, Emulated::new(1, scan.has_work_events), &mut Nobody)
    };
    replayed.map_err(Error::new)
}

fn side_name(args: &Args, by_itself: bool) -> String {
    match args.against.as_deref() {
        None if by_itself => "answered by the emulator, because it has no recorded calls".to_owned(),
        None => "answered from the recording".to_owned(),
        Some("emulator") => "answered by the emulator".to_owned(),
        Some(address) => format!("answered by {address}"),
    }
}

fn policy(args: &Args) -> Policy {
    let mut policy = Policy::default();
    match args.ring {
        Some(RingArg::All) => policy.ring = Ring::All,
        Some(RingArg::OneAtATime) => policy.ring = Ring::OneAtATime,
        None => {}
    }
    match args.report {
        Some(ReportArg::Accepted) => policy.report = Report::Accepted,
        Some(ReportArg::Offered) => policy.report = Report::Offered,
        None => {}
    }
    policy
}

/// Opens a recording, packed or not.
fn open(file: &Path) -> Result<Box<dyn BufRead + Send>, Error> {
    let opened = File::open(file).map_err(|error| unreadable(file, &error))?;
    let is_folder = opened.metadata().is_ok_and(|data| data.is_dir());
    if is_folder {
        return Err(Error::new(format_args!(
            "{} is a folder; it must be a recording (.jsonl)",
            file.display()
        )));
    }
    packed::unpacked(opened).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Error {
    Error::new(format_args!("cannot read the recording {}: {error}", file.display()))
}

/// Shows a replay as it runs: a timeline for people, JSON lines for machines.
struct View<'a> {
    output: &'a Output,
    timeline: Timeline,
    lines: JsonLines,
    pace: Option<Pace>,
    progress: Progress,
    problem: Option<Error>,
}

impl<'a> View<'a> {
    fn new(output: &'a Output, speed: Option<f64>) -> Self {
        Self {
            output,
            timeline: Timeline::default(),
            lines: JsonLines::default(),
            pace: speed.map(Pace::new),
            progress: Progress::default(),
            problem: None,
        }
    }

    fn begin(&self, name: &str, side: &str) -> Result<(), Error> {
        Timeline::title(self.output, name, side)
    }

    fn show(&mut self, note: &Note, roster: &Roster) -> Result<(), Error> {
        if self.output.is_json() {
            if let What::Difference(difference) = &note.what {
                self.progress.complain(difference);
            }
            return self.lines.show(self.output, note);
        }
        self.timeline.show(self.output, note, roster)
    }

    fn finish(mut self, replayed: Result<Replayed, replay::Error>, output: &Output) -> Result<u64, Error> {
        self.progress.finish();
        self.lines.finish(output)?;
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        let Replayed { summary, .. } = replayed.map_err(Error::new)?;
        self.sum_up(&summary)?;
        output.flush()?;
        Ok(summary.differences)
    }

    fn sum_up(&self, summary: &Summary) -> Result<(), Error> {
        timeline::sum_up(self.output, summary)
    }
}

impl Watcher for View<'_> {
    fn note(&mut self, note: Note, roster: &Roster) -> Result<(), Stop> {
        self.show(&note, roster).map_err(|problem| {
            self.problem = Some(problem);
            Stop
        })
    }

    fn pace(&mut self, to: Timestamp) {
        if let Some(pace) = &mut self.pace {
            // What was told before the wait is seen before the wait.
            if let Err(problem) = self.output.flush() {
                self.problem.get_or_insert(problem);
            }
            pace.wait_for(to);
        }
    }

    fn progress(&mut self, lines: u64) {
        self.progress.tick(lines);
    }
}
