//! Salesforce refuses one rep: the next is asked. It refuses the request: that is the end of it.

use byoc_connector::model::call::{Answer, Refusal, Reply, Routed};
use byoc_connector::model::event::Target;
use byoc_connector::model::words::WorkChange;
use byoc_connector::routing::{Outcome, Reason, Remark};

use crate::support::scenario::*;

/// What is about one rep (PROTOCOL: "Failures of a call").
const ABOUT_A_REP: [u32; 4] = [15105, 15106, 15109, 15112];

/// A queue conference that asks for `bo` first.
fn offering_from_queue() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo"]);
    chat.commands();
    chat
}

fn no(code: u32) -> Refusal {
    Refusal { status: 400, code: Some(code), message: "no".into(), after_lost_try: false }
}

#[test]
fn the_next_rep_of_a_queue_is_asked_at_once_and_under_the_same_psr() {
    for code in ABOUT_A_REP {
        let mut chat = offering_from_queue();
        chat.answer("offer bo", refused(code, false));
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"], "{code}");
        assert_eq!(chat.remarks, [Remark::RepRefused(rep("bo"), no(code))]);
        chat.found(&["cem"]);
        assert_eq!(chat.commands(), ["offer cem (psr)"], "{code}");
        chat.answer("offer cem", offered(2));
        assert_eq!(chat.commands(), ["report yes"]);
        chat.answer("report", ok());
        chat.when(accepted(2));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
        assert_eq!(chat.commands(), [""; 0], "the accept took the PSR up");
    }
}

#[test]
fn what_is_about_the_request_or_the_org_ends_it() {
    for code in [10015, 15102, 15103, 15104, 15107, 15108, 15110, 15111, 19999] {
        let mut chat = offering_from_queue();
        chat.answer("offer bo", refused(code, false));
        assert_eq!(chat.commands(), ["clear Unknown"], "{code}");
        chat.answer("clear", ok());
        assert_eq!(chat.commands(), ["report no"], "{code}");
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Failed]);
    }
}

#[test]
fn a_rep_by_name_ends_refused_with_the_reason() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", refused(15105, false));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
    chat.answer("report", ok());
    assert_eq!(chat.outcomes(), [Outcome::Refused]);
    let said = chat.endings[0].reason.to_string();
    assert!(said.contains("15105") && said.contains("permission"), "{said}");
}

#[test]
fn where_nobody_else_is_left_the_last_refusal_is_told_and_not_a_decline() {
    let mut chat = offering_from_queue();
    chat.answer("offer bo", refused(15106, false));
    chat.found(&["cem"]);
    chat.answer("offer cem", refused(15112, false));
    chat.commands();
    chat.found(&[]);
    assert_eq!(chat.commands(), ["clear Unavailable"]);
    chat.answer("clear", ok());
    chat.answer("report no", ok());
    assert_eq!(chat.outcomes(), [Outcome::Refused]);
    assert_eq!(chat.endings[0].reason, Reason::RepsRefused { reps: 2, last: no(15112) });
    let said = chat.endings[0].reason.to_string();
    assert!(said.contains("2 reps") && said.contains("15112"), "{said}");
}

#[test]
fn the_answer_of_a_rep_who_was_really_asked_counts_first() {
    let mut chat = offering_from_queue();
    chat.answer("offer bo", offered(1));
    chat.answer("report yes", ok());
    chat.when(declined(1));
    chat.found(&["cem"]);
    chat.answer("offer cem", refused(15112, false));
    chat.found(&[]);
    chat.answer("clear Decline", ok());
    assert_eq!(chat.outcomes(), [Outcome::Declined]);
}

#[test]
fn with_ring_all_the_others_go_on_ringing_and_the_seat_is_offered_again() {
    let mut chat = Scenario::ring_all(Some(4));
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    chat.answer("offer bo", offered(1));
    chat.answer("report yes", ok());
    chat.commands();
    chat.answer("offer cem", refused(15105, false));
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo cem]"]);
    chat.found(&["dee"]);
    assert_eq!(chat.commands(), ["offer dee (psr)"]);
    chat.answer("offer dee", refused(15112, false));
    chat.found(&[]);
    assert_eq!(chat.outcomes(), [], "bo still rings");
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn skills_are_asked_for_anew() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Skills(vec![skill("french", None), skill("mouse", Some(1))])));
    chat.found(&[]);
    chat.found(&["bo"]);
    chat.commands();
    chat.answer("offer bo", refused(15112, false));
    assert_eq!(chat.commands(), ["find 1 french+mouse, not [ann bo]"]);
}

#[test]
fn a_flow_that_named_a_rep_goes_on_with_its_queue() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Flow { flow: flow(), fallback: Some(queue()) }));
    let routed = Routed { psr: Some(psr(1)), rep: Some(rep("bo")), ..Routed::default() };
    chat.answer("route", Answer::Done(Reply::Routed(routed)));
    chat.commands();
    chat.answer("offer bo", refused(15112, false));
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
}

#[test]
fn after_a_lost_try_the_first_offer_is_waited_for_before_the_next_rep_is_asked() {
    let mut chat = offering_from_queue();
    chat.answer("offer bo", refused(15112, true));
    assert_eq!(chat.commands(), [""; 0], "bo may ring");
    chat.when(changed(1, WorkChange::Assigned));
    assert_eq!(chat.commands(), ["take back W1", "report yes"]);
    chat.answer("take back", ok());
    chat.answer("report yes", ok());
    chat.seconds(10);
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
    chat.found(&["cem"]);
    assert_eq!(chat.commands(), ["offer cem (psr)"]);
}

#[test]
fn what_is_refused_behind_the_last_word_changes_nothing() {
    let mut chat = offering_from_queue();
    chat.when(requester_cancelled());
    chat.answer("offer bo", refused(15112, false));
    assert_eq!(chat.commands(), ["clear Cancel"]);
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
}
