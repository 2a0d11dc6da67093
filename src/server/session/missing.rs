//! Keys that the identity provider does not have, so that it is not asked for each of them again and again.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::time::Timestamp;

/// How long a key that was not there is not asked for; each time twice as long, up to the second.
const WAITS: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(5));

/// How many are remembered. Of more, those are forgotten that would soonest be asked for again.
const MOST: usize = 256;

/// The keys that were asked for and not there.
#[derive(Default)]
pub(super) struct Missing(HashMap<Box<str>, (Timestamp, Duration)>);

impl Missing {
    /// Whether it is too early to ask for it again.
    pub(super) fn is_missing(&self, id: &str, now: Timestamp) -> bool {
        self.0.get(id).is_some_and(|(until, _)| now < *until)
    }

    /// It was not there.
    pub(super) fn note(&mut self, id: &str, now: Timestamp) {
        let wait = self.0.get(id).map_or(WAITS.0, |(_, wait)| wait.saturating_mul(2).min(WAITS.1));
        if !self.0.contains_key(id) && self.0.len() >= MOST {
            let soonest = self.0.iter().min_by_key(|(_, (until, _))| *until).map(|(id, _)| id.clone());
            if let Some(soonest) = soonest {
                self.0.remove(&soonest);
            }
        }
        self.0.insert(id.into(), (now + wait, wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_is_asked_for_ever_more_seldom() {
        let (mut missing, mut now, mut asked) = (Missing::default(), Timestamp::from_millis(0), Vec::new());
        for second in 0..3600 {
            now = Timestamp::from_millis(second * 1000);
            if !missing.is_missing("k", now) {
                missing.note("k", now);
                asked.push(second);
            }
        }
        assert_eq!(asked[..6], [0, 30, 90, 210, 450, 750]);
        assert!(asked.len() < 20, "{asked:?}");
        assert!(!missing.is_missing("another", now));
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let mut missing = Missing::default();
        for number in 0..10_000 {
            missing.note(&format!("k{number}"), Timestamp::from_millis(number));
        }
        assert_eq!(missing.0.len(), MOST);
        assert!(missing.is_missing("k9999", Timestamp::from_millis(10_000)));
    }
}
