//! One odd field must not lose what stands beside it: only what a decision needs may change it.
//!
//! Each event and each answer that is recorded in `fixtures/` is taken, each of its fields is replaced by null, another
//! type, an unknown value and an empty one, and removed. What is decided follows from what was read, so that is
//! compared; which fields may make a difference is a list.

mod answers;
mod events;
mod webhooks;

use serde_json::{Value, json};

use crate::support::replaying::from_cassette;

/// What a field may turn into.
fn odd_values() -> Vec<Option<Value>> {
    let values = [
        json!(null),
        json!(""),
        json!("something unknown"),
        json!("{}"),
        json!({}),
        json!({"a": {"b": [1]}}),
        json!([]),
        json!(["x", null]),
        json!(17),
        json!(-1.5),
        json!(1e300),
        json!(true),
        json!(false),
    ];
    // And nothing: it is removed.
    values.into_iter().map(Some).chain([None]).collect()
}

/// The places of everything in a value, as JSON pointers, the value itself not counted.
fn places(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, item)| (n.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (name, value) in inner {
        all.push(format!("/{name}"));
        all.extend(places(value).into_iter().map(|below| format!("/{name}{below}")));
    }
    all
}

/// With something else in that place, or nothing.
fn with(value: &Value, place: &str, odd: Option<Value>) -> Value {
    let mut changed = value.clone();
    let (parent, name) = place.rsplit_once('/').unwrap();
    match (changed.pointer_mut(parent).unwrap(), odd) {
        (Value::Object(fields), None) => drop(fields.remove(name)),
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        (Value::Object(fields), Some(odd)) => drop(fields.insert(name.to_owned(), odd)),
        (Value::Array(items), Some(odd)) => items[name.parse::<usize>().unwrap()] = odd,
        (other, _) => panic!("{place} stands in {other}"),
    }
    changed
}

/// A place in words: `/a/0/b` is `a.b`.
fn words(place: &str) -> String {
    let is_name = |part: &&str| !part.is_empty() && part.parse::<usize>().is_err();
    place.split('/').filter(is_name).collect::<Vec<_>>().join(".")
}

#[test]
fn every_recording_with_odd_fields_replays_as_it_was_recorded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases/odd-fields");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let told = from_cassette(std::fs::read(&path).unwrap());
        assert!(told.result.is_ok(), "{}: {:?}", path.display(), told.result);
        assert!(told.differences().is_empty(), "{}: {:?}", path.display(), told.differences());
        let outcomes: Vec<_> = told.outcomes().into_values().collect();
        assert_eq!(outcomes, ["joined"], "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 9);
}
