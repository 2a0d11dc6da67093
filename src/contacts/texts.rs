//! Many short texts behind each other in one piece of memory, so that a search is one pass of SIMD
//! over it instead of a visit to each.
//!
//! Invariants
//! 1. Every text ends with a separator that no folded text can hold: a match never spans two texts.

use memchr::memmem::Finder;

const SEPARATOR: char = '\n';

/// The texts, numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Texts {
    arena: String,
    /// Where each text ends, its separator included.
    ends: Vec<usize>,
}

impl Texts {
    pub(super) fn with_capacity(bytes: usize, texts: usize) -> Self {
        Self { arena: String::with_capacity(bytes + texts), ends: Vec::with_capacity(texts) }
    }

    /// Appends one text, which must hold no control characters.
    pub(super) fn push(&mut self, text: &str) {
        self.arena.push_str(text);
        self.arena.push(SEPARATOR);
        self.ends.push(self.arena.len());
    }

    /// Gives back the memory that no text came for.
    pub(super) fn shrink(&mut self) {
        self.arena.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// How many bytes this takes.
    pub(super) fn memory(&self) -> usize {
        self.arena.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// The numbers of the texts that hold the needle, in order.
    pub(super) fn holding<'a>(&'a self, needle: &'a Finder<'a>) -> Holding<'a> {
        Holding { texts: self, needle, next: 0, searched: 0 }
    }
}

/// See [`Texts::holding`].
pub(super) struct Holding<'a> {
    texts: &'a Texts,
    needle: &'a Finder<'a>,
    /// The first text that has not been looked at.
    next: usize,
    /// Where that text starts.
    searched: usize,
}

impl Iterator for Holding<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let left = self.texts.arena.as_bytes().get(self.searched..)?;
        let at = self.searched + self.needle.find(left)?;
        let found = self.next + texts_before(self.texts.ends.get(self.next..)?, at);
        self.searched = *self.texts.ends.get(found)?;
        self.next = found + 1;
        Some(found)
    }
}

/// How many of the texts end at or before a place. The answer is mostly small: doubling steps find it
/// without touching the far end of a long list.
fn texts_before(ends: &[usize], at: usize) -> usize {
    let mut step = 1;
    while ends.get(step).is_some_and(|&end| end <= at) {
        step *= 2;
    }
    let near = ends.get(..ends.len().min(step + 1)).unwrap_or(ends);
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
        let holding = |needle: &str| {
            let finder = Finder::new(needle);
            texts.holding(&finder).collect::<Vec<_>>()
        };
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
        let finder = Finder::new("annabea");
        assert_eq!(texts.holding(&finder).count(), 0);
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
