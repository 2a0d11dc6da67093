//! `byoc demo --headless`, as somebody runs it who has just found the project.

use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

#[test]
fn the_demo_plays_every_kind_of_conference_and_all_go_as_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let mut byoc = Command::cargo_bin("byoc").unwrap();
    let byoc = byoc.args(["demo", "--headless", "--json"]).env("TMPDIR", folder.path());
    let demo = byoc.timeout(Duration::from_secs(60)).assert().success();
    let output = String::from_utf8(demo.get_output().stdout.clone()).unwrap();
    let played: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(played.len() >= 8, "{output}");
    for conference in &played {
        assert_eq!(conference["outcome"], conference["expected"], "{conference}");
        let lines = conference["timeline"].as_array().unwrap();
        assert!(lines.iter().any(|line| line.as_str().unwrap().contains("RoutingRequested")), "{conference}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "its store is left behind");
}
