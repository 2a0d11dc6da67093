//! What must be undone is owed until it is undone, or there is nothing to undo (invariant 8).

use byoc_connector::model::call::{Answer, Refusal, Reply};
use byoc_connector::model::event::{EventKind, Target};
use byoc_connector::model::words::SessionStatus;
use byoc_connector::routing::{
    Conversation, Conversations, Input, LeftOpen, OperatorOrder, Outcome, OwedView, Reason,
    RestoredConversation,
};

use crate::support::scenario::*;

fn owed(chat: &Scenario) -> Vec<OwedView> {
    chat.conversation.owed().collect()
}

fn undo(chat: &Scenario) -> Vec<&'static str> {
    chat.conversation.owed().map(|owed| owed.undo).collect()
}

fn session_ended() -> EventKind {
    session(SessionStatus::Ended, Some(SessionStatus::Active))
}

/// A requester's cancel that Salesforce has not taken for a minute.
fn cancel_in_vain() -> Scenario {
    let mut chat = Scenario::ringing_rep();
    chat.when(requester_cancelled());
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", lost());
    chat
}

#[test]
fn a_cancel_without_an_answer_is_tried_again_with_growing_waits_until_it_works() {
    let mut chat = cancel_in_vain();
    assert_eq!(undo(&chat), ["cancelOffer"]);
    for seconds in [10, 20, 40, 80, 160, 300, 300] {
        chat.seconds(seconds - 1);
        assert_eq!(chat.commands(), [""; 0], "after {seconds} s and not before");
        chat.seconds(1);
        assert_eq!(chat.commands(), ["take back W1"]);
        assert_eq!(owed(&chat)[0].next_try, None, "it is being tried");
        chat.answer("take back", lost());
    }
    assert_eq!(owed(&chat)[0].tries, 8);
    assert_eq!(chat.outcomes(), [], "it has not ended: a rep may still ring");
    chat.seconds(300);
    chat.answer("take back", ok());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    assert!(chat.conversation.is_idle() && owed(&chat).is_empty());
}

#[test]
fn a_cancel_that_is_refused_stays_owed_and_says_what_salesforce_said() {
    let mut chat = Scenario::ringing_rep();
    chat.when(requester_cancelled());
    chat.answer("take back", refused(10003, false));
    let [owed] = owed(&chat).try_into().unwrap();
    assert_eq!((owed.rep, owed.work, owed.request), (Some(rep("bo")), Some(work(1)), event(1)));
    assert_eq!(owed.last_answer.as_deref(), Some("error 10003: no"));
    assert_eq!(owed.since, chat.now);
}

#[test]
fn what_came_in_the_place_of_an_answer_is_shown() {
    let mut chat = cancel_in_vain();
    assert_eq!(owed(&chat)[0].last_answer.as_deref(), Some("503 Service Unavailable"));
    chat.seconds(10);
    chat.answer("take back", refused(10003, false));
    assert_eq!(owed(&chat)[0].last_answer.as_deref(), Some("error 10003: no"));
    chat.seconds(20);
    chat.answer("take back", Answer::Lost("no answer within 10 s".into()));
    assert_eq!(owed(&chat)[0].last_answer.as_deref(), Some("no answer within 10 s"));
}

#[test]
fn a_rep_who_accepts_what_is_owed_a_cancel_has_joined() {
    let mut chat = cancel_in_vain();
    chat.when(accepted(1));
    assert!(owed(&chat).is_empty());
    assert_eq!(chat.outcomes(), [Outcome::Joined], "as with any accept before a cancel takes effect");
}

#[test]
fn a_rep_who_declines_what_is_owed_a_cancel_ends_the_owing() {
    let mut chat = cancel_in_vain();
    chat.when(declined(1));
    assert!(owed(&chat).is_empty());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
}

#[test]
fn an_offer_that_is_not_open_any_more_is_not_owed_a_cancel_and_the_next_rep_is_asked() {
    let mut chat = Scenario::ringing_from_queue();
    chat.seconds(30);
    chat.answer("take back", refused(10085, false));
    assert!(owed(&chat).is_empty());
    assert_eq!(chat.commands(), ["take back W1"], "its rep may have accepted: word of it is awaited");
    chat.seconds(10);
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
}

#[test]
fn while_a_cancel_is_owed_nobody_else_is_asked_and_the_request_fails() {
    let mut chat = Scenario::ringing_from_queue();
    chat.seconds(30);
    chat.answer("take back", refused(10003, false));
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.seconds(10);
    assert_eq!(chat.commands(), ["take back W1", "clear Unknown"], "the PSR does not wait for it");
    chat.answer("take back", refused(10003, false));
    chat.answer("clear", ok());
    assert_eq!(undo(&chat), ["cancelOffer"]);
    chat.seconds(20);
    chat.answer("take back", ok());
    assert_eq!(chat.endings[0].reason, Reason::OfferUnclear);
}

#[test]
fn a_rep_who_is_owed_a_cancel_is_not_invited_again() {
    let mut chat = cancel_in_vain();
    chat.when(requested(2, Target::Rep(rep("bo"))));
    assert_eq!(chat.endings.last().map(|ending| &ending.reason), None);
    chat.answer("report no", ok());
    assert_eq!(chat.endings[0].reason, Reason::AlreadyInvited);
}

#[test]
fn a_clear_is_owed_until_it_works_and_does_not_hold_up_the_result() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&[]);
    chat.commands();
    chat.answer("clear", lost());
    assert_eq!(chat.commands(), ["report no"]);
    chat.answer("report no", ok());
    assert_eq!(undo(&chat), ["clearRoute"]);
    chat.seconds(10);
    assert_eq!(chat.commands(), ["clear Unavailable"]);
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
}

#[test]
fn a_clear_that_is_owed_waits_while_another_request_needs_its_psr_and_is_done_with_its_clear() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.when(requester_cancelled());
    chat.answer("clear", lost());
    chat.found(&[]);
    chat.when(requested(2, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo"]);
    chat.answer("offer bo", offered(1));
    chat.answer("report yes", ok());
    chat.commands();
    chat.seconds(20);
    assert_eq!(chat.commands(), [""; 0], "a clear names no PSR and would take the other's");
    chat.when(declined(1));
    chat.found(&[]);
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]", "clear Decline", "clear Cancel"]);
    chat.answer("clear Decline", ok());
    chat.answer("clear Cancel", lost());
    chat.seconds(20);
    chat.answer("clear Cancel", ok());
    assert!(owed(&chat).is_empty() && chat.conversation.is_idle());
}

#[test]
fn one_clear_that_works_settles_all_that_are_owed_one_in_the_conversation() {
    let mut chat = Scenario::new();
    for number in [1, 2] {
        chat.when(requested(number, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&[]);
        chat.answer("clear", lost());
        chat.answer("report no", ok());
    }
    assert_eq!(undo(&chat), ["clearRoute", "clearRoute"]);
    let first = owed(&chat)[0].id;
    chat.input(Input::Ordered(OperatorOrder::TryNow(first)));
    chat.answer("clear", ok());
    assert!(owed(&chat).is_empty() && chat.conversation.is_idle());
}

#[test]
fn a_clear_that_finds_nothing_is_tried_once_more_and_done() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&[]);
    let nothing_cleared = |after_lost_try| {
        Answer::Refused(Refusal { status: 202, code: None, message: "{}".into(), after_lost_try })
    };
    chat.answer("clear", nothing_cleared(false));
    assert_eq!(undo(&chat), ["clearRoute"], "there was a PSR, so this is no proof");
    chat.seconds(10);
    chat.answer("clear", nothing_cleared(false));
    assert!(owed(&chat).is_empty());
    chat.answer("report no", ok());
    chat.when(requested(2, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&[]);
    chat.answer("clear", nothing_cleared(true));
    assert!(owed(&chat).is_empty(), "the try without an answer has worked");
}

/// Two accept, and the second, Cem, cannot be removed again.
fn removal_in_vain() -> Scenario {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    chat.answer("offer bo", offered(1));
    chat.answer("offer cem", offered(2));
    chat.answer("report yes", ok());
    chat.when(accepted(1));
    chat.when(accepted(2));
    chat.take("take back W2");
    chat.commands();
    chat.answer("remove cem", lost());
    assert_eq!(undo(&chat), ["removeRep"]);
    chat
}

#[test]
fn a_removal_is_owed_until_it_works_or_the_rep_leaves() {
    let mut chat = removal_in_vain();
    chat.seconds(10);
    assert_eq!(chat.commands(), ["remove cem"]);
    chat.answer("remove cem", ok());
    assert!(owed(&chat).is_empty());
    let mut chat = removal_in_vain();
    chat.when(went("cem"));
    assert!(owed(&chat).is_empty());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn a_rep_who_came_too_late_stays_where_everybody_else_has_left() {
    let mut chat = removal_in_vain();
    chat.when(went("bo"));
    chat.seconds(10);
    chat.answer("remove cem", refused(10097, false));
    assert_eq!(undo(&chat), ["removeRep"], "Ann is there");
    chat.when(went("ann"));
    chat.seconds(20);
    chat.answer("remove cem", refused(10097, false));
    assert!(owed(&chat).is_empty(), "the customer is not left alone");
    assert!(chat.conversation.is_idle());
    assert_eq!(chat.endings[0].reason, Reason::Joined(rep("bo")), "who joined first has joined");
}

#[test]
fn a_rep_who_turns_up_has_accepted_what_was_given_up_on_because_nobody_told_its_id() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", Answer::Done(Reply::Offered(None)));
    chat.answer("report yes", ok());
    chat.seconds(60);
    chat.commands();
    chat.when(came("bo"));
    assert_eq!(chat.commands(), [""; 0], "what was given up on has become something after all");
    assert_eq!(chat.endings[0].reason, Reason::Joined(rep("bo")));
}

#[test]
fn the_end_of_the_session_stops_the_owing_only_when_a_try_after_it_was_answered() {
    let mut chat = cancel_in_vain();
    chat.commands();
    chat.when(session_ended());
    assert_eq!(
        chat.commands(),
        ["take back W1"],
        "tried at once: no document says that an end takes offers back"
    );
    chat.answer("take back", lost());
    assert_eq!(undo(&chat), ["cancelOffer"], "without an answer nothing is known");
    chat.seconds(20);
    let put_off = Refusal { status: 429, code: None, message: "".into(), after_lost_try: false };
    chat.answer("take back", Answer::Refused(put_off));
    assert_eq!(undo(&chat), ["cancelOffer"], "put off is not answered");
    chat.seconds(40);
    chat.answer("take back", refused(10003, false));
    assert!(owed(&chat).is_empty());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
}

#[test]
fn a_try_made_before_the_end_of_the_session_proves_nothing() {
    let mut chat = cancel_in_vain();
    chat.seconds(10);
    chat.when(session_ended());
    chat.answer("take back", refused(10003, false));
    assert_eq!(undo(&chat), ["cancelOffer"]);
}

#[test]
fn what_is_owed_survives_a_stop_at_any_fact() {
    let mut chat = cancel_in_vain();
    chat.seconds(10);
    chat.answer("take back", lost());
    let mut again = Conversation::new(chat.conversation.id().clone());
    for fact in &chat.facts {
        again.apply(fact).unwrap();
    }
    assert_eq!(again, chat.conversation);
    let stored = serde_json::to_string(&again).unwrap();
    assert_eq!(serde_json::from_str::<Conversation>(&stored).unwrap(), again);
}

#[test]
fn an_operator_can_try_at_once_and_strike_out() {
    let mut chat = cancel_in_vain();
    chat.commands();
    let id = owed(&chat)[0].id;
    chat.input(Input::Ordered(OperatorOrder::TryNow(id)));
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.input(Input::Ordered(OperatorOrder::TryNow(id)));
    assert_eq!(chat.commands(), [""; 0], "it is being tried");
    chat.answer("take back", lost());
    assert_eq!(owed(&chat)[0].id, id, "the same for as long as it is owed");
    chat.input(Input::Ordered(OperatorOrder::StrikeOut(id)));
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    assert!(chat.conversation.is_idle());
}

#[test]
fn striking_out_what_is_being_tried_makes_its_answer_a_late_one() {
    let mut chat = cancel_in_vain();
    chat.seconds(10);
    let id = owed(&chat)[0].id;
    chat.input(Input::Ordered(OperatorOrder::StrikeOut(id)));
    assert!(chat.conversation.is_idle());
    chat.answer("take back", ok());
    assert!(chat.conversation.is_idle());
}

#[test]
fn an_operator_can_end_a_request_and_what_is_to_be_undone_is_undone() {
    let mut chat = Scenario::ringing_from_queue();
    chat.input(Input::Ordered(OperatorOrder::End(event(1))));
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", ok());
    chat.answer("clear", ok());
    assert_eq!(chat.endings[0].reason, Reason::OperatorEnded);
    let mut stuck = cancel_in_vain();
    stuck.input(Input::Ordered(OperatorOrder::End(event(1))));
    assert!(stuck.conversation.is_idle(), "ended already: what it owes is given up");
    assert_eq!(stuck.endings[0].reason, Reason::RequesterCancelled);
}

#[test]
fn what_a_conversation_leaves_open_counts_offers_psrs_and_debts_of_ended_requests_too() {
    let left = |chat: &Scenario| {
        let kept =
            RestoredConversation { conversation: chat.conversation.clone(), heard: chat.now, ended: false };
        let LeftOpen { requests, offers, psrs, owed } =
            Conversations::restore(settings(), [kept]).left_open();
        [requests, offers, psrs, owed]
    };
    let mut chat = Scenario::ringing_from_queue();
    assert_eq!(left(&chat), [1, 1, 1, 0]);
    chat.when(requester_cancelled());
    assert_eq!(left(&chat), [0, 1, 1, 0], "it has ended, and its offer rings on");
    assert_eq!(chat.commands(), ["take back W1"]);
    chat.answer("take back", lost());
    assert_eq!(left(&chat), [0, 1, 1, 1], "and could not be taken back");
    chat.seconds(10);
    chat.answer("take back", ok());
    assert_eq!(left(&chat), [0, 0, 1, 0]);
    chat.answer("clear", ok());
    assert_eq!(left(&chat), [0; 4]);
    assert!(LeftOpen::default().is_nothing());
}
