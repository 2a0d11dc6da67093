//! Reads a JSON string in one pass: where it ends, and what it says.
//!
//! A platform event's payload is JSON inside a JSON string, so every quote in it is escaped and runs between
//! escapes are a few bytes long. This is the hottest loop of a replay: it looks at eight bytes at a time
//! and copies them before it knows how many it may keep.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The text of a JSON string. Half of a surrogate pair becomes U+FFFD, as no text can hold one.
pub(crate) fn unescape(raw: &RawValue) -> Cow<'_, str> {
    let quoted = raw.get();
    string(quoted).map_or(Cow::Borrowed(quoted), |(text, _)| text)
}

/// The JSON string that `text` starts with, and how many bytes it takes, its quotes included. `None` where
/// there is none, or a broken one.
pub(crate) fn string(text: &str) -> Option<(Cow<'_, str>, usize)> {
    /// What is reserved at once; most payloads fit.
    const RESERVED: usize = 4096;
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = plain_end(bytes, 1)?;
    if bytes.get(at) == Some(&b'"') {
        return Some((Cow::Borrowed(text.get(1..at)?), at + 1));
    }
    let mut out = Vec::with_capacity(bytes.len().min(RESERVED));
    out.extend_from_slice(bytes.get(1..at)?);
    loop {
        at = match bytes.get(at)? {
            b'"' => return Some((Cow::Owned(String::from_utf8(out).ok()?), at + 1)),
            b'\\' => escape(text, at + 1, &mut out)?,
            0..0x20 => return None,
            _ => copy_plain(bytes, at, &mut out)?,
        };
    }
}

/// A bit in each byte that ends a plain run: a quote, a backslash, a control character. Only the lowest is
/// certain, as a subtraction borrows upwards.
fn specials(word: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(all(1)) & !word
    }
    let control = word.wrapping_sub(all(0x20)) & !word;
    (zeros(word ^ all(b'"')) | zeros(word ^ all(b'\\')) | control) & all(0x80)
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

fn chunk(bytes: &[u8], at: usize) -> Option<&[u8; 8]> {
    bytes.get(at..)?.first_chunk()
}

/// Where the plain run that starts at `at` ends.
fn plain_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = chunk(bytes, at) {
        match specials(u64::from_le_bytes(*chunk)) {
            0 => at += 8,
            mask => return Some(at + mask.trailing_zeros() as usize / 8),
        }
    }
    let rest = bytes.get(at..)?.iter().position(|&byte| is_special(byte))?;
    Some(at + rest)
}

/// Copies the plain run that starts at `at`; gives where it ends.
fn copy_plain(bytes: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    while let Some(chunk) = chunk(bytes, at) {
        let mask = specials(u64::from_le_bytes(*chunk));
        out.extend_from_slice(chunk);
        if mask != 0 {
            let kept = mask.trailing_zeros() as usize / 8;
            out.truncate(out.len() - chunk.len() + kept);
            return Some(at + kept);
        }
        at += chunk.len();
    }
    let end = plain_end(bytes, at)?;
    out.extend_from_slice(bytes.get(at..end)?);
    Some(end)
}

/// Writes what the escape whose letter is at `at` stands for; gives where it ends.
fn escape(text: &str, at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let byte = match text.as_bytes().get(at)? {
        same @ (b'"' | b'\\' | b'/') => *same,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => {
            let (point, length) = code_point(text.get(at + 1..)?)?;
            out.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(at + 1 + length);
        }
        _ => return None,
    };
    out.push(byte);
    Some(at + 1)
}

/// The code point of `XXXX` or `XXXX\uXXXX`, and how many bytes that took.
fn code_point(text: &str) -> Option<(char, usize)> {
    let unit = code_unit(text)?;
    if let 0xD800..=0xDBFF = unit
        && let Some(low @ 0xDC00..=0xDFFF) =
            text.get(4..).and_then(|rest| code_unit(rest.strip_prefix("\\u")?))
    {
        let point = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        return Some((char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 10));
    }
    Some((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 4))
}

fn code_unit(text: &str) -> Option<u32> {
    let digits = text.get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
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
    fn a_string_ends_at_its_quote_wherever_that_stands() {
        for length in 0..40 {
            let inside = "é".repeat(length / 3) + &"x".repeat(length);
            for tail in ["", "\",1", "\"}]  and a good deal more text behind it"] {
                let plain = format!("\"{inside}\"{tail}");
                assert_eq!(string(&plain), Some((Cow::Borrowed(&*inside), inside.len() + 2)));
                let escaped = format!("\"\\n{inside}\"{tail}");
                assert_eq!(string(&escaped), Some((Cow::Owned(format!("\n{inside}")), inside.len() + 4)));
            }
        }
    }

    #[test]
    fn what_is_no_string_is_none() {
        for broken in [
            "",
            "x\"",
            "\"",
            "\"abc",
            "\"a\\",
            "\"a\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"a\u{1f}b\"",
            "\"\\n\u{1}\"",
        ] {
            assert_eq!(string(broken), None, "{broken}");
        }
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
