//! `byoc replay` as a user runs it: what it prints and where, its exit codes, and what it says to bad input.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::replaying::command::{byoc, replay, stderr, stdout};
use crate::support::replaying::{Recording, is_work_event, text};

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

/// Stdout of a replay in which something differs.
fn differing(output: &Output) -> String {
    assert_eq!((output.status.code(), stderr(output).as_str()), (Some(1), ""), "{}", stdout(output));
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

mod differences {
    use super::*;

    #[test]
    fn a_call_that_is_missing_from_the_recording_is_named() {
        for name in ["conference-queue", "nobody-left", "cancelled-while-ringing"] {
            let recording = Recording::load(name);
            for place in recording.exchanges() {
                let request = &recording.lines[place]["request"];
                let call =
                    format!("{} {} ", request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
                let said = differing(&replayed(&recording.clone().without_line(place), &[]));
                let named = said.lines().any(|line| {
                    line.contains("DIFFERS ")
                        && line.contains(&call)
                        && line.ends_with(" was made, and the recording does not have it")
                });
                assert!(named, "{name}:{}: {said}", place + 1);
                let last = said.lines().last().unwrap();
                assert!(last.ends_with(" difference") || last.ends_with(" differences"), "{said}");
            }
        }
    }

    #[test]
    fn a_field_that_is_another_is_named_with_its_line() {
        // Which recording, which call of it, what is changed there, and what is said of it.
        let table = [
            ("conference-queue", 0, "routingInfo/queueId", json!("00GgL00000U6T7j"), "routingInfo.queueId"),
            ("conference-queue", 1, "userId", json!("005gL00000ADclZ"), "userId"),
            ("conference-queue", 2, "success", json!(false), "success"),
            ("conference-rep", 0, "capacityWeight", json!(2.5), "capacityWeight"),
            ("nobody-left", 4, "cancelReason", json!("Unknown"), "cancelReason"),
            ("cancelled-while-ringing", 3, "status", json!("Accept"), "status"),
        ];
        for (name, call, field, value, path) in table {
            let recording = Recording::load(name);
            let place = recording.exchanges()[call];
            let request = &recording.lines[place]["request"];
            let before = request["body"].pointer(&format!("/{field}")).unwrap();
            let call =
                format!("{} {}", request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
            let line = place + 1;
            let expected =
                format!("line {line}: {call} was made with another body: {path} was {value} and is ");
            let changed = recording.clone().with(place, &format!("/request/body/{field}"), value);
            let said = differing(&replayed(&changed, &[]));
            let is = said.split(&expected).nth(1).unwrap_or_else(|| panic!("no '{expected}' in {said}"));
            let is: Value = serde_json::from_str(is.lines().next().unwrap()).unwrap();
            assert!(byoc_connector::replay::compare(before, &is).is_empty(), "{is} instead of {before}");
            assert!(said.ends_with("\n1 difference\n"), "{said}");
        }
    }

    #[test]
    fn a_call_that_nobody_makes_is_named_with_its_line() {
        let mut recording = Recording::load("conference-queue");
        let clear = json!({"conversationIdentifier": "somebody else's", "cancelReason": "Unknown"});
        let mut exchange = recording.lines[13].clone();
        exchange["request"] = json!({"method": "DELETE", "path": "/api/v1/route", "body": clear});
        recording.lines.insert(14, exchange);
        let said = differing(&replayed(&recording, &[]));
        let expected = format!("line 15: DELETE /api/v1/route {clear} was recorded, and was not made\n");
        assert!(said.contains(&expected), "{said}");
        assert!(said.ends_with("\n1 difference\n"), "{said}");
    }

    #[test]
    fn one_recording_that_differs_is_enough_for_exit_code_1() {
        let changed = Recording::load("conference-rep").with(9, "/request/body/capacityWeight", json!(3));
        let desk = Desk::with("changed.jsonl", changed.text());
        desk.put("same.jsonl", text("conference-rep"));
        for order in [["changed.jsonl", "same.jsonl"], ["same.jsonl", "changed.jsonl"]] {
            let said = differing(&desk.replay(&order));
            assert_eq!(said.matches("\nnothing differs\n").count(), 1, "{said}");
            assert_eq!(said.matches("\n1 difference\n").count(), 1, "{said}");
        }
        fine(&desk.replay(&["same.jsonl", "same.jsonl"]));
    }

    #[test]
    fn a_live_side_is_not_compared_with_what_was_recorded() {
        let changed = Recording::load("conference-rep").with(9, "/request/body/capacityWeight", json!(3));
        let said = fine(&replayed(&changed, &["--against", "emulator"]));
        assert!(said.contains("  answered by the emulator\n") && !said.contains("differ"), "{said}");
    }
}

mod for_machines {
    use super::*;

    const CALL: [&str; 8] =
        ["at", "body", "method", "operation", "path", "response", "routingRequest", "status"];
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
        assert_snapshot!(stderr(&output), @"differs: line 10: POST /api/v1/agentWork was made with another body: capacityWeight was 3 and is 1");
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
}

mod bad_input {
    use super::*;

    /// What is said of a recording whose lines are these.
    fn complaint(lines: impl AsRef<[u8]>) -> String {
        refused(&Desk::with("r.jsonl", lines).replay(&["r.jsonl"]))
    }

    /// What is said of the queue's recording with another line in the place of one.
    fn instead_of(line: usize, new: &str) -> String {
        let text = text("conference-queue");
        let mut lines: Vec<&str> = text.lines().collect();
        lines[line - 1] = new;
        complaint(lines.join("\n"))
    }

    fn changed(line: usize, pointer: &str, value: Value) -> String {
        complaint(Recording::load("conference-queue").with(line - 1, pointer, value).text())
    }

    #[test]
    fn a_line_that_is_cut_off_is_named_and_what_came_before_is_shown() {
        let text = text("conference-queue");
        let cut = &text[..text.find("AGENT_WORK_EVENT").unwrap()];
        let output = Desk::with("r.jsonl", cut).replay(&["r.jsonl"]);
        assert_snapshot!(refused(&output), @r#"error: r.jsonl:15:69: message: the JSON ends too early; a line is one object with "at" and "source""#);
        assert!(stdout(&output).contains("POST /routingResult"), "{}", stdout(&output));
    }

    #[test]
    fn a_field_of_another_type_is_named_with_what_would_be_right() {
        let said = [
            changed(3, "/at", json!(1_780_305_001_200_u64)),
            changed(3, "/at", json!("yesterday")),
            changed(3, "/source", json!(["pubsub"])),
            changed(3, "/event", json!("text")),
            changed(3, "/event/devorg__Payload__c", json!(7)),
            changed(3, "/event/devorg__Payload__c/string", json!("{\"conversationIdentifier\": ")),
            changed(2, "/reps", json!("Bo")),
            changed(2, "/reps/0/queues", json!({})),
            changed(10, "/request", json!("POST")),
            changed(10, "/request/method", Value::Null),
            changed(10, "/response/status", json!("202")),
            changed(11, "/rep", json!(["005gL00000YYgCy"])),
            changed(15, "/agentWork", json!([])),
            changed(15, "/agentWork/workId", json!(4)),
            instead_of(4, "[1, 2]"),
            instead_of(4, r#"{"source": "pubsub"}"#),
            instead_of(4, r#"{"at": "2026-06-01T09:10:01.450Z"}"#),
            instead_of(4, r#"{"at": "2026-06-01T09:10:01.450Z", "source": "pubsub"}"#),
        ];
        assert_snapshot!(said.concat(), @r#"
        error: r.jsonl:3:19: at: invalid type: integer `1780305001200`, expected a string; a line is one object with "at" and "source"
        error: r.jsonl:3: at: "yesterday" is no time; RFC 3339 is wanted, e.g. 2026-06-01T12:00:00.250Z
        error: r.jsonl:3:1229: source: invalid type: sequence, expected a string; a line is one object with "at" and "source"
        error: r.jsonl:3: event: the event is not an object; {"CreatedDate": …, …} is wanted
        error: r.jsonl:3: the event cannot be read: devorg__Payload__c: expected a string that holds a JSON object
        error: r.jsonl:3: the event cannot be read: devorg__Payload__c.conversationIdentifier: the JSON ends too early
        error: r.jsonl:2:423: reps: invalid type: string "Bo", expected a list; {"reps": […], "queues": […], "flows": […], "contacts": […]} is wanted
        error: r.jsonl:2:549: reps[0].queues: invalid type: map, expected a list; {"reps": […], "queues": […], "flows": […], "contacts": […]} is wanted
        error: r.jsonl:10:49: request: invalid type: string "POST", expected an object; {"method": "POST", "path": "/api/v1/route", "headers": {…}, "body": {…}} is wanted
        error: r.jsonl:10:368: request.method: invalid type: null, expected a string; {"method": "POST", "path": "/api/v1/route", "headers": {…}, "body": {…}} is wanted
        error: r.jsonl:10:612: response.status: invalid type: string "202", expected a whole number; {"status": 202, "body": {…}}, or null where the answer was lost is wanted
        error: r.jsonl:11:98: rep: invalid type: sequence, expected a RepId; a rep's id, 005…, or null for nobody is wanted
        error: r.jsonl:15:15: agentWork: invalid length 0, expected an object; {"workItemId": "0Mw…", "workId": "0Bz…", "workEvent": "ACCEPTED"} is wanted
        error: r.jsonl:15:47: agentWork.workId: invalid type: integer `4`, expected a string; {"workItemId": "0Mw…", "workId": "0Bz…", "workEvent": "ACCEPTED"} is wanted
        error: r.jsonl:4: not an object; a line is one object with "at" and "source"
        error: r.jsonl:4:20: missing field `at`; a line is one object with "at" and "source"
        error: r.jsonl:4:34: missing field `source`; a line is one object with "at" and "source"
        error: r.jsonl:4: event: it is missing; {"CreatedDate": …, …} is wanted
        "#);
    }

    #[test]
    fn a_value_that_cannot_be_is_named_with_what_would_be_right() {
        let said = [
            changed(2, "/reps/1/id", json!("00GgL00000YYgCy")),
            changed(2, "/queues/0/id", json!("00GgL00000U6T")),
            changed(2, "/reps/1/availability", json!("ASLEEP")),
            changed(11, "/rep", json!("005gL00000YYgCy1AA")),
            changed(15, "/agentWork/workItemId", json!("0JRgL00000VSH84")),
            changed(1, "/definition/RoutingOwner", json!("Nobody")),
            changed(1, "/definition/IsConferenceSupported", json!("perhaps")),
            changed(1, "/definition/MaxParticipantsForCnfrOverride", json!(-1)),
            changed(1, "/definition", json!([])),
        ];
        assert_snapshot!(said.concat(), @r#"
        error: r.jsonl:2:688: reps[1].id: '00GgL00000YYgCy' is not a valid rep id: those start with 005; {"reps": […], "queues": […], "flows": […], "contacts": […]} is wanted
        error: r.jsonl:2:283: queues[0].id: '00GgL00000U6T' is not a valid queue id: it has 13 characters, not 15 or 18; {"reps": […], "queues": […], "flows": […], "contacts": […]} is wanted
        error: r.jsonl:2:631: reps[1].availability: unknown variant `ASLEEP`, expected one of `AVAILABLE`, `BUSY`, `OFFLINE`; {"reps": […], "queues": […], "flows": […], "contacts": […]} is wanted
        error: r.jsonl:11:117: rep: '005gL00000YYgCy1AA' is not a valid rep id: its checksum should be QAL; was its case changed?; a rep's id, 005…, or null for nobody is wanted
        error: r.jsonl:15: the event cannot be read: agentWork.workItemId: '0JRgL00000VSH84' is not a valid work item id: those start with 0Mw
        error: r.jsonl:1: definition: RoutingOwner is 'Nobody'; it must be Partner or Salesforce
        error: r.jsonl:1: definition: IsConferenceSupported is 'perhaps'; it must be true or false
        error: r.jsonl:1: definition: MaxParticipantsForCnfrOverride is -1; it must be a whole number of participants, 0 or more
        error: r.jsonl:1: definition: the channel definition is not a channel definition: a list; it should be an object with fields like RoutingOwner
        "#);
    }

    #[test]
    fn routing_settings_that_cannot_be_are_named() {
        let with = |routing: Value| {
            let mut recording = Recording::load("conference-queue");
            recording.lines[1]["routing"] = routing;
            complaint(recording.text())
        };
        let said = [
            with(json!({"ring": "everybody"})),
            with(json!({"ringing": "all"})),
            with(json!({"ring_seconds": 0, "margin_seconds": 90})),
            with(json!({"capacity_weight": -1})),
            with(json!("all")),
        ];
        assert_snapshot!(said.concat(), @r#"
        error: r.jsonl:2: routing.ring: unknown variant `everybody`, expected one of `one at a time`, `one-at-a-time`, `one_at_a_time`, `all`
        error: r.jsonl:2: routing.ringing: unknown field `ringing`, expected one of `ring`, `report`, `ring_seconds`, `margin_seconds`, `search_seconds`, `route_waiting`, `ring_all_at_most`, `owed_alert_seconds`, `capacity_weight`, `capacity_percentage`
        error: r.jsonl:2: routing: ring_seconds must be 1 to 3600; margin_seconds must be 1 to 50: it is taken from Salesforce's 60
        error: r.jsonl:2: routing: capacity_weight must be 0 or more
        error: r.jsonl:2: routing: it is not an object; {"ring": "all"} is wanted
        "#);
    }

    #[test]
    fn a_line_over_the_limit_is_named() {
        let mut text = Recording::load("conference-queue").text().into_bytes();
        text.extend(std::iter::repeat_n(b' ', 16 * 1024 * 1024 + 1));
        text.extend(b"{}\n");
        assert_snapshot!(complaint(text), @"error: r.jsonl:20: the line has more than 16777216 bytes; a recording has one JSON object a line");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_named_with_their_place() {
        let text = text("conference-queue").into_bytes();
        let at = text.windows(4).position(|four| four == "Björ".as_bytes().split_at(4).0).unwrap();
        let mut text = text;
        text[at + 2] = 0xff;
        assert_snapshot!(complaint(text), @"error: r.jsonl:2:99: not UTF-8; a recording is written in UTF-8");
    }

    #[test]
    fn a_line_that_is_too_early_is_named_with_the_one_before_it() {
        assert_snapshot!(changed(7, "/at", json!("2026-06-01T09:10:09.099Z")), @"error: r.jsonl:7: 2026-06-01T09:10:09.099Z is earlier than 2026-06-01T09:10:09.100Z of line 6; a recording is in time order");
        let same = Recording::load("conference-queue").with(6, "/at", json!("2026-06-01T11:10:09.100+02:00"));
        fine(&replayed(&same, &[]));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let desk = Desk::with("there.jsonl", text("conference-rep"));
        std::fs::create_dir(desk.0.path().join("folder")).unwrap();
        assert_snapshot!(refused(&desk.replay(&["gone.jsonl"])), @"error: cannot read the recording gone.jsonl: No such file or directory (os error 2)");
        assert_snapshot!(refused(&desk.replay(&["folder"])), @"error: folder is a folder; a recording (.jsonl) is wanted");
        let output = desk.replay(&["there.jsonl", "gone.jsonl"]);
        refused(&output);
        assert!(stdout(&output).contains("nothing differs"), "the first one was replayed");
    }

    #[test]
    fn wrong_use_is_one_line() {
        let said = [
            replay(&[QUEUE, "--speed", "0"]),
            replay(&[QUEUE, "--speed=-1"]),
            replay(&[QUEUE, "--speed", "fast"]),
            replay(&[QUEUE, "--speed", "inf"]),
            replay(&[QUEUE, "--against", "nobody"]),
            replay(&[QUEUE, "--against", "ftp://example.com"]),
            replay(&[QUEUE, "--against", "http://"]),
            replay(&[QUEUE, "--ring", "some"]),
            replay(&[QUEUE, "--platform-participant-limit", "1"]),
            replay(&[QUEUE, "--spede", "1"]),
            replay::<&str>(&[]),
        ];
        for output in &said {
            assert_eq!(stdout(output), "");
        }
        assert_snapshot!(said.iter().map(refused).collect::<String>(), @r"
        error: invalid value '0' for '--speed <TIMES>': a number above 0 is wanted, e.g. 1 for real time; try '--help'
        error: invalid value '-1' for '--speed <TIMES>': a number above 0 is wanted, e.g. 1 for real time; try '--help'
        error: invalid value 'fast' for '--speed <TIMES>': a number above 0 is wanted, e.g. 1 for real time; try '--help'
        error: invalid value 'inf' for '--speed <TIMES>': a number above 0 is wanted, e.g. 1 for real time; try '--help'
        error: invalid value 'nobody' for '--against <emulator|URL>': 'emulator' or an address is wanted, e.g. http://127.0.0.1:8085; try '--help'
        error: invalid value 'ftp://example.com' for '--against <emulator|URL>': 'emulator' or an address is wanted, e.g. http://127.0.0.1:8085; try '--help'
        error: invalid value 'http://' for '--against <emulator|URL>': 'emulator' or an address is wanted, e.g. http://127.0.0.1:8085; try '--help'
        error: invalid value 'some' for '--ring <RING>' [possible values: one-at-a-time, all]; try '--help'
        error: invalid value '1' for '--platform-participant-limit <N>': 1 is not in 2..=4294967295; try '--help'
        error: unexpected argument '--spede' found; tip: a similar argument exists: '--speed'; try '--help'
        error: the following required arguments were not provided: <FILE>...; try '--help'
        ");
    }

    #[test]
    fn an_address_where_nobody_listens_is_named() {
        let said = refused(&replay(&[QUEUE, "--against", "http://127.0.0.1:1"]));
        assert_snapshot!(said, @"error: http://127.0.0.1:1: nobody can be reached there: Connection refused (os error 111)");
    }

    #[test]
    fn an_org_wants_credentials() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        // Somebody who is no emulator and says 404 to all there is.
        let org = std::thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        let without_org = replay(&[QUEUE, "--against", &address]);
        let without_token = replay(&[QUEUE, "--against", &address, "--org-id", "00DgL00000AUUra"]);
        org.join().unwrap();
        let said = [refused(&without_org), refused(&without_token)].concat().replace(&address, "ORG");
        assert_snapshot!(said, @r"
        error: ORG is an org: --org-id 00D… is wanted
        error: ORG is an org: --access-token-file, or --consumer-key with --username and --private-key, is wanted
        ");
    }
}

mod what_is_not_known {
    use super::*;

    #[test]
    fn is_counted_and_ignored_and_changes_nothing() {
        let mut recording = Recording::load("conference-queue");
        let conversation = "08518f05-e610-4643-9d88-62688deaad81";
        let event = |payload: &Value| {
            json!({"CreatedDate": 1_780_305_001_500_u64, "devorg__EventType__c": "Interaction",
                   "devorg__Payload__c": payload.to_string()})
        };
        let entry = |entry: Value| {
            json!({"conversationIdentifier": conversation, "payload": {"identifier": "x", "entryType": entry["entryType"],
                   "entryPayload": entry}})
        };
        let at = "2026-06-01T09:10:01.700Z";
        let news = [
            json!({"at": at, "source": "carrier-pigeon", "feathers": 12}),
            json!({"at": at, "source": "connector-api", "message": "SET_STATUS", "status": [1]}),
            json!({"at": at, "source": "connector-api", "message": "AGENT_WORK_EVENT", "agentWork":
                {"workItemId": "0MwgL00000VSH84", "workId": "0BzgL00000Evm1S", "workEvent": "PAUSED", "new": {}}}),
            json!({"at": at, "source": "pubsub", "event": {"devorg__EventType__c": "Weather", "devorg__Payload__c": "{}"}}),
            json!({"at": at, "source": "pubsub", "event": {"Another__c": "event"}}),
            json!({"at": at, "source": "pubsub", "event": event(&entry(json!({"entryType": "HologramStarted"})))}),
            json!({"at": at, "source": "pubsub", "event": event(&entry(json!({"entryType": "SessionStatusChanged",
                "sessionId": "0MwgL00000VSH84", "sessionStatus": "Frozen"})))}),
            json!({"at": at, "source": "pubsub", "event": {"devorg__EventType__c": "RoutingRequested",
                "devorg__Payload__c": json!({"payload": {"conversationIdentifier": conversation, "routingType": "Teleport",
                    "routingParameters": {"userId": "005gL00000YYgCy"}}}).to_string()}}),
        ];
        for line in news.into_iter().rev() {
            recording.lines.insert(5, line);
        }
        for line in &mut recording.lines {
            line["field of tomorrow"] = json!({"deep": [null]});
        }
        let said = fine(&replayed(&recording, &[]));
        let (story, sum) =
            below_title(&said).split_once("\n1 request").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(story, queue_timeline().split_once("\n1 request").unwrap().0);
        assert_snapshot!(sum, @r"
        : 1 joined · 3 calls · 27 lines
        ignored: GET_CONTACTS, which routes nothing (1)
        ignored: Message, of no use for routing (2)
        ignored: a rep's pause, of no use for routing (1)
        ignored: an event of another channel (1)
        ignored: entry type HologramStarted, which is not known here (1)
        ignored: event type Weather, which is not known here (1)
        ignored: routingType Teleport, which is not known here (1)
        ignored: sessionStatus Frozen, which is not known here (1)
        ignored: source carrier-pigeon, which is not known here (1)
        ignored: source connector-api SET_STATUS, which is not known here (1)
        nothing differs
        ");
    }

    #[test]
    fn a_channel_that_salesforce_routes_has_its_requests_ignored() {
        let recording =
            Recording::load("conference-rep").with(0, "/definition/RoutingOwner", json!("Salesforce"));
        let recording = recording.without(|line| line["source"] == "interaction-service");
        let said = fine(&replayed(&recording, &[]));
        assert!(
            said.contains("\nignored: RoutingRequested, while Salesforce owns the routing (1)\n"),
            "{said}"
        );
        assert!(said.contains("\n0 requests · 0 calls · "), "{said}");
    }
}

mod without_recorded_calls {
    use super::*;

    fn stripped(name: &str) -> Recording {
        Recording::load(name).without(|line| line["source"] == "interaction-service")
    }

    #[test]
    fn the_emulator_answers_by_itself_and_it_says_so() {
        let said = fine(&replayed(&stripped("conference-queue"), &[]));
        let title = said.lines().next().unwrap();
        assert_eq!(title, "r.jsonl  answered by the emulator, for it holds no recorded calls");
        // The accept is the recording's, at the recording's time.
        assert!(said.contains("\n09:10:36.975  offer accepted         Bo Nyström "), "{said}");
        assert!(said.contains("\n09:10:36.975  JOINED                 Bo Nyström joined."), "{said}");
        assert!(!said.contains("differ"), "nothing was compared: {said}");
    }

    #[test]
    fn reps_of_whom_nothing_is_recorded_follow_their_scripts() {
        let silent = |name| {
            let is_news =
                |line: &Value| is_work_event(line) || line.to_string().contains("ParticipantChanged");
            stripped(name).without(is_news)
        };
        // Bo's script accepts after 6.5 seconds.
        assert_snapshot!(below_title(&fine(&replayed(&silent("conference-queue"), &[]))), @r"
        conversation 08518f05-e610-4643-9d88-62688deaad81  2026-06-01
        09:10:01.200  session                Active, was Waiting             0MwgL00000VSH84
        09:10:30.000  Conference asked for   queue Réparations               request efc42591-02e2-4f91-8f7c-ba06b1dab07e
        09:10:30.000  POST /route            queue Réparations               202  +50 ms  0JRtT000008DwoqWAC
        09:10:30.050  find a rep             queue Réparations               Bo Nyström  +209 ms
        09:10:30.259  POST /agentWork        Bo Nyström                      202  +50 ms  0BztT000008DworSAC
        09:10:30.259  offer assigned         Bo Nyström                      0BztT000008Dwor
        09:10:30.259  offer assigned         Bo Nyström                      0BztT000008Dwor
        09:10:30.309  POST /routingResult    success                         202  +50 ms
        09:10:36.759  offer accepted         Bo Nyström                      0BztT000008Dwor
        09:10:36.759  tell the end user      Bo Nyström joined
        09:10:36.759  JOINED                 Bo Nyström joined.  6.8 s after the request
        09:10:36.759  offer accepted         Bo Nyström                      0BztT000008Dwor
        09:10:36.759  participants           + Bo Nyström

        1 request: 1 joined · 3 calls · 9 lines
        ignored: GET_CONTACTS, which routes nothing (1)
        ignored: Message, of no use for routing (2)
        ");
        let declining = silent("conference-queue").with(1, "/reps/1/script", json!({"does": "decline"}));
        let said = fine(&replayed(&declining, &[]));
        assert!(said.contains("\n1 request: 1 declined · "), "{said}");
    }

    #[test]
    fn the_seed_decides_the_ids() {
        let recording = stripped("conference-rep");
        let said = |args: &[&str]| fine(&replayed(&recording, args));
        assert_eq!(said(&["--seed", "7"]), said(&["--seed", "7"]));
        assert_ne!(said(&["--seed", "7"]), said(&["--seed", "8"]));
        assert_eq!(said(&["--seed", "1"]), said(&[]));
    }

    #[test]
    fn what_the_recording_leaves_open_may_be_said_on_the_command_line() {
        let recording = stripped("ring-all-two-accepts").without(is_work_event);
        let mut unsaid = recording.clone();
        unsaid.lines[1].as_object_mut().unwrap().remove("routing");
        let offers = |recording: &Recording, args: &[&str]| {
            fine(&replayed(recording, args)).matches("  POST /agentWork ").count()
        };
        assert_eq!(offers(&unsaid, &["--ring", "all"]), 2);
        assert_eq!(offers(&unsaid, &[]), 1);
        assert_eq!(offers(&recording, &["--ring", "one-at-a-time"]), 2, "the recording says otherwise");
        let said = fine(&replayed(&unsaid, &["--report", "accepted"]));
        let accepted = said.find("offer accepted").unwrap();
        assert!(said.find("POST /routingResult").unwrap() > accepted, "{said}");
    }
}

mod spellings {
    use super::*;

    /// Both spellings of an Avro union, in the event's own fields.
    fn respelled(name: &str, as_union: bool) -> String {
        let mut recording = Recording::load(name);
        for line in &mut recording.lines {
            for field in ["devorg__EventType__c", "devorg__Payload__c"] {
                let Some(value) = line.pointer_mut(&format!("/event/{field}")) else { continue };
                let plain = value.get("string").unwrap_or(value).clone();
                assert!(plain.is_string());
                *value = if as_union { json!({"string": plain}) } else { plain };
            }
        }
        recording.text()
    }

    #[test]
    fn both_forms_of_an_avro_union_give_the_same_timeline() {
        for name in ["conference-queue", "cancelled-while-ringing", "session-ended"] {
            let desk = Desk::with("union.jsonl", respelled(name, true));
            desk.put("plain.jsonl", respelled(name, false));
            let [union, plain] =
                ["union.jsonl", "plain.jsonl"].map(|file| below_title(&fine(&desk.replay(&[file]))));
            assert_eq!(union, plain);
            assert_eq!(union, below_title(&fine(&replay(&[format!("fixtures/{name}.jsonl")]))));
        }
    }

    #[test]
    fn line_ends_and_blank_lines_do_not_matter() {
        let text = text("conference-queue");
        let spellings = [
            text.replace('\n', "\r\n"),
            text.trim_end().to_owned(),
            format!("\n  \n{}\n\t\n\n", text.replace('\n', "\n\n")),
            format!("\u{feff}{text}"),
        ];
        for spelling in spellings {
            let desk = Desk::with("r.jsonl", &spelling);
            assert_eq!(below_title(&fine(&desk.replay(&["r.jsonl"]))), queue_timeline());
        }
    }

    #[test]
    fn a_mistake_after_blank_lines_is_named_by_the_files_own_line() {
        let desk = Desk::with("r.jsonl", format!("\n\r\n{}\n\nnonsense", text("conference-rep")));
        let lines = text("conference-rep").lines().count();
        assert!(refused(&desk.replay(&["r.jsonl"])).starts_with(&format!("error: r.jsonl:{}", lines + 5)));
    }

    #[test]
    fn an_empty_recording_is_a_short_story() {
        let desk = Desk::with("empty.jsonl", "");
        desk.put("blank.jsonl", "\r\n\n");
        assert_snapshot!(fine(&desk.replay(&["empty.jsonl"])), @r"
        empty.jsonl  answered by the emulator, for it holds no recorded calls

        0 requests · 0 calls · 0 lines
        ");
        assert_eq!(
            below_title(&fine(&desk.replay(&["blank.jsonl"]))),
            below_title(&fine(&desk.replay(&["empty.jsonl"])))
        );
        assert_eq!(fine(&desk.replay(&["empty.jsonl", "--json"])), "");
    }
}

mod the_terminal {
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
        recording.lines[offer]["response"] =
            json!({"status": 400, "body": {"code": 99_999, "message": EVIL}});
        let request = json!({"method": EVIL, "path": EVIL, "body": {EVIL: EVIL}});
        recording.lines.push(json!({"at": last, "source": "interaction-service", "request": request}));
        recording.lines.push(json!({"at": last, "source": EVIL, "message": EVIL}));
        for args in [&["--color", "always"][..], &["--color", "always", "--against", "emulator"], &["--json"]]
        {
            let output = replayed(&recording, args);
            for said in [stdout(&output), stderr(&output)] {
                assert!(!said.contains("\u{1b}[2J"), "{said:?}");
                let wild = |c: char| c.is_control() && c != '\n' && c != '\u{1b}';
                assert!(!said.contains(wild), "{said:?}");
                assert!(!said.lines().any(|line| line.starts_with('Z')), "{said:?}");
            }
            let both = stdout(&output) + &stderr(&output);
            assert!(
                both.contains("a\u{fffd}[2Jb\u{fffd}c\u{fffd}Z\u{fffd}") || args == ["--json"],
                "{both:?}"
            );
        }
    }
}
