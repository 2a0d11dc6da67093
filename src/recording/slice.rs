//! Text that shares the memory of the batch it was read in.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A piece of a longer text that is shared.
///
/// The lines of a [`Feed`](super::Feed) are made on one thread and dropped on another. An allocation of its
/// own for every piece of them would keep both waiting for the allocator; one for each batch does not. Who
/// keeps a slice for long keeps its batch, some hundred kilobytes: `to_owned` what is to stay.
#[derive(Clone)]
pub struct Slice {
    whole: Arc<str>,
    range: Range<usize>,
}

impl Slice {
    /// `part` as a slice of `whole`; copied where it is not a part of it.
    pub(super) fn of(whole: &Arc<str>, part: &str) -> Self {
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        let range = start..start.wrapping_add(part.len());
        match whole.get(range.clone()) {
            Some(found) if std::ptr::eq(found, part) => Self { whole: Arc::clone(whole), range },
            _ => part.into(),
        }
    }
}

impl From<&str> for Slice {
    fn from(text: &str) -> Self {
        Self { whole: text.into(), range: 0..text.len() }
    }
}

impl From<String> for Slice {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Deref for Slice {
    type Target = str;
    fn deref(&self) -> &str {
        self.whole.get(self.range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Slice {}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_shares_and_anything_else_is_copied() {
        let whole: Arc<str> = "a whole of parts".into();
        let part = whole.get(2..7).unwrap();
        let shared = Slice::of(&whole, part);
        assert!(&*shared == "whole" && Arc::ptr_eq(&shared.whole, &whole));
        let other = String::from("whole");
        let copied = Slice::of(&whole, &other);
        assert!(copied == shared && !Arc::ptr_eq(&copied.whole, &whole));
        assert_eq!(&*Slice::of(&whole, ""), "");
    }
}
