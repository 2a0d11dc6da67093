//! Recordings: the fixtures read as they should, and nothing that is broken gets past the reader unnamed.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

use byoc_connector::events::{Decoder, PassedBy};
use byoc_connector::model::event::{Happening, SkillRequirement, Target};
use byoc_connector::model::ids;
use byoc_connector::model::roster::{Rep, Roster};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{CancelReason, SessionStatus, WorkChange};
use byoc_connector::recording::{
    AgentWork, Config, Error, Exchange, Feed, Item, Json, Line, MAX_LINE, Problem, Reader, RepFinder,
    Response, Source, Writer,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries = std::fs::read_dir(folder).expect("the fixtures are in the repository");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    files
}

fn bytes(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(file).expect("the fixture is in the repository")
}

fn lines(name: &str, bytes: &[u8]) -> Vec<Result<Line, Error>> {
    Reader::new(name, bytes).collect()
}

fn items(name: &str, bytes: &[u8]) -> Vec<Result<Item, Error>> {
    Feed::start(name, Cursor::new(bytes.to_vec()), None).expect("threads").collect()
}

/// What happened in a fixture, in order, and what was passed by.
fn told(name: &str) -> (Vec<Happening>, Vec<PassedBy>) {
    let (mut happenings, mut passed) = (Vec::new(), Vec::new());
    for item in items(name, &bytes(name)) {
        let Some(event) = item.expect("fixtures are whole").event else { continue };
        happenings.extend(event.events.into_iter().map(|event| event.what));
        passed.extend(event.passed_by);
    }
    (happenings, passed)
}

#[test]
fn every_fixture_is_read_whole_and_the_same_by_both_readers() {
    let files = fixtures();
    assert_eq!(files.len(), 29);
    for file in files {
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let text = bytes(&name);
        let read: Vec<Line> = lines(&name, &text).into_iter().collect::<Result<_, _>>().expect("no error");
        let fed: Vec<Item> = items(&name, &text).into_iter().collect::<Result<_, _>>().expect("no error");
        assert_eq!(read.len(), text.split(|byte| *byte == b'\n').count() - 1, "{name}");
        assert_eq!(read, fed.iter().map(|item| item.line.clone()).collect::<Vec<_>>(), "{name}");
        let mut decoder = Decoder::default();
        for item in &fed {
            let event = item.line.decode(&mut decoder).expect("no error");
            assert_eq!(item.event, event, "{name}:{}", item.line.number);
            assert!(!matches!(item.line.source, Source::Unknown { .. }), "{name}:{}", item.line.number);
            let passed = item.event.as_ref().and_then(|event| event.passed_by.as_ref());
            assert!(matches!(passed, None | Some(PassedBy::Unused("Message"))), "{name}: {passed:?}");
        }
    }
}

#[test]
fn every_id_in_the_fixtures_is_of_its_kind() {
    let mut seen = BTreeMap::new();
    for file in fixtures() {
        for line in std::fs::read_to_string(&file).expect("UTF-8").lines() {
            check_ids(&file, &serde_json::from_str(line).expect("JSON"), &mut seen);
        }
    }
    let kinds = ["botId", "flowId", "pendingServiceRoutingId", "queueId", "userId", "workId", "workItemId"];
    for kind in kinds {
        assert!(seen.get(kind).is_some_and(|count| *count > 0), "no {kind} was seen");
    }
}

/// Checks every id below `value`, also inside of strings that hold JSON, and counts them by field.
fn check_ids(file: &Path, value: &Value, seen: &mut BTreeMap<String, usize>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| check_ids(file, value, seen)),
        Value::String(text) if text.starts_with('{') => {
            check_ids(file, &serde_json::from_str(text).expect("JSON inside of a string"), seen);
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                check_ids(file, value, seen);
                let Some(text) = value.as_str().filter(|text| !text.starts_with("ext-")) else { continue };
                let right = match key.as_str() {
                    "userId" | "agentSessionId" | "workOwnerId" | "CreatedById" => {
                        text.parse::<ids::RepId>().err()
                    }
                    "queueId" => text.parse::<ids::QueueId>().err(),
                    "flowId" => text.parse::<ids::FlowId>().err(),
                    "botId" => text.parse::<ids::BotId>().err(),
                    "workItemId" | "sessionId" | "workTargetId" | "recordId" => {
                        text.parse::<ids::WorkItemId>().err()
                    }
                    "workId" | "agentWorkId" => text.parse::<ids::AgentWorkId>().err(),
                    "psrId" | "pendingServiceRoutingId" => text.parse::<ids::PsrId>().err(),
                    "OrgId" => text.parse::<ids::OrgId>().err(),
                    "eventId" | "conversationIdentifier" | "RequestId" | "routingCorrelationId" => {
                        assert!(uuid_like(text), "{}: {key} {text}", file.display());
                        None
                    }
                    _ => continue,
                };
                assert_eq!(right, None, "{}: {key}", file.display());
                *seen.entry(key.clone()).or_default() += 1;
            }
        }
        _ => {}
    }
}

fn uuid_like(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[test]
fn a_queue_conference_is_told_from_the_click_to_the_join() {
    let (happenings, passed) = told("conference-queue.jsonl");
    assert!(matches!(&happenings[0], Happening::SessionChanged { status: SessionStatus::Active, .. }));
    let request = happenings.iter().find_map(|happening| match happening {
        Happening::RoutingRequested(request) => Some(request),
        _ => None,
    });
    assert!(matches!(request.expect("a request").target, Target::Queue(_)));
    let changes: Vec<_> = happenings
        .iter()
        .filter_map(|happening| match happening {
            Happening::WorkChanged(changed) => Some((changed.change, changed.rep.is_some())),
            _ => None,
        })
        .collect();
    // The browser does not say whose it is, the stream does.
    let both = |change| [(change, false), (change, true)];
    assert_eq!(changes, [both(WorkChange::Assigned), both(WorkChange::Accepted)].concat());
    assert!(
        happenings
            .iter()
            .any(|happening| matches!(happening, Happening::RoutingStarted { psr: Some(_), .. }))
    );
    assert!(matches!(happenings.last(), Some(Happening::ParticipantsChanged(changes)) if changes[0].joined));
    assert_eq!(passed, [PassedBy::Unused("Message"), PassedBy::Unused("Message")]);
}

#[test]
fn what_called_routing_off_is_told_in_the_fixtures() {
    let reasons = |name| -> Vec<_> {
        let (happenings, _) = told(name);
        let cancelled = happenings.into_iter().filter_map(|happening| match happening {
            Happening::RoutingCancelled(cancelled) => Some((cancelled.reason, cancelled.by.is_some())),
            _ => None,
        });
        cancelled.collect()
    };
    // The second is the echo of the connector's own clearing.
    let requester = (CancelReason::Cancel, true);
    assert_eq!(reasons("cancelled-while-ringing.jsonl"), [requester, (CancelReason::Cancel, false)]);
    assert_eq!(reasons("cancelled-after-join.jsonl"), [requester]);
    assert_eq!(reasons("nobody-left.jsonl"), [(CancelReason::Decline, false)]);
    assert_eq!(reasons("end-user-ended.jsonl")[0].0, CancelReason::EndUserEnded);
}

#[test]
fn the_targets_of_the_fixtures_are_read() {
    let target = |name| {
        let requested = told(name).0.into_iter().find_map(|happening| match happening {
            Happening::RoutingRequested(request) => Some(request.target),
            _ => None,
        });
        requested.expect("a request")
    };
    assert!(matches!(target("conference-rep.jsonl"), Target::Rep(_)));
    assert!(matches!(target("conference-flow-to-rep.jsonl"), Target::Flow { fallback: Some(_), .. }));
    assert!(matches!(target("conference-skills.jsonl"), Target::Skills(skills) if skills.len() == 2));
    assert!(matches!(target("external-contact.jsonl"), Target::External(_)));
    assert!(matches!(target("bot.jsonl"), Target::Bot(_)));
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn the_fixtures_are_what_their_generator_writes() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/make-fixtures");
    match std::process::Command::new("python3").arg(script).arg("--check").output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("skipped: python3 cannot be run ({error})"),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_malformed_is_named_by_file_and_line() {
    let event = r#"{"at":"2026-06-01T09:00:00Z","source":"pubsub","event":"#;
    let finder = r#"{"at":"2026-06-01T09:00:00Z","source":"rep-finder","#;
    let exchange = r#"{"at":"2026-06-01T09:00:00Z","source":"interaction-service","#;
    let work = r#"{"at":"2026-06-01T09:00:00Z","source":"connector-api","message":"AGENT_WORK_EVENT""#;
    let cases = [
        (
            r#"{"at":"2026-06-01T09:00:00Z","sour"#.into(),
            "x.jsonl:3:34: the JSON ends too early; a line is one object with \"at\" and \"source\"",
        ),
        ("nonsense".into(), "x.jsonl:3: not an object; a line is one object with \"at\" and \"source\""),
        ("[]".into(), "x.jsonl:3: not an object; a line is one object"),
        (r#"{"source":"config"}"#.into(), "x.jsonl:3:19: missing field `at`"),
        (
            r#"{"at":5,"source":"config"}"#.into(),
            "x.jsonl:3:7: at: invalid type: integer `5`, expected a string",
        ),
        (
            r#"{"at":"yesterday","source":"config"}"#.into(),
            "x.jsonl:3: at: \"yesterday\" is no time; RFC 3339 is wanted, e.g. 2026-06-01T12:00:00.250Z",
        ),
        (format!("{event}[]}}"), "x.jsonl:3: event: the event is not an object; {"),
        (
            r#"{"at":"2026-06-01T09:00:00Z","source":"pubsub"}"#.into(),
            "x.jsonl:3: event: it is missing; {\"CreatedDate\"",
        ),
        (
            format!(r#"{finder}"rep":"00GgL00000AbCdE"}}"#),
            "rep: '00GgL00000AbCdE' is not a valid rep id: those start with 005; a rep's id, 005…",
        ),
        (
            format!(r#"{finder}"exclude":["005gL00000AbCdE",7]}}"#),
            "exclude[1]: invalid type: integer `7`, expected a RepId; a list of reps",
        ),
        (
            format!(r#"{exchange}"request":{{"method":"POST"}}}}"#),
            "request: missing field `path`; {\"method\"",
        ),
        (
            format!(r#"{exchange}"request":{{"method":"POST","path":"/"}},"response":{{"status":"ok"}}}}"#),
            "response.status: invalid type: string \"ok\", expected a whole number; {\"status\": 202",
        ),
        (format!("{work}}}"), "x.jsonl:3: agentWork: it is missing; {\"workItemId\": \"0Mw…\""),
        (
            format!(r#"{work},"agentWork":{{"workItemId":"0Mw","workId":"0Bz","workEvent":"ASSIGNED"}}}}"#),
            "x.jsonl:3: the event cannot be read: agentWork.workItemId: '0Mw' is not a valid work item id",
        ),
        (
            r#"{"at":"2026-06-01T09:00:00Z","source":"config","reps":[{"id":"x"}]}"#.into(),
            "reps[0].id: 'x' is not a valid rep id: it has 1 characters, not 15 or 18",
        ),
        (
            r#"{"at":"2026-06-01T08:59:58.999Z","source":"config"}"#.into(),
            "x.jsonl:3: 2026-06-01T08:59:58.999Z is earlier than 2026-06-01T08:59:59.000Z of line 1; a recording \
             is in time order",
        ),
        (
            format!(r#"{event}{{"T__c":"Interaction","P__c":"{{\"payload\":"}}}}"#),
            "x.jsonl:3: the event cannot be read: P__c.payload: the JSON ends too early",
        ),
    ];
    for (broken, expected) in cases {
        let text = format!(
            "{}\n\n{broken}\n{}",
            r#"{"at":"2026-06-01T08:59:59Z","source":"config"}"#,
            r#"{"at":"2026-06-01T09:00:01Z","source":"config"}"#
        );
        let read = items("x.jsonl", text.as_bytes());
        let [Ok(_), Err(error), Ok(last)] = &read[..] else { panic!("{broken}: {read:?}") };
        assert!(error.to_string().contains(expected), "{broken}\n  says {error}\n  not  {expected}");
        assert_eq!((error.line, last.line.number), (3, 4), "{broken}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_named_by_their_column() {
    let text = b"{\"at\":\"2026-06-01T09:00:00Z\",\"source\":\"\xff\"}\n";
    let expected = "x.jsonl:1:40: not UTF-8; a recording is written in UTF-8";
    for error in
        [lines("x.jsonl", text).remove(0).unwrap_err(), items("x.jsonl", text).remove(0).unwrap_err()]
    {
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_line_that_is_too_long_is_named_and_the_next_one_read() {
    let mut text = vec![b' '; MAX_LINE + 1];
    let line = br#"{"at":"2026-06-01T09:00:00Z","source":"config"}"#;
    text.push(b'\n');
    text.extend_from_slice(line);
    let last_too_long = [line.as_slice(), b"\n", &vec![b'x'; MAX_LINE + 1]].concat();
    let longest = [line.as_slice(), &vec![b' '; MAX_LINE - line.len()], b"\n", line.as_slice()].concat();
    let expected = "x.jsonl:1: the line has more than 16777216 bytes; a recording has one JSON object a line";
    let read = lines("x.jsonl", &text);
    let [Err(error), Ok(Line { number: 2, .. })] = &read[..] else { panic!("{read:?}") };
    assert_eq!(error.to_string(), expected);
    let read = items("x.jsonl", &text);
    let [Err(error), Ok(Item { line: Line { number: 2, .. }, .. })] = &read[..] else { panic!("{read:?}") };
    assert_eq!(error.to_string(), expected);
    let read = items("x.jsonl", &last_too_long);
    assert!(matches!(&read[..], [Ok(_), Err(Error { line: 2, .. })]), "{read:?}");
    assert!(lines("x.jsonl", &longest).iter().all(Result::is_ok));
}

#[test]
fn a_source_that_fails_ends_the_reading_with_an_error() {
    struct Failing(usize);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::other("the disk is gone"));
            }
            self.0 -= 1;
            buffer[0] = b'\n';
            Ok(1)
        }
    }
    let expected = "x.jsonl:3: cannot be read: the disk is gone";
    let read: Vec<_> = Reader::new("x.jsonl", BufReader::new(Failing(2))).collect();
    assert!(matches!(&read[..], [Err(error)] if error.to_string() == expected), "{read:?}");
    let read: Vec<_> = Feed::start("x.jsonl", BufReader::new(Failing(2)), None).expect("threads").collect();
    assert!(matches!(&read[..], [Err(error)] if error.to_string() == expected), "{read:?}");
}

#[test]
fn what_is_not_known_is_kept_whole() {
    let text = concat!(
        "\u{feff}{\"at\":\"2026-06-01T09:00:00Z\",\"source\":\"weather\",\"rep\":{\"wet\":true},\"x\":[1.50]}\r\n",
        "{\"at\":\"2026-06-01T09:00:00Z\",\"source\":\"connector-api\",\"message\":\"SET_STATUS\"}",
    );
    let read: Vec<Line> =
        lines("x.jsonl", text.as_bytes()).into_iter().collect::<Result<_, _>>().expect("nothing is wrong");
    let sources: Vec<_> = read
        .iter()
        .map(|line| match &line.source {
            Source::Unknown { source, .. } => &**source,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sources, ["weather", "connector-api SET_STATUS"]);
    assert_eq!(
        String::from_utf8(written(&read)).expect("UTF-8"),
        text.replace(['\u{feff}', '\r'], "") + "\n"
    );
}

#[test]
fn a_lost_answer_and_one_that_asks_for_patience_are_told_apart() {
    let exchanges = |name: &str| -> Vec<Exchange> {
        let exchanges =
            lines(name, &bytes(name)).into_iter().filter_map(|line| match line.expect("whole").source {
                Source::Exchange(exchange) => Some(*exchange),
                _ => None,
            });
        exchanges.collect()
    };
    let lost = exchanges("agent-work-lost-answer.jsonl");
    assert_eq!(lost[0].response, None);
    assert_eq!(lost[1].response.as_ref().map(|response| response.status), Some(400));
    assert_eq!(lost[0].request_id(), lost[1].request_id());
    let limited = exchanges("rate-limited.jsonl");
    let wait = limited[0].response.as_ref().and_then(Response::retry_after);
    assert_eq!(wait, Some(std::time::Duration::from_secs(1)));
    assert_eq!(limited[1].response.as_ref().and_then(Response::retry_after), None);
    assert_eq!(limited[0].request_id(), limited[1].request_id());
    assert_ne!(limited[1].request_id(), limited[2].request_id());
}

fn written(lines: &[Line]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for line in lines {
        writer.write(line).expect("a Vec takes everything");
    }
    writer.flush().expect("a Vec takes everything");
    writer.into_inner()
}

#[test]
fn every_fixture_survives_being_written_again() {
    for file in fixtures() {
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let read: Vec<Line> = Reader::new(&*name, &*bytes(&name)).collect::<Result<_, _>>().expect("whole");
        let again: Vec<Line> =
            Reader::new(&*name, &*written(&read)).collect::<Result<_, _>>().expect("whole");
        assert_eq!(read, again, "{name}");
    }
}

#[test]
fn an_authorization_header_is_neither_read_nor_written() {
    let headers = json!({"authorization": "Bearer s3cret", "Authorization": "Bearer s3cret", "OrgId": "o"});
    let line = json!({"at": "2026-06-01T09:00:00Z", "source": "interaction-service",
        "request": {"method": "POST", "path": "/", "headers": headers},
        "response": {"status": 202, "headers": headers}});
    let read = lines("x.jsonl", line.to_string().as_bytes()).remove(0).expect("whole");
    assert!(!format!("{read:?}").contains("s3cret"));
    let Source::Exchange(mut exchange) = read.source else { panic!("an exchange") };
    exchange.headers.insert("AUTHORIZATION".into(), "Bearer s3cret".into());
    let text = written(&[Line { at: read.at, number: 1, source: Source::Exchange(exchange) }]);
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(!text.contains("s3cret") && text.contains("OrgId"), "{text}");
}

#[test]
fn json_over_several_lines_is_written_on_one() {
    let definition = Json::parse("{\n  \"DeveloperName\": \"a\\nb\"\r\n}").expect("JSON");
    let line = Line { at: Timestamp::default(), number: 1, source: Source::ChannelDefinition(definition) };
    let text = written(&[line]);
    assert_eq!(text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count(), 1);
    let read = lines("x.jsonl", &text).remove(0).expect("whole");
    let Source::ChannelDefinition(definition) = read.source else { panic!("a definition") };
    let value: Value = serde_json::from_str(definition.get()).expect("JSON");
    assert_eq!(value, json!({"DeveloperName": "a\nb"}));
}

#[test]
fn a_feed_whose_source_panics_panics_too() {
    struct Panicking;
    impl std::io::Read for Panicking {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            std::panic::panic_any("the source is broken");
        }
    }
    let feed = Feed::start("x.jsonl", BufReader::new(Panicking), None).expect("threads");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || feed.count()));
    assert_eq!(caught.expect_err("it panics").downcast_ref::<&str>(), Some(&"the source is broken"));
}

#[test]
fn a_feed_that_is_dropped_early_stops_reading() {
    let endless = BufReader::new(std::io::repeat(b'\n'));
    let many = std::io::Read::chain(Cursor::new(bytes("conference-rep.jsonl")), endless);
    let mut feed = Feed::start("x.jsonl", many, None).expect("threads");
    assert!(feed.next().is_some_and(|item| item.is_ok()));
    drop(feed);
}

// -- properties ------------------------------------------------------------------------------------------

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    let object = prop::collection::btree_map("[a-zA-Z_]{1,12}", value, 0..5);
    object.prop_map(|fields| Json::of(&fields).expect("it is JSON"))
}

fn any_id<T>(prefix: &'static str) -> impl Strategy<Value = T>
where
    T: std::str::FromStr<Err = ids::Error> + std::fmt::Debug,
{
    "[0-9A-Za-z]{12}".prop_map(move |rest| format!("{prefix}{rest}").parse().expect("it has the shape"))
}

fn any_headers() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[A-Z][a-zA-Z]{2,9}", any::<String>(), 0..3)
}

fn any_exchange() -> impl Strategy<Value = Source> {
    let response = (100_u16..600, any_headers(), prop::option::of(any_json()))
        .prop_map(|(status, headers, body)| Response { status, headers, body });
    let request = ("[A-Z]{3,6}", "/[a-zA-Z/]{0,20}", any_headers(), prop::option::of(any_json()));
    (request, prop::option::of(response)).prop_map(|((method, path, headers, body), response)| {
        Source::Exchange(Box::new(Exchange {
            method: method.into(),
            path: path.into(),
            headers,
            body,
            response,
        }))
    })
}

fn any_rep_finder() -> impl Strategy<Value = Source> {
    let skill =
        ("[a-z0-9]{1,15}", any::<Option<i32>>(), any::<bool>()).prop_map(|(id, level, additional)| {
            SkillRequirement { id: id.parse().expect("an id"), level, priority: level, additional }
        });
    let reps = || prop::collection::vec(any_id::<ids::RepId>("005"), 0..3);
    (prop::option::of(any_id("00G")), prop::collection::vec(skill, 0..3), reps(), reps()).prop_map(
        |(queue, skills, exclude, reps)| {
            Source::RepFinder(Box::new(RepFinder { queue, skills, exclude, reps }))
        },
    )
}

fn any_config() -> impl Strategy<Value = Source> {
    let rep = (any_id::<ids::RepId>("005"), any::<String>()).prop_map(|(id, name)| {
        serde_json::from_value::<Rep>(json!({"id": id, "name": name, "script": {"does": "ignore"}}))
            .expect("a rep")
    });
    (prop::collection::vec(rep, 0..3), prop::option::of(any_json())).prop_map(|(reps, routing)| {
        Source::Config(Box::new(Config { roster: Roster { reps, ..Roster::default() }, routing }))
    })
}

fn any_source() -> impl Strategy<Value = Source> {
    let event =
        (any::<String>(), any::<Option<String>>(), any_json()).prop_map(|(topic, replay_id, event)| {
            Source::PlatformEvent { topic: topic.into(), replay_id: replay_id.map(Into::into), event }
        });
    let work =
        (any::<[String; 3]>(), prop::option::of(any_id("005"))).prop_map(|([item, work, event], rep)| {
            Source::AgentWork(Box::new(AgentWork {
                work_item_id: item.into(),
                work_id: work.into(),
                work_event: event.into(),
                rep,
            }))
        });
    let contacts = (prop::option::of(any_json()), prop::option::of(any_id("0Mw")))
        .prop_map(|(filter, work_item)| Source::GetContacts { filter, work_item });
    let definition = any_json().prop_map(Source::ChannelDefinition);
    prop_oneof![event, work, contacts, any_rep_finder(), any_exchange(), definition, any_config()]
}

/// What becomes of a line's bytes.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Splice(usize, Vec<u8>),
    Repeat(usize, usize, usize),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let place = || any::<prop::sample::Index>().prop_map(|index| index.index(4_096));
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        Just(b"99999999999999999999999999e999".to_vec()),
        Just(vec![b'['; 5_000]),
        Just(br#"{"a":"#.repeat(1_000)),
        Just(br"\ud800".to_vec()),
        Just(b"null".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"\n".to_vec()),
    ];
    prop_oneof![
        place().prop_map(Damage::Cut),
        (place(), any::<u8>()).prop_map(|(at, with)| Damage::Flip(at, with)),
        (place(), piece).prop_map(|(at, with)| Damage::Splice(at, with)),
        (place(), 1_usize..200, 1_usize..4).prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
    ]
}

fn damage(line: &mut Vec<u8>, damage: &Damage) {
    let place = |at: usize| at % line.len().max(1);
    match damage {
        Damage::Cut(at) => line.truncate(place(*at)),
        Damage::Flip(at, with) => {
            let at = place(*at);
            if let Some(byte) = line.get_mut(at) {
                *byte ^= with;
            }
        }
        Damage::Splice(at, with) => {
            let at = place(*at).min(line.len());
            line.splice(at..at, with.iter().copied());
        }
        Damage::Repeat(at, length, times) => {
            let (start, end) = (place(*at).min(line.len()), (place(*at) + length).min(line.len()));
            let part = line[start..end].repeat(*times);
            line.splice(end..end, part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_written_is_read_again(
        sources in prop::collection::vec((0_i64..100_000, any_source()), 0..8)
    ) {
        let mut at = 1_780_300_800_000;
        let lines: Vec<Line> = (1..).zip(sources).map(|(number, (later, source))| {
            at += later;
            Line { at: Timestamp::from_millis(at), number, source }
        }).collect();
        let text = written(&lines);
        let read: Result<Vec<Line>, Error> = Reader::new("x.jsonl", &*text).collect();
        prop_assert_eq!(read.expect("what was written is whole"), lines);
    }

    #[test]
    fn no_damage_to_a_line_panics_and_both_readers_agree_on_it(
        fixture in any::<prop::sample::Index>(),
        line in any::<prop::sample::Index>(),
        damages in prop::collection::vec(any_damage(), 1..4),
    ) {
        let files = fixtures();
        let text = std::fs::read(fixture.get(&files)).expect("readable");
        let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let at = line.index(lines.len() - 1);
        for one in &damages {
            damage(&mut lines[at], one);
        }
        let text = lines.join(&b'\n');
        let read: Vec<_> = Reader::new("x.jsonl", &*text).collect();
        let fed = items("x.jsonl", &text);
        prop_assert_eq!(read.len(), fed.len());
        for (line, item) in read.iter().zip(&fed) {
            match (line, item) {
                (Ok(line), Ok(item)) => prop_assert_eq!(line, &item.line),
                (Err(one), Err(other)) => prop_assert_eq!(one.to_string(), other.to_string()),
                (Ok(line), Err(error)) => {
                    prop_assert!(matches!(*error.problem, Problem::Event(_)), "{error}");
                    prop_assert_eq!(error.line, line.number);
                }
                (Err(error), Ok(_)) => prop_assert!(false, "only the plain reader says {error}"),
            }
        }
    }
}
