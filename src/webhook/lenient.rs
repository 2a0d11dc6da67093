//! Reads fields of a webhook's answer that partners write in more ways than one.
//!
//! Invariants
//! 1. A field that may be missing may be of another type, too: it counts as missing, and costs nothing beside it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string, or a whole number in its place: ids and phone numbers are written so by some.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    read(Value::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("invalid type: something else, expected a string"))
}

/// The same, of a field that may be missing.
pub(super) fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(deserializer).map(read)
}

/// The strings of a list that may be missing.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => items.into_iter().filter_map(read).collect(),
        _ => Vec::new(),
    })
}

fn read(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}
