//! Reps whom Salesforce refuses to be offered work, counted, so that an operator sees who it is again and
//! again: a roster that lags, a permission that is missing.
//!
//! Decides nothing. In memory: a rep who is still refused after a restart is soon seen again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::error_codes::ErrorCode;
use crate::model::ids::RepId;
use crate::model::time::Timestamp;

/// How many reps are remembered. The one who was refused the longest ago makes room.
const REMEMBERED: usize = 1_000;

/// After so long without a refusal a rep is not told about any more: they may have left, and are never asked.
const TOLD_FOR: Duration = Duration::from_hours(24);

/// A rep whom Salesforce refuses again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRep {
    /// Who.
    pub rep: RepId,
    /// How often in a row; more than once.
    pub times: u32,
    /// Since when.
    pub since: Timestamp,
    /// What Salesforce said last.
    pub code: ErrorCode,
}

/// Who was refused how often in a row. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused(Arc<Mutex<Reps>>);

#[derive(Debug, Default)]
struct Reps {
    reps: HashMap<RepId, Seen>,
    all: u64,
}

#[derive(Debug)]
struct Seen {
    refused: RefusedRep,
    last: Timestamp,
    /// As the how many-th refusal of all it was the last time.
    number: u64,
}

impl Refused {
    /// The rep was refused; how often in a row that makes.
    pub(super) fn add(&self, rep: RepId, code: ErrorCode, now: Timestamp) -> u32 {
        let mut all = self.lock();
        all.all = all.all.saturating_add(1);
        let number = all.all;
        if all.reps.len() >= REMEMBERED
            && !all.reps.contains_key(&rep)
            && let Some(oldest) = all.reps.iter().min_by_key(|(_, seen)| seen.number).map(|(rep, _)| *rep)
        {
            all.reps.remove(&oldest);
        }
        let begun = RefusedRep { rep, times: 0, since: now, code };
        let seen = all.reps.entry(rep).or_insert(Seen { refused: begun, last: now, number });
        seen.refused = RefusedRep { times: seen.refused.times.saturating_add(1), code, ..seen.refused };
        (seen.last, seen.number) = (now, number);
        seen.refused.times
    }

    /// The rep was offered something: all is well with them.
    pub(super) fn offered(&self, rep: RepId) {
        self.lock().reps.remove(&rep);
    }

    /// Those who are refused again and again, who has been for the longest first.
    pub(super) fn again_and_again(&self, now: Timestamp) -> Vec<RefusedRep> {
        let all = self.lock();
        let told = all.reps.values().filter(|seen| seen.refused.times > 1 && now.since(seen.last) < TOLD_FOR);
        let mut told: Vec<RefusedRep> = told.map(|seen| seen.refused).collect();
        told.sort_unstable_by_key(|refused| (refused.since, refused.rep));
        told
    }

    fn lock(&self) -> MutexGuard<'_, Reps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rep(number: usize) -> RepId {
        RepId::parse(&format!("005{number:012}")).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn add(refused: &Refused, number: usize) -> u32 {
        refused.add(rep(number), ErrorCode(15106), at(0))
    }

    #[test]
    fn refusals_are_counted_until_an_offer_is_made() {
        let refused = Refused::default();
        assert_eq!([1, 2, 1].map(|number| add(&refused, number)), [1, 1, 2]);
        refused.offered(rep(1));
        assert_eq!([1, 2].map(|number| add(&refused, number)), [1, 2]);
    }

    #[test]
    fn the_one_of_the_longest_ago_makes_room() {
        let refused = Refused::default();
        (0..REMEMBERED).for_each(|number| assert_eq!(add(&refused, number), 1));
        add(&refused, 0);
        add(&refused, REMEMBERED);
        assert_eq!(refused.lock().reps.len(), REMEMBERED);
        assert_eq!(add(&refused, 0), 3, "refused lately");
        assert_eq!(add(&refused, 1), 1, "forgotten");
    }

    #[test]
    fn who_is_refused_more_than_once_is_told_about_for_a_day() {
        let refused = Refused::default();
        for (number, code, second) in [(1, 15105, 1), (2, 15106, 2), (1, 15112, 3)] {
            refused.add(rep(number), ErrorCode(code), at(second));
        }
        let first = RefusedRep { rep: rep(1), times: 2, since: at(1), code: ErrorCode(15112) };
        assert_eq!(refused.again_and_again(at(3)), [first], "once is a roster that lags by a moment");
        assert_eq!(refused.again_and_again(at(3 + 86_399)), [first]);
        assert_eq!(refused.again_and_again(at(3 + 86_400)), []);
        refused.offered(rep(1));
        assert_eq!(refused.again_and_again(at(3)), []);
    }
}
