//! What is searched of one group, by rank; and several of them merged.

use smallvec::SmallVec;

use crate::contacts::texts::{Needle, Texts};

/// Texts in the order of their contacts' ranks.
#[derive(Debug, Default)]
pub(super) struct Column {
    texts: Texts,
    ranks: Vec<u32>,
}

impl Column {
    pub(super) fn with_capacity(bytes: usize, texts: usize) -> Self {
        Self { texts: Texts::with_capacity(bytes, texts), ranks: Vec::with_capacity(texts) }
    }

    pub(super) fn push(&mut self, text: &str, rank: u32) {
        self.texts.push(text);
        self.ranks.push(rank);
    }

    pub(super) fn all(&self) -> Ranks<'_> {
        Box::new(self.ranks.iter().copied())
    }

    pub(super) fn holding<'a>(&'a self, needle: &'a Needle) -> Ranks<'a> {
        Box::new(self.texts.holding(needle).filter_map(|at| self.ranks.get(at).copied()))
    }

    pub(super) fn shrink(&mut self) {
        self.texts.shrink();
        self.ranks.shrink_to_fit();
    }

    pub(super) fn memory(&self) -> usize {
        self.texts.memory().saturating_add(self.ranks.capacity().saturating_mul(size_of::<u32>()))
    }
}

/// Ranks of contacts, ascending.
pub(super) type Ranks<'a> = Box<dyn Iterator<Item = u32> + 'a>;

/// Several ascending runs of ranks as one, each rank once.
pub(super) fn merged<'a>(runs: impl Iterator<Item = Ranks<'a>>) -> Ranks<'a> {
    let mut runs: SmallVec<[Ranks<'a>; 5]> = runs.collect();
    if runs.len() == 1 {
        return runs.pop().unwrap_or_else(|| Box::new(std::iter::empty()));
    }
    let mut heads: SmallVec<[_; 5]> = runs.into_iter().map(Iterator::peekable).collect();
    Box::new(std::iter::from_fn(move || {
        let least = heads.iter_mut().filter_map(|head| head.peek().copied()).min()?;
        for head in &mut heads {
            head.next_if_eq(&least);
        }
        Some(least)
    }))
}
