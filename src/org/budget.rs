//! How many reads may be made: ours within a day, and the org's own daily limit of API requests, which all of its
//! software shares.
//!
//! Salesforce says with each answer how much of the limit is used (`Sforce-Limit-Info: api-usage=18/5000`). That is
//! known only by reading, so where it stopped us, one read is made again after a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::{Closed, Error};
use crate::model::time::Timestamp;

/// What counts as a day: any 24 hours, as Salesforce counts.
const DAY: Duration = Duration::from_hours(24);

/// How long nothing is read after the org was near its limit, or the token was rejected.
const CLOSED_FOR: Duration = Duration::from_mins(15);

/// How much may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// How many reads within 24 hours; 0 for none at all.
    pub per_day: u32,
    /// No reads while more than so many percent of the org's daily API requests are used.
    pub until_percent: u32,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { per_day: 1_000, until_percent: 80 }
    }
}

/// How many reads were made, and what the org says of its limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadsMade {
    /// Ours, since the day began that is being counted.
    pub ours: u32,
    /// How many API requests the org used of today's, and how many it has, as it said last.
    pub org: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
struct Counted {
    began: Option<Timestamp>,
    made: ReadsMade,
    closed: Option<(Timestamp, Closed)>,
}

/// Counts the reads of one org. A clone counts with it.
#[derive(Debug, Clone)]
pub struct Budget {
    limits: ReadLimits,
    counted: Arc<Mutex<Counted>>,
}

impl Budget {
    /// Nothing was read yet.
    pub fn new(limits: ReadLimits) -> Self {
        Self { limits, counted: Arc::default() }
    }

    /// Whether reads are made at all.
    pub const fn is_on(&self) -> bool {
        self.limits.per_day > 0
    }

    /// What was read so far.
    pub fn made(&self) -> ReadsMade {
        self.lock().made
    }

    /// Counts a read that is about to be made.
    pub(super) fn take(&self, now: Timestamp) -> Result<(), Error> {
        if !self.is_on() {
            return Err(Error::Closed(Closed::Off));
        }
        let mut counted = self.lock();
        if counted.began.is_none_or(|began| now >= began + DAY) {
            counted.began = Some(now);
            counted.made.ours = 0;
        }
        match counted.closed {
            Some((until, why)) if now < until => return Err(Error::Closed(why)),
            _ => counted.closed = None,
        }
        if counted.made.ours >= self.limits.per_day {
            return Err(Error::Closed(Closed::Spent(self.limits.per_day)));
        }
        counted.made.ours = counted.made.ours.saturating_add(1);
        Ok(())
    }

    /// What an answer said of the org's limit; what cannot be read says nothing.
    pub(super) fn heard(&self, now: Timestamp, limit_info: &str) {
        let usage = limit_info.split(',').find_map(|part| part.trim().strip_prefix("api-usage="));
        let numbers = usage.and_then(|usage| usage.split_once('/'));
        let Some((used, of)) = numbers.and_then(|(used, of)| Some((used.parse().ok()?, of.parse().ok()?)))
        else {
            return;
        };
        self.lock().made.org = Some((used, of));
        let percent: u64 = used.saturating_mul(100).checked_div(of).unwrap_or(100);
        if percent >= u64::from(self.limits.until_percent) {
            self.close(now, Closed::OrgNearLimit(u32::try_from(percent).unwrap_or(u32::MAX)));
        }
    }

    /// Nothing more for a while.
    pub(super) fn close(&self, now: Timestamp, why: Closed) {
        self.lock().closed = Some((now + CLOSED_FOR, why));
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn budget(per_day: u32) -> Budget {
        Budget::new(ReadLimits { per_day, until_percent: 80 })
    }

    #[test]
    fn no_more_is_read_than_is_set_and_a_day_later_again() {
        let budget = budget(2);
        assert_eq!((budget.take(at(0)), budget.take(at(5))), (Ok(()), Ok(())));
        assert_eq!(budget.take(at(86_399)), Err(Error::Closed(Closed::Spent(2))));
        assert_eq!(budget.take(at(86_400)), Ok(()));
        assert_eq!(budget.made().ours, 1);
        assert_eq!(
            super::Budget::new(ReadLimits { per_day: 0, until_percent: 80 }).take(at(0)),
            Err(Error::Closed(Closed::Off))
        );
    }

    #[test]
    fn near_the_orgs_own_limit_nothing_is_read_until_a_while_later() {
        let budget = budget(100);
        for odd in ["", "api-usage=", "api-usage=a/b", "per-app-api-usage=17/18(appName=x)", "api-usage=1"] {
            budget.heard(at(0), odd);
        }
        assert_eq!((budget.take(at(0)), budget.made().org), (Ok(()), None));
        budget.heard(at(0), "api-usage=79/100");
        assert_eq!(budget.take(at(0)), Ok(()));
        budget.heard(at(0), "api-usage=80/100, per-app-api-usage=17/250(appName=x)");
        assert_eq!(budget.take(at(899)), Err(Error::Closed(Closed::OrgNearLimit(80))));
        assert_eq!(budget.take(at(900)), Ok(()));
        budget.heard(at(900), "api-usage=5/0");
        assert!(budget.take(at(901)).is_err());
    }
}
