//! Reads a webhook's answer, and says what is wrong with one that cannot be read: by field, without repeating
//! what it says, for that is about people.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::failure::Failure;

/// Some editors and frameworks put it before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The one JSON object that an answer is.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii();
    match body.first() {
        None => return Err(invalid("it is empty; a JSON object is expected")),
        Some(b'{') => {}
        Some(_) => return Err(invalid("it is not a JSON object")),
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let answer: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        wrong(&path, error.inner())
    })?;
    json.end().map_err(|error| {
        invalid(&format!(
            "unexpected text after the JSON object, line {} column {}",
            error.line(),
            error.column()
        ))
    })?;
    Ok(answer)
}

/// One object of a list in an answer; `place` is where it stands, such as `contacts[0]`.
pub(super) fn item<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, Failure> {
    // To serde a struct may also be the list of its values.
    if !value.is_object() {
        return Err(invalid(&format!("field `{place}` has another type; an object is expected")));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let below = error.path().to_string();
        let path = if below == "." { place.to_owned() } else { format!("{place}.{below}") };
        wrong(&path, error.inner())
    })
}

fn invalid(what: &str) -> Failure {
    Failure::Invalid(what.to_owned())
}

fn wrong(path: &str, error: &serde_json::Error) -> Failure {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    match error.classify() {
        Category::Data => match said.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
            Some((field, _)) if path == "." => invalid(&format!("field `{field}` missing")),
            Some((field, _)) => invalid(&format!("field `{path}.{field}` missing")),
            None => invalid(&format!("field `{path}` has another type{}", expected(&said))),
        },
        Category::Eof => invalid(&format!("it ends too early, line {line} column {column}")),
        Category::Syntax | Category::Io => invalid(&format!("it is not JSON, line {line} column {column}")),
    }
}

/// What serde wanted in that place. What it found is a value of the partner's, and is left out.
fn expected(said: &str) -> String {
    let wanted = said.rsplit_once(", expected ").map_or("", |(_, wanted)| wanted);
    let wanted = wanted.split(" at line ").next().unwrap_or_default();
    match wanted {
        "" => String::new(),
        "a sequence" => "; a list is expected".to_owned(),
        object if object.starts_with("struct ") => "; an object is expected".to_owned(),
        other => format!("; {other} is expected"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Answer {
        reps: Vec<String>,
        #[serde(default)]
        more: Vec<More>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct More {
        id: String,
    }

    fn wrong(body: &str) -> String {
        read::<Answer>(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_said_by_field_and_repeats_nothing() {
        for (body, what) in [
            ("", "it is empty; a JSON object is expected"),
            (" \r\n", "it is empty; a JSON object is expected"),
            ("null", "it is not a JSON object"),
            (r#"[["secret"]]"#, "it is not a JSON object"),
            ("<html>", "it is not a JSON object"),
            ("{}", "field `reps` missing"),
            (r#"{"reps": null}"#, "field `reps` has another type; a list is expected"),
            (r#"{"reps": ["a", 5]}"#, "field `reps[1]` has another type; a string is expected"),
            (
                r#"{"reps": "secret, expected of nobody"}"#,
                "field `reps` has another type; a list is expected",
            ),
            (r#"{"reps": [], "more": [{"name": "secret"}]}"#, "field `more[0].id` missing"),
            (
                r#"{"reps": [], "more": ["secret"]}"#,
                "field `more[0]` has another type; an object is expected",
            ),
            (r#"{"reps": []"#, "it ends too early, line 1 column 11"),
            (r#"{"reps": oops}"#, "it is not JSON, line 1 column 10"),
            (r#"{"reps": []} {}"#, "unexpected text after the JSON object, line 1 column 14"),
        ] {
            assert_eq!(wrong(body), format!("invalid answer: {what} (see webhooks.yaml)"), "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_white_space_are_no_matter() {
        let answer: Answer = read(b"\xef\xbb\xbf {\"reps\": [\"a\"], \"other\": 1}\r\n").unwrap();
        assert_eq!(answer, Answer { reps: vec!["a".to_owned()], more: Vec::new() });
    }
}
