//! Reps whom Salesforce refuses to be offered work, counted, so that an operator sees who it is again and
//! again: a roster that lags, a permission that is missing.
//!
//! Decides nothing. In memory: a rep who is still refused after a restart is soon seen again.

use std::collections::HashMap;

use crate::model::ids::RepId;

/// How many reps are remembered. The one who was refused the longest ago makes room.
const REMEMBERED: usize = 1_000;

/// Who was refused how often in a row.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// How often in a row, and as the how many-th refusal of all the last time.
    reps: HashMap<RepId, (u32, u64)>,
    all: u64,
}

impl Refused {
    /// The rep was refused; how often in a row that makes.
    pub(super) fn add(&mut self, rep: RepId) -> u32 {
        self.all += 1;
        if self.reps.len() >= REMEMBERED
            && !self.reps.contains_key(&rep)
            && let Some(oldest) = self.reps.iter().min_by_key(|(_, (_, last))| *last).map(|(rep, _)| *rep)
        {
            self.reps.remove(&oldest);
        }
        let (times, last) = self.reps.entry(rep).or_default();
        (*times, *last) = (times.saturating_add(1), self.all);
        *times
    }

    /// The rep was offered something: all is well with them.
    pub(super) fn offered(&mut self, rep: RepId) {
        if !self.reps.is_empty() {
            self.reps.remove(&rep);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rep(number: usize) -> RepId {
        RepId::parse(&format!("005{number:012}")).unwrap()
    }

    #[test]
    fn refusals_are_counted_until_an_offer_is_made() {
        let mut refused = Refused::default();
        assert_eq!([refused.add(rep(1)), refused.add(rep(2)), refused.add(rep(1))], [1, 1, 2]);
        refused.offered(rep(1));
        assert_eq!([refused.add(rep(1)), refused.add(rep(2))], [1, 2]);
    }

    #[test]
    fn the_one_of_the_longest_ago_makes_room() {
        let mut refused = Refused::default();
        (0..REMEMBERED).for_each(|number| assert_eq!(refused.add(rep(number)), 1));
        refused.add(rep(0));
        refused.add(rep(REMEMBERED));
        assert_eq!(refused.reps.len(), REMEMBERED);
        assert_eq!(refused.add(rep(0)), 3, "refused lately");
        assert_eq!(refused.add(rep(1)), 1, "forgotten");
    }
}
