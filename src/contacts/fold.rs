//! Folding: what makes `jose` find `José`, and `STRASSE` find `Straße`.
//!
//! Two texts that a person would call the same name fold to the same text. Folding is by Unicode's
//! compatibility caseless match; then the marks that sit on Latin, Greek and Cyrillic letters are
//! dropped. Marks of other scripts stay: a vowel sign in Devanagari or a voicing mark in Japanese is
//! not an accent, it makes another word.
//!
//! Invariants
//! 1. Folding a folded text changes nothing.
//! 2. A folded text holds no control characters, and no space at either end or twice in a row.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// Folds a name, or a part of one.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Folds a name onto the end of a text that already holds others.
pub(super) fn fold_into(text: &str, folded: &mut String) {
    let start = folded.len();
    if text.is_ascii() {
        text.chars().for_each(|c| push(c.to_ascii_lowercase(), start, folded));
    } else {
        // Unicode, section 3.13, D146: compatibility caseless match.
        let caseless = text.chars().nfd().default_case_fold().nfkd().default_case_fold().nfkd();
        caseless.filter(|&c| !is_accent(c)).for_each(|c| push(c, start, folded));
    }
    while folded.len() > start && folded.ends_with(' ') {
        folded.pop();
    }
}

fn push(c: char, start: usize, folded: &mut String) {
    match c {
        c if c.is_whitespace() => {
            if folded.len() > start && !folded.ends_with(' ') {
                folded.push(' ');
            }
        }
        c if c.is_control() || is_invisible(c) => {}
        // Letters with a stroke, and ligatures: Unicode does not take them apart, people do.
        'ø' => folded.push('o'),
        'ł' => folded.push('l'),
        'đ' | 'ð' => folded.push('d'),
        'ħ' => folded.push('h'),
        'ı' => folded.push('i'),
        'ŧ' => folded.push('t'),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'þ' => folded.push_str("th"),
        c => folded.push(c),
    }
}

/// The blocks of combining marks that go with any script's letters, in practice Latin, Greek, Cyrillic.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}')
}

/// Characters that a copied name carries along and nobody types.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}

/// The digits of a phone number as it is written: `+351 (21) 000` is 35121000.
pub(super) fn digits_into(number: &str, digits: &mut String) {
    digits.extend(number.chars().filter(char::is_ascii_digit));
}

/// The digits, where the text can be nothing but a part of a phone number.
pub(super) fn number_needle(folded: &str) -> Option<String> {
    let is_number = folded.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    let mut digits = String::new();
    digits_into(folded, &mut digits);
    (is_number && !digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_are_the_same_to_a_person_fold_the_same() {
        for (a, b) in [
            ("José", "jose"),
            ("Jose\u{301}", "Jos\u{e9}"),
            ("Straße", "STRASSE"),
            ("Łukasz Sørensen", "lukasz sorensen"),
            ("Ærø", "aero"),
            ("İstanbul", "istanbul"),
            ("ΟΔΥΣΣΕΎΣ", "οδυσσευς"),
            ("Пётр Чайковский", "петр чаиковскии"),
            ("Ｗｉｄｅ", "wide"),
            ("ﬁnance", "FINANCE"),
            ("  Anna\u{a0} \t Maria ", "anna maria"),
            ("Nguyễn", "nguyen"),
            ("soft\u{ad}hyphen", "softhyphen"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} and {b}");
        }
    }

    #[test]
    fn marks_that_make_another_word_stay() {
        assert_ne!(fold("が"), fold("か"));
        assert_ne!(fold("कि"), fold("क"));
    }

    #[test]
    fn only_what_can_be_a_number_is_looked_up_as_one() {
        assert_eq!(number_needle("+351 (21) 55-1").as_deref(), Some("35121551"));
        assert_eq!(number_needle("unit 7"), None);
        assert_eq!(number_needle("+"), None);
    }

    #[test]
    fn every_character_folds_to_something_that_stays_as_it_is() {
        for c in ('\0'..=char::MAX).filter(|c| !c.is_ascii()) {
            let once = fold(&format!("a{c}b"));
            assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert!(!once.chars().any(char::is_control));
            prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
        }
    }
}
