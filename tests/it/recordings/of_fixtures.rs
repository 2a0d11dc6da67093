//! The fixtures are whole: both readers read them, their ids are of their kind, and they tell what they are named for.

use byoc_connector::events::{Decoder, Ignored};
use byoc_connector::model::event::{EventKind, Target};
use byoc_connector::model::words::{CancelReason, SessionStatus, WorkChange};

use super::*;

/// What happened in a fixture, in order, and what was ignored.
fn told(name: &str) -> (Vec<EventKind>, Vec<Ignored>) {
    let (mut happenings, mut passed) = (Vec::new(), Vec::new());
    for item in items(name, &bytes(name)) {
        let Some(event) = item.expect("fixtures are whole").event else { continue };
        happenings.extend(event.events.into_iter().map(|event| event.what));
        passed.extend(event.ignored);
    }
    (happenings, passed)
}

#[test]
fn every_fixture_is_read_whole_and_the_same_by_both_readers() {
    let files = fixtures();
    assert_eq!(files.len(), 34);
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
            let passed = item.event.as_ref().and_then(|event| event.ignored.as_ref());
            assert!(matches!(passed, None | Some(Ignored::Unused("Message"))), "{name}: {passed:?}");
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
    assert!(matches!(&happenings[0], EventKind::SessionChanged { status: SessionStatus::Active, .. }));
    let request = happenings.iter().find_map(|happening| match happening {
        EventKind::RoutingRequested(request) => Some(request),
        _ => None,
    });
    assert!(matches!(request.expect("a request").target, Target::Queue(_)));
    let changes: Vec<_> = happenings
        .iter()
        .filter_map(|happening| match happening {
            EventKind::WorkChanged(changed) => Some((changed.change, changed.rep.is_some())),
            _ => None,
        })
        .collect();
    // The browser does not say whose it is, the stream does.
    let both = |change| [(change, false), (change, true)];
    assert_eq!(changes, [both(WorkChange::Assigned), both(WorkChange::Accepted)].concat());
    assert!(
        happenings
            .iter()
            .any(|happening| matches!(happening, EventKind::RoutingStarted { psr: Some(_), .. }))
    );
    assert!(matches!(happenings.last(), Some(EventKind::ParticipantsChanged(changes)) if changes[0].joined));
    assert_eq!(passed, [Ignored::Unused("Message"), Ignored::Unused("Message")]);
}

#[test]
fn what_called_routing_off_is_told_in_the_fixtures() {
    let reasons = |name| -> Vec<_> {
        let (happenings, _) = told(name);
        let cancelled = happenings.into_iter().filter_map(|happening| match happening {
            EventKind::RoutingCancelled(cancelled) => Some((cancelled.reason, cancelled.by.is_some())),
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
            EventKind::RoutingRequested(request) => Some(request.target),
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
