//! A session's first rep: Salesforce asks for one, and so may the session's status.

use std::time::Duration;

use byoc_connector::model::call::{Answer, Reply, Routed};
use byoc_connector::model::event::{EventKind, RoutingRequested, Target};
use byoc_connector::model::ids::{EventId, Subject};
use byoc_connector::model::words::{RoutingType, SessionStatus};
use byoc_connector::routing::{Outcome, Reason, Remark};

use crate::support::scenario::*;

/// Salesforce asks for the first rep.
fn asks(number: u32, target: Target) -> EventKind {
    of_type(number, target, |_| {})
}

fn of_type(number: u32, target: Target, change: impl FnOnce(&mut RoutingRequested)) -> EventKind {
    let EventKind::RoutingRequested(mut asked) = requested(number, target) else { panic!("no request") };
    asked.routing_type = RoutingType::Initial;
    change(&mut asked);
    EventKind::RoutingRequested(asked)
}

fn session_is(number: u32, status: SessionStatus) -> EventKind {
    let entry = EventId::parse(&format!("entry-{number}")).unwrap();
    EventKind::SessionChanged { entry, work_item: work_item(), status, previous: None, ended_by: None }
}

/// A session that nobody has routed.
fn new_session() -> Scenario {
    let mut chat = Scenario::unknown(settings());
    chat.when(session_is(1, SessionStatus::New));
    chat
}

fn to_queue() -> Answer {
    Answer::Done(Reply::Routed(Routed { psr: Some(psr(1)), queue: Some(queue()), ..Routed::default() }))
}

#[test]
fn it_is_routed_to_whom_the_event_names() {
    let unknown = Subject::parse("somebody").unwrap();
    for (target, first) in [
        (Target::Rep(rep("bo")), "offer bo (weight 1)"),
        (Target::Queue(queue()), "route Initial by queue"),
        (Target::Flow { flow: flow(), fallback: Some(queue()) }, "route Initial by flow"),
        (Target::Flow { flow: flow(), fallback: None }, "route Initial"),
        (Target::Skills(vec![skill("french", None)]), "find 1 french"),
        (Target::Unreadable, "route Initial"),
    ] {
        let mut chat = new_session();
        chat.when(asks(2, target.clone()));
        let commands = chat.commands();
        assert!(commands[0].starts_with(first), "{target:?}: {commands:?}");
    }
    for target in [Target::Bot(unknown.clone()), Target::External(unknown)] {
        let mut chat = new_session();
        chat.when(asks(2, target));
        assert_eq!(chat.commands(), [""; 0], "the partner's own routing may answer it");
        assert_eq!(chat.remarks, [Remark::NotRouted(event(2), RoutingType::Initial)]);
    }
}

#[test]
fn the_rep_who_accepts_has_the_session_and_nobody_is_told_a_result() {
    let mut chat = new_session();
    chat.when(asks(2, Target::Queue(queue())));
    chat.answer("route", to_queue());
    chat.found(&["bo"]);
    chat.answer("offer bo (psr)", offered(1));
    chat.when(accepted(1));
    chat.when(session_is(3, SessionStatus::Active));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    assert!(chat.conversation.is_idle(), "nothing is cleared: the accept took the PSR with it");
    chat.seconds(3600);
    assert!(!chat.commands().iter().any(|command| command.starts_with("report")));
}

#[test]
fn one_routing_is_enough_whichever_comes_first() {
    let (event, waits) = (|| asks(2, Target::Queue(queue())), || session_is(3, SessionStatus::Waiting));
    let mut chat = new_session();
    chat.when(event());
    chat.when(waits());
    chat.when(event());
    assert_eq!(chat.commands(), ["route Initial by queue"]);
    let mut chat = new_session();
    chat.when(waits());
    chat.when(event());
    assert_eq!(chat.commands(), ["route Initial"]);
    assert_eq!(chat.remarks, [Remark::WaitsAlready(super::event(2))]);
}

#[test]
fn a_session_that_has_a_rep_is_followed_and_not_routed() {
    let mut chat = new_session();
    chat.when(came("ann"));
    chat.when(asks(2, Target::Queue(queue())));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::NotRouted(event(2), RoutingType::Initial)]);
    chat.when(requested(3, Target::Rep(rep("bo"))));
    assert!(!chat.commands().is_empty(), "a conference in it is routed like any");
}

#[test]
fn a_rep_who_comes_by_themselves_ends_the_looking() {
    let mut chat = new_session();
    chat.when(asks(2, Target::Queue(queue())));
    chat.answer("route", to_queue());
    chat.found(&["bo"]);
    chat.answer("offer bo (psr)", offered(1));
    chat.commands();
    chat.when(came("ann"));
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", ok());
    chat.answer("clear", ok());
    assert_eq!((chat.outcomes(), chat.endings[0].reason.clone()), (vec![Outcome::Cancelled], Reason::HasRep));
    chat.seconds(3600);
    assert_eq!(chat.commands().last().map(String::as_str), Some("clear Cancel"), "and nothing more");
}

#[test]
fn where_nobody_is_found_the_channels_own_setting_is_tried_with_growing_waits() {
    let mut chat = new_session();
    chat.when(asks(2, Target::Queue(queue())));
    chat.commands();
    for wait in [5, 10, 20] {
        chat.answer("route", to_queue());
        chat.found(&[]);
        chat.answer("clear", ok());
        chat.commands();
        chat.seconds(wait - 1);
        assert_eq!(chat.commands(), [""; 0], "{wait}");
        chat.seconds(1);
        assert_eq!(chat.commands(), ["route Initial"], "{wait}");
    }
}

#[test]
fn what_comes_late_is_begun_once_the_events_behind_it_have_come() {
    let late = || {
        of_type(2, Target::Queue(queue()), |asked| asked.created = asked.created - Duration::from_secs(60))
    };
    let mut chat = new_session();
    chat.when(late());
    assert_eq!(chat.commands(), [""; 0]);
    chat.when(came("ann"));
    chat.seconds(3600);
    assert_eq!(chat.commands(), [""; 0], "it has found its rep");
    let mut chat = new_session();
    chat.when(late());
    chat.seconds(5);
    assert_eq!(chat.commands(), ["route Initial"]);
}

#[test]
fn a_partner_who_routes_first_contacts_alone_is_left_to_it() {
    let mut settings = settings();
    settings.policy.route_waiting = false;
    let mut chat = Scenario::unknown(settings);
    chat.when(asks(2, Target::Queue(queue())));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::NotRouted(event(2), RoutingType::Initial)]);
}
