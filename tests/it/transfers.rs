//! Transfers: the rows of the rules table that hand a conversation over (PROTOCOL §6, §7).

use std::time::Duration;

use byoc_connector::model::call::{Answer, Refusal};
use byoc_connector::model::event::{EventKind, RoutingRequested, Target};
use byoc_connector::model::words::{CancelReason, RoutingType, SessionStatus, WorkChange};
use byoc_connector::routing::{Outcome, Reason, Remark, Settings};

use crate::support::scenario::*;

mod at_the_same_time;
mod full_rep;
mod listed;
mod nobody_takes_it;

fn of_type(routing_type: RoutingType, number: u32, target: Target) -> EventKind {
    let EventKind::RoutingRequested(asked) = requested(number, target) else { panic!() };
    EventKind::RoutingRequested(Box::new(RoutingRequested { routing_type, ..*asked }))
}

/// A rep hands the conversation over.
fn transfer(number: u32, target: Target) -> EventKind {
    of_type(RoutingType::Transfer, number, target)
}

/// A transfer to `bo` that rings as W1, of which Salesforce was told.
fn ringing() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", offered(1));
    chat.answer("report yes", ok());
    chat.commands();
    chat
}

#[test]
fn to_a_rep_it_is_offered_then_reported() {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
    chat.answer("offer bo", offered(1));
    assert_eq!(chat.commands(), ["report yes"]);
    chat.answer("report yes", ok());
    chat.when(accepted(1));
    chat.when(went("ann"));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    assert_eq!(chat.announced(), ["bo joined", "ann left"]);
    assert!(chat.conversation.is_idle());
}

#[test]
fn to_a_queue_or_a_flow_a_psr_is_made_first() {
    for (target, route) in [
        (Target::Queue(queue()), "route Transfer by queue"),
        (Target::Flow { flow: flow(), fallback: Some(queue()) }, "route Transfer by flow"),
    ] {
        let mut chat = Scenario::new();
        chat.when(transfer(1, target));
        assert_eq!(chat.commands(), [route]);
        chat.answer("route", routed());
        chat.found(&["bo"]);
        chat.answer("offer bo (psr)", offered(1));
        chat.answer("report yes", ok());
        chat.when(accepted(1));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
        assert!(chat.open.is_empty(), "the accept takes the PSR up");
    }
}

#[test]
fn it_takes_no_seat_for_one_comes_as_another_goes() {
    let limit = Settings { participant_limit: Some(2), conference_supported: false, ..settings() };
    let mut chat = Scenario::with(limit);
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
}

#[test]
fn a_direct_one_rings_without_a_ring_time() {
    let mut chat = ringing();
    chat.seconds(300);
    assert_eq!(chat.commands(), [""; 0]);
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn a_cancel_in_vain_is_a_remark_however_it_names_the_transfer() {
    for named in [false, true] {
        let mut chat = ringing();
        let EventKind::RoutingCancelled(mut cancel) = cancelled(CancelReason::Cancel) else { panic!() };
        cancel.routing_type = None;
        cancel.work = named.then(|| work(1));
        chat.when(EventKind::RoutingCancelled(cancel));
        assert_eq!(chat.commands(), [""; 0]);
        let expected = if named { Remark::NotCancellable(event(1)) } else { Remark::NothingToCancel };
        assert_eq!(chat.remarks, [expected]);
        chat.when(accepted(1));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }
}

#[test]
fn a_decline_in_vain_is_a_remark_and_the_next_rep_is_asked() {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo"]);
    chat.answer("offer bo", offered(1));
    chat.when(declined(1));
    assert_eq!(chat.remarks, [Remark::NotDeclinable(event(1))]);
    chat.found(&["cem"]);
    chat.answer("offer cem", offered(2));
    chat.when(accepted(2));
    chat.answer("report yes", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn what_cannot_be_had_is_refused_in_its_own_words() {
    let bot = Target::Bot(bot().subject);
    for (target, reason) in [
        (bot, Reason::TransferToBot),
        (Target::Unreadable, Reason::Unreadable),
        (Target::Flow { flow: flow(), fallback: None }, Reason::NoFallbackQueue),
    ] {
        let mut chat = Scenario::new();
        chat.when(transfer(1, target));
        assert_eq!(chat.commands(), ["report no"]);
        chat.answer("report no", ok());
        assert_eq!(chat.outcomes(), [Outcome::Refused]);
        assert_eq!(chat.endings[0].reason, reason);
        assert!(!chat.conversation.waits_for_a_rep(), "ann keeps the conversation");
    }
}

#[test]
fn to_a_rep_who_is_in_there_is_nobody_to_bring() {
    let mut chat = Scenario::new();
    chat.when(came("cem"));
    chat.when(transfer(1, Target::Rep(rep("cem"))));
    assert_eq!(chat.commands(), ["report yes"]);
    chat.answer("report yes", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn the_same_transfer_twice_is_made_once() {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Queue(queue())));
    assert_eq!(chat.commands(), ["route Transfer by queue"]);
    chat.when(transfer(1, Target::Queue(queue())));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::SeenBefore(event(1))]);
}

#[test]
fn an_initial_request_is_left_alone_where_a_rep_is_in() {
    let mut chat = Scenario::new();
    chat.when(of_type(RoutingType::Initial, 1, Target::Queue(queue())));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::NotRouted(event(1), RoutingType::Initial)]);
}
