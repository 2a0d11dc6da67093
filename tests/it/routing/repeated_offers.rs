//! An offer that a lost try may have made twice is watched for, and the second is taken back.

use super::*;

/// A queue conference in which the answer to `bo`'s offer is lost and an event tells of it as W1.
fn making_with_lost_answer() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo"]);
    chat.when(changed(1, WorkChange::Assigned));
    chat.commands();
    chat
}

#[test]
fn a_try_that_rings_a_rep_who_has_declined_is_taken_back() {
    let mut chat = making_with_lost_answer();
    chat.when(declined(1));
    chat.answer("offer bo", offered(2));
    assert_eq!(chat.commands(), ["take back W2", "report yes"]);
    chat.answer("take back W2", ok());
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
}

#[test]
fn nobody_else_is_asked_while_a_try_may_ring_the_rep_again() {
    let mut chat = making_with_lost_answer();
    chat.when(declined(1));
    assert_eq!(chat.commands(), [""; 0]);
    chat.answer("offer bo", lost());
    assert_eq!(chat.commands(), [""; 0]);
    chat.seconds(10);
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
}

#[test]
fn a_second_offer_that_an_event_tells_of_is_taken_back() {
    let mut chat = making_with_lost_answer();
    chat.when(declined(1));
    chat.when(changed(2, WorkChange::Assigned));
    assert_eq!(chat.commands(), ["take back W2", "report yes"]);
    chat.when(declined(1));
    chat.answer("offer bo", offered(2));
    chat.answer("take back W2", ok());
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
}

#[test]
fn the_answer_that_names_the_offer_again_ends_the_wait() {
    let mut chat = making_with_lost_answer();
    chat.when(declined(1));
    chat.answer("offer bo", offered(1));
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
}

#[test]
fn a_rep_who_may_ring_again_is_not_found_for_another_request() {
    let mut chat = making_with_lost_answer();
    chat.when(declined(1));
    chat.when(requested(2, Target::Queue(queue())));
    chat.answer("route", routed());
    assert_eq!(chat.commands().last().unwrap(), "find 1 in the queue, not [ann bo]");
    chat.found(&["bo", "cem"]);
    assert_eq!(chat.commands(), ["offer cem (psr)"]);
}

#[test]
fn the_second_offer_of_an_answer_without_id_is_taken_back() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", Answer::Done(Reply::Offered(None)));
    chat.when(changed(1, WorkChange::Assigned));
    chat.when(declined(1));
    chat.commands();
    chat.when(changed(2, WorkChange::Assigned));
    assert_eq!(chat.commands(), ["take back W2"]);
}

#[test]
fn a_rep_whose_offer_may_be_made_again_is_not_asked_for_another_request() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.when(changed(1, WorkChange::Assigned));
    chat.when(declined(1));
    chat.when(requested(2, Target::Rep(rep("bo"))));
    chat.answer("report no", ok());
    chat.answer("report no", ok());
    assert_eq!(chat.endings.last().map(|ending| &ending.reason), Some(&Reason::AlreadyInvited));
    chat.answer("offer bo", lost());
    let commands = chat.commands();
    assert_eq!(commands, ["offer bo (weight 1)", "report no", "report no"], "one offer");
}

#[test]
fn the_end_of_a_work_that_is_told_first_does_not_make_it_foreign() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.when(changed(1, WorkChange::Closed));
    chat.when(changed(1, WorkChange::Assigned));
    chat.when(accepted(1));
    chat.answer("offer bo", offered(1));
    chat.answer("report yes", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn an_offer_that_was_answered_is_not_made_again_after_a_restart() {
    let mut chat = making_with_lost_answer();
    chat.when(declined(1));
    let [offer] = &chat.conversation.outstanding(&chat.settings)[..] else { panic!() };
    assert!(offer.give_up_at <= chat.now, "its time is over: {offer:?}");
}

#[test]
fn an_offer_that_an_event_told_of_outlives_a_refusal_after_a_lost_try() {
    let mut chat = making_with_lost_answer();
    chat.answer("offer bo", refused(15112, true));
    assert_eq!(chat.outcomes(), []);
    assert_eq!(chat.commands(), ["report yes"]);
    chat.seconds(30);
    assert_eq!(chat.commands(), ["take back W1"]);
}

#[test]
fn a_refusal_after_a_lost_try_leaves_time_for_the_offer_to_show_up() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", refused(10071, true));
    assert_eq!(chat.commands(), ["offer bo (weight 1)"], "no \"no\" yet");
    chat.when(accepted(1));
    chat.answer("take back W1", refused(10085, false));
    chat.answer("report yes", ok());
    chat.seconds(10);
    assert_eq!(chat.outcomes(), [Outcome::Joined]);

    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", refused(15112, true));
    chat.seconds(10);
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
    chat.answer("report no", ok());
    assert!(matches!(chat.endings[0].reason, Reason::SalesforceRefused(..)));
}

#[test]
fn who_turns_up_after_a_refusal_that_followed_a_lost_try_has_accepted_the_first() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", refused(15112, true));
    chat.when(came("bo"));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
    chat.answer("report yes", ok());
    chat.seconds(10);
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn a_second_accept_of_an_offer_that_may_be_made_again_changes_nothing_behind_the_end() {
    let mut chat = making_with_lost_answer();
    chat.when(session(SessionStatus::Ended, None));
    chat.when(accepted(1));
    let before = chat.conversation.clone();
    chat.when(accepted(1));
    assert_eq!(chat.conversation, before);
}
