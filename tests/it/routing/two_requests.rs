//! Two requests of one conversation keep out of each other's way.

use super::*;

#[test]
fn a_clear_is_held_back_while_another_request_needs_its_psr() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(requested(2, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["dee"]);
    chat.answer("offer dee", offered(2));
    chat.answer("report", ok());
    chat.commands();
    chat.when(declined(1));
    chat.found(&[]);
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo dee]"]);
    chat.when(accepted(2));
    assert_eq!(chat.commands(), ["clear Decline"]);
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined, Outcome::Declined]);
}

#[test]
fn a_held_back_clear_does_not_hold_back_the_result() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(requested(2, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.commands();
    chat.found(&[]);
    assert_eq!(chat.commands(), ["report no"]);
}

#[test]
fn a_route_waits_for_a_clear_that_is_under_way() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(requester_cancelled());
    chat.answer("take back", ok());
    chat.when(requested(2, Target::Queue(queue())));
    assert_eq!(chat.commands(), ["take back W1", "clear Cancel"]);
    chat.answer("clear", ok());
    assert_eq!(chat.commands(), ["route Conference by queue"]);
}

#[test]
fn nobody_is_offered_the_same_conversation_twice() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(requested(2, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "ann", "cem"]);
    assert_eq!(chat.commands().last().unwrap(), "offer cem (psr)");
}
