//! How long offers that were being made before a start are left alone.
//!
//! What became of such an offer comes with the stream, and a rep who has answered it meanwhile would ring once
//! more if it were made again.
//!
//! Invariants
//! 1. They are taken up once, and at the latest [`AT_MOST`] after the start.
//! 2. Whether the stream stands is known beyond the next beginning: it is said once.

use std::time::Duration;

use crate::model::time::Timestamp;

/// How long the stream must have said nothing.
const QUIET: Duration = Duration::from_secs(2);

/// How long offers are left alone at most, whatever the stream says.
const AT_MOST: Duration = Duration::from_secs(10);

/// Waits until the stream has told what it has to tell.
#[derive(Debug, Default)]
pub(super) struct OfferHold {
    /// Whether the stream stands.
    listening: bool,
    /// Since the start, and when the stream last said something or began to listen; none when it is over.
    waiting: Option<(Timestamp, Option<Timestamp>)>,
}

impl OfferHold {
    /// The channel begins, or begins again.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.waiting = Some((now, self.listening.then_some(now)));
    }

    /// The stream stands.
    pub(super) fn listening(&mut self, now: Timestamp) {
        self.listening = true;
        self.heard(now);
    }

    /// Something came. What comes by other ways while the stream does not stand says nothing of it.
    pub(super) fn heard(&mut self, now: Timestamp) {
        if let Some((_, heard)) = self.waiting.as_mut().filter(|_| self.listening) {
            *heard = Some(now);
        }
    }

    /// When it is over, as things are; none where it is.
    pub(super) fn until(&self) -> Option<Timestamp> {
        let (since, heard) = self.waiting?;
        let latest = since + AT_MOST;
        Some(heard.map_or(latest, |heard| latest.min(heard + QUIET)))
    }

    /// Whether it has just come to its end. Says so once.
    pub(super) fn is_over(&mut self, now: Timestamp) -> bool {
        self.until().is_some_and(|until| until <= now) && self.waiting.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn it_is_over_when_a_stream_that_stands_is_quiet() {
        let mut offer_hold = OfferHold::default();
        assert!(!offer_hold.is_over(at(99)), "nothing has begun");
        offer_hold.begin(at(0));
        offer_hold.heard(at(1));
        assert_eq!(offer_hold.until(), Some(at(10)), "the stream does not stand yet");
        offer_hold.listening(at(3));
        offer_hold.heard(at(4));
        assert!(!offer_hold.is_over(at(5)));
        assert!(offer_hold.is_over(at(6)) && !offer_hold.is_over(at(6)), "once");
    }

    #[test]
    fn a_stream_that_goes_on_talking_is_not_waited_for_without_end() {
        let mut offer_hold = OfferHold::default();
        offer_hold.begin(at(0));
        offer_hold.listening(at(0));
        (1..=9).for_each(|second| offer_hold.heard(at(second)));
        assert_eq!(offer_hold.until(), Some(at(10)));
    }

    #[test]
    fn who_begins_again_with_a_stream_that_stands_need_not_be_told() {
        let mut offer_hold = OfferHold::default();
        offer_hold.begin(at(0));
        offer_hold.listening(at(1));
        assert!(offer_hold.is_over(at(3)));
        offer_hold.begin(at(100));
        assert_eq!(offer_hold.until(), Some(at(102)));
    }
}
