//! A transfer that comes to nothing: whoever asked keeps the conversation if they are still in it; else the customer
//! is routed anew.

use super::*;

#[test]
fn where_nobody_is_available_the_requester_keeps_the_conversation() {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&[]);
    assert_eq!(chat.commands().pop().unwrap(), "clear Unavailable");
    chat.answer("clear", ok());
    chat.answer("report no", ok());
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
    assert!(!chat.conversation.waits_for_a_rep());
    assert!(chat.conversation.is_idle());
}

#[test]
fn where_the_requester_is_gone_the_customer_is_routed_anew() {
    let mut chat = ringing();
    chat.when(went("ann"));
    assert_eq!(chat.commands(), [""; 0], "bo may still take it");
    chat.when(declined(1));
    assert_eq!(chat.outcomes(), [Outcome::Declined]);
    assert_eq!(chat.commands(), ["route Initial"]);
    chat.answer("route", routed());
    assert!(chat.conversation.waits_for_a_rep());
}

#[test]
fn where_a_rep_of_a_conference_is_still_there_they_keep_it() {
    let mut chat = ringing();
    chat.when(came("cem"));
    chat.when(went("ann"));
    chat.when(declined(1));
    assert_eq!(chat.outcomes(), [Outcome::Declined]);
    assert_eq!(chat.commands(), [""; 0]);
    assert!(!chat.conversation.waits_for_a_rep());
}

#[test]
fn where_the_session_is_over_nobody_is_looked_for() {
    let mut chat = ringing();
    chat.when(session(SessionStatus::Ended, None));
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", ok());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    assert_eq!(chat.commands(), [""; 0]);
}

#[test]
fn a_direct_one_that_nobody_takes_is_taken_back_when_the_wait_is_over() {
    let mut chat = ringing();
    chat.when(went("ann"));
    chat.seconds(599);
    assert_eq!(chat.commands(), [""; 0]);
    chat.seconds(1);
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", ok());
    assert_eq!(chat.outcomes(), [Outcome::Unanswered]);
    assert_eq!(chat.commands(), ["route Initial"]);
}
