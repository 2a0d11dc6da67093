//! However a recording is spelt, its story is the same.

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
    empty.jsonl  answered by the emulator, because it has no recorded calls

    0 requests · 0 calls · 0 lines
    ");
    assert_eq!(
        below_title(&fine(&desk.replay(&["blank.jsonl"]))),
        below_title(&fine(&desk.replay(&["empty.jsonl"])))
    );
    assert_eq!(fine(&desk.replay(&["empty.jsonl", "--json"])), "");
}
