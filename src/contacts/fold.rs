//! Folding: what makes `jose` find `José`, `STRASSE` find `Straße`, and `obrien` find `O’Brien`.
//!
//! Two texts that a person would call the same name fold to the same text. Folding is by Unicode's
//! compatibility caseless match; then what people leave out is left out, by [`Kind`]: the accents of
//! letters, and what cannot be seen. Where marks stand between two letters, and no space, there is one
//! [`MARK`], whichever they were. Marks that begin or end a name are dropped. What has nothing but marks
//! keeps them, for else it could not be found.
//!
//! Invariants
//! 1. Folding a folded text changes nothing.
//! 2. A folded text holds no control characters, and no space or [`MARK`] at either end or beside another.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

use super::kind::{Kind, plain_mark};

/// What stands for the marks between two letters.
pub(super) const MARK: char = '-';

/// Folds a name, or a part of one.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    if folded.is_empty() {
        marks_into(text, &mut folded);
    }
    folded
}

/// Folds a name onto the end of a text that already holds others; nothing, where it has nothing but marks.
pub(super) fn fold_into(text: &str, folded: &mut String) {
    let mut folding = Folding { start: folded.len(), gap: None, folded };
    if text.is_ascii() {
        text.chars().for_each(|c| folding.push(c.to_ascii_lowercase()));
        return;
    }
    // Some marks fall apart into a space and an accent, so that they are seen to first.
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_between(*c)) {
        let (run, more) = rest.split_at(at);
        folding.push_run(run);
        folding.push(c);
        rest = more.get(c.len_utf8()..).unwrap_or_default();
    }
    folding.push_run(rest);
}

fn is_between(c: char) -> bool {
    matches!(Kind::of(c), Kind::Mark | Kind::Space | Kind::Nothing)
}

/// A text while it is folded.
struct Folding<'a> {
    folded: &'a mut String,
    start: usize,
    /// What stands between the letter before and the one that may follow.
    gap: Option<char>,
}

impl Folding<'_> {
    /// A run without marks and spaces.
    fn push_run(&mut self, run: &str) {
        if run.is_ascii() {
            return run.chars().for_each(|c| self.push(c.to_ascii_lowercase()));
        }
        // Unicode, section 3.13, D146: compatibility caseless match. The iota below a Greek letter would
        // become a letter.
        let bare = run.chars().nfd().filter(|&c| Kind::of(c) != Kind::Accent);
        bare.default_case_fold().nfkd().default_case_fold().nfkd().for_each(|c| self.push(c));
    }

    fn push(&mut self, c: char) {
        match Kind::of(c) {
            Kind::Nothing | Kind::Accent => {}
            Kind::Space => self.gap = Some(' '),
            Kind::Mark => {
                self.gap.get_or_insert(MARK);
            }
            Kind::Letter => {
                let gap = self.gap.take().filter(|_| self.folded.len() > self.start);
                self.folded.extend(gap);
                push_letter(c, self.folded);
            }
        }
    }
}

/// Letters with a stroke, and ligatures: Unicode does not take them apart, people do.
fn push_letter(c: char, folded: &mut String) {
    match c {
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

/// Nothing but the marks of a text, as a keyboard has them.
pub(super) fn marks_into(text: &str, marks: &mut String) {
    let found = text.chars().filter(|c| Kind::of(*c) == Kind::Mark);
    marks.extend(found.nfkd().filter(|c| Kind::of(*c) == Kind::Mark).map(plain_mark));
}

/// Whether a folded text has nothing but marks.
pub(super) fn has_marks_only(folded: &str) -> bool {
    folded.chars().next().is_some_and(|c| Kind::of(c) == Kind::Mark)
}

/// The digits of a phone number as it is written: `+351 (21) 000` is 35121000.
pub(super) fn digits_into(number: &str, digits: &mut String) {
    digits.extend(number.chars().nfkd().filter(char::is_ascii_digit));
}

/// The digits, where the text can be nothing but a part of a phone number.
pub(super) fn number_needle(text: &str) -> Option<String> {
    let is_of_number = |c: char| match Kind::of(c) {
        Kind::Letter => c.is_ascii_digit() || c == '+',
        Kind::Mark => "-()./".contains(plain_mark(c)),
        Kind::Space | Kind::Nothing => true,
        Kind::Accent => false,
    };
    let is_number = text.chars().nfkd().all(is_of_number);
    let mut digits = String::new();
    digits_into(text, &mut digits);
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
            ("Τᾷ", "τα"),
            ("Пётр Чайковский", "петр чаиковскии"),
            ("Ｗｉｄｅ", "wide"),
            ("ﬁnance", "FINANCE"),
            ("  Anna\u{a0} \t Maria ", "anna maria"),
            ("Nguyễn", "nguyen"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("Siobhán O’Brien", "siobhan o'brien"),
            ("Jean‑Luc", "jean-luc"),
            ("O´Neill", "O`Neill"),
            ("Kahoʻolawe", "kaho'olawe"),
            ("ジョン・スミス", "ジョン-スミス"),
            ("李\u{3000}明", "李 明"),
            ("أحمد", "احمد"),
            ("مُحَمَّد", "محمد"),
            ("محـــمد", "محمد"),
            ("שָׁלוֹם", "שלום"),
            ("\u{202a}Bo\u{202c}", "bo"),
            ("Smith, John", "smith john"),
            ("“Red” Pat.", "red pat"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} and {b}");
        }
    }

    #[test]
    fn marks_that_make_another_word_stay() {
        for (a, b) in [("が", "か"), ("कि", "क"), ("スーパー", "スパ"), ("ก่", "ก"), ("C++", "C")]
        {
            assert_ne!(fold(a), fold(b), "{a} and {b}");
        }
    }

    #[test]
    fn what_has_nothing_but_marks_keeps_them() {
        assert_eq!(fold("% _"), "%_");
        assert_eq!(fold("’"), "'");
        assert_eq!(fold("–"), "-");
        assert_eq!(fold(" \u{200b}"), "");
    }

    #[test]
    fn only_what_can_be_a_number_is_looked_up_as_one() {
        assert_eq!(number_needle("+351 (21) 55-1").as_deref(), Some("35121551"));
        assert_eq!(number_needle("\u{202a}+351\u{a0}21–55").as_deref(), Some("3512155"));
        assert_eq!(number_needle("unit 7"), None);
        assert_eq!(number_needle("100%"), None);
        assert_eq!(number_needle("+"), None);
    }

    #[test]
    fn every_character_folds_to_something_that_stays_as_it_is() {
        for c in ('\0'..=char::MAX).filter(|c| !c.is_ascii()) {
            let once = fold(&format!("a{c}b"));
            assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
            if Kind::of(c) != Kind::Letter {
                let alone = fold(&c.to_string());
                assert_eq!(fold(&alone), alone, "U+{:04X} alone", u32::from(c));
            }
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
