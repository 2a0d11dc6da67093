//! Every recording of `fixtures/`, replayed: what a person sees, and that nothing differs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::openapi::{assert_request_conforms, assert_response_conforms, required_headers};
use crate::support::replaying::{Recording, against_emulator, from_cassette, names, text};

/// What there must be a recording of, and which it is.
const WANTED: [(&str, &str); 33] = [
    ("a conference with a rep", "conference-rep"),
    ("a conference with a queue", "conference-queue"),
    ("a flow that answers with a rep", "conference-flow-to-rep"),
    ("a flow that answers with a queue", "conference-flow-to-queue"),
    ("a conference by skills", "conference-skills"),
    ("declined, and the next rep accepts", "declined-next-rep-accepts"),
    ("declined, and nobody is left", "nobody-left"),
    ("no answer", "no-answer"),
    ("no answer of the one rep who was asked", "no-answer-rep"),
    ("cancelled before the offer", "cancelled-before-offer"),
    ("cancelled while agentWork is in flight", "cancelled-while-offering"),
    ("cancelled while it rings", "cancelled-while-ringing"),
    ("cancelled after the join", "cancelled-after-join"),
    ("the end user has gone", "end-user-ended"),
    ("the session has ended", "session-ended"),
    ("the conversation is full", "limit-reached"),
    ("the channel has no conferences", "conference-not-supported"),
    ("an external contact", "external-contact"),
    ("a bot", "bot"),
    ("the rep is in the conversation already", "rep-already-in"),
    ("the route is refused by Salesforce", "route-refused"),
    ("agentWork's answer is lost", "agent-work-lost-answer"),
    ("the calls are limited", "rate-limited"),
    ("an accept comes before agentWork's answer", "accept-before-answer"),
    ("the same event comes twice", "same-event-twice"),
    ("two reps accept where all are rung", "ring-all-two-accepts"),
    ("the 60 seconds are nearly over", "sixty-seconds-nearly-over"),
    ("the session goes back to waiting", "session-waiting"),
    ("a first rep who is named", "first-routing-rep"),
    ("a first rep from a queue", "first-routing-queue"),
    ("a first rep by a flow", "first-routing-flow"),
    ("a first rep by the channel's own setting", "first-routing-channel-setting"),
    ("a first rep, and the session waits as well", "first-routing-raced"),
];

/// Recordings that are about a failure. The stand-in does not fail because it was recorded, and so the
/// request ends in another way: recorded, and there.
const ABOUT_A_FAILURE: [(&str, &str, &str); 1] = [("route-refused", "failed", "joined")];

#[test]
fn there_is_a_recording_of_everything_that_can_happen() {
    let names = names();
    for (what, name) in WANTED {
        assert!(names.iter().any(|known| known == name), "{what}: there is no {name}.jsonl");
    }
}

#[test]
fn every_recorded_body_is_as_the_interaction_service_is_described() {
    let (mut bodies, mut answers) = (0, 0);
    for name in names() {
        let recording = Recording::load(&name);
        for place in recording.exchanges() {
            let request = &recording.lines[place]["request"];
            let (method, path) =
                (request["method"].as_str().expect("text"), request["path"].as_str().expect("text"));
            assert_request_conforms(method, path, &request["body"]);
            for (header, _) in required_headers(method, path) {
                assert!(request["headers"][&header].is_string(), "{name}:{}: no {header}", place + 1);
            }
            assert_eq!(request["headers"]["Authorization"], Value::Null, "{name}:{}", place + 1);
            bodies += 1;
            let response = &recording.lines[place]["response"];
            if let Some(status) = response["status"].as_u64().and_then(|status| u16::try_from(status).ok()) {
                assert_response_conforms(method, path, status, &response["body"]);
                answers += 1;
            }
        }
    }
    assert!(bodies > 70 && answers > 70, "{bodies} bodies, {answers} answers: where are the others?");
}

#[test]
fn the_same_recording_replays_to_the_same_notes() {
    for name in names() {
        let told = || format!("{:?}", from_cassette(text(&name)).notes);
        assert_eq!(told(), told(), "{name}");
    }
}

#[test]
fn every_request_of_a_recording_ends_and_the_stand_in_ends_it_in_the_same_way() {
    let mut different = BTreeMap::new();
    for name in names() {
        let (recorded, emulated) = (from_cassette(text(&name)), against_emulator(text(&name)));
        let (recorded, emulated) = (recorded.outcomes(), emulated.outcomes());
        assert_eq!(recorded.len(), 1, "{name}: {recorded:?}");
        for (request, outcome) in recorded {
            let there = emulated.get(&request).copied().unwrap_or("nothing");
            if there != outcome {
                different.insert(name.clone(), (outcome, there));
            }
        }
    }
    let expected: BTreeMap<_, _> =
        ABOUT_A_FAILURE.into_iter().map(|(name, here, there)| (name.to_owned(), (here, there))).collect();
    assert_eq!(different, expected);
}

#[test]
fn what_reps_do_by_themselves_is_asked_of_their_scripts() {
    let queue = Recording::load("conference-queue").without(|line| {
        crate::support::replaying::is_work_event(line) || line.to_string().contains("ParticipantChanged")
    });
    let accepting = json!({"does": "accept", "afterMilliseconds": 1500});
    let declining = json!({"does": "decline", "afterMilliseconds": 1500});
    let ending = |script: &Value| {
        let recording = queue.clone().with(1, "/reps/1/script", script.clone());
        against_emulator(recording.text()).outcomes().into_values().collect::<Vec<_>>()
    };
    assert_eq!(ending(&accepting), ["joined"]);
    assert_eq!(ending(&json!({"does": "wait"})), ["joined"], "a rep without a script accepts");
    assert_eq!(ending(&declining), ["declined"]);
    assert_eq!(ending(&json!({"does": "ignore"})), ["unanswered"]);
}

#[cfg(feature = "cli")]
mod as_a_user_sees_them {
    use super::*;
    use crate::support::replaying::command::{replay, stderr, stdout};

    /// Recordings of which nothing was called, so that there is nothing to compare with.
    const WITHOUT_CALLS: [&str; 1] = ["unknown-work-item"];

    /// The lines of a recording whose call failed when it was recorded.
    fn failures(recording: &Recording) -> Vec<usize> {
        let failed = |place: &usize| {
            let status = recording.lines[*place]["response"]["status"].as_u64();
            !status.is_some_and(|status| (200..300).contains(&status))
        };
        recording.exchanges().into_iter().filter(failed).map(|place| place + 1).collect()
    }

    #[test]
    fn every_timeline_is_as_it_was_and_nothing_differs() {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for name in names() {
            let output = replay(&[format!("fixtures/{name}.jsonl")]);
            assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{name}");
            let timeline = stdout(&output);
            let compared = timeline.ends_with("\nnothing differs\n");
            assert_eq!(compared, !WITHOUT_CALLS.contains(&&*name), "{name}");
            settings.bind(|| insta::assert_snapshot!(name.as_str(), timeline));
        }
    }

    #[test]
    fn no_snapshot_is_left_of_a_recording_that_is_gone() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/snapshots");
        let entries = std::fs::read_dir(folder).expect("the snapshots are in the repository");
        for file in entries.map(|entry| entry.expect("a readable entry").path()) {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let Some(name) = name.strip_suffix(".snap") else { continue };
            assert!(names().iter().any(|known| known == name), "{}", file.display());
        }
    }

    #[test]
    fn the_times_of_a_timeline_never_go_back() {
        for name in names() {
            let timeline = stdout(&replay(&[format!("fixtures/{name}.jsonl")]));
            let is_time = |word: &&str| word.len() == 12 && word.as_bytes()[2] == b':';
            let times: Vec<_> = timeline.lines().filter_map(|line| line.get(..12)).filter(is_time).collect();
            assert!(times.len() >= 2, "{name}: {timeline}");
            assert!(times.is_sorted(), "{name}: {timeline}");
        }
    }

    #[test]
    fn a_failure_that_was_recorded_is_said_where_a_live_side_does_not_fail() {
        let mut with_failures = Vec::new();
        for name in names() {
            let output = replay(&[&format!("fixtures/{name}.jsonl"), "--against", "emulator"]);
            assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{name}");
            let said = stdout(&output);
            let lines: Vec<_> = said.lines().filter(|line| line.starts_with("recorded failure")).collect();
            let failures = failures(&Recording::load(&name));
            assert_eq!(lines.len(), failures.len(), "{name}: {said}");
            for (line, failure) in lines.iter().zip(&failures) {
                assert!(line.starts_with(&format!("recorded failure  line {failure}: ")), "{name}: {line}");
            }
            if !failures.is_empty() {
                with_failures.push(name);
            }
        }
        assert_eq!(
            with_failures,
            ["agent-work-lost-answer", "rate-limited", "ring-all-two-accepts", "route-refused"]
        );
    }
}

#[cfg(feature = "cli")]
mod against_an_address {
    use std::sync::Arc;

    use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options};
    use byoc_connector::emulator::{BearerRule, Settings};
    use byoc_connector::model::roster::Roster;
    use byoc_connector::model::time::SystemClock;

    use super::*;
    use crate::support::replaying::command::{replay, stderr, stdout};

    /// Serves an empty org at a free port, and gives what `ask` makes of its address.
    async fn with_an_emulator<T: Send + 'static>(ask: impl FnOnce(String) -> T + Send + 'static) -> T {
        let options = Options {
            seed: 1,
            roster: Roster::default(),
            settings: Settings { bearer: BearerRule::Granted, ..Settings::default() },
            app: AppSettings::default(),
            fixed_tokens: Vec::new(),
        };
        let emulator = Emulator::new(options, Arc::new(SystemClock)).expect("the sample key is a key");
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = tokio::spawn(http::serve(listener, emulator, async move { drop(stopped.await) }));
        let said = tokio::task::spawn_blocking(move || ask(address)).await.expect("no panic");
        stop.send(()).expect("the server listens");
        served.await.expect("no panic").expect("no error");
        said
    }

    #[tokio::test]
    async fn an_emulator_at_an_address_ends_a_recording_in_the_same_way() {
        let names = [
            "conference-rep",
            "conference-queue",
            "conference-flow-to-queue",
            "conference-flow-to-rep",
            "conference-skills",
            "declined-next-rep-accepts",
            "cancelled-while-ringing",
            "no-answer",
            "nobody-left",
            "session-ended",
        ];
        let outputs = with_an_emulator(move |address| {
            names.map(|name| {
                let file = format!("fixtures/{name}.jsonl");
                (name, replay(&[&file, "--against", &address, "--json"]))
            })
        })
        .await;
        for (name, output) in outputs {
            assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{name}");
            let said = stdout(&output);
            let lines: Vec<Value> =
                said.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
            let endings = lines.iter().filter(|line| !line["outcome"].is_null());
            let endings: BTreeMap<_, _> = endings
                .map(|line| {
                    let text = |field: &str| line[field].as_str().expect("text").to_owned();
                    (text("routingRequest"), text("outcome"))
                })
                .collect();
            let recorded: BTreeMap<_, _> = from_cassette(text(name))
                .outcomes()
                .into_iter()
                .map(|(request, outcome)| (request, outcome.to_owned()))
                .collect();
            assert_eq!(endings, recorded, "{name}: {said}");
            for line in lines.iter().filter(|line| line["outcome"].is_null()) {
                let method = line["method"].as_str().expect("text");
                let path = line["path"].as_str().expect("text");
                assert_request_conforms(method, path, &line["body"]);
                assert!(line["status"].is_u64(), "{name}: not answered: {line}");
            }
        }
    }

    #[tokio::test]
    async fn the_work_ids_of_a_recording_become_those_of_the_live_side() {
        let output = with_an_emulator(|address| {
            replay(&["fixtures/cancelled-while-ringing.jsonl", "--against", &address, "--json"])
        })
        .await;
        let said = stdout(&output);
        let calls: Vec<Value> =
            said.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
        let offered =
            calls.iter().find(|call| call["method"] == "POST" && call["path"] == "/api/v1/agentWork");
        let live = offered.expect("an offer")["response"]["agentWorkId"].as_str().expect("its id");
        let taken_back = calls.iter().find(|call| call["method"] == "PATCH").expect("it is taken back");
        assert_eq!(taken_back["body"]["workId"].as_str(), live.get(..15), "{said}");
        assert_eq!(taken_back["status"], 202, "{said}");
        assert!(!text("cancelled-while-ringing").contains(live), "the live side has ids of its own");
    }
}
