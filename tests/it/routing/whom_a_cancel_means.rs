//! A cancel names no request. What it carries, and what each proves: a row a test.

use byoc_connector::model::call::{Answer, Reply, Routed};
use byoc_connector::model::event::{Event, EventKind, RoutingCancelled, Target};
use byoc_connector::model::ids::ConversationId;
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{CancelReason, RoutingType, SessionStatus};
use byoc_connector::routing::{Conversations, Fact, Outcome, Remark};

use crate::support::scenario::*;

fn a_cancel() -> RoutingCancelled {
    RoutingCancelled {
        entry: None,
        reason: CancelReason::Cancel,
        routing_type: Some(RoutingType::Conference),
        psr: None,
        work: None,
        initiator: None,
        by: None,
    }
}

fn asked_by(number: u32, who: &str, target: Target) -> EventKind {
    let EventKind::RoutingRequested(mut request) = requested(number, target) else { panic!() };
    request.list_opened_by = Some(rep(who));
    EventKind::RoutingRequested(request)
}

/// Ann has asked for `dee`, who rings as W1, and then Bo for `eli`, who rings as W2.
fn two_ring() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(came("bo"));
    chat.when(asked_by(1, "ann", Target::Rep(rep("dee"))));
    chat.answer("offer dee", offered(1));
    chat.answer("report yes", ok());
    chat.when(asked_by(2, "bo", Target::Rep(rep("eli"))));
    chat.answer("offer eli", offered(2));
    chat.answer("report yes", ok());
    chat.commands();
    chat
}

/// Ann's request has PSR 1, Bo's PSR 2; both offers are still being looked for.
fn two_routed() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(came("bo"));
    for (number, who) in [(1, "ann"), (2, "bo")] {
        chat.when(asked_by(number, who, Target::Queue(queue())));
        let made = Routed { psr: Some(psr(number)), ..Routed::default() };
        chat.answer("route", Answer::Done(Reply::Routed(made)));
    }
    chat.commands();
    chat
}

fn decided(chat: &Scenario) -> Vec<u32> {
    let decided = chat.facts.iter().filter_map(|fact| match fact {
        Fact::OfRequest(number, byoc_connector::routing::RequestFact::Decided(verdict)) => {
            (verdict.outcome == Outcome::Cancelled).then_some(*number + 1)
        }
        _ => None,
    });
    decided.collect()
}

#[test]
fn the_psr_proves_the_request_whoever_else_is_named() {
    for number in [1, 2] {
        let mut chat = two_routed();
        let who = if number == 1 { "bo" } else { "ann" };
        chat.when(EventKind::RoutingCancelled(RoutingCancelled {
            psr: Some(psr(number)),
            by: Some(rep(who)),
            ..a_cancel()
        }));
        assert_eq!(decided(&chat), [number]);
        assert_eq!(chat.remarks, [], "there is no doubt");
    }
}

#[test]
fn the_agent_work_proves_the_request() {
    for number in [1, 2] {
        let mut chat = two_ring();
        chat.when(EventKind::RoutingCancelled(RoutingCancelled { work: Some(work(number)), ..a_cancel() }));
        assert_eq!(chat.commands(), [format!("take back W{number}")]);
        assert_eq!(chat.remarks, []);
    }
}

#[test]
fn a_psr_or_a_work_of_a_request_that_is_over_means_no_other() {
    let mut chat = two_routed();
    chat.found(&["dee"]);
    chat.answer("offer dee", offered(1));
    chat.when(accepted(1));
    chat.answer("report yes", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    for cancel in [
        RoutingCancelled { psr: Some(psr(1)), ..a_cancel() },
        RoutingCancelled { work: Some(work(1)), ..a_cancel() },
    ] {
        chat.when(EventKind::RoutingCancelled(cancel));
        assert_eq!(decided(&chat), [0_u32; 0]);
        assert_eq!(chat.remarks.last(), Some(&Remark::NothingToCancel));
    }
}

#[test]
fn one_that_somebody_accepted_is_never_meant() {
    let mut chat = two_routed();
    chat.found(&["dee"]);
    chat.answer("offer dee", offered(1));
    chat.when(accepted(1));
    chat.when(EventKind::RoutingCancelled(RoutingCancelled { psr: Some(psr(1)), ..a_cancel() }));
    assert_eq!(chat.remarks, [Remark::TooLateToCancel(event(1))]);
    assert_eq!(decided(&chat), [0_u32; 0], "and the other is not meant either");
}

#[test]
fn a_psr_that_nobody_knows_is_of_no_request_with_another() {
    let mut chat = two_routed();
    chat.when(requested(3, Target::Rep(rep("eli"))));
    chat.when(EventKind::RoutingCancelled(RoutingCancelled { psr: Some(psr(9)), ..a_cancel() }));
    assert_eq!(decided(&chat), [3]);
}

#[test]
fn who_asked_is_told_by_whose_list_was_open() {
    for (who, number) in [("ann", 1), ("bo", 2)] {
        for cancel in [
            RoutingCancelled { by: Some(rep(who)), ..a_cancel() },
            RoutingCancelled { initiator: Some(rep(who)), ..a_cancel() },
        ] {
            let mut chat = two_ring();
            chat.when(EventKind::RoutingCancelled(cancel));
            assert_eq!(chat.commands(), [format!("take back W{number}")]);
            assert_eq!(chat.remarks, [Remark::CancelGuessed(event(number))], "it is only likely");
        }
    }
}

#[test]
fn whoever_initiated_counts_more_than_whoever_cancels() {
    let mut chat = two_ring();
    let (initiator, by) = (Some(rep("ann")), Some(rep("bo")));
    chat.when(EventKind::RoutingCancelled(RoutingCancelled { initiator, by, ..a_cancel() }));
    assert_eq!(chat.commands(), ["take back W1"]);
}

#[test]
fn where_nothing_tells_it_is_the_newest_that_nobody_has_accepted_and_only_one() {
    let mut chat = two_ring();
    chat.when(EventKind::RoutingCancelled(a_cancel()));
    assert_eq!(chat.commands(), ["take back W2"]);
    assert_eq!(chat.remarks, [Remark::CancelGuessed(event(2))]);

    let mut chat = two_ring();
    chat.when(accepted(2));
    chat.when(EventKind::RoutingCancelled(a_cancel()));
    assert_eq!(chat.commands(), ["take back W1"]);
}

#[test]
fn of_two_by_the_same_rep_it_is_the_newer() {
    let mut chat = two_ring();
    chat.when(asked_by(3, "ann", Target::Rep(rep("fay"))));
    chat.answer("offer fay", offered(3));
    chat.commands();
    chat.when(EventKind::RoutingCancelled(RoutingCancelled { by: Some(rep("ann")), ..a_cancel() }));
    assert_eq!(chat.commands(), ["report yes", "take back W3"][1..]);
}

#[test]
fn the_only_request_is_no_guess() {
    let mut chat = Scenario::ringing_rep();
    chat.when(EventKind::RoutingCancelled(RoutingCancelled { by: Some(rep("cem")), ..a_cancel() }));
    assert_eq!(chat.commands(), ["take back W1"]);
    assert_eq!(chat.remarks, []);
}

#[test]
fn the_type_excludes_what_is_of_another() {
    let mut chat = two_ring();
    let routing_type = Some(RoutingType::Transfer);
    chat.when(EventKind::RoutingCancelled(RoutingCancelled { routing_type, ..a_cancel() }));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::NothingToCancel]);
}

#[test]
fn a_list_that_was_opened_is_kept_with_the_next_request() {
    let id = ConversationId::parse("conversation").unwrap();
    let feed = |all: &mut Conversations, what| {
        let event = Event { conversation: Some(id.clone()), what };
        all.on_event(Timestamp::from_millis(0), event).unwrap().effects.facts
    };
    let hint = |facts: &[Fact]| {
        facts.iter().find_map(|fact| match fact {
            Fact::Requested(requested) => Some(requested.asked_by),
            _ => None,
        })
    };
    let mut all = Conversations::new(settings());
    let _ = feed(&mut all, session(SessionStatus::Active, None));
    let _ = feed(&mut all, came_at("ann", 1));
    assert_eq!(hint(&feed(&mut all, requested(1, Target::Rep(rep("dee"))))), Some(Some(rep("ann"))), "alone");
    let _ = feed(&mut all, came_at("bo", 1));
    assert_eq!(hint(&feed(&mut all, requested(2, Target::Rep(rep("eli"))))), Some(None), "one of two");
    all.list_opened(Timestamp::from_millis(0), work_item(), rep("bo"));
    assert_eq!(hint(&feed(&mut all, requested(3, Target::Rep(rep("fay"))))), Some(Some(rep("bo"))));
}
