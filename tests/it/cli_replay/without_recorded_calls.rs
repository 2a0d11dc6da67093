//! A recording without calls is answered by the emulator.

use super::*;
use crate::support::replaying::is_work_event;

fn stripped(name: &str) -> Recording {
    Recording::load(name).without(|line| line["source"] == "interaction-service")
}

#[test]
fn the_emulator_answers_by_itself_and_it_says_so() {
    let said = fine(&replayed(&stripped("conference-queue"), &[]));
    let title = said.lines().next().unwrap();
    assert_eq!(title, "r.jsonl  answered by the emulator, because it has no recorded calls");
    // The accept is the recording's, at the recording's time.
    assert!(said.contains("\n09:10:36.975  offer accepted         Bo Nyström "), "{said}");
    assert!(said.contains("\n09:10:36.975  JOINED                 Bo Nyström joined."), "{said}");
    assert!(!said.contains("differ"), "nothing was compared: {said}");
}

#[test]
fn reps_of_whom_nothing_is_recorded_follow_their_scripts() {
    let silent = |name| {
        let is_news = |line: &Value| is_work_event(line) || line.to_string().contains("ParticipantChanged");
        stripped(name).without(is_news)
    };
    // Bo's script accepts after 6.5 seconds.
    assert_snapshot!(below_title(&fine(&replayed(&silent("conference-queue"), &[]))), @r"
    conversation 08518f05-e610-4643-9d88-62688deaad81  2026-06-01
    09:10:01.200  session                Active, was Waiting             0MwgL00000VSH84
    09:10:21.400  tell the end user      Anna Björk joined
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
    ignored: GET_CONTACTS, not used for routing (1)
    ignored: Message, not used for routing (2)
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
