//! How what was done differs from what was recorded.

use std::fmt::{self, Write as _};

use serde_json::Value;

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// A call that the recording does not have.
    NotRecorded {
        /// HTTP method.
        method: Box<str>,
        /// Path.
        path: Box<str>,
        /// What was sent.
        body: Value,
    },
    /// A recorded call that was not made.
    NotMade {
        /// The line of the recording.
        line: u64,
        /// HTTP method.
        method: Box<str>,
        /// Path.
        path: Box<str>,
        /// What was sent when it was recorded.
        body: Value,
    },
    /// The call was made with a different body.
    OtherBody {
        /// The line of the recording.
        line: u64,
        /// HTTP method.
        method: Box<str>,
        /// Path.
        path: Box<str>,
        /// Where the bodies differ.
        fields: Vec<FieldDifference>,
    },
}

impl Difference {
    /// The line of the recording that it is about.
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::NotRecorded { .. } => None,
            Self::NotMade { line, .. } | Self::OtherBody { line, .. } => Some(*line),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRecorded { method, path, body } => {
                write!(f, "{method} {path} {body} is new: the recording does not have it")
            }
            Self::NotMade { line, method, path, body } => {
                write!(f, "line {line}: {method} {path} {body} was recorded, but not made now")
            }
            Self::OtherBody { line, method, path, fields } => {
                write!(f, "line {line}: {method} {path} was made with a different body:")?;
                for (n, field) in fields.iter().enumerate() {
                    write!(f, "{} {field}", if n == 0 { "" } else { ";" })?;
                }
                Ok(())
            }
        }
    }
}

/// Where two bodies differ.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// The field, as `routingContext.routingType`.
    pub path: String,
    /// What was recorded there.
    pub recorded: Option<Value>,
    /// What is there now.
    pub made: Option<Value>,
}

impl fmt::Display for FieldDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.path)?;
        match (&self.recorded, &self.made) {
            (Some(recorded), Some(made)) => write!(f, "was {recorded} and is {made}"),
            (Some(recorded), None) => write!(f, "was {recorded} and is gone"),
            (None, Some(made)) => write!(f, "is new: {made}"),
            (None, None) => f.write_str("is the same"),
        }
    }
}

/// Where `made` differs from `recorded`; empty where they say the same. 1 and 1.0 are the same number,
/// and a field that is null is as good as absent.
pub fn compare(recorded: &Value, made: &Value) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    walk(&mut String::new(), Some(recorded), Some(made), &mut found);
    found
}

fn walk(path: &mut String, recorded: Option<&Value>, made: Option<&Value>, found: &mut Vec<FieldDifference>) {
    let recorded = recorded.filter(|value| !value.is_null());
    let made = made.filter(|value| !value.is_null());
    match (recorded, made) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
            for name in names {
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(path, before.get(name), after.get(name), found);
                path.truncate(length);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for place in 0..before.len().max(after.len()) {
                let length = path.len();
                let _ = write!(path, "[{place}]");
                walk(path, before.get(place), after.get(place), found);
                path.truncate(length);
            }
        }
        (Some(Value::Number(before)), Some(Value::Number(after))) if before.as_f64() == after.as_f64() => {}
        (before, after) if before == after => {}
        (before, after) => found.push(FieldDifference {
            path: if path.is_empty() { "the body".to_owned() } else { path.clone() },
            recorded: before.cloned(),
            made: after.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(recorded: &Value, made: &Value) -> Vec<String> {
        compare(recorded, made).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_bodies_have_no_difference_however_they_are_written() {
        let recorded = json!({"b": [1, {"c": "x"}], "a": 1, "n": null});
        assert_eq!(said(&recorded, &json!({"a": 1.0, "b": [1, {"c": "x"}]})), [""; 0]);
    }

    #[test]
    fn each_difference_names_its_field() {
        let recorded = json!({"a": 1, "gone": true, "deep": {"list": [1, 2]}});
        let made = json!({"a": 2, "deep": {"list": [1, 3, 4]}, "new": "x"});
        assert_eq!(
            said(&recorded, &made),
            [
                "a was 1 and is 2",
                "deep.list[1] was 2 and is 3",
                "deep.list[2] is new: 4",
                "gone was true and is gone",
                "new is new: \"x\""
            ]
        );
        assert_eq!(said(&json!({}), &json!(7)), ["the body was {} and is 7"]);
    }
}
