//! What is wrong with a recording or an option is said in one line, with what would be right.

use std::io::Write;

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
    error: r.jsonl:3: at: "yesterday" is not a valid time; it must be RFC 3339, e.g. 2026-06-01T12:00:00.250Z
    error: r.jsonl:3:1229: source: invalid type: sequence, expected a string; a line is one object with "at" and "source"
    error: r.jsonl:3: event: the event is not an object; it must be {"CreatedDate": …, …}
    error: r.jsonl:3: the event cannot be read: devorg__Payload__c: expected a string that holds a JSON object
    error: r.jsonl:3: the event cannot be read: devorg__Payload__c.conversationIdentifier: the JSON ends too early
    error: r.jsonl:2:423: reps: invalid type: string "Bo", expected a list; it must be {"reps": […], "queues": […], "flows": […], "contacts": […]}
    error: r.jsonl:2:549: reps[0].queues: invalid type: map, expected a list; it must be {"reps": […], "queues": […], "flows": […], "contacts": […]}
    error: r.jsonl:10:49: request: invalid type: string "POST", expected an object; it must be {"method": "POST", "path": "/api/v1/route", "headers": {…}, "body": {…}}
    error: r.jsonl:10:368: request.method: invalid type: null, expected a string; it must be {"method": "POST", "path": "/api/v1/route", "headers": {…}, "body": {…}}
    error: r.jsonl:10:612: response.status: invalid type: string "202", expected a whole number; it must be {"status": 202, "body": {…}}, or null where the answer was lost
    error: r.jsonl:11:98: rep: invalid type: sequence, expected a RepId; it must be a rep's id, 005…, or null for nobody
    error: r.jsonl:15:15: agentWork: invalid length 0, expected an object; it must be {"workItemId": "0Mw…", "workId": "0Bz…", "workEvent": "ACCEPTED"}
    error: r.jsonl:15:47: agentWork.workId: invalid type: integer `4`, expected a string; it must be {"workItemId": "0Mw…", "workId": "0Bz…", "workEvent": "ACCEPTED"}
    error: r.jsonl:4: not an object; a line is one object with "at" and "source"
    error: r.jsonl:4:20: missing field `at`; a line is one object with "at" and "source"
    error: r.jsonl:4:34: missing field `source`; a line is one object with "at" and "source"
    error: r.jsonl:4: event: it is missing; it must be {"CreatedDate": …, …}
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
    error: r.jsonl:2:688: reps[1].id: '00GgL00000YYgCy' is not a valid rep id: those start with 005; it must be {"reps": […], "queues": […], "flows": […], "contacts": […]}
    error: r.jsonl:2:283: queues[0].id: '00GgL00000U6T' is not a valid queue id: it has 13 characters, not 15 or 18; it must be {"reps": […], "queues": […], "flows": […], "contacts": […]}
    error: r.jsonl:2:631: reps[1].availability: unknown variant `ASLEEP`, expected one of `AVAILABLE`, `BUSY`, `OFFLINE`; it must be {"reps": […], "queues": […], "flows": […], "contacts": […]}
    error: r.jsonl:11:117: rep: '005gL00000YYgCy1AA' is not a valid rep id: its checksum should be QAL; was its case changed?; it must be a rep's id, 005…, or null for nobody
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
    error: r.jsonl:2: routing.ring: unknown variant `everybody`, expected `one at a time` or `all`
    error: r.jsonl:2: routing.ringing: unknown field `ringing`, expected `ring`, `report`, `ring_seconds`, `margin_seconds`, `search_seconds`, `route_waiting`, `transfer_wait_seconds`, `ring_all_at_most`, `owed_alert_seconds`, `capacity_weight` or `capacity_percentage`
    error: r.jsonl:2: routing: ring_seconds must be 1 to 3600; margin_seconds must be 1 to 50: it is taken from Salesforce's 60
    error: r.jsonl:2: routing: capacity_weight must be 0 or more
    error: r.jsonl:2: routing: it is not an object; it must be {"ring": "all"}
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
fn a_line_that_is_years_ahead_is_named_with_the_one_before_it() {
    assert_snapshot!(changed(7, "/at", json!("2326-06-01T09:10:09.100Z")), @"error: r.jsonl:7: 2326-06-01T09:10:09.100Z is more than 30 days later than 2026-06-01T09:10:09.100Z of line 6; a recording has no such gap");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let desk = Desk::with("there.jsonl", text("conference-rep"));
    std::fs::create_dir(desk.0.path().join("folder")).unwrap();
    assert_snapshot!(refused(&desk.replay(&["gone.jsonl"])), @"error: cannot read the recording gone.jsonl: No such file or directory (os error 2)");
    assert_snapshot!(refused(&desk.replay(&["folder"])), @"error: folder is a folder; it must be a recording (.jsonl)");
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
    error: invalid value '0' for '--speed <TIMES>': it must be a number above 0, e.g. 1 for real time; try '--help'
    error: invalid value '-1' for '--speed <TIMES>': it must be a number above 0, e.g. 1 for real time; try '--help'
    error: invalid value 'fast' for '--speed <TIMES>': it must be a number above 0, e.g. 1 for real time; try '--help'
    error: invalid value 'inf' for '--speed <TIMES>': it must be a number above 0, e.g. 1 for real time; try '--help'
    error: invalid value 'nobody' for '--against <emulator|URL>': it must be 'emulator' or an address, e.g. http://127.0.0.1:8085; try '--help'
    error: invalid value 'ftp://example.com' for '--against <emulator|URL>': it must be 'emulator' or an address, e.g. http://127.0.0.1:8085; try '--help'
    error: invalid value 'http://' for '--against <emulator|URL>': it must be 'emulator' or an address, e.g. http://127.0.0.1:8085; try '--help'
    error: invalid value 'some' for '--ring <RING>' [possible values: one-at-a-time, all]; try '--help'
    error: invalid value '1' for '--platform-participant-limit <N>': 1 is not in 2..=4294967295; try '--help'
    error: unexpected argument '--spede' found; tip: a similar argument exists: '--speed'; try '--help'
    error: the following required arguments were not provided: <FILE>...; try '--help'
    ");
}

#[test]
fn an_address_where_nobody_listens_is_named() {
    let said = refused(&replay(&[QUEUE, "--against", "http://127.0.0.1:1"]));
    assert_snapshot!(said, @"error: http://127.0.0.1:1: cannot connect: Connection refused (os error 111)");
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
    error: ORG is an org: --org-id 00D… is required
    error: ORG is an org: --access-token-file, or --consumer-key with --username and --private-key, is required
    ");
}
