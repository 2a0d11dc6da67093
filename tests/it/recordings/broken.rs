//! What is broken is named by file and line, and what comes after it is read.

use std::io::BufReader;

use byoc_connector::recording::MAX_LINE;

use super::*;

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
            "x.jsonl:3: at: \"yesterday\" is not a valid time; it must be RFC 3339, e.g. 2026-06-01T12:00:00.250Z",
        ),
        (format!("{event}[]}}"), "x.jsonl:3: event: the event is not an object; it must be {"),
        (
            r#"{"at":"2026-06-01T09:00:00Z","source":"pubsub"}"#.into(),
            "x.jsonl:3: event: it is missing; it must be {\"CreatedDate\"",
        ),
        (
            format!(r#"{finder}"rep":"00GgL00000AbCdE"}}"#),
            "rep: '00GgL00000AbCdE' is not a valid rep id: those start with 005; it must be a rep's id, 005…",
        ),
        (
            format!(r#"{finder}"exclude":["005gL00000AbCdE",7]}}"#),
            "exclude[1]: invalid type: integer `7`, expected a RepId; it must be a list of reps",
        ),
        (
            format!(r#"{exchange}"request":{{"method":"POST"}}}}"#),
            "request: missing field `path`; it must be {\"method\"",
        ),
        (
            format!(r#"{exchange}"request":{{"method":"POST","path":"/"}},"response":{{"status":"ok"}}}}"#),
            "response.status: invalid type: string \"ok\", expected a whole number; it must be {\"status\": 202",
        ),
        (format!("{work}}}"), "x.jsonl:3: agentWork: it is missing; it must be {\"workItemId\": \"0Mw…\""),
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
