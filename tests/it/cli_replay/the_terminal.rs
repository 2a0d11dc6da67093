//! At a terminal: the pace, readers that go away, colours, and nothing that writes over it.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_real_pace_tells_the_same_story() {
    // 37 seconds, a thousand times as fast.
    assert_eq!(below_title(&fine(&replay(&[QUEUE, "--speed", "1000"]))), queue_timeline());
}

#[test]
fn in_real_time_what_happened_is_shown_before_what_comes_is_waited_for() {
    let binary = assert_cmd::cargo::cargo_bin("byoc");
    let began = Instant::now();
    let mut child = Command::new(binary)
        .args(["replay", QUEUE, "--speed", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let first = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(first, format!("{QUEUE}  answered from the recording"));
    assert!(began.elapsed() < Duration::from_secs(20), "the whole of it takes 37 seconds");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    // More than a pipe holds, so that writing goes on after the reader has gone.
    let files: Vec<PathBuf> = (0..200).map(|_| PathBuf::from(QUEUE)).collect();
    for args in [&[][..], &["--json"]] {
        let binary = assert_cmd::cargo::cargo_bin("byoc");
        let mut child = Command::new(binary)
            .arg("replay")
            .args(&files)
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut String::new()).unwrap();
        drop(reader);
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!((child.wait().unwrap().code(), complaint.as_str()), (Some(0), ""));
    }
}

#[test]
fn colour_is_for_terminals_and_for_who_asks() {
    assert!(!fine(&replay(&[QUEUE])).contains('\u{1b}'));
    let coloured = fine(&replay(&[QUEUE, "--color", "always"]));
    assert!(coloured.contains("\u{1b}[1m\u{1b}[32mJOINED\u{1b}[0m"), "{coloured}");
    assert!(!fine(&replay(&[QUEUE, "--color", "never"])).contains('\u{1b}'));
    assert!(!fine(&replay(&[QUEUE, "--color", "always", "--json"])).contains('\u{1b}'));
    let environment = |name: &str, args: &[&str]| {
        fine(&byoc().env(name, "1").args(["replay", QUEUE]).args(args).output().unwrap())
    };
    assert_eq!(environment("CLICOLOR_FORCE", &[]), coloured);
    assert!(!environment("NO_COLOR", &[]).contains('\u{1b}'));
    assert_eq!(environment("NO_COLOR", &["--color", "always"]), coloured, "who asks is given it");
}

#[test]
fn nothing_in_a_recording_can_write_over_the_terminal() {
    const EVIL: &str = "a\u{1b}[2Jb\rc\nZ\u{7}";
    let mut recording = Recording::load("conference-flow-to-queue");
    for rep in recording.lines[1]["reps"].as_array_mut().unwrap() {
        rep["name"] = json!(EVIL);
    }
    for place in ["/queues/0/name", "/queues/1/name", "/flows/0/name", "/contacts/0/name"] {
        recording = recording.with(1, place, json!(EVIL));
    }
    let last = recording.lines.last().unwrap()["at"].clone();
    let offer = recording.exchanges()[1];
    recording.lines[offer]["response"] = json!({"status": 400, "body": {"code": 99_999, "message": EVIL}});
    let request = json!({"method": EVIL, "path": EVIL, "body": {EVIL: EVIL}});
    recording.lines.push(json!({"at": last, "source": "interaction-service", "request": request}));
    recording.lines.push(json!({"at": last, "source": EVIL, "message": EVIL}));
    for args in [&["--color", "always"][..], &["--color", "always", "--against", "emulator"], &["--json"]] {
        let output = replayed(&recording, args);
        for said in [stdout(&output), stderr(&output)] {
            assert!(!said.contains("\u{1b}[2J"), "{said:?}");
            let wild = |c: char| c.is_control() && c != '\n' && c != '\u{1b}';
            assert!(!said.contains(wild), "{said:?}");
            assert!(!said.lines().any(|line| line.starts_with('Z')), "{said:?}");
        }
        let both = stdout(&output) + &stderr(&output);
        assert!(both.contains("a\u{fffd}[2Jb\u{fffd}c\u{fffd}Z\u{fffd}") || args == ["--json"], "{both:?}");
    }
}
