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

use super::Delivery;
use crate::model::event::{Event, Happening};
use crate::store::Cause;

/// How many causes are known by heart. A stream that is cut brings again what was under way, some hundreds.
const BY_HEART: usize = 4096;

/// After how many causes in a row that it did not have the store is not asked any more.
const TRUSTED_AFTER: u32 = 1000;

/// What is known of something that is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was brought before.
    Before,
    /// It was not, as far as anybody can tell.
    New,
    /// The store has to be asked.
    Ask,
}

/// The causes of one channel.
#[derive(Debug, Default)]
pub(super) struct Brought {
    by_heart: HashSet<Cause>,
    /// The same, the oldest first.
    in_order: VecDeque<Cause>,
    /// What the store has said of what still waits.
    said: HashMap<Cause, bool>,
    /// How many in a row the store has not had.
    news: u32,
}

impl Brought {
    /// What is known of a delivery.
    pub(super) fn known(&self, delivery: &Delivery) -> Known {
        let Some(cause) = &delivery.cause else { return Known::New };
        if self.by_heart.contains(cause) {
            return Known::Before;
        }
        match self.said.get(cause) {
            Some(true) => Known::Before,
            Some(false) => Known::New,
            None if self.news >= TRUSTED_AFTER && can_be_refused(&delivery.events) => Known::New,
            None => Known::Ask,
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
        [event] => !matches!(event.what, Happening::SessionChanged { .. }),
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

    fn named(name: &str, events: Vec<Happening>) -> Delivery {
        let event = |what| Event { conversation: None, what };
        let cause = Some(Cause::named(name).unwrap());
        Delivery { events: events.into_iter().map(event).collect(), cause, position: None }
    }

    fn delivery(name: &str) -> Delivery {
        named(name, vec![Happening::WorkItemSeen(work_item())])
    }

    /// Brings it; the store is asked where that is necessary, and says this.
    fn bring(brought: &mut Brought, delivery: &Delivery, seen: bool) -> Known {
        let known = brought.known(delivery);
        let cause = delivery.cause.clone().unwrap();
        if known == Known::Ask {
            brought.said(vec![cause.clone()], vec![seen]);
            assert_ne!(brought.known(delivery), Known::Ask, "once is enough");
        }
        brought.sent(&cause);
        known
    }

    fn trusting() -> Brought {
        let mut brought = Brought::default();
        for n in 0..TRUSTED_AFTER {
            assert_eq!(bring(&mut brought, &delivery(&n.to_string()), false), Known::Ask);
        }
        brought
    }

    #[test]
    fn what_came_lately_is_known_without_asking() {
        let mut brought = Brought::default();
        assert_eq!(bring(&mut brought, &delivery("a"), false), Known::Ask);
        assert_eq!(bring(&mut brought, &delivery("a"), false), Known::Before);
        brought.forget();
        assert_eq!(brought.known(&delivery("a")), Known::Ask, "it has not come about");
    }

    #[test]
    fn the_store_is_not_asked_any_more_once_it_has_had_nothing_for_long() {
        let mut brought = trusting();
        assert_eq!(bring(&mut brought, &delivery("new"), false), Known::New);
        brought.came_again();
        assert_eq!(bring(&mut brought, &delivery("newer"), false), Known::Ask);
    }

    #[test]
    fn what_the_store_has_makes_it_be_asked_again() {
        let mut brought = Brought::default();
        for n in 1..TRUSTED_AFTER {
            bring(&mut brought, &delivery(&n.to_string()), false);
        }
        bring(&mut brought, &delivery("old"), true);
        assert_eq!(bring(&mut brought, &delivery("new"), false), Known::Ask);
        assert_eq!(brought.known(&delivery("newer")), Known::Ask);
    }

    #[test]
    fn what_the_store_could_not_refuse_whole_is_always_asked_about() {
        let brought = trusting();
        let seen = || Happening::WorkItemSeen(work_item());
        assert_eq!(brought.known(&named("two", vec![seen(), seen()])), Known::Ask);
        let session = Happening::SessionChanged {
            entry: EventId::parse("3f0d2a52-77a1-4f0e-8d3b-0a4f3f1b7c55").unwrap(),
            work_item: work_item(),
            status: SessionStatus::Ended,
            previous: None,
        };
        assert_eq!(brought.known(&named("session", vec![session])), Known::Ask);
    }

    #[test]
    fn no_more_is_known_by_heart_than_so_many() {
        let mut brought = trusting();
        for n in 0..2 * BY_HEART {
            bring(&mut brought, &delivery(&format!("more {n}")), false);
        }
        assert_eq!((brought.by_heart.len(), brought.in_order.len()), (BY_HEART, BY_HEART));
        assert!(brought.said.is_empty());
    }
}
