//! Who left stays left: only joins join, and what is old by its own time changes nothing.

use byoc_connector::model::call::Call;
use byoc_connector::model::event::{EventKind, Participant, Target};
use byoc_connector::model::words::SessionStatus;
use byoc_connector::routing::{Order, Outcome, Reason, Remark};

use crate::support::scenario::*;

/// Bo was in, and left.
fn bo_has_left() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(came_at("bo", 1_000));
    chat.when(went_at("bo", 20_000));
    chat.announcements.clear();
    chat
}

fn can_be_invited(mut chat: Scenario) {
    chat.when(requested(1, Target::Rep(rep("bo"))));
    assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
    chat.answer("offer", offered(1));
    chat.answer("report", ok());
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    assert_eq!(chat.announced(), ["bo joined"]);
}

#[test]
fn a_message_behind_the_leave_does_not_bring_them_back() {
    let mut chat = bo_has_left();
    chat.when(seen("bo"));
    can_be_invited(chat);
}

#[test]
fn it_takes_no_seat_either() {
    let mut settings = settings();
    settings.participant_limit = Some(3);
    let mut chat = Scenario::with(settings);
    chat.when(came("bo"));
    chat.when(went("bo"));
    chat.when(seen("bo"));
    chat.when(requested(1, Target::Rep(rep("cem"))));
    assert_eq!(chat.commands(), ["offer cem (weight 1)"]);
}

#[test]
fn a_leave_of_somebody_who_was_not_known_counts_too() {
    let mut chat = Scenario::new();
    chat.when(went("bo"));
    chat.when(seen("bo"));
    assert_eq!(chat.announced(), [""; 0]);
    can_be_invited(chat);
}

#[test]
fn whoever_is_first_seen_and_never_left_is_in() {
    let mut chat = Scenario::new();
    chat.when(seen("bo"));
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("report no", ok());
    assert_eq!(chat.endings[0].reason, Reason::AlreadyIn);
}

#[test]
fn a_join_that_is_older_than_the_leave_changes_nothing() {
    for at in [1_000, 19_999, 20_000] {
        let mut chat = bo_has_left();
        chat.when(came_at("bo", at));
        let bo = Participant::rep(rep("bo")).unwrap();
        assert_eq!(chat.remarks, [Remark::OldMove(bo)], "{at}");
        can_be_invited(chat);
    }
}

#[test]
fn a_join_that_is_newer_brings_them_back() {
    let mut chat = bo_has_left();
    chat.when(came_at("bo", 20_001));
    assert_eq!(chat.announced(), ["bo joined"]);
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("report no", ok());
    assert_eq!(chat.endings[0].reason, Reason::AlreadyIn);
}

#[test]
fn a_leave_that_comes_again_behind_a_new_join_changes_nothing() {
    let mut chat = bo_has_left();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", offered(1));
    chat.when(accepted(1));
    chat.when(went_at("bo", 20_000));
    assert_eq!(chat.announced(), ["bo joined"], "the leave is that of before");
    chat.when(came_at("bo", 40_000));
    chat.when(went_at("bo", 30_000));
    assert_eq!(chat.announced(), ["bo joined"]);
    chat.when(went_at("bo", 50_000));
    assert_eq!(chat.announced(), ["bo joined", "bo left"]);
}

#[test]
fn a_join_of_before_is_no_accept_of_a_new_invitation() {
    let mut chat = bo_has_left();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", offered(1));
    chat.when(came_at("bo", 1_000));
    assert_eq!(chat.outcomes(), []);
    chat.when(came_at("bo", 21_000));
    chat.answer("report", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn whoever_came_and_went_within_a_millisecond_is_out() {
    let mut chat = Scenario::new();
    chat.when(came_at("bo", 5));
    chat.when(went_at("bo", 5));
    chat.when(came_at("bo", 5));
    assert_eq!(chat.announced(), ["bo joined", "bo left"]);
}

#[test]
fn words_behind_the_end_of_the_session_bring_nobody_into_the_next() {
    let mut chat = Scenario::new();
    chat.when(came("bo"));
    chat.when(session(SessionStatus::Ended, Some(SessionStatus::Active)));
    chat.when(seen("bo"));
    let reps = chat.conversation.participants().iter().filter_map(Participant::as_rep);
    assert_eq!(reps.count(), 0);
}

#[test]
fn words_of_a_rep_who_was_removed_do_not_bring_them_back() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    chat.answer("offer bo", offered(1));
    chat.answer("offer cem", offered(2));
    chat.when(accepted(1));
    chat.when(accepted(2));
    chat.answer("take back", refused(10085, false));
    chat.answer("remove cem", ok());
    chat.when(seen("cem"));
    chat.answer("report", ok());
    chat.commands();
    chat.when(requested(2, Target::Rep(rep("cem"))));
    assert_eq!(chat.commands(), ["offer cem (weight 1)"]);
}

#[test]
fn a_request_does_not_prove_that_its_rep_is_still_in() {
    let mut chat = bo_has_left();
    let EventKind::RoutingRequested(mut request) = requested(1, Target::Queue(queue())) else { panic!() };
    request.requester = Some(rep("bo"));
    chat.when(EventKind::RoutingRequested(request));
    chat.answer("route", routed());
    let Order::Find(query) = chat.take("find").order else { panic!() };
    assert_eq!(query.exclude, [rep("ann")]);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut chat = Scenario::new();
    for number in 0..100 {
        let who = format!("{number:03}");
        chat.when(came(&who));
        chat.when(went(&who));
    }
    let kept = serde_json::to_value(&chat.conversation).unwrap();
    assert_eq!(kept["moves"].as_array().unwrap().len(), 64);
    chat.when(seen("099"));
    assert_eq!(chat.conversation.participants().len(), 1, "the last ones are known");
    assert!(!chat.open.iter().any(|command| matches!(command.order, Order::Call(Call::Route(_)))));
}

#[test]
fn a_rep_who_is_first_seen_otherwise_is_announced_once_and_their_leave_too() {
    let mut chat = Scenario::new();
    chat.when(seen("bo"));
    chat.when(came("bo"));
    chat.when(went("bo"));
    assert_eq!(chat.announced(), ["bo joined", "bo left"]);
}
