//! Takes the escapes out of a JSON string that has been checked already.
//!
//! A platform event's payload is JSON inside a JSON string: every quote of it is escaped, which makes this
//! the hottest loop of a replay. serde_json would grow a buffer step by step and copy it at the end.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The text of a JSON string. Half of a surrogate pair becomes U+FFFD, as no text can hold one.
pub(crate) fn unescape(raw: &RawValue) -> Cow<'_, str> {
    let quoted = raw.get();
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
    let Some(first) = memchr::memchr(b'\\', inner.as_bytes()) else { return Cow::Borrowed(inner) };
    let mut text = String::with_capacity(inner.len());
    let (mut rest, mut next) = (inner, Some(first));
    while let Some(at) = next {
        let Some((plain, escape)) = rest.split_at_checked(at) else { break };
        text.push_str(plain);
        rest = push_escape(&mut text, escape);
        next = next_backslash(rest);
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Escapes of nested JSON stand a few bytes apart: looking there first beats setting up a vector search.
fn next_backslash(text: &str) -> Option<usize> {
    const NEAR: usize = 16;
    let bytes = text.as_bytes();
    let near = bytes.iter().take(NEAR).position(|&byte| byte == b'\\');
    near.or_else(|| {
        let far = bytes.get(NEAR..)?;
        memchr::memchr(b'\\', far).map(|at| at + NEAR)
    })
}

/// Writes what the escape at the start of `text` stands for; gives what comes after it.
fn push_escape<'a>(out: &mut String, text: &'a str) -> &'a str {
    let mut chars = text.chars();
    chars.next();
    match chars.next() {
        Some('n') => out.push('\n'),
        Some('t') => out.push('\t'),
        Some('r') => out.push('\r'),
        Some('b') => out.push('\u{8}'),
        Some('f') => out.push('\u{c}'),
        Some('u') => return push_code_point(out, chars.as_str()),
        Some(itself) => out.push(itself),
        None => {}
    }
    chars.as_str()
}

/// Writes the code point of `XXXX` or `XXXX\uXXXX`; gives what comes after it.
fn push_code_point<'a>(out: &mut String, text: &'a str) -> &'a str {
    let Some((unit, after)) = code_unit(text) else {
        out.push(char::REPLACEMENT_CHARACTER);
        return text;
    };
    if let 0xD800..=0xDBFF = unit
        && let Some((low @ 0xDC00..=0xDFFF, after_pair)) = after.strip_prefix("\\u").and_then(code_unit)
    {
        let point = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        out.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
        return after_pair;
    }
    out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
    after
}

fn code_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, after) = text.split_at_checked(4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).expect("the test's text is a JSON string")
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(unescape(&raw(r#""plain""#)), Cow::Borrowed("plain")));
    }

    #[test]
    fn every_escape_is_known() {
        let all = r#""a\"b\\c\/d\be\ff\ng\rh\ti\u00e9\u20AC\ud83d\ude00j""#;
        assert_eq!(unescape(&raw(all)), serde_json::from_str::<String>(all).unwrap());
    }

    #[test]
    fn half_a_pair_is_replaced() {
        assert_eq!(unescape(&raw(r#""\ud83dx\ude00\ud83d\u0041""#)), "\u{fffd}x\u{fffd}\u{fffd}A");
    }

    proptest! {
        #[test]
        fn it_undoes_what_serde_json_does(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).expect("a string is JSON");
            prop_assert_eq!(unescape(&raw(&quoted)).into_owned(), text);
        }

        #[test]
        fn nested_json_comes_back(text in any::<String>(), depth in 1_usize..5) {
            let mut nested = text.clone();
            for _ in 0..depth {
                nested = serde_json::to_string(&nested).expect("a string is JSON");
            }
            for _ in 0..depth {
                nested = unescape(&raw(&nested)).into_owned();
            }
            prop_assert_eq!(nested, text);
        }
    }
}
