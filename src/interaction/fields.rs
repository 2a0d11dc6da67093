//! Reads what a response says, and sets what a request says.
//!
//! Invariants
//! 1. No value can make this fail: what cannot be read is left out.

use serde_json::Value;

use crate::model::ids::Error as IdError;

/// A text that says something.
pub(super) fn text_of(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// An id of a response. One that is malformed is left out: the call was carried out all the same, and
/// most ids come again with an event.
pub(super) fn id<T>(
    from: &Value,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> Option<T> {
    let text = text_of(from.get(key)?)?;
    match parse(text) {
        Ok(id) => Some(id),
        Err(error) => {
            tracing::debug!(field = key, %error, "an id of a response was left out");
            None
        }
    }
}

/// Sets a field of a body. What JSON cannot say (a capacity that is not a number) is left out: Salesforce then names
/// the missing capacity (10013), which is clearer than a null.
pub(super) fn set(body: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = body
        && !value.is_null()
    {
        fields.insert(key.to_owned(), value);
    }
}
