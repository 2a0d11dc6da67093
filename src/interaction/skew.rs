//! How far this machine's clock is from Salesforce's, as what Salesforce sends shows it.
//!
//! A clock that is wrong makes every request "too old", or keeps one open after Salesforce has given it up; and
//! nothing else would say so.
//!
//! Invariants
//! 1. What travels slowly is no proof: an event that comes late says nothing of the clock, one that comes
//!    before it was published does.
//! 2. It decides nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::time::Timestamp;

/// A clock may be this much off: a `Date` header counts in seconds, and answers are on their way for a while.
const TOLERANCE: Duration = Duration::from_secs(5);

/// A clock that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// Since when this is known.
    pub since: Timestamp,
    /// How many milliseconds Salesforce's clock is ahead of ours; negative where it is behind.
    pub ahead_millis: i64,
}

/// What Salesforce has shown. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct Skew(Arc<Mutex<Option<Wrong>>>);

impl Skew {
    /// A response was sent by Salesforce at `theirs`, between two moments of ours.
    pub fn responded(&self, asked: Timestamp, answered: Timestamp, theirs: Timestamp) {
        // The header's second began up to a second before.
        let theirs_at_most = theirs + Duration::from_secs(1);
        let ahead = if theirs > answered {
            millis(theirs, answered)
        } else if theirs_at_most < asked {
            millis(asked, theirs_at_most).saturating_neg()
        } else {
            0
        };
        self.seen(answered, ahead);
    }

    /// An event that was published at `theirs` came.
    pub fn arrived(&self, now: Timestamp, theirs: Timestamp) {
        if theirs > now {
            self.seen(now, millis(theirs, now));
        } else if now.since(theirs) <= TOLERANCE {
            self.seen(now, 0);
        }
    }

    /// What is wrong, where anything is.
    pub fn wrong(&self) -> Option<Wrong> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, now: Timestamp, ahead_millis: i64) {
        let is_wrong = ahead_millis.unsigned_abs() > u64::try_from(TOLERANCE.as_millis()).unwrap_or(u64::MAX);
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (*wrong, is_wrong) {
            (None, true) => {
                tracing::warn!(
                    salesforce_ahead_millis = ahead_millis,
                    "this machine's clock differs from Salesforce's; correct it, and restart the connector"
                );
                *wrong = Some(Wrong { since: now, ahead_millis });
            }
            (Some(known), true) => *wrong = Some(Wrong { ahead_millis, ..known }),
            (Some(_), false) => {
                tracing::info!("this machine's clock matches Salesforce's again");
                *wrong = None;
            }
            (None, false) => {}
        }
    }
}

/// From the earlier to the later, in milliseconds.
fn millis(later: Timestamp, earlier: Timestamp) -> i64 {
    i64::try_from(later.since(earlier).as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn ahead(skew: &Skew) -> Option<i64> {
        skew.wrong().map(|wrong| wrong.ahead_millis)
    }

    #[test]
    fn a_date_is_held_against_the_time_that_the_call_took() {
        for (asked, answered, theirs, wrong) in [
            (100, 100, 100, None),
            (100, 110, 100, None),
            (100, 100, 105, None),
            (100, 100, 106, Some(6_000)),
            (100, 110, 116, Some(6_000)),
            (100, 110, 95, None),
            (100, 110, 93, Some(-6_000)),
            (10_000, 10_000, 6_400, Some(-3_599_000)),
        ] {
            let skew = Skew::default();
            skew.responded(at(asked), at(answered), at(theirs));
            assert_eq!(ahead(&skew), wrong, "{asked} {answered} {theirs}");
        }
    }

    #[test]
    fn an_event_that_comes_late_proves_nothing_and_one_that_comes_early_does() {
        let skew = Skew::default();
        skew.arrived(at(100), at(10));
        assert_eq!(ahead(&skew), None);
        skew.arrived(at(100), at(107));
        assert_eq!(ahead(&skew), Some(7_000));
        skew.arrived(at(101), at(10));
        assert_eq!(ahead(&skew), Some(7_000), "not mended by one that is late");
        skew.arrived(at(102), at(100));
        assert_eq!(ahead(&skew), None);
    }

    #[test]
    fn it_is_known_since_when_until_it_is_mended() {
        let skew = Skew::default();
        skew.responded(at(100), at(100), at(200));
        skew.responded(at(150), at(150), at(300));
        assert_eq!(skew.wrong(), Some(Wrong { since: at(100), ahead_millis: 150_000 }));
        skew.responded(at(160), at(160), at(160));
        assert_eq!(skew.wrong(), None);
    }
}
