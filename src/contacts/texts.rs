//! Many short texts behind each other in one piece of memory, so that a search is one pass of SIMD
//! over it instead of a visit to each.
//!
//! Only letters lie there; what stands between two of them, a space or a mark, is a bit for each. A mark may
//! be left out or be typed as a space, so that a mark fits anything, in the text and in what is searched. A
//! space fits a space or a mark: `hank` is not a part of `josh anker`.
//!
//! Invariants
//! 1. Every text ends with a separator that no folded text can hold: a match never spans two texts.

use memchr::memmem::Finder;

use super::fold::MARK;

const SEPARATOR: char = '\n';

/// The texts, numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Texts {
    letters: String,
    /// Where each text ends, its separator included.
    ends: Vec<usize>,
    gaps: Gaps,
}

impl Texts {
    pub(super) fn with_capacity(bytes: usize, texts: usize) -> Self {
        Self {
            letters: String::with_capacity(bytes.saturating_add(texts)),
            ends: Vec::with_capacity(texts),
            gaps: Gaps::default(),
        }
    }

    /// Appends one folded text, which must hold no control characters.
    pub(super) fn push(&mut self, folded: &str) {
        self.gaps.append(folded, &mut self.letters);
        self.letters.push(SEPARATOR);
        self.ends.push(self.letters.len());
    }

    /// Gives back the memory that no text came for.
    pub(super) fn shrink(&mut self) {
        self.letters.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.gaps.spaces.0.shrink_to_fit();
        self.gaps.marks.0.shrink_to_fit();
    }

    /// How many bytes this takes.
    pub(super) fn memory(&self) -> usize {
        let words = self.gaps.spaces.0.capacity().saturating_add(self.gaps.marks.0.capacity());
        let ends = self.ends.capacity().saturating_mul(size_of::<usize>());
        self.letters.capacity().saturating_add(ends).saturating_add(words.saturating_mul(size_of::<u64>()))
    }

    /// The numbers of the texts that hold the needle, in order.
    pub(super) fn holding<'a>(&'a self, needle: &'a Needle) -> Holding<'a> {
        Holding { texts: self, needle, next: 0, searched: 0 }
    }

    /// Whether the gaps at a place where the letters are the needle's are such that it is found there.
    fn fits(&self, at: usize, needle: &Needle) -> bool {
        (0..needle.length).step_by(64).all(|from| {
            let bits = match needle.length.saturating_sub(from) {
                left @ ..64 => !(u64::MAX << left),
                _ => u64::MAX,
            };
            // What stands before the first letter is outside.
            let inside = if from == 0 { bits & !1 } else { bits };
            let (here, asked) = (self.gaps.at(at.saturating_add(from)), needle.gaps.at(from));
            let parted = here.space & !(asked.space | asked.mark);
            let joined = asked.space & !(here.space | here.mark);
            (parted | joined) & inside == 0
        })
    }
}

/// What is searched.
#[derive(Debug)]
pub(super) struct Needle {
    letters: Finder<'static>,
    length: usize,
    gaps: Gaps,
}

impl Needle {
    /// A folded text that is not empty.
    pub(super) fn new(folded: &str) -> Self {
        let (mut gaps, mut letters) = (Gaps::default(), String::with_capacity(folded.len()));
        gaps.append(folded, &mut letters);
        Self { length: letters.len(), letters: Finder::new(&letters).into_owned(), gaps }
    }
}

/// Before which letters there is a space, and before which a mark.
#[derive(Debug, Default)]
struct Gaps {
    spaces: Bits,
    marks: Bits,
}

/// The gaps before 64 letters.
struct Gap64 {
    space: u64,
    mark: u64,
}

impl Gaps {
    /// Takes a folded text apart.
    fn append(&mut self, folded: &str, letters: &mut String) {
        if folded.chars().all(|c| c == MARK) {
            // It has nothing else that could be searched.
            letters.push_str(folded);
            return;
        }
        for c in folded.chars() {
            match c {
                ' ' => self.spaces.set(letters.len()),
                MARK => self.marks.set(letters.len()),
                letter => letters.push(letter),
            }
        }
    }

    fn at(&self, letter: usize) -> Gap64 {
        Gap64 { space: self.spaces.at(letter), mark: self.marks.at(letter) }
    }
}

/// A row of bits; those behind its end are not set.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, bit: usize) {
        let word = bit / 64;
        if self.0.len() <= word {
            self.0.resize(word.saturating_add(1), 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (bit % 64);
        }
    }

    /// The 64 bits from here on.
    fn at(&self, bit: usize) -> u64 {
        let word = |n: usize| self.0.get(n).copied().unwrap_or_default();
        let (at, by) = (bit / 64, bit % 64);
        match by {
            0 => word(at),
            by => word(at) >> by | word(at.saturating_add(1)) << 64_usize.saturating_sub(by),
        }
    }
}

/// See [`Texts::holding`].
pub(super) struct Holding<'a> {
    texts: &'a Texts,
    needle: &'a Needle,
    /// The first text that has not been looked at.
    next: usize,
    /// From where on the letters have not been looked at.
    searched: usize,
}

impl Iterator for Holding<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let left = self.texts.letters.as_bytes().get(self.searched..)?;
            let at = self.searched.saturating_add(self.needle.letters.find(left)?);
            if self.texts.fits(at, self.needle) {
                let before = texts_before(self.texts.ends.get(self.next..)?, at);
                let found = self.next.saturating_add(before);
                self.searched = *self.texts.ends.get(found)?;
                self.next = found.saturating_add(1);
                return Some(found);
            }
            self.searched = at.saturating_add(1);
        }
    }
}

/// How many of the texts end at or before a place. The answer is mostly small: doubling steps find it
/// without touching the far end of a long list.
fn texts_before(ends: &[usize], at: usize) -> usize {
    let mut step = 1_usize;
    while ends.get(step).is_some_and(|&end| end <= at) {
        step = step.saturating_mul(2);
    }
    let near = ends.get(..ends.len().min(step.saturating_add(1))).unwrap_or(ends);
    near.partition_point(|&end| end <= at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_that_holds_the_needle_is_named_once_and_in_order() {
        let mut texts = Texts::default();
        for text in ["banana", "", "an", "nab", "ana ana", "x"] {
            texts.push(text);
        }
        let holding = |needle: &str| texts.holding(&Needle::new(needle)).collect::<Vec<_>>();
        assert_eq!(holding("an"), [0, 2, 4]);
        assert_eq!(holding("ana"), [0, 4]);
        assert_eq!(holding("bx"), [] as [usize; 0]);
        assert_eq!(holding("x"), [5]);
    }

    #[test]
    fn a_match_does_not_span_two_texts() {
        let mut texts = Texts::default();
        texts.push("anna");
        texts.push("bea");
        assert_eq!(texts.holding(&Needle::new("annabea")).count(), 0);
    }

    #[test]
    fn a_mark_fits_anything_and_a_space_a_space_or_a_mark() {
        let mut texts = Texts::default();
        for text in ["o-brien", "obrien", "o brien", "josh anker", "-"] {
            texts.push(text);
        }
        let holding = |needle: &str| texts.holding(&Needle::new(needle)).collect::<Vec<_>>();
        assert_eq!(holding("obrien"), [0, 1]);
        assert_eq!(holding("o-brien"), [0, 1, 2]);
        assert_eq!(holding("o brien"), [0, 2]);
        assert_eq!(holding("brien"), [0, 1, 2]);
        assert_eq!(holding("hank"), [] as [usize; 0]);
        assert_eq!(holding("h ank"), [3]);
        assert_eq!(holding("an ker"), [] as [usize; 0]);
        assert_eq!(holding("-"), [4]);
    }

    #[test]
    fn gaps_are_compared_all_along_a_long_needle() {
        let mut texts = Texts::default();
        for gap_at in [1, 63, 64, 65, 127, 128, 150] {
            texts.push(&format!("{} {}", "a".repeat(gap_at), "a".repeat(200 - gap_at)));
        }
        for (n, gap_at) in [1, 63, 64, 65, 127, 128, 150].into_iter().enumerate() {
            let needle = format!("{} {}", "a".repeat(gap_at), "a".repeat(200 - gap_at));
            assert_eq!(texts.holding(&Needle::new(&needle)).collect::<Vec<_>>(), [n]);
        }
    }

    #[test]
    fn stepping_finds_what_counting_finds() {
        let ends: Vec<usize> = (1..200).map(|n| n * 3).collect();
        for at in 0..700 {
            assert_eq!(texts_before(&ends, at), ends.iter().filter(|&&end| end <= at).count(), "{at}");
        }
        assert_eq!(texts_before(&[], 5), 0);
    }
}
