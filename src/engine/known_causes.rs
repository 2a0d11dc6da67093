//! What has been brought before, and when the store has to be asked about it.
//!
//! Whether something is processed a second time is decided by the store, in the transaction that stores what
//! follows from it; to be told so late costs beginning again from the store. So it is known by heart what
//! came lately, and for the rest the store is asked beforehand: about many at once, and not at all once it
//! has said no for a good while, until something does come again.
//!
//! Invariants
//! 1. A cause that is known by heart is stored, or on its way to the store ahead of whatever comes now.
//! 2. Of what has several events, and of how a session is, the store is always asked: not all that follows
//!    from those goes to it together with their cause, so it could not refuse it.

use std::collections::{HashMap, HashSet, VecDeque};

use super::output::Delivery;
use crate::model::event::{Event, EventKind};
use crate::store::Cause;

/// How many causes are known by heart. A stream that is cut brings again what was under way, some hundreds.
const BY_HEART: usize = 4096;

/// After how many causes in a row that it did not have the store is not asked any more.
const TRUSTED_AFTER: u32 = 1000;

/// What is known of something that is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CauseState {
    /// It was brought before.
    Before,
    /// It was not, as far as anybody can tell.
    New,
    /// The store has to be asked.
    Ask,
}

/// The causes of one channel.
#[derive(Debug, Default)]
pub(super) struct KnownCauses {
    by_heart: HashSet<Cause>,
    /// The same, the oldest first.
    in_order: VecDeque<Cause>,
    /// What the store has said of what still waits.
    said: HashMap<Cause, bool>,
    /// How many in a row the store has not had.
    news: u32,
}

impl KnownCauses {
    /// What is known of a delivery.
    pub(super) fn known(&self, delivery: &Delivery) -> CauseState {
        let Some(cause) = &delivery.cause else { return CauseState::New };
        if self.by_heart.contains(cause) {
            return CauseState::Before;
        }
        match self.said.get(cause) {
            Some(true) => CauseState::Before,
            Some(false) => CauseState::New,
            None if self.news >= TRUSTED_AFTER && can_be_refused(&delivery.events) => CauseState::New,
            None => CauseState::Ask,
        }
    }

    /// The store has been asked.
    pub(super) fn said(&mut self, causes: Vec<Cause>, seen: Vec<bool>) {
        self.said.extend(causes.into_iter().zip(seen));
    }

    /// What it led to is on its way to the store.
    pub(super) fn sent(&mut self, cause: &Cause) {
        match self.said.remove(cause) {
            Some(true) => self.came_again(),
            Some(false) => self.news = self.news.saturating_add(1),
            None => {}
        }
        if self.by_heart.insert(cause.clone()) {
            self.in_order.push_back(cause.clone());
        }
        if self.in_order.len() > BY_HEART
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.by_heart.remove(&oldest);
        }
    }

    /// The store had it: ask again before others are taken for new.
    pub(super) const fn came_again(&mut self) {
        self.news = 0;
    }

    /// What was on its way has not come about.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Whether the store can still refuse all that follows from these.
fn can_be_refused(events: &[Event]) -> bool {
    match events {
        [] => true,
        [event] => !matches!(event.what, EventKind::SessionChanged { .. }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{EventId, WorkItemId};
    use crate::model::words::SessionStatus;

    fn work_item() -> WorkItemId {
        WorkItemId::parse("0Mw000000000001").unwrap()
    }

    fn named(name: &str, events: Vec<EventKind>) -> Delivery {
        let event = |what| Event { conversation: None, what };
        let cause = Some(Cause::named(name).unwrap());
        Delivery { events: events.into_iter().map(event).collect(), cause, position: None }
    }

    fn delivery(name: &str) -> Delivery {
        named(name, vec![EventKind::WorkItemSeen(work_item())])
    }

    /// Brings it; the store is asked where that is necessary, and says this.
    fn bring(known_causes: &mut KnownCauses, delivery: &Delivery, seen: bool) -> CauseState {
        let known = known_causes.known(delivery);
        let cause = delivery.cause.clone().unwrap();
        if known == CauseState::Ask {
            known_causes.said(vec![cause.clone()], vec![seen]);
            assert_ne!(known_causes.known(delivery), CauseState::Ask, "once is enough");
        }
        known_causes.sent(&cause);
        known
    }

    fn trusting() -> KnownCauses {
        let mut known_causes = KnownCauses::default();
        for n in 0..TRUSTED_AFTER {
            assert_eq!(bring(&mut known_causes, &delivery(&n.to_string()), false), CauseState::Ask);
        }
        known_causes
    }

    #[test]
    fn what_came_lately_is_known_without_asking() {
        let mut known_causes = KnownCauses::default();
        assert_eq!(bring(&mut known_causes, &delivery("a"), false), CauseState::Ask);
        assert_eq!(bring(&mut known_causes, &delivery("a"), false), CauseState::Before);
        known_causes.forget();
        assert_eq!(known_causes.known(&delivery("a")), CauseState::Ask, "it has not come about");
    }

    #[test]
    fn the_store_is_not_asked_any_more_once_it_has_had_nothing_for_long() {
        let mut known_causes = trusting();
        assert_eq!(bring(&mut known_causes, &delivery("new"), false), CauseState::New);
        known_causes.came_again();
        assert_eq!(bring(&mut known_causes, &delivery("newer"), false), CauseState::Ask);
    }

    #[test]
    fn what_the_store_has_makes_it_be_asked_again() {
        let mut known_causes = KnownCauses::default();
        for n in 1..TRUSTED_AFTER {
            bring(&mut known_causes, &delivery(&n.to_string()), false);
        }
        bring(&mut known_causes, &delivery("old"), true);
        assert_eq!(bring(&mut known_causes, &delivery("new"), false), CauseState::Ask);
        assert_eq!(known_causes.known(&delivery("newer")), CauseState::Ask);
    }

    #[test]
    fn what_the_store_could_not_refuse_whole_is_always_asked_about() {
        let known_causes = trusting();
        let seen = || EventKind::WorkItemSeen(work_item());
        assert_eq!(known_causes.known(&named("two", vec![seen(), seen()])), CauseState::Ask);
        let session = EventKind::SessionChanged {
            entry: EventId::parse("3f0d2a52-77a1-4f0e-8d3b-0a4f3f1b7c55").unwrap(),
            work_item: work_item(),
            status: SessionStatus::Ended,
            previous: None,
            ended_by: None,
        };
        assert_eq!(known_causes.known(&named("session", vec![session])), CauseState::Ask);
    }

    #[test]
    fn no_more_is_known_by_heart_than_so_many() {
        let mut known_causes = trusting();
        for n in 0..2 * BY_HEART {
            bring(&mut known_causes, &delivery(&format!("more {n}")), false);
        }
        assert_eq!((known_causes.by_heart.len(), known_causes.in_order.len()), (BY_HEART, BY_HEART));
        assert!(known_causes.said.is_empty());
    }
}
