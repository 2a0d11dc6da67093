//! What can come of an offer that is out: an accept, a decline, a cancel, the end of the session.

use super::*;

#[test]
fn a_decline_asks_the_next_rep_of_the_queue_without_the_one_who_declined() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(declined(1));
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
    chat.found(&["bo", "cem"]);
    assert_eq!(chat.commands(), ["offer cem (psr)"]);
    chat.answer("offer", offered(2));
    assert_eq!(chat.commands(), [""; 0], "the result was given already");
    chat.when(accepted(2));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    assert_eq!(chat.endings[0].reason, Reason::Joined(rep("cem")));
}

#[test]
fn when_nobody_is_left_the_psr_is_cleared() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(declined(1));
    chat.found(&[]);
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]", "clear Decline"]);
    assert_eq!(chat.outcomes(), [], "not before it is cleared");
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Declined]);
}

#[test]
fn a_rep_who_was_asked_for_by_name_and_declines_ends_the_request() {
    let mut chat = Scenario::ringing_rep();
    chat.when(declined(1));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.outcomes(), [Outcome::Declined]);
}

#[test]
fn no_second_offer_before_the_first_is_cancelled() {
    let mut chat = Scenario::ringing_from_queue();
    chat.seconds(30);
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", ok());
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
    chat.found(&[]);
    assert_eq!(chat.commands(), ["clear Unavailable"]);
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Unanswered]);
}

#[test]
fn an_accept_that_beats_the_cancel_joins() {
    let mut chat = Scenario::ringing_from_queue();
    chat.seconds(30);
    chat.when(accepted(1));
    chat.answer("take back", refused(10085, false));
    assert_eq!(chat.commands(), ["take back W1"]);
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn a_cancel_that_salesforce_refuses_waits_for_the_word_of_the_rep() {
    let mut chat = Scenario::ringing_from_queue();
    chat.seconds(30);
    chat.answer("take back", refused(10085, false));
    assert_eq!(chat.commands(), ["take back W1"], "nobody else is asked meanwhile");
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn a_cancel_that_stays_unexplained_gives_up_rather_than_invite_two() {
    let mut chat = Scenario::ringing_from_queue();
    chat.seconds(30);
    chat.answer("take back", lost());
    chat.seconds(10);
    assert_eq!(chat.commands(), ["take back W1", "take back W1", "clear Unknown"]);
    chat.answer("clear", ok());
    chat.answer("take back", ok());
    assert_eq!(chat.endings[0].reason, Reason::OfferUnclear);
}

#[test]
fn a_cancel_while_the_offer_is_being_made_waits_for_its_id() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.commands();
    chat.when(requester_cancelled());
    assert_eq!(chat.commands(), [""; 0]);
    chat.answer("offer", offered(1));
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", ok());
    assert_eq!(chat.commands(), [""; 0], "no routing result: Salesforce knows");
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
}

#[test]
fn a_cancel_while_it_rings_takes_the_offer_back_and_then_clears_the_psr() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(requester_cancelled());
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", ok());
    assert_eq!(chat.commands(), ["clear Cancel"]);
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
}

#[test]
fn a_cancel_while_the_route_is_made_waits_for_it_and_clears_it() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.when(requester_cancelled());
    assert_eq!(chat.commands(), ["route Conference by queue"]);
    chat.answer("route", routed());
    assert_eq!(chat.commands(), ["clear Cancel"]);
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
}

#[test]
fn a_cancel_after_the_join_is_too_late() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", offered(1));
    chat.when(accepted(1));
    chat.when(requester_cancelled());
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
    assert_eq!(chat.remarks, [Remark::TooLateToCancel(event(1))]);
    chat.answer("report", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn a_cancel_names_its_request_by_the_psr_where_it_can() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.when(requested(2, Target::Rep(rep("dee"))));
    chat.commands();
    chat.when(EventKind::RoutingCancelled(RoutingCancelled {
        entry: None,
        reason: CancelReason::Cancel,
        routing_type: Some(RoutingType::Conference),
        psr: Some(psr(1)),
        work: None,
        initiator: None,
        by: None,
    }));
    assert_eq!(chat.commands(), ["clear Cancel"]);
}

#[test]
fn a_cancel_without_a_name_means_the_newest_request() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", offered(1));
    chat.when(requested(2, Target::Rep(rep("dee"))));
    chat.answer("offer dee", offered(2));
    chat.commands();
    chat.when(requester_cancelled());
    assert_eq!(chat.commands(), ["take back W2"]);
}

#[test]
fn an_accept_that_beats_the_requesters_cancel_joins() {
    let mut chat = Scenario::ringing_rep();
    chat.when(requester_cancelled());
    chat.when(accepted(1));
    chat.answer("take back", refused(10085, false));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn the_end_user_who_leaves_and_the_session_that_ends_call_everything_off() {
    for end in [cancelled(CancelReason::EndUserEnded), session(SessionStatus::Ended, None)] {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(requested(2, Target::Rep(rep("dee"))));
        chat.commands();
        chat.when(end);
        assert_eq!(chat.commands(), ["take back W1"]);
        chat.answer("take back", ok());
        chat.answer("offer dee", offered(2));
        chat.answer("take back W2", ok());
        chat.answer("clear Cancel", ok());
        assert_eq!(chat.outcomes(), [Outcome::Cancelled, Outcome::Cancelled]);
    }
}

#[test]
fn the_end_of_a_session_of_the_past_ends_nothing() {
    let mut chat = Scenario::ringing_rep();
    chat.when(EventKind::SessionChanged {
        entry: EventId::parse("old").unwrap(),
        work_item: byoc_connector::model::ids::WorkItemId::parse("0Mw000000000999").unwrap(),
        status: SessionStatus::Ended,
        previous: None,
        ended_by: None,
    });
    assert_eq!(chat.commands(), [""; 0]);
}

#[test]
fn salesforces_echo_of_our_own_clearing_changes_nothing() {
    let mut chat = Scenario::ringing_from_queue();
    for reason in [CancelReason::Decline, CancelReason::Unavailable, CancelReason::Unknown] {
        chat.when(cancelled(reason));
    }
    assert_eq!(chat.commands(), [""; 0]);
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn joining_confirms_an_accept_that_was_never_told() {
    let mut chat = Scenario::ringing_rep();
    chat.when(came("bo"));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    chat.when(accepted(1));
    assert_eq!(chat.announced(), ["bo joined"], "told once");
}

#[test]
fn a_rep_who_leaves_is_announced_once() {
    let mut chat = Scenario::new();
    chat.when(came("bo"));
    chat.when(went("bo"));
    chat.when(went("bo"));
    assert_eq!(chat.announced(), ["bo joined", "bo left"]);
}

#[test]
fn an_accept_before_the_answer_of_its_offer_joins() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.when(accepted(1));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
    chat.answer("offer", offered(1));
    chat.answer("report", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn a_decline_before_the_answer_of_its_offer_counts() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.when(declined(1));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
    chat.answer("offer", offered(1));
    chat.answer("report", ok());
    assert_eq!(chat.outcomes(), [Outcome::Declined]);
}

#[test]
fn the_same_event_twice_changes_nothing() {
    let mut chat = Scenario::ringing_from_queue();
    let before = chat.conversation.clone();
    chat.when(requested(1, Target::Queue(queue())));
    assert_eq!(chat.conversation, before);
    chat.when(accepted(1));
    let after = chat.conversation.clone();
    chat.when(accepted(1));
    chat.when(requested(1, Target::Queue(queue())));
    assert_eq!(chat.conversation, after);
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn an_offer_of_somebody_else_is_nobodys_accept() {
    let mut chat = Scenario::new();
    chat.when(accepted(9));
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.when(accepted(9));
    assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
    assert_eq!(chat.outcomes(), []);
}
