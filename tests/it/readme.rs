//! The README's commands do what it says, as somebody pastes them who has just found the project: in a folder with the
//! repository's fixtures, and twice in a row.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::replaying::command::{byoc, stderr, stdout};

/// Long enough for a busy machine; nothing waits for it to pass.
const HANGS: Duration = Duration::from_secs(40);

/// Where the README's emulator is; here it is somewhere that is free.
const EMULATOR: &str = "127.0.0.1:8085";

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// A block of the README: what it is of, the text right before it, and its lines.
struct Block {
    kind: String,
    before: String,
    lines: Vec<String>,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut before, mut open) = (String::new(), None);
    for line in readme().lines() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            if let Some((_, block)) = open.take() {
                blocks.push(block);
            } else {
                let indent = line.len() - line.trim_start().len();
                let before = std::mem::take(&mut before);
                open = Some((indent, Block { kind: kind.to_owned(), before, lines: Vec::new() }));
            }
        } else if let Some((indent, block)) = &mut open {
            block.lines.push(line.get(*indent..).unwrap_or_default().to_owned());
        } else if line.starts_with('#') {
            before.clear();
        } else {
            before.extend([line, "\n"]);
        }
    }
    blocks
}

/// The words of a line that is pasted into a shell, without its remark.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    line.split_whitespace().map(str::to_owned).collect()
}

/// A folder as a fresh checkout is, as far as the commands need it.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &folder.path().join("fixtures"));
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        let is_left_over = from.to_string_lossy().contains("byoc.db");
        if from.is_dir() {
            copy(&from, &to);
        } else if !is_left_over {
            fs::copy(from, to).unwrap();
        }
    }
}

/// A command that goes on until it is dropped.
struct RunningChannel {
    child: Child,
    address: String,
}

impl RunningChannel {
    /// Starts a command on a port that is free, and waits until it says where it is.
    fn start(folder: &Path, args: &[String], more: &[&str]) -> Self {
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_byoc"))
            .args(args)
            .args(more)
            .env("BYOC_SERVER_LISTEN", "127.0.0.1:0")
            .env_remove("BYOC_CONFIG")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        let address = serde_json::from_str::<Value>(&said)
            .ok()
            .and_then(|said| Some(said["address"].as_str()?.to_owned()))
            .unwrap_or_else(|| panic!("{args:?} does not say where it is: {said}{}", log_of(folder)));
        Self { child, address: address.trim_end_matches('/').to_owned() }
    }

    async fn get(&self, path: &str) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        http.get(format!("{}{path}", self.address)).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let post = http.post(format!("{}{path}", self.address)).json(body);
        post.send().await.unwrap().json().await.unwrap()
    }

    /// Waits until what it answers is so.
    async fn until(&self, path: &str, folder: &Path, is_so: impl Fn(&Value) -> bool) {
        let begin = Instant::now();
        loop {
            let answer = self.get(path).await;
            if is_so(&answer) {
                return;
            }
            assert!(begin.elapsed() < HANGS, "{path}: {answer}\n{}", log_of(folder));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for RunningChannel {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn log_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

#[test]
fn every_line_for_a_shell_is_a_command_that_is_run_here() {
    let shell: Vec<Block> = blocks().into_iter().filter(|block| block.kind == "sh").collect();
    let lines: Vec<Vec<String>> =
        shell.iter().flat_map(|block| &block.lines).map(|line| words(line)).collect();
    let expected = [
        "byoc emulator &",
        "byoc serve --config fixtures/serve.toml --check",
        "byoc serve --config fixtures/serve.toml",
    ];
    let expected: Vec<Vec<String>> = expected.iter().map(|line| words(line)).collect();
    assert_eq!(lines, expected, "a line that is new needs a test that runs it");
    assert!(shell[0].before.contains("`cargo install --path .`"), "it says how byoc comes on the path");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_block_of_run_it_works_as_pasted_twice_in_a_row() {
    let folder = checkout();
    let config = folder.path().join("fixtures/serve.toml");
    let written = fs::read_to_string(&config).unwrap();
    assert!(written.contains(EMULATOR), "the configuration is for the emulator as it starts by itself");
    let shell = blocks().into_iter().find(|block| block.kind == "sh").unwrap();
    let lines: Vec<Vec<String>> = shell.lines.iter().map(|line| words(line)).collect();
    for day in 1..=2 {
        let emulator = RunningChannel::start(folder.path(), &lines[0][1..2], &["--port", "0", "--json"]);
        let elsewhere = emulator.address.trim_start_matches("http://").to_owned();
        fs::write(&config, written.replace(EMULATOR, &elsewhere)).unwrap();
        let check = byoc().current_dir(folder.path()).args(&lines[1][1..]).output().unwrap();
        assert_eq!(check.status.code(), Some(0), "day {day}: {}", stderr(&check));
        let serve = RunningChannel::start(folder.path(), &lines[2][1..], &["--json"]);
        serve.until("/readyz", folder.path(), |answer| answer["ready"] == true).await;
        conference(&emulator, folder.path()).await;
    }
}

/// A rep asks for another, who accepts by script.
async fn conference(emulator: &RunningChannel, folder: &Path) {
    let anna = "005Hu000000Anna";
    let began = emulator.post("/emulator/v1/conversations", &json!({ "reps": [anna] })).await;
    let ask = json!({ "act": "requestConference", "conversation": began["conversation"], "requester": anna,
                      "target": { "queueId": "00GHu00000Bills" } });
    let asked = emulator.post("/emulator/v1/acts", &ask).await;
    assert!(asked["request"].is_string(), "{began} {asked}");
    // The emulator of today has been asked to offer it to somebody, whatever it was like yesterday.
    let offered = |state: &Value| state["agentWorks"].as_array().is_some_and(|works| !works.is_empty());
    emulator.until("/emulator/v1/state", folder, offered).await;
}

/// Runs the command of a line that begins with `byoc`.
fn run(line: &[String]) -> String {
    let output = byoc().args(&line[1..]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{line:?}: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn what_is_shown_below_a_command_is_what_it_prints() {
    let mut shown = 0;
    for block in blocks().into_iter().filter(|block| block.kind == "text") {
        let pasted = block.lines.first().and_then(|line| line.strip_prefix("$ "));
        let replayed = "`cargo run --release -- replay ";
        let (line, expected) = match (pasted, block.before.split_once(replayed)) {
            (Some(line), _) => (words(line), &block.lines[1..]),
            (None, Some((_, rest))) => {
                let file = rest.split('`').next().unwrap();
                (words(&format!("byoc replay {file}")), &block.lines[..])
            }
            _ => continue,
        };
        shown += 1;
        let printed = run(&line);
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        assert_eq!(printed, expected.iter().map(|line| line.trim_end()).collect::<Vec<_>>(), "{line:?}");
    }
    assert_eq!(shown, 2, "the replay and the contacts");
}

/// The names of files that a command of the README is given.
#[test]
fn every_file_that_is_named_is_there() {
    let text = readme();
    let named = text.split(|c: char| c.is_whitespace() || "`()".contains(c));
    let files: Vec<PathBuf> = named
        .filter(|word| word.starts_with("fixtures/") || word.starts_with("openapi/"))
        .map(|word| Path::new(env!("CARGO_MANIFEST_DIR")).join(word.trim_end_matches([',', '.', ';', ':'])))
        .collect();
    assert!(files.len() > 5, "{files:?}");
    let missing: Vec<_> = files.iter().filter(|file| !file.exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
