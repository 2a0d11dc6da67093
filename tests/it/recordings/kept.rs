//! What is read and written again is kept whole, but for what is secret.

use super::*;

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
