//! With `--json`, a line a call and a line an ended request, with exactly the promised fields.

use super::*;

const CALL: [&str; 8] = ["at", "body", "method", "operation", "path", "response", "routingRequest", "status"];
const ENDING: [&str; 4] = ["at", "outcome", "reason", "routingRequest"];

fn keys(line: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    keys
}

#[test]
fn json_is_a_line_a_call_and_then_a_line_an_ended_request() {
    assert_snapshot!(fine(&replay(&["fixtures/conference-rep.jsonl", "--json"])), @r#"
    {"at":"2026-06-01T09:00:30.000Z","routingRequest":"c978f502-a728-4491-b055-380e40f3c20d","operation":"post-agent-work","method":"POST","path":"/api/v1/agentWork","body":{"capacityWeight":1,"routingContext":{"conversationIdentifier":"5364fac9-cd27-49ec-bb21-c2fde70570fa","routingCorrelationId":"c978f502-a728-4491-b055-380e40f3c20d","routingType":"Conference"},"userId":"005gL00000YYgCy","workItemId":"0MwgL00000Fu7zr"},"status":202,"response":{"agentWorkDetails":{"capacityWeight":1.0,"existPsr":false,"routingContext":{"conversationIdentifier":"5364fac9-cd27-49ec-bb21-c2fde70570fa","routingCorrelationId":"c978f502-a728-4491-b055-380e40f3c20d","routingType":"Conference"}},"agentWorkId":"0BzgL00000U941t","id":"ad2360ed-db37-4e47-8f75-648791e36328","success":true}}
    {"at":"2026-06-01T09:00:30.190Z","routingRequest":"c978f502-a728-4491-b055-380e40f3c20d","operation":"post-routing-result","method":"POST","path":"/api/v1/routingResult","body":{"conversationIdentifier":"5364fac9-cd27-49ec-bb21-c2fde70570fa","externallyRouted":false,"routingType":"Conference","success":true,"workItemId":"0MwgL00000Fu7zr"},"status":202,"response":{"success":true}}
    {"at":"2026-06-01T09:00:34.390Z","routingRequest":"c978f502-a728-4491-b055-380e40f3c20d","outcome":"joined","reason":"The rep accepted."}
    "#);
}

#[test]
fn every_json_line_of_every_fixture_has_exactly_the_promised_fields() {
    for name in crate::support::replaying::names() {
        let said = fine(&replay(&[&format!("fixtures/{name}.jsonl"), "--json"]));
        let calls = Recording::load(&name).exchanges().len();
        let (endings, made): (Vec<_>, Vec<_>) = said.lines().map(keys).partition(|keys| keys == &ENDING);
        assert_eq!(endings.len(), 1, "{name}");
        assert!(made.iter().all(|keys| keys == &CALL), "{name}: {said}");
        // A call that is tried twice is one call and two exchanges.
        let retried = ["agent-work-lost-answer", "rate-limited"].contains(&&*name);
        assert_eq!(made.len() + usize::from(retried), calls, "{name}");
        assert_eq!(keys(said.lines().last().unwrap()), ENDING, "{name}: an ending comes last");
        let times: Vec<_> = said.lines().map(|line| line[7..31].to_owned()).take(made.len()).collect();
        assert!(times.is_sorted(), "{name}: {times:?}");
    }
}

#[test]
fn with_json_differences_go_to_stderr() {
    let changed = Recording::load("conference-rep").with(9, "/request/body/capacityWeight", json!(3));
    let output = replayed(&changed, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(stderr(&output), @"differs: line 10: POST /api/v1/agentWork was made with a different body: capacityWeight was 3 and is 1");
    assert_eq!(stdout(&output), fine(&replay(&["fixtures/conference-rep.jsonl", "--json"])));
}

#[test]
fn an_answer_that_never_came_is_null() {
    let mut recording = Recording::load("conference-rep");
    recording.lines[10]["response"] = Value::Null;
    let said = stdout(&replayed(&recording, &["--json"]));
    let lost = said.lines().find(|line| line.contains("/api/v1/routingResult")).unwrap();
    let lost: Value = serde_json::from_str(lost).unwrap();
    assert_eq!((&lost["status"], &lost["response"]), (&Value::Null, &Value::Null));
}
