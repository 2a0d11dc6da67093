//! Values of a TOML document: what a variable's text is as one, how keys are spelled, what the parser says and of
//! which of them.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Error};

use super::keys;
use crate::model::choices::one_spelling_each;

/// What a key that is mistaken for another kind of value may be, by the end of its name.
const EXAMPLES: &[(&str, &str)] = &[
    ("listen", "127.0.0.1:8080"),
    ("_url", "https://host.example"),
    ("pubsub_endpoint", "https://host.example"),
    ("audience", "https://login.salesforce.com"),
    ("username", "byoc@acme.example"),
    ("id", "00DHs0000000001"),
    ("_file", "keys/secret.txt"),
    ("path", "byoc.db"),
];

/// A parser's message in one line, without the names that Rust has for numbers, and with an example for the key.
pub(super) fn in_words(key: &str, message: &str) -> String {
    let line = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let Some((found, expected)) = line.rsplit_once("expected ") else { return line };
    let example = || EXAMPLES.iter().find(|(ending, _)| key.ends_with(ending)).map(|(_, example)| *example);
    if let Some(choices) = one_spelling_each(expected) {
        return format!("{found}expected {choices}");
    }
    let wanted = match expected {
        "a string" | "path string" if let Some(example) = example() => {
            return format!("{found}expected a string, e.g. \"{example}\"");
        }
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "path string" => "a string: a path",
        other => other,
    };
    format!("{found}expected {wanted}")
}

/// What a variable's text is as a TOML value: a number or a truth value where it reads as one.
pub(super) fn single(text: &str, place: Range<usize>) -> Spanned<DeValue<'_>> {
    let value = match DeValue::parse(text.trim()).map(Spanned::into_inner) {
        Ok(value @ (DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_))) => value,
        _ => DeValue::String(Cow::Borrowed(text)),
    };
    Spanned::new(place, value)
}

/// The key of a table that an error is about: the one whose value it points into, or that it begins with.
pub(super) fn culprit(table: &DeTable<'_>, error: &Error) -> Option<(String, Range<usize>)> {
    let inside = |place: &Range<usize>| {
        error.span().is_some_and(|span| place.start <= span.start && span.end <= place.end)
    };
    let named = |key: &str| {
        let rest = error.message().strip_prefix(key);
        rest.is_some_and(|rest| rest.starts_with(' '))
    };
    let entry = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        (key.get_ref().to_string(), value.span())
    };
    let by_place = table.iter().find(|(_, value)| inside(&value.span())).map(entry);
    by_place.or_else(|| table.iter().find(|(key, _)| named(key.get_ref())).map(entry))
}

/// Where a text was wanted and a variable's reads as something else, takes it as the text that it is.
pub(super) fn take_as_text<'t>(table: &mut DeTable<'t>, key: &str, error: &Error, text: &'t str) -> bool {
    let message = error.message();
    let wanted = ["expected a string", "expected path string", "it must be a string"]
        .iter()
        .any(|wanted| message.ends_with(wanted));
    match table.get_mut(key) {
        Some(value) if wanted && !value.get_ref().is_str() => {
            *value.get_mut() = DeValue::String(Cow::Borrowed(text));
            true
        }
        _ => false,
    }
}

/// Spells all keys, at any depth, as a recording does.
pub(super) fn camel_case_keys(table: &mut DeTable<'_>) {
    for (key, mut value) in std::mem::take(table) {
        match value.get_mut() {
            DeValue::Table(inner) => camel_case_keys(inner),
            DeValue::Array(array) => array.iter_mut().for_each(|item| {
                if let DeValue::Table(inner) = item.get_mut() {
                    camel_case_keys(inner);
                }
            }),
            _ => {}
        }
        let camel = keys::camel_case(key.get_ref());
        table.insert(Spanned::new(key.span(), Cow::Owned(camel)), value);
    }
}
