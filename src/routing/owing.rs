//! How much all conversations of a channel owe, and since when the oldest of it is owed: kept up to date turn by
//! turn, so that asking costs nothing however many conversations there are.

use std::collections::{BTreeSet, HashMap};

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;

/// How much is owed, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owes {
    /// How many things.
    pub count: usize,
    /// Since when the oldest of them is owed.
    pub oldest: Timestamp,
}

/// The conversations that owe something.
#[derive(Debug, Default)]
pub(super) struct Owing {
    of: HashMap<ConversationId, Owes>,
    by_age: BTreeSet<(Timestamp, ConversationId)>,
    count: usize,
}

impl Owing {
    /// What a conversation owes now.
    pub(super) fn set(&mut self, id: &ConversationId, owes: Option<Owes>) {
        if owes.is_none() && self.of.is_empty() {
            return;
        }
        if let Some(before) = self.of.remove(id) {
            self.count = self.count.saturating_sub(before.count);
            self.by_age.remove(&(before.oldest, id.clone()));
        }
        if let Some(now) = owes {
            self.count = self.count.saturating_add(now.count);
            self.by_age.insert((now.oldest, id.clone()));
            self.of.insert(id.clone(), now);
        }
    }

    /// What all of them owe.
    pub(super) fn total(&self) -> Option<Owes> {
        let (oldest, _) = self.by_age.first()?;
        Some(Owes { count: self.count, oldest: *oldest })
    }

    /// The conversations, the one that owes for the longest first.
    pub(super) fn conversations(&self) -> impl Iterator<Item = &ConversationId> {
        self.by_age.iter().map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_follows_each_conversation() {
        let id = |name: &str| ConversationId::parse(name).unwrap();
        let owes = |count, second: i64| Owes { count, oldest: Timestamp::from_millis(second * 1_000) };
        let mut owing = Owing::default();
        owing.set(&id("a"), None);
        assert_eq!(owing.total(), None);
        owing.set(&id("a"), Some(owes(2, 5)));
        owing.set(&id("b"), Some(owes(1, 3)));
        assert_eq!(owing.total(), Some(owes(3, 3)));
        assert_eq!(owing.conversations().map(ConversationId::as_str).collect::<Vec<_>>(), ["b", "a"]);
        owing.set(&id("b"), None);
        owing.set(&id("a"), Some(owes(1, 5)));
        assert_eq!(owing.total(), Some(owes(1, 5)));
        owing.set(&id("a"), None);
        assert_eq!(owing.total(), None);
    }
}
