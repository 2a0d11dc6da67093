//! Reading JSON without copying it, and saying where it is wrong.
//!
//! Knows serde_json's habits. Must never know what the JSON is about.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON string, borrowed where nothing in it is escaped.
///
/// `Option<Cow<str>>` would always copy: serde borrows a `Cow` only where it is the field itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A string, or an Avro union that holds one: `"x"`, `{"string": "x"}`, `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnionText<'a>(pub(crate) Option<Text<'a>>);

impl<'a> From<Cow<'a, str>> for UnionText<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Some(Text(text)))
    }
}

impl<'a> UnionText<'a> {
    pub(crate) fn into_cow(self) -> Option<Cow<'a, str>> {
        self.0.map(|text| text.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for UnionText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UnionVisitor;
        impl<'de> Visitor<'de> for UnionVisitor {
            type Value = UnionText<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a string, {"string": "…"} or null"#)
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(UnionText(Some(Text(Cow::Borrowed(text)))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(UnionText(Some(Text(Cow::Owned(text.to_owned())))))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(UnionText(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let Some((_, text)) = map.next_entry::<IgnoredAny, Option<Text<'de>>>()? else {
                    return Ok(UnionText(None));
                };
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(de::Error::custom("an Avro union must have one value, this one has more"));
                }
                Ok(UnionText(text))
            }
        }
        deserializer.deserialize_any(UnionVisitor)
    }
}

/// JSON that may stand as it is or inside of a string: the JSON itself. `None` for null and for an empty
/// string.
///
/// # Errors
/// Where the string's escapes are broken, or where it is neither an object nor a string.
pub(crate) fn embedded(raw: &RawValue) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => {
            let inner = super::unescape::unescape(raw);
            Ok(Some(inner).filter(|inner| !inner.trim_ascii().is_empty()))
        }
        Some(b'n') => Ok(None),
        Some(b'{') => Ok(Some(Cow::Borrowed(text))),
        _ => Err(de::Error::custom("expected an object, or a string that holds one")),
    }
}

/// Where and what a JSON error is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    /// The keys and indices that lead there, as `a.b[2].c`; empty at the top.
    pub(crate) path: String,
    /// The byte at which reading stopped.
    pub(crate) offset: usize,
    /// What is wrong, without the position.
    pub(crate) what: String,
}

/// Finds the field at which reading `text` failed. `within` is the path of `text` itself.
pub(crate) fn locate(within: &str, text: &str, error: &serde_json::Error) -> Located {
    let offset = offset_of(text, error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON ends too early".to_owned(),
        _ => in_words(&error.to_string()),
    };
    let inner = path_at(text, offset);
    let joined = within.is_empty() || inner.is_empty() || inner.starts_with('[');
    Located { path: [within, if joined { "" } else { "." }, &inner].concat(), offset, what }
}

/// An error of serde_json's without its position, and without the names of our types.
fn in_words(shown: &str) -> String {
    let what = shown.rsplit_once(" at line ").map_or(shown, |(what, _)| what);
    let Some((found, expected)) = what.rsplit_once("expected ") else { return what.to_owned() };
    let expected = match expected {
        "i32" | "i64" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "an object",
        "ident" => "a word of JSON",
        named if named.starts_with("struct ") => "an object",
        other => other,
    };
    format!("{found}expected {expected}")
}

/// The byte offset of a line and column, both of which count from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start.saturating_add(column).min(text.len())
}

/// One open object or array on the way to an offset.
enum Level<'a> {
    Object { key: &'a str, awaits_key: bool },
    Array { index: usize },
}

/// The path of the value that holds the byte before `offset`. Reads leniently: the text may be broken.
fn path_at(text: &str, offset: usize) -> String {
    let mut levels: Vec<Level<'_>> = Vec::new();
    let mut rest = text.get(..offset).unwrap_or(text);
    while let Some(byte) = rest.bytes().next() {
        if byte == b'"' {
            let (token, after) = split_string(rest).unwrap_or(("", ""));
            if let Some(Level::Object { key, awaits_key: true }) = levels.last_mut() {
                *key = token;
            }
            rest = after;
            continue;
        }
        match byte {
            b'{' => levels.push(Level::Object { key: "", awaits_key: true }),
            b'[' => levels.push(Level::Array { index: 0 }),
            b'}' | b']' => drop(levels.pop()),
            b':' => {
                if let Some(Level::Object { awaits_key, .. }) = levels.last_mut() {
                    *awaits_key = false;
                }
            }
            b',' if rest.len() > 1 => match levels.last_mut() {
                Some(Level::Object { awaits_key, .. }) => *awaits_key = true,
                Some(Level::Array { index }) => *index = index.saturating_add(1),
                None => {}
            },
            _ => {}
        }
        let mut chars = rest.chars();
        chars.next();
        rest = chars.as_str();
    }
    spell(&levels)
}

/// Splits after the string that `text` starts with; gives the string without its quotes. `None` where it
/// does not end.
fn split_string(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((text.get(1..at)?, text.get(at.saturating_add(1)..)?)),
            _ => {}
        }
    }
    None
}

fn spell(levels: &[Level<'_>]) -> String {
    const DEEPEST: usize = 16;
    const LONGEST: usize = 64;
    let mut path = String::new();
    for level in levels.iter().take(DEEPEST) {
        match level {
            Level::Object { key: "", .. } => {}
            Level::Object { key, .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.extend(key.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }));
            }
            Level::Array { index } => {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
        }
    }
    if levels.len() > DEEPEST {
        path.push_str(".…");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure<T: for<'a> Deserialize<'a>>(text: &str) -> Located {
        let error = serde_json::from_str::<T>(text).err().expect("the text is broken on purpose");
        locate("", text, &error)
    }

    #[derive(Debug, serde::Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only read")]
        a: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only read")]
        b: String,
    }

    #[test]
    fn a_wrong_type_is_named_by_its_path() {
        let found = failure::<Outer>(r#"{"x": {"y": [1, "}"]}, "a": [{"b": "one"}, {"b": 2}]}"#);
        assert_eq!(found.path, "a[1].b");
        assert_eq!(found.what, "invalid type: integer `2`, expected a string");
    }

    #[test]
    fn a_text_that_is_cut_off_is_named_by_where_it_ends() {
        let found = failure::<Outer>(r#"{"a": [{"b": "on"#);
        assert_eq!((found.path.as_str(), found.what.as_str()), ("a[0].b", "the JSON ends too early"));
    }

    #[test]
    fn both_spellings_of_a_union_read_the_same() {
        for text in [r#""x""#, r#"{"string":"x"}"#] {
            let union: UnionText<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(union.0.as_deref(), Some("x"), "{text}");
        }
        for text in ["null", r#"{"string":null}"#, "{}"] {
            let union: UnionText<'_> = serde_json::from_str(text).unwrap();
            assert_eq!(union.0, None, "{text}");
        }
        assert!(serde_json::from_str::<UnionText<'_>>(r#"{"string":"x","long":1}"#).is_err());
        assert!(serde_json::from_str::<UnionText<'_>>("7").is_err());
    }

    #[test]
    fn what_is_not_escaped_is_not_copied() {
        let plain: Text<'_> = serde_json::from_str(r#""plain""#).unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("plain")));
        let escaped: Text<'_> = serde_json::from_str(r#""a\"b""#).unwrap();
        assert_eq!(&*escaped, "a\"b");
    }
}
