//! The command, as a user starts it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::*;

fn byoc() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_byoc"));
    command.current_dir(std::env::temp_dir()).env_remove("BYOC_CONFIG").arg("emulator");
    command
}

#[tokio::test]
async fn the_command_says_where_it_is_and_stops_when_it_is_asked_to() {
    let mut child =
        byoc().args(["--port", "0", "--seed", "9", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let control = said["control"].as_str().unwrap();
    let identity: Value = reqwest::get(control).await.unwrap().json().await.unwrap();
    assert_eq!((&identity["seed"], &identity["org"]), (&json!(9), &said["orgId"]));
    let state: Value = reqwest::get(format!("{control}/state")).await.unwrap().json().await.unwrap();
    assert_eq!(state["reps"].as_array().unwrap().len(), 5, "the sample's people are there");
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_port_that_is_taken_and_a_key_that_is_none_are_named() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/README.md");
    for (args, part) in [
        (["--port", &port], format!("cannot listen on 127.0.0.1:{port}")),
        (["--public-key", key], "is not an RSA public key in PEM".to_owned()),
        (["--public-key", "/nowhere.pem"], "cannot read the public key /nowhere.pem".to_owned()),
        (["--config", "/nowhere.toml"], "/nowhere.toml".to_owned()),
    ] {
        let output = byoc().args(args).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert_eq!((output.stdout.len(), complaint.lines().count()), (0, 1), "{complaint}");
        assert!(complaint.contains(&part), "{complaint}");
    }
}

/// How many reps wait to be answered for, with an emulator that is started so, of one without a script and one with.
fn waiting(args: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("byoc.toml");
    let text =
        "[[reps]]\nid = '005000000000001'\n[[reps]]\nid = '005000000000002'\nscript = { does = 'ignore' }\n";
    std::fs::write(&config, text).unwrap();
    let mut command = byoc();
    command.args(["--port", "0", "--json", "--config"]).arg(&config).args(args);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    serde_json::from_str::<Value>(&line).unwrap()["waitingReps"].clone()
}

#[test]
fn reps_without_a_script_wait_which_is_said_unless_they_are_given_one() {
    for (args, count) in
        [(&[][..], 1), (&["--reps", "wait"], 1), (&["--reps", "accept"], 0), (&["--reps", "ignore"], 0)]
    {
        assert_eq!(waiting(args), json!(count), "{args:?}");
    }
}
