//! Reads JSON whose fields are not of the types that they usually have.
//!
//! One odd field must not lose what stands beside it. Where a text cannot be read as it stands, it is mended: what has
//! an obvious meaning takes it (`5.0` for a level, a number for an id, JSON in a text where an object is usual), and
//! the rest is read as if it were not there. Each such field is named, so that somebody may ask why.
//!
//! Must never know what a field is for; whether a thing can be decided without it is for its reader to say.
//!
//! Invariants
//! 1. What is read as it stands is not touched: mending costs nothing where all is as usual.
//! 2. A name of a field comes from our tables, never from outside: names can be counted by.

use serde_json::{Map, Number, Value};

/// What a value should be.
#[derive(Debug)]
pub(super) enum ExpectedType {
    /// A text; a number is taken for its digits.
    Text,
    /// A whole number.
    Whole,
    /// True or false.
    Flag,
    /// An object with these fields; those that are not named stay as they are.
    Object(&'static [(&'static str, ExpectedType)]),
    /// A list of these.
    List(&'static ExpectedType),
}

/// The fields that were mended, as paths in our words.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct MendedFields(pub(super) Vec<String>);

impl MendedFields {
    pub(super) fn note(&mut self, path: &str) {
        // A list may have the same field odd many times.
        if !self.0.iter().any(|known| known == path) {
            self.0.push(path.to_owned());
        }
    }

    pub(super) fn append(&mut self, more: &Self) {
        more.0.iter().for_each(|path| self.note(path));
    }
}

/// Reads a text, and where that fails its mended form.
///
/// # Errors
/// With the first failure where the text is no JSON, or cannot be mended.
pub(super) fn reading<R>(
    text: &str,
    within: &str,
    shape: &ExpectedType,
    odd: &mut MendedFields,
    mut read: impl FnMut(&str) -> Result<R, serde_json::Error>,
) -> Result<R, serde_json::Error> {
    let first = match read(text) {
        Ok(came) => return Ok(came),
        Err(first) => first,
    };
    let Some((mended, found)) = mended(text, within, shape) else { return Err(first) };
    let came = read(&mended).map_err(|_| first)?;
    odd.append(&found);
    Ok(came)
}

/// The mended form of a text that is JSON, and what was mended.
pub(super) fn mended(text: &str, within: &str, shape: &ExpectedType) -> Option<(String, MendedFields)> {
    let mut value = serde_json::from_str::<Value>(text).ok()?;
    let mut found = MendedFields::default();
    mend(&mut value, shape, within, &mut found);
    Some((value.to_string(), found))
}

/// Makes a value what it should be, or null.
pub(super) fn mend(value: &mut Value, shape: &ExpectedType, path: &str, odd: &mut MendedFields) {
    let taken = value.take();
    let (mended, is_odd) = match (shape, taken) {
        (_, Value::Null) => (Value::Null, false),
        (ExpectedType::Text, text @ Value::String(_)) => (text, false),
        (ExpectedType::Text, Value::Number(number)) => (Value::String(number.to_string()), true),
        (ExpectedType::Text, Value::Object(union)) => (only_text(union), true),
        (ExpectedType::Whole, number) => whole(number),
        (ExpectedType::Flag, flag @ Value::Bool(_)) => (flag, false),
        (ExpectedType::Flag, other) => (flag(&other), true),
        (ExpectedType::Object(shapes), Value::Object(fields)) => (object(fields, shapes, path, odd), false),
        (ExpectedType::Object(shapes), Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(fields)) => (object(fields, shapes, path, odd), true),
            _ => (Value::Null, true),
        },
        (ExpectedType::List(inner), Value::Array(items)) => (list(items, inner, path, odd), false),
        (ExpectedType::List(inner), one @ Value::Object(_)) => (list(vec![one], inner, path, odd), true),
        _ => (Value::Null, true),
    };
    if is_odd {
        odd.note(path);
    }
    *value = mended;
}

fn object(
    mut fields: Map<String, Value>,
    shapes: &[(&str, ExpectedType)],
    path: &str,
    odd: &mut MendedFields,
) -> Value {
    for (name, shape) in shapes {
        if let Some(value) = fields.get_mut(*name) {
            mend(value, shape, &joined(path, name), odd);
        }
    }
    Value::Object(fields)
}

/// An item that is none stays as one that says nothing: that there is one may matter.
fn list(items: Vec<Value>, inner: &ExpectedType, path: &str, odd: &mut MendedFields) -> Value {
    let mended = items.into_iter().map(|mut item| {
        if item.is_null() {
            odd.note(path);
        }
        mend(&mut item, inner, path, odd);
        if item.is_null() && matches!(inner, ExpectedType::Object(_)) {
            Value::Object(Map::new())
        } else {
            item
        }
    });
    Value::Array(mended.collect())
}

/// The text of an Avro union.
fn only_text(union: Map<String, Value>) -> Value {
    let mut values = union.into_iter();
    match (values.next(), values.next()) {
        (Some((_, text @ Value::String(_))), None) => text,
        _ => Value::Null,
    }
}

/// A whole number, also where it is written as `5.0` or in a text; and whether that is odd.
fn whole(value: Value) -> (Value, bool) {
    let number = match &value {
        Value::Number(number) if number.is_i64() => return (value, false),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let mended = number.and_then(exactly).map_or(Value::Null, |whole| Value::Number(Number::from(whole)));
    (mended, true)
}

/// The whole number that this is exactly, as far as a double is exact.
fn exactly(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn flag(value: &Value) -> Value {
    let is = match value {
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    is.map_or(Value::Null, Value::Bool)
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHAPE: ExpectedType = ExpectedType::Object(&[
        ("id", ExpectedType::Text),
        ("level", ExpectedType::Whole),
        ("extra", ExpectedType::Flag),
        ("who", ExpectedType::Object(&[("subject", ExpectedType::Text)])),
        ("list", ExpectedType::List(&ExpectedType::Object(&[("id", ExpectedType::Text)]))),
    ]);

    fn mended(mut value: Value) -> (Value, Vec<String>) {
        let mut odd = MendedFields::default();
        mend(&mut value, &SHAPE, "p", &mut odd);
        (value, odd.0)
    }

    #[test]
    fn what_has_an_obvious_meaning_takes_it_and_the_rest_is_not_there() {
        let usual = json!({"id": "a", "level": 5, "extra": true, "who": {"subject": "s", "x": [1]},
                           "list": [{"id": "b"}], "more": {"any": "thing"}});
        assert_eq!(mended(usual.clone()), (usual, vec![]));
        for (field, odd, right) in [
            ("id", json!(17), json!("17")),
            ("id", json!({"string": "a"}), json!("a")),
            ("id", json!({"a": "b", "c": "d"}), json!(null)),
            ("id", json!(["a"]), json!(null)),
            ("level", json!(5.0), json!(5)),
            ("level", json!("5"), json!(5)),
            ("level", json!(5.5), json!(null)),
            ("level", json!(1e300), json!(null)),
            ("level", json!(u64::MAX), json!(null)),
            ("level", json!("nan"), json!(null)),
            ("level", json!({}), json!(null)),
            ("extra", json!("TRUE"), json!(true)),
            ("extra", json!(0), json!(false)),
            ("extra", json!("perhaps"), json!(null)),
            ("who", json!("005"), json!(null)),
            ("who", json!(r#"{"subject": "s"}"#), json!({"subject": "s"})),
            ("who", json!(7), json!(null)),
            ("list", json!({"id": "b"}), json!([{"id": "b"}])),
            ("list", json!("b"), json!(null)),
            ("list", json!(["b", null, {"id": "c"}]), json!([{}, {}, {"id": "c"}])),
        ] {
            assert_eq!(mended(json!({ field: odd })), (json!({ field: right }), vec![format!("p.{field}")]));
        }
        assert_eq!(mended(json!({"list": [{"id": 1}, {"id": 2}]})).1, ["p.list.id"], "each once");
        assert_eq!(mended(json!([])), (json!(null), vec!["p".to_owned()]));
    }
}
