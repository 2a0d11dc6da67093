//! `byoc replay` as a user runs it: what it prints and where, its exit codes, and what it says to bad input.

use std::io::{BufRead, BufReader};
use std::process::Output;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::replaying::command::{byoc, replay, stderr, stdout};
use crate::support::replaying::{Recording, text};

mod bad_input;
mod differences;
mod for_machines;
mod spellings;
mod the_terminal;
mod what_is_not_known;
mod without_recorded_calls;

const QUEUE: &str = "fixtures/conference-queue.jsonl";

/// A folder with recordings in it, in which the command runs, so that its messages name short paths.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let desk = Self::new();
        desk.put(name, content);
        desk
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    fn replay(&self, args: &[&str]) -> Output {
        byoc().current_dir(self.0.path()).arg("replay").args(args).output().unwrap()
    }
}

/// A changed recording, replayed.
fn replayed(recording: &Recording, args: &[&str]) -> Output {
    let desk = Desk::with("r.jsonl", recording.text());
    desk.replay(&[&["r.jsonl"], args].concat())
}

/// Stdout of a replay in which nothing differs.
fn fine(output: &Output) -> String {
    assert_eq!((output.status.code(), stderr(output).as_str()), (Some(0), ""), "{}", stdout(output));
    stdout(output)
}

/// The one line on stderr of a replay that could not be.
fn refused(output: &Output) -> String {
    let complaint = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

/// The timeline without its title, which names the file.
fn below_title(timeline: &str) -> String {
    timeline.split_once('\n').unwrap().1.to_owned()
}

fn queue_timeline() -> String {
    below_title(&fine(&replay(&[QUEUE])))
}
