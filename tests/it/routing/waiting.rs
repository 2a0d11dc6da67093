//! A session that becomes `Waiting` is routed anew, each time.

use byoc_connector::model::call::{Answer, Reply, Routed};
use byoc_connector::model::event::{EventKind, Target};
use byoc_connector::model::ids::EventId;
use byoc_connector::model::words::{CancelReason, SessionStatus};
use byoc_connector::routing::{Conversation, Outcome, Remark};

use crate::support::scenario::*;

const LEFT: Option<SessionStatus> = Some(SessionStatus::Active);

fn entry(number: u32) -> EventId {
    EventId::parse(&format!("entry-{number}")).unwrap()
}

/// The session has that status now; the event is the how many-th.
fn session_is(number: u32, status: SessionStatus, previous: Option<SessionStatus>) -> EventKind {
    EventKind::SessionChanged {
        entry: entry(number),
        work_item: work_item(),
        status,
        previous,
        ended_by: None,
    }
}

fn waits(number: u32) -> EventKind {
    session_is(number, SessionStatus::Waiting, LEFT)
}

/// The session waits, and its route has been made.
fn routed_anew() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(went("ann"));
    chat.when(waits(1));
    assert_eq!(chat.commands(), ["route Initial"]);
    chat
}

fn to_queue() -> Answer {
    Answer::Done(Reply::Routed(Routed { psr: Some(psr(1)), queue: Some(queue()), ..Routed::default() }))
}

/// The request that routes the session comes to nothing.
fn finds_nobody(chat: &mut Scenario) {
    chat.answer("route", to_queue());
    chat.found(&[]);
    chat.answer("clear", ok());
    chat.commands();
}

#[test]
fn from_any_status_and_from_none() {
    use SessionStatus as S;
    for previous in
        [S::Active, S::Inactive, S::New, S::Paused, S::Consent, S::Error].map(Some).into_iter().chain([None])
    {
        let mut chat = Scenario::unknown(settings());
        chat.when(session_is(1, S::Waiting, previous));
        assert_eq!(chat.commands(), ["route Initial"], "{previous:?}");
        chat.answer("route", to_queue());
        chat.found(&["bo"]);
        chat.answer("offer bo (psr)", offered(1));
        chat.when(accepted(1));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }
}

#[test]
fn each_time_and_after_the_first_with_a_wait() {
    let mut chat = routed_anew();
    chat.answer("route", to_queue());
    chat.found(&["bo"]);
    chat.answer("offer bo", offered(1));
    chat.when(accepted(1));
    chat.when(session_is(2, SessionStatus::Active, Some(SessionStatus::Waiting)));
    chat.commands();
    chat.seconds(10);
    chat.when(went("bo"));
    chat.when(waits(3));
    assert_eq!(chat.commands(), [""; 0], "bo was soon gone again");
    chat.seconds(4);
    assert_eq!(chat.commands(), [""; 0]);
    chat.seconds(1);
    assert_eq!(chat.commands(), ["route Initial"]);
}

#[test]
fn a_session_that_was_served_for_five_minutes_begins_at_once_again() {
    let mut chat = routed_anew();
    finds_nobody(&mut chat);
    chat.when(session_is(2, SessionStatus::Active, Some(SessionStatus::Waiting)));
    chat.seconds(299);
    chat.when(session_is(3, SessionStatus::Inactive, LEFT));
    chat.seconds(1);
    chat.when(waits(4));
    assert_eq!(chat.commands(), ["route Initial"]);
}

#[test]
fn where_nobody_was_found_it_is_tried_again_with_a_growing_wait_that_is_bounded() {
    let mut chat = routed_anew();
    for wait in [5, 10, 20, 40, 80, 160, 300, 300, 300] {
        finds_nobody(&mut chat);
        chat.seconds(wait - 1);
        assert_eq!(chat.commands(), [""; 0], "{wait}");
        chat.seconds(1);
        assert_eq!(chat.commands(), ["route Initial"], "{wait}");
    }
    let mut names: Vec<_> = chat.endings.iter().map(|ending| ending.request.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 9, "each attempt has a name of its own");
}

#[test]
fn a_session_whose_end_was_never_told_is_given_up_after_two_days() {
    let mut chat = routed_anew();
    let mut attempts = 0;
    while chat.conversation.waits_for_a_rep() {
        finds_nobody(&mut chat);
        if let Some(next) = chat.conversation.deadline(&chat.settings) {
            chat.wait(next.since(chat.now));
        }
        attempts += 1;
    }
    assert!(chat.now.as_millis() > 54 * 3_600_000, "{attempts} attempts until {}", chat.now);
    assert_eq!(chat.conversation.deadline(&chat.settings), None);
}

#[test]
fn the_same_event_twice_is_one() {
    let mut chat = routed_anew();
    chat.when(waits(1));
    assert_eq!(chat.remarks.last(), Some(&Remark::SeenBefore(entry(1))));
    chat.when(session_is(2, SessionStatus::Active, Some(SessionStatus::Waiting)));
    chat.when(waits(1));
    assert_eq!(chat.commands(), [""; 0]);
    assert!(!chat.conversation.waits_for_a_rep(), "that was before");
}

#[test]
fn while_a_request_may_bring_a_rep_it_is_a_remark() {
    let mut chat = Scenario::ringing_rep();
    chat.when(waits(1));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::WaitsAlready(entry(1))]);
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    chat.seconds(3600);
    assert_eq!(chat.commands(), [""; 0], "somebody is there");
}

#[test]
fn when_that_request_ends_without_a_rep_it_is_routed_then() {
    for end in [declined(1), requester_cancelled()] {
        let mut chat = Scenario::ringing_rep();
        chat.when(waits(1));
        chat.when(end);
        assert_eq!(chat.commands().last().unwrap(), "route Initial");
    }
}

#[test]
fn a_second_event_while_it_is_being_routed_changes_nothing() {
    let mut chat = routed_anew();
    chat.when(waits(2));
    assert_eq!(chat.remarks.last(), Some(&Remark::WaitsAlready(entry(2))));
    finds_nobody(&mut chat);
    chat.when(waits(3));
    chat.seconds(5);
    assert_eq!(chat.commands(), ["route Initial"], "the wait is the same");
}

#[test]
fn a_session_that_goes_on_or_ends_is_not_routed_any_more() {
    let goes_on = session_is(2, SessionStatus::Inactive, Some(SessionStatus::Waiting));
    let ends = session_is(2, SessionStatus::Ended, Some(SessionStatus::Waiting));
    for what in [goes_on, ends, cancelled(CancelReason::EndUserEnded)] {
        let mut chat = routed_anew();
        finds_nobody(&mut chat);
        chat.when(what);
        chat.seconds(3600);
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.conversation.deadline(&chat.settings), None);
    }
}

#[test]
fn a_partner_who_routes_first_contacts_alone_turns_it_off() {
    let mut settings = settings();
    settings.policy.route_waiting = false;
    let mut chat = Scenario::with(settings);
    chat.when(waits(1));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.conversation.deadline(&chat.settings), None);
}

#[test]
fn what_waits_survives_a_restart() {
    let mut chat = routed_anew();
    finds_nobody(&mut chat);
    let mut again = Conversation::new(chat.conversation.id().clone());
    for fact in &chat.facts {
        again.apply(fact).unwrap();
    }
    assert_eq!(again, chat.conversation);
    chat.conversation = again;
    chat.seconds(5);
    assert_eq!(chat.commands(), ["route Initial"]);
}

#[test]
fn a_cancel_of_a_rep_never_means_it() {
    let mut chat = routed_anew();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.commands();
    chat.when(requester_cancelled());
    chat.when(requester_cancelled());
    assert_eq!(chat.remarks.last(), Some(&Remark::NothingToCancel));
    chat.answer("route", to_queue());
    assert_eq!(chat.outcomes(), []);
}
