//! Reads the fields of a request body. A field that is `null` is a field that is not there.

use serde_json::{Map, Value};

use super::refusal::{Refusal, shown};

/// Parses the body of a call.
///
/// Empty is 10100; what is not a JSON object is 10089.
pub(super) fn parse(body: &[u8]) -> Result<Value, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::new(10100, "the body is empty; the operation takes a JSON object"));
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Refusal::body("the body is JSON, but not an object")),
        Err(error) => Err(Refusal::body(format!("the body is not JSON: {}", shown(&error.to_string())))),
    }
}

/// Parses the part `json` of a form. What is not such a form is 10089; so is a file, which is not taken here.
pub(super) fn parse_form(content_type: &str, body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return parse(body);
    }
    let boundary = content_type.split(';').skip(1).find_map(|one| one.trim().strip_prefix("boundary="));
    let boundary = boundary.map(|text| text.trim_matches('"')).filter(|text| !text.is_empty());
    let form = std::str::from_utf8(body).ok();
    let (Some(boundary), Some(form)) = (boundary, form) else {
        return Err(Refusal::body("the body is not a form: it has no boundary, or is no text"));
    };
    let delimiter = format!("--{boundary}");
    let mut json = None;
    for part in form.split(delimiter.as_str()).skip(1).take_while(|part| !part.starts_with("--")) {
        let (head, content) = part
            .split_once("\r\n\r\n")
            .ok_or_else(|| Refusal::body("a part of the form has no end of its headers"))?;
        if !head.contains("name=\"json\"") {
            return Err(Refusal::body("the form has a part other than 'json': files are not taken here"));
        }
        json = Some(content.strip_suffix("\r\n").unwrap_or(content));
    }
    parse(json.ok_or_else(|| Refusal::body("the form has no part 'json'"))?.as_bytes())
}

/// The fields of a JSON object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, Refusal> {
        value.as_object().map(Self).ok_or_else(|| Refusal::body("the body is not a JSON object"))
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.typed(name, "a string", Value::as_str)
    }

    /// A whole number.
    pub(super) fn integer(self, name: &str) -> Result<Option<i64>, Refusal> {
        self.typed(name, "a whole number", Value::as_i64)
    }

    pub(super) fn flag(self, name: &str) -> Result<Option<bool>, Refusal> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A number of the schema's type `double`; as text it is taken as well, as Salesforce does.
    pub(super) fn number(self, name: &str) -> Result<Option<f64>, Refusal> {
        self.typed(name, "a number", |value| match value {
            Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            other => other.as_f64(),
        })
    }

    /// An object whose values are all strings (`additionalProperties: {type: string}`).
    pub(super) fn texts(self, name: &str) -> Result<(), Refusal> {
        match self.object(name)?.map(|object| object.0.values().all(Value::is_string)) {
            Some(false) => Err(Refusal::body(format!("'{name}' has a value that is not a string"))),
            Some(true) | None => Ok(()),
        }
    }

    pub(super) fn object(self, name: &str) -> Result<Option<Self>, Refusal> {
        Ok(self.typed(name, "an object", Value::as_object)?.map(Self))
    }

    pub(super) fn list(self, name: &str) -> Result<Option<&'a [Value]>, Refusal> {
        Ok(self.typed(name, "a list", Value::as_array)?.map(Vec::as_slice))
    }

    pub(super) fn required_text(self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
    }

    pub(super) fn required_flag(self, name: &str) -> Result<bool, Refusal> {
        self.flag(name)?.ok_or_else(|| missing(name))
    }

    fn typed<T>(
        self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(read) => Ok(Some(read)),
                None => Err(Refusal::body(format!("'{name}' is not {wanted}"))),
            },
        }
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::body(format!("'{name}' is missing"))
}
