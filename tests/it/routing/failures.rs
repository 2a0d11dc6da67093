//! Calls that fail or are lost on the way.

use super::*;

#[test]
fn a_refused_route_needs_no_clearing() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", refused(10032, false));
    assert_eq!(chat.commands(), ["route Conference by queue", "report no"]);
    chat.answer("report", ok());
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
}

#[test]
fn a_route_that_may_have_been_made_is_cleared() {
    for answer in [lost(), refused(10032, true)] {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", answer);
        assert_eq!(chat.commands(), ["route Conference by queue", "clear Unknown"]);
        chat.answer("clear", ok());
        assert_eq!(chat.commands(), ["report no"]);
    }
}

#[test]
fn an_offer_that_exists_already_after_a_lost_answer_is_ours() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(declined(1));
    chat.found(&["cem"]);
    chat.answer("offer cem", refused(15109, true));
    chat.commands();
    chat.when(changed(2, WorkChange::Assigned));
    chat.when(accepted(2));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn an_offer_that_exists_already_and_is_not_ours_ends_the_request() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", refused(15109, false));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
}

#[test]
fn an_offer_that_exists_already_is_ours_where_its_assignment_was_seen() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.when(changed(1, WorkChange::Assigned));
    chat.answer("offer", refused(15109, false));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
    chat.seconds(30);
    assert_eq!(chat.commands(), ["take back W1"]);
}

#[test]
fn an_offer_of_unknown_id_blocks_the_next_until_it_can_be_taken_back() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo"]);
    chat.answer("offer", lost());
    chat.commands();
    chat.seconds(20);
    chat.when(changed(5, WorkChange::Assigned));
    assert_eq!(chat.commands(), ["report yes"]);
    chat.seconds(30);
    assert_eq!(chat.commands(), ["take back W5"]);
}

#[test]
fn an_offer_whose_id_never_comes_ends_the_request_and_is_still_taken_back_later() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", lost());
    chat.commands();
    chat.seconds(40);
    assert_eq!(chat.commands(), ["report no"]);
    chat.answer("report", ok());
    chat.seconds(60);
    chat.when(changed(5, WorkChange::Assigned));
    assert_eq!(chat.commands(), ["take back W5"]);
    chat.answer("take back", ok());
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
}

#[test]
fn a_rep_who_accepts_after_the_no_is_taken_out_again() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", lost());
    chat.seconds(40);
    chat.answer("report no", ok());
    chat.commands();
    chat.when(accepted(5));
    assert_eq!(chat.commands(), ["remove bo"]);
    chat.answer("remove", ok());
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
}

#[test]
fn an_offer_that_salesforce_takes_back_is_not_left_ringing() {
    let mut chat = Scenario::ringing_rep();
    chat.when(changed(1, WorkChange::Cancelled));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.endings[0].reason, Reason::OfferWithdrawn);
}

#[test]
fn a_late_answer_changes_nothing() {
    let mut chat = Scenario::ringing_rep();
    let late = byoc_connector::routing::CommandId { request: event(1), number: 0 };
    let before = chat.conversation.clone();
    chat.input(Input::Answered(late.clone(), lost()));
    assert_eq!(chat.conversation, before);
    assert_eq!(chat.remarks, [Remark::LateAnswer(late)]);
}
