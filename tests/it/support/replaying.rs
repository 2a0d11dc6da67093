//! The recordings of `fixtures/`, as they are or changed in one place, and replaying them: as a user runs
//! it, or as the library does.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use byoc_connector::model::roster::Roster;
use byoc_connector::replay::{
    self, Difference, Error, JournalRow, Note, Options, Replayed, Stop, Watcher, What,
};
use serde_json::Value;

/// The names of all recordings, without their ending.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the fixtures are in the repository");
    let files = entries.map(|entry| entry.expect("a readable entry").path());
    let recordings = files.filter(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
    let mut names: Vec<_> =
        recordings.map(|file| file.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.jsonl"))).expect("the fixture is in the repository")
}

/// A recording that can be changed.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) lines: Vec<Value>,
}

impl Recording {
    pub(crate) fn load(name: &str) -> Self {
        let text = text(name);
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("fixtures are JSON"));
        Self { lines: lines.collect() }
    }

    /// Where the recorded calls are.
    pub(crate) fn exchanges(&self) -> Vec<usize> {
        let is_exchange = |line: &Value| line["source"] == "interaction-service";
        (0..self.lines.len()).filter(|place| is_exchange(&self.lines[*place])).collect()
    }

    /// Without the lines that are like this.
    pub(crate) fn without(mut self, unwanted: impl Fn(&Value) -> bool) -> Self {
        self.lines.retain(|line| !unwanted(line));
        self
    }

    pub(crate) fn without_line(mut self, place: usize) -> Self {
        self.lines.remove(place);
        self
    }

    /// With something else at a place of one line; `pointer` is a JSON pointer.
    pub(crate) fn with(mut self, place: usize, pointer: &str, value: Value) -> Self {
        *self.lines[place].pointer_mut(pointer).expect("the field is there") = value;
        self
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect()
    }
}

/// Whether a line tells what a rep did with an offer.
pub(crate) fn is_work_event(line: &Value) -> bool {
    line["message"] == "AGENT_WORK_EVENT" || line.to_string().contains(r#"\"RoutingWorkResult\""#)
}

/// A replay's notes, and what became of it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) notes: Vec<Note>,
    pub(crate) result: Result<Replayed, Error>,
}

impl Told {
    pub(crate) fn differences(&self) -> Vec<&Difference> {
        let differences = self.notes.iter().filter_map(|note| match &note.what {
            What::Difference(difference) => Some(&**difference),
            _ => None,
        });
        differences.collect()
    }

    /// The outcome of each request, by its event.
    pub(crate) fn outcomes(&self) -> BTreeMap<String, &'static str> {
        let endings = self.notes.iter().filter_map(|note| match &note.what {
            What::Ended { request, outcome, .. } => Some((request.to_string(), outcome.as_str())),
            _ => None,
        });
        endings.collect()
    }
}

#[derive(Default)]
struct Listener(Vec<Note>, Vec<JournalRow>);

impl Watcher for Listener {
    fn note(&mut self, note: Note, _roster: &Roster) -> Result<(), Stop> {
        self.0.push(note);
        Ok(())
    }

    fn journal(&mut self, row: JournalRow) {
        self.1.push(row);
    }
}

/// What a store would hold of the recording.
pub(crate) fn journal(text: impl Into<Vec<u8>>) -> Vec<JournalRow> {
    let text = text.into();
    let mut listener = Listener::default();
    let options = Options { journal: true, ..options(&text) };
    replay::from_cassette("it", Cursor::new(text), options, &mut listener).expect("the recording is whole");
    listener.1
}

fn options(text: &[u8]) -> Options {
    Options { scan: replay::scan(text).expect("memory can be read"), ..Options::default() }
}

/// Answered from the recording.
pub(crate) fn from_cassette(text: impl Into<Vec<u8>>) -> Told {
    let text = text.into();
    let mut listener = Listener::default();
    let result = replay::from_cassette("it", Cursor::new(text.clone()), options(&text), &mut listener);
    Told { notes: listener.0, result }
}

/// Answered by the stand-in Salesforce.
pub(crate) fn against_emulator(text: impl Into<Vec<u8>>) -> Told {
    let text = text.into();
    let options = options(&text);
    let side = replay::Emulated::new(1, options.scan.has_work_events);
    let mut listener = Listener::default();
    let result = replay::against("it", Cursor::new(text.clone()), options, side, &mut listener);
    Told { notes: listener.0, result }
}

/// The `byoc` command, as a user runs it.
#[cfg(feature = "cli")]
pub(crate) mod command {
    use std::ffi::OsStr;
    use std::process::Output;

    use assert_cmd::Command;

    /// In the repository, with nothing of ours in the environment.
    pub(crate) fn byoc() -> Command {
        let mut command = Command::cargo_bin("byoc").expect("the binary is built");
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let is_ours = ["BYOC_", "CLICOLOR", "RUST_LOG"].iter().any(|start| name.starts_with(start));
            if is_ours || ["NO_COLOR", "COLUMNS"].contains(&&*name) {
                command.env_remove(&*name);
            }
        }
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command
    }

    pub(crate) fn replay<S: AsRef<OsStr>>(args: &[S]) -> Output {
        byoc().arg("replay").args(args).output().expect("the command runs")
    }

    pub(crate) fn stdout(output: &Output) -> String {
        String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
    }

    pub(crate) fn stderr(output: &Output) -> String {
        String::from_utf8(output.stderr.clone()).expect("stderr is UTF-8")
    }
}
