//! What a character of a name is to somebody who types it: by Unicode's tables, in every script.
//!
//! Nobody types a name as a directory has it. Marks (an apostrophe, a hyphen, a full stop) are left out or
//! others are typed, a keyboard has one hyphen and one space where Unicode has twenty, and what cannot be
//! seen cannot be typed. Which characters these are is Unicode's to say, and is no list of ours.

use icu_properties::props::{
    CanonicalCombiningClass, Dash, DefaultIgnorableCodePoint, Diacritic, Extender, GeneralCategory,
    JoiningType, QuotationMark, Script,
};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};

const CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::new();
const COMBINING: CodePointMapDataBorrowed<'static, CanonicalCombiningClass> = CodePointMapData::new();
const JOINING: CodePointMapDataBorrowed<'static, JoiningType> = CodePointMapData::new();
const SCRIPT: CodePointMapDataBorrowed<'static, Script> = CodePointMapData::new();
const DASH: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Dash>();
const DIACRITIC: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Diacritic>();
const EXTENDER: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<Extender>();
const IGNORABLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();
const QUOTATION: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<QuotationMark>();

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Has to be typed: letters, digits, symbols, the vowel signs of scripts that write them so.
    Letter,
    /// Sits on a letter and may be left out.
    Accent,
    /// Stands between letters, and may be left out, or another typed.
    Mark,
    /// Parts two words.
    Space,
    /// Cannot be seen.
    Nothing,
}

impl Kind {
    pub(super) fn of(c: char) -> Self {
        use GeneralCategory as Category;
        if c.is_ascii_alphanumeric() {
            return Self::Letter;
        }
        match CATEGORY.get(c) {
            Category::UppercaseLetter | Category::LowercaseLetter => Self::Letter,
            _ if c.is_whitespace() => Self::Space,
            _ if IGNORABLE.contains(c) => Self::Nothing,
            Category::Control | Category::Format => Self::Nothing,
            Category::DashPunctuation
            | Category::ConnectorPunctuation
            | Category::OpenPunctuation
            | Category::ClosePunctuation
            | Category::InitialPunctuation
            | Category::FinalPunctuation
            | Category::OtherPunctuation
            | Category::ModifierSymbol => Self::Mark,
            // The minus sign.
            Category::MathSymbol if DASH.contains(c) => Self::Mark,
            Category::ModifierLetter => modifier(c),
            Category::EnclosingMark => Self::Accent,
            Category::NonspacingMark if is_accent(c) => Self::Accent,
            _ => Self::Letter,
        }
    }
}

/// Letters that modify others. An apostrophe that is a letter by its rights (U+02BC, the Hawaiian U+02BB)
/// is typed as an apostrophe or not at all; what lengthens a vowel (U+30FC) makes another word; what
/// only lengthens a line (U+0640) is an ornament.
fn modifier(c: char) -> Kind {
    if JOINING.get(c) == JoiningType::JoinCausing {
        return Kind::Nothing;
    }
    let of_any_script = SCRIPT.get(c) == Script::Common;
    if of_any_script && DIACRITIC.contains(c) && !EXTENDER.contains(c) { Kind::Mark } else { Kind::Letter }
}

/// Whether a combining mark is one that people leave out: what is placed above, below or across a letter of
/// any script, and the points of Hebrew, Arabic and Syriac, which have classes of their own. The classes of
/// nukta, virama, kana voicing, and of the vowels and tones of Thai, Lao and Tibetan are not among them, and
/// the vowel signs of Indic scripts have none: they make another word.
fn is_accent(c: char) -> bool {
    let placed = matches!(COMBINING.get(c), CanonicalCombiningClass(1 | 10..=36 | 200..=240));
    placed && (DIACRITIC.contains(c) || SCRIPT.get(c) == Script::Inherited)
}

/// A mark as a keyboard has it, where Unicode has many of its kind.
pub(super) fn plain_mark(c: char) -> char {
    match c {
        c if DASH.contains(c) => '-',
        c if QUOTATION.contains(c) => '\'',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_character_is_to_somebody_who_types() {
        let rows = [
            (Kind::Letter, "aZ7éßøØ李かーक\u{93f}\u{94d}\u{3099}\u{e48}\u{e34}+$©👩א"),
            (Kind::Mark, "'’‘`´ʼʻ′\"“”«-‐‑–—−_.,·・&%@#*/()[]׳־\u{2e3a}｡"),
            (Kind::Space, " \t\u{a0}\u{2002}\u{2009}\u{202f}\u{3000}\n"),
            (
                Kind::Nothing,
                "\u{ad}\u{200b}\u{200c}\u{200d}\u{200e}\u{202a}\u{2060}\u{2066}\u{feff}\u{fe0f}\u{34f}\u{640}\u{7}\u{3164}\u{e0101}",
            ),
            (Kind::Accent, "\u{301}\u{327}\u{338}\u{64e}\u{651}\u{654}\u{670}\u{5b8}\u{5c1}\u{730}\u{20e3}"),
        ];
        for (kind, characters) in rows {
            for c in characters.chars() {
                assert_eq!(Kind::of(c), kind, "U+{:04X}", u32::from(c));
            }
        }
    }
}
