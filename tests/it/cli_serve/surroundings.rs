//! What serving needs around it: a configuration, a store and a port that can be had, variables that are read as texts.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use super::*;

#[test]
fn a_configuration_that_cannot_be_found_or_read_is_named() {
    let place = Place::new();
    place.refused(&["--config", "none.toml"], &[], "cannot read the configuration none.toml: No such file");
    place.refused(&["--config", "."], &[], "cannot read the configuration .: Is a directory");
    std::fs::write(place.path("bytes.toml"), b"\xff\xfe\x00").unwrap();
    place.refused(&[], &[("BYOC_CONFIG", "bytes.toml")], "bytes.toml: stream did not contain valid UTF-8");
    std::fs::write(place.path("text.toml"), "id = \n[[reps]\n").unwrap();
    place.refused(&["--config", "text.toml"], &[], "text.toml, line 1: this is not TOML");
    std::fs::write(place.path("empty.toml"), "").unwrap();
    place.refused(&["--config", "empty.toml"], &[], "empty.toml, org: it is missing; set at least one");
    std::fs::remove_file(place.path("byoc.toml")).unwrap();
    place.refused(
        &[],
        &[],
        "there is no byoc.toml in this directory; name a configuration with --config FILE",
    );
    place.refused(&["--check"], &[], "or BYOC_CONFIG");
}

#[test]
fn a_filter_or_format_of_logs_that_is_none_is_named() {
    let place = Place::new();
    place.refused(&["--log", "a=b=c"], &[], "'a=b=c' is no filter of log lines");
    place.refused(&["--check"], &[("BYOC_LOG", "byoc=loud")], "it must be such as info");
    place.refused(&["--log-format", "xml"], &[], "possible values: text, json");
}

#[test]
fn a_store_that_cannot_be_had_is_named() {
    let place = Place::new();
    for args in [&[][..], &["--check"]] {
        let missing = [("BYOC_STORE_PATH", "no/such/byoc.db")];
        place.refused(
            args,
            &missing,
            "store.path: it is no/such/byoc.db, but the folder no/such does not exist",
        );
        place.refused(args, &[("BYOC_STORE_PATH", ".")], "store.path: it is ., which is not a file");
    }
    std::fs::write(place.path("text.db"), "These are some lines of text, and no database.\n".repeat(90))
        .unwrap();
    place.refused(
        &[],
        &[("BYOC_STORE_PATH", "text.db")],
        "store.path: text.db cannot be used: the store is damaged",
    );
    let text = std::fs::read_to_string(place.path("text.db")).unwrap();
    assert!(text.starts_with("These are") && text.len() == 47 * 90, "somebody's file was written to");
}

/// A connector that serves, and is killed when it is dropped.
struct FirstOne(Child);

impl Drop for FirstOne {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_store_or_a_port_that_another_has_is_left_to_it() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = place.refusal(&[], &[("BYOC_SERVER_LISTEN", &address)]);
    names(&told, &format!("server.listen: cannot listen on {address}"), "", "stop the other program");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_byoc"));
    // Nobody answers there, which is no reason not to start.
    let nobody = format!("http://{address}");
    for variable in ["INSTANCE_URL", "INTERACTION_URL", "PUBSUB_ENDPOINT", "TOKEN_URL"] {
        command.env(format!("BYOC_ORG_{variable}"), &nobody);
    }
    command.current_dir(place.0.path()).arg("serve").arg("--json").env("BYOC_STORE_PATH", "other.db");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = FirstOne(child);
    let mut announced = String::new();
    BufReader::new(first.0.stdout.as_mut().unwrap()).read_line(&mut announced).unwrap();
    assert!(announced.contains("address"), "the first one does not serve: {announced}");
    let told = place.refusal(&[], &[("BYOC_STORE_PATH", "other.db")]);
    names(&told, "store.path: other.db cannot be used", "in use by another process", "stop the other one");
    drop(first);
}

#[test]
fn a_good_configuration_is_checked_and_nothing_is_started() {
    let place = Place::new();
    let output = place.serve(&["--check"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "The configuration is valid: 1 org, 1 channel.\n");
    let output = place.serve(&["--check", "--json"], &[]);
    let said: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(said, serde_json::json!({ "ok": true, "orgs": 1, "channels": 1, "warnings": [] }));
    assert!(!place.path("byoc.db").exists());
}

#[test]
fn a_variable_is_a_text_where_a_text_is_wanted_whatever_it_looks_like() {
    let place = Place::new();
    let variables = [
        ("BYOC_ORG_CONSUMER_KEY", "2026"),
        ("BYOC_ORG_USERNAME", "true"),
        ("BYOC_STORE_PATH", "1.5"),
        ("BYOC_SERVER_SESSION_AUDIENCE", "7"),
        ("BYOC_CHANNEL_DEFINITION_DEVELOPER_NAME", "12"),
    ];
    for variable in variables {
        let output = place.serve(&["--check"], &[variable]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
}
