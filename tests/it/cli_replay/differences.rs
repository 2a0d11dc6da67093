//! What is made otherwise than it was recorded is named, with its line, and is exit code 1.

use super::*;

/// Stdout of a replay in which something differs.
fn differing(output: &Output) -> String {
    assert_eq!((output.status.code(), stderr(output).as_str()), (Some(1), ""), "{}", stdout(output));
    stdout(output)
}

mod told {
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
                        && line.ends_with(" is new: the recording does not have it")
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
                format!("line {line}: {call} was made with a different body: {path} was {value} and is ");
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
        let expected = format!("line 15: DELETE /api/v1/route {clear} was recorded, but not made now\n");
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
