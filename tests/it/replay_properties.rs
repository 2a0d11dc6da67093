//! Whatever is changed in a recording, a replay says so, or it ends every request once; it never panics.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use byoc_connector::model::event::EventKind;
use byoc_connector::replay::{Difference, What, compare};
use byoc_connector::routing::Remark;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::support::replaying::{Recording, Told, against_emulator, from_cassette, names, text};

/// Tries that failed, and whose absence leaves a recording in which the call was simply answered at once:
/// without the 429, nothing differs; without the lost answer, 15109 is a refusal, and the result another.
const FAILED_TRIES: [(&str, usize, &[&str]); 2] =
    [("rate-limited", 10, &[]), ("agent-work-lost-answer", 10, &["/api/v1/routingResult"])];

fn method_and_path(difference: &Difference) -> (&str, &str) {
    match difference {
        Difference::NotRecorded { method, path, .. }
        | Difference::NotMade { method, path, .. }
        | Difference::OtherBody { method, path, .. } => (method, path),
    }
}

fn said(told: &Told) -> Vec<String> {
    told.differences().iter().map(ToString::to_string).collect()
}

#[test]
fn every_exchange_that_is_taken_away_is_missed() {
    for name in names() {
        let recording = Recording::load(&name);
        for place in recording.exchanges() {
            let line = place + 1;
            let request = &recording.lines[place]["request"];
            let told = from_cassette(recording.clone().without_line(place).text());
            told.result.as_ref().expect("a recording without an exchange can be read");
            let differences = told.differences();
            if let Some((.., paths)) = FAILED_TRIES.iter().find(|(of, at, _)| (*of, *at) == (&*name, line)) {
                let differ: Vec<_> = differences.iter().map(|found| method_and_path(found).1).collect();
                assert_eq!(differ, *paths, "{name}:{line}");
                continue;
            }
            let missed = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
            let is_missed = differences.iter().any(|difference| method_and_path(difference) == missed);
            assert!(is_missed, "{name}:{line}: {:?}", said(&told));
        }
    }
}

/// Every value below `value` that holds no others, by its JSON pointer.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, &format!("{pointer}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| leaves(item, &format!("{pointer}/{n}"), found));
        }
        leaf => found.push((pointer.to_owned(), leaf.clone())),
    }
}

/// Something else of the same type.
fn another(value: &Value) -> Value {
    match value {
        Value::Bool(yes) => json!(!yes),
        Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
        Value::String(text) => json!(format!("{}?", &text[..text.len() - 1])),
        other => panic!("{other} in a body"),
    }
}

#[test]
fn every_field_that_is_changed_is_named_with_its_line() {
    let mut kinds = BTreeSet::new();
    for name in names() {
        let recording = Recording::load(&name);
        for place in recording.exchanges() {
            let mut fields = Vec::new();
            leaves(&recording.lines[place]["request"]["body"], "", &mut fields);
            for (pointer, value) in fields {
                let changed =
                    recording.clone().with(place, &format!("/request/body{pointer}"), another(&value));
                let told = from_cassette(changed.text());
                let line = u64::try_from(place + 1).unwrap();
                let field = pointer[1..].replace("/0/", "[0].").replace('/', ".");
                check_change(&format!("{name}:{line} {field}"), &told, line, &field, &value);
                kinds.insert(field);
            }
        }
    }
    for kind in ["routingInfo.queueId", "userId", "success", "capacityWeight", "cancelReason", "status"] {
        assert!(kinds.contains(kind), "no {kind} was changed");
    }
}

/// Whether a changed field was told as it should be.
fn check_change(whence: &str, told: &Told, line: u64, field: &str, before: &Value) {
    let differences = told.differences();
    let about_line: Vec<_> = differences.iter().filter(|found| found.line() == Some(line)).collect();
    // Which conversation, or which offer: then it is another call altogether. Of two reps who ring at
    // once, a third may be meant to be either.
    let is_address = field.ends_with("conversationIdentifier")
        || field == "workId"
        || whence == "ring-all-two-accepts:12 userId";
    match (field, about_line.as_slice()) {
        // Another wording for people is not another deed.
        ("errorMessage", found) => assert!(found.is_empty() && differences.is_empty(), "{whence}"),
        (_, [Difference::NotMade { body, .. }]) if is_address => {
            assert_ne!(body.pointer(&format!("/{}", field.replace('.', "/"))), Some(before), "{whence}");
        }
        (_, [Difference::OtherBody { fields, .. }]) if !is_address => {
            let [changed] = fields.as_slice() else { panic!("{whence}: {fields:?}") };
            assert_eq!(changed.path, field, "{whence}");
            let made = changed.made.as_ref().unwrap();
            assert!(compare(before, made).is_empty(), "{whence}: {before} was made, not {made}");
        }
        (_, found) => panic!("{whence}: {found:?} of {:?}", said(told)),
    }
}

#[test]
fn an_error_message_may_be_worded_otherwise_but_not_be_gone() {
    let recording = Recording::load("bot");
    let place = recording.exchanges()[0];
    let mut gone = recording.clone();
    gone.lines[place]["request"]["body"].as_object_mut().unwrap().remove("errorMessage");
    let told = from_cassette(gone.text());
    let [Difference::OtherBody { line: 9, fields, .. }] = told.differences()[..] else {
        panic!("{:?}", said(&told))
    };
    assert_eq!((fields[0].path.as_str(), &fields[0].recorded), ("errorMessage", &None));
}

#[test]
fn an_exchange_that_nobody_makes_is_told_with_its_line() {
    for name in names() {
        let recording = Recording::load(&name);
        let Some(last) = recording.exchanges().last().copied() else { continue };
        for path in ["/api/v1/route", "/api/v1/agentWork", "/api/v1/messagingSession"] {
            let mut more = recording.clone();
            let mut exchange = more.lines[last].clone();
            let body = json!({"conversationIdentifier": "nobody's"});
            exchange["request"] = json!({"method": "POST", "path": path, "body": body});
            more.lines.insert(last + 1, exchange);
            let told = from_cassette(more.text());
            let line = u64::try_from(last + 2).unwrap();
            let expected = Difference::NotMade { line, method: "POST".into(), path: path.into(), body };
            assert_eq!(told.differences(), [&expected], "{name}");
        }
    }
}

#[test]
fn an_exchange_that_nobody_makes_is_told_of_while_a_long_recording_goes_on() {
    let exchange = |hour: u32| {
        let request = json!({"method": "POST", "path": "/api/v1/route", "body": {}});
        json!({"at": format!("2026-06-01T{hour}:00:00.000Z"), "source": "interaction-service", "request": request})
    };
    let recording = Recording { lines: vec![exchange(10), exchange(11), exchange(12)] };
    let told = from_cassette(recording.text());
    let times: Vec<_> = told.notes.iter().map(|note| note.at.to_string()[11..13].to_owned()).collect();
    assert_eq!((times, told.differences().len()), (vec!["11".into(), "12".into(), "12".into()], 3));
}

/// One thing that is done to a recording's bytes. Numbers are shares of what there is, in 65,536ths.
#[derive(Debug, Clone)]
enum Mutation {
    /// One bit of one byte.
    Flip(u16, u16, u8),
    /// One digit becomes another: what is JSON stays JSON.
    Digit(u16, u16, u8),
    /// Some bytes are cut out.
    Cut(u16, u16, u8),
    /// A line is gone.
    Drop(u16),
    /// A line comes twice.
    Repeat(u16),
    /// Two neighbours change places, their times stay.
    Swap(u16),
    /// A line of another recording, at this one's time.
    Splice(u16, u16, u16),
    /// A word of Salesforce's becomes another.
    Word(u16, usize),
}

const WORDS: [(&str, &str); 10] = [
    ("ACCEPTED", "DECLINED"),
    ("Accepted", "Declined"),
    ("ASSIGNED", "ACCEPTED"),
    ("Assigned", "Canceled"),
    ("Conference", "Transfer"),
    ("\"add", "\"remove"),
    ("Active", "Ended"),
    ("success\":true", "success\":false"),
    ("\"status\":202", "\"status\":503"),
    ("null", "0"),
];

fn mutations() -> impl Strategy<Value = Mutation> {
    let any = any::<u16>;
    prop_oneof![
        1 => (any(), any(), 0..8_u8).prop_map(|(line, at, bit)| Mutation::Flip(line, at, bit)),
        4 => (any(), any(), 0..10_u8).prop_map(|(line, at, digit)| Mutation::Digit(line, at, digit)),
        1 => (any(), any(), 1..40_u8).prop_map(|(line, at, length)| Mutation::Cut(line, at, length)),
        3 => any().prop_map(Mutation::Drop),
        3 => any().prop_map(Mutation::Repeat),
        3 => any().prop_map(Mutation::Swap),
        3 => (any(), any(), any()).prop_map(|(line, of, which)| Mutation::Splice(line, of, which)),
        3 => (any(), 0..WORDS.len()).prop_map(|(line, word)| Mutation::Word(line, word)),
    ]
}

fn share(of: u16, count: usize) -> usize {
    usize::from(of) * count / (usize::from(u16::MAX) + 1)
}

/// `{"at":"2026-06-01T09:10:00.000Z"`
const TIME: usize = 32;

fn mutate(lines: &mut Vec<Vec<u8>>, others: &[Vec<Vec<u8>>], mutation: &Mutation) {
    if lines.is_empty() {
        return;
    }
    let count = lines.len();
    match *mutation {
        Mutation::Flip(line, at, bit) => {
            let line = &mut lines[share(line, count)];
            let at = share(at, line.len());
            if let Some(byte) = line.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        Mutation::Digit(line, at, digit) => {
            let line = &mut lines[share(line, count)];
            let digits: Vec<_> = (0..line.len()).filter(|at| line[*at].is_ascii_digit()).collect();
            if let Some(at) = digits.get(share(at, digits.len())) {
                line[*at] = b'0' + digit;
            }
        }
        Mutation::Cut(line, at, length) => {
            let line = &mut lines[share(line, count)];
            let start = share(at, line.len());
            let end = line.len().min(start + usize::from(length));
            line.drain(start..end);
        }
        Mutation::Drop(line) => drop(lines.remove(share(line, count))),
        Mutation::Repeat(line) => lines.insert(share(line, count), lines[share(line, count)].clone()),
        Mutation::Swap(line) if count > 1 => {
            let first = share(line, count - 1);
            if lines[first].len() > TIME && lines[first + 1].len() > TIME {
                let tail = lines[first].split_off(TIME);
                let other = lines[first + 1].split_off(TIME);
                lines[first].extend(other);
                lines[first + 1].extend(tail);
            }
        }
        Mutation::Swap(_) => {}
        Mutation::Splice(line, of, which) => {
            let place = share(line, count);
            let other = &others[share(of, others.len())];
            let other = &other[share(which, other.len())];
            if lines[place].len() > TIME {
                let spliced = [&lines[place][..TIME], &other[TIME..]].concat();
                lines.insert(place, spliced);
            }
        }
        Mutation::Word(line, word) => {
            let (from, to) = WORDS[word];
            let line = &mut lines[share(line, count)];
            if let Ok(text) = std::str::from_utf8(line) {
                *line = text.replace(from, to).into_bytes();
            }
        }
    }
}

/// A conversation that has ended is forgotten after this long; what then comes again is new.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Checks what holds for every replay, and tells whether it could be carried through.
fn check(text: &[u8], told: &Told) -> Result<bool, TestCaseError> {
    let Ok(replayed) = &told.result else { return Ok(false) };
    // A thread that panicked would end the recording early.
    let is_blank = |line: &[u8]| line.iter().all(|byte| b" \t\r".contains(byte));
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !is_blank(line)).count();
    prop_assert_eq!(replayed.summary.lines, u64::try_from(lines).unwrap());
    let (mut opened, mut ended, mut elsewhere) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    let mut endings = 0;
    for note in &told.notes {
        match &note.what {
            What::Event(happening) => {
                if let EventKind::RoutingRequested(requested) = &**happening {
                    opened.insert((note.conversation.clone(), requested.event.clone()));
                }
            }
            What::Ended { request, .. } => {
                endings += 1;
                let before = ended.insert((note.conversation.clone(), request.clone()), note.at);
                let forgotten = before.is_none_or(|before| note.at.since(before) > REMEMBERED);
                prop_assert!(forgotten, "{request} ended twice");
            }
            What::Remark(Remark::NotRouted(event, _)) => {
                elsewhere.insert((note.conversation.clone(), event.clone()));
            }
            What::Remark(Remark::Broken(illegal)) => prop_assert!(false, "{illegal}"),
            _ => {}
        }
    }
    let is_open = |request: &&_| !ended.contains_key(*request) && !elsewhere.contains(*request);
    let open: Vec<_> = opened.iter().filter(is_open).collect();
    prop_assert!(open.is_empty(), "never ended: {open:?}");
    prop_assert!(replayed.conversations.busy().all(|busy| busy.only_owes(1)));
    prop_assert_eq!(replayed.summary.requests(), endings);
    let differences = u64::try_from(told.differences().len()).unwrap();
    prop_assert_eq!(replayed.summary.differences, differences);
    Ok(true)
}

#[test]
fn bytes_that_were_changed_give_an_error_or_every_request_ends_once() {
    let recordings: Vec<Vec<Vec<u8>>> = names()
        .iter()
        .map(|name| text(name).lines().map(|line| line.as_bytes().to_vec()).collect())
        .collect();
    let cases = 400;
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = (any::<u16>(), proptest::collection::vec(mutations(), 1..8), any::<bool>());
    let (carried_through, differing) = (Cell::new(0_u32), Cell::new(0_u32));
    let outcome = runner.run(&strategy, |(which, mutations, emulated)| {
        let mut lines = recordings[share(which, recordings.len())].clone();
        for mutation in &mutations {
            mutate(&mut lines, &recordings, mutation);
        }
        let text = lines.join(&b'\n');
        let told = if emulated { against_emulator(&*text) } else { from_cassette(&*text) };
        if check(&text, &told)? {
            carried_through.set(carried_through.get() + 1);
            differing.set(differing.get() + u32::from(!told.differences().is_empty()));
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // Were they all refused at the first line, this would say nothing.
    assert!(carried_through.get() > cases / 3, "only {} were read to the end", carried_through.get());
    assert!(carried_through.get() < cases, "none was refused");
    assert!(differing.get() > cases / 20, "only {} differed", differing.get());
}
