//! A failure of the partner's router is not "nobody": it is asked again while there is time, and the request
//! that ends of it says so.

use std::time::Duration;

use byoc_connector::model::event::Target;
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Conversation, Input, Outcome, Reason, Remark, SearchFailure};

use crate::support::scenario::{Scenario, declined, event, offered, ok, queue, requested, routed, skill};

fn down(why: &str, wait: Duration) -> SearchFailure {
    SearchFailure::Failed { why: why.to_owned(), wait }
}

fn fails(chat: &mut Scenario) {
    fails_with(chat, down("it answered 503", Duration::ZERO));
}

fn fails_with(chat: &mut Scenario, failure: SearchFailure) {
    let search = chat.take("find");
    chat.input(Input::Found(search.id, Err(failure)));
}

/// A queue conference whose router is asked.
fn asked() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    assert_eq!(chat.commands(), ["route Conference by queue", "find 1 in the queue, not [ann]"]);
    chat
}

fn seconds(at: u64) -> Timestamp {
    Timestamp::from_millis(0) + Duration::from_secs(at)
}

#[test]
fn a_router_that_fails_is_asked_again_and_then_somebody_is_found() {
    let mut chat = asked();
    fails(&mut chat);
    assert_eq!(chat.commands(), [""; 0], "nothing is decided");
    let failed = Remark::RouterFailed(event(1), down("it answered 503", Duration::ZERO));
    assert_eq!(chat.remarks, [failed]);
    chat.wait(Duration::from_millis(999));
    assert_eq!(chat.commands(), [""; 0]);
    chat.wait(Duration::from_millis(1));
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann]"]);
    chat.found(&["bo"]);
    assert_eq!(chat.commands(), ["offer bo (psr)"]);
}

#[test]
fn it_is_asked_with_growing_waits_until_the_answer_is_due_and_no_rep_is_promised() {
    let mut chat = asked();
    let mut at = Vec::new();
    let mut asked_for = vec!["find".to_owned()];
    while asked_for.is_empty() || asked_for[0].starts_with("find") {
        if !asked_for.is_empty() {
            at.push(chat.now.as_millis() / 1000);
            fails(&mut chat);
        }
        chat.seconds(1);
        asked_for = chat.commands();
        assert!(chat.now <= seconds(52), "{:?}", chat.open);
    }
    assert_eq!(asked_for, ["clear Unavailable", "report no"]);
    assert_eq!(at, [0, 1, 3, 7, 15, 23, 31, 39, 47]);
    assert_eq!(chat.now, seconds(52));
    chat.answer("clear", ok());
    chat.answer("report", ok());
    assert_eq!(chat.endings[0].reason, Reason::RouterFailed("it answered 503".to_owned()));
    assert_eq!(chat.endings[0].reason.to_string(), "The rep finder failed: it answered 503.");
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
}

#[test]
fn once_a_rep_was_promised_it_is_asked_until_the_search_is_over() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(declined(1));
    while chat.outcomes().is_empty() {
        if chat.open.iter().any(|command| matches!(command.order, byoc_connector::routing::Order::Find(_))) {
            fails(&mut chat);
        } else if !chat.open.is_empty() {
            chat.answer("clear", ok());
        } else {
            chat.seconds(1);
        }
        assert!(chat.now <= seconds(120));
    }
    assert_eq!(chat.now, seconds(120));
    assert_eq!(chat.endings[0].reason, Reason::RouterFailed("it answered 503".to_owned()));
}

#[test]
fn a_restart_neither_forgets_the_failure_nor_hurries_the_router() {
    let mut chat = asked();
    for _ in 0..3 {
        fails(&mut chat);
        chat.seconds(4);
    }
    fails(&mut chat);
    chat.commands();
    let mut restarted = Conversation::new(chat.conversation.id().clone());
    for fact in &chat.facts {
        restarted.apply(fact).unwrap();
    }
    assert_eq!(restarted, chat.conversation);
    assert_eq!(restarted.outstanding(&chat.settings), [], "it is not asked again at once");
    assert_eq!(restarted.deadline(&chat.settings), Some(chat.now + Duration::from_secs(8)));
    chat.conversation = restarted;
    chat.seconds(40);
    chat.open.clear();
    assert!(chat.commands().contains(&"clear Unavailable".to_owned()));
    let text = serde_json::to_string(&chat.conversation).unwrap();
    assert!(text.contains(r#"{"RouterFailed":"it answered 503"}"#), "{text}");
}

#[test]
fn a_router_that_answers_again_is_believed() {
    let mut chat = asked();
    fails(&mut chat);
    chat.seconds(1);
    chat.found(&[]);
    chat.answer("clear", ok());
    chat.answer("report no", ok());
    assert_eq!(chat.endings[0].reason, Reason::NobodyAvailable);
}

#[test]
fn a_failure_does_not_drop_skills() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Skills(vec![skill("french", None), skill("boats", Some(1))])));
    fails(&mut chat);
    chat.seconds(1);
    assert_eq!(chat.commands(), ["find 1 french+boats, not [ann]", "find 1 french+boats, not [ann]"]);
}

#[test]
fn a_router_that_asks_to_be_left_alone_is_however_long_that_is() {
    let mut chat = asked();
    fails_with(&mut chat, down("it answered 429", Duration::from_secs(30)));
    chat.seconds(29);
    assert_eq!(chat.commands(), [""; 0]);
    chat.seconds(1);
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann]"]);
    fails_with(&mut chat, down("it answered 429", Duration::MAX));
    chat.seconds(22);
    assert_eq!(chat.commands(), ["clear Unavailable", "report no"], "the request ends when it must");
}

#[test]
fn silence_is_told_from_a_failure_and_from_nobody() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(declined(1));
    chat.commands();
    chat.now = seconds(120);
    fails_with(&mut chat, SearchFailure::Silent);
    assert_eq!(chat.commands(), ["clear Unavailable"]);
    chat.answer("clear", ok());
    assert_eq!(chat.endings[0].reason, Reason::RouterSilent);
    assert_eq!(chat.endings[0].reason.to_string(), "The rep finder did not answer in time.");
}

#[test]
fn the_reason_is_one_line_that_fits() {
    let mut chat = asked();
    fails_with(&mut chat, down(&format!("no\nroute. {}", "x".repeat(10_000)), Duration::ZERO));
    chat.seconds(52);
    chat.open.retain(|command| !matches!(command.order, byoc_connector::routing::Order::Find(_)));
    chat.answer("clear", ok());
    chat.answer("report no", ok());
    let reason = chat.endings[0].reason.to_string();
    assert!(reason.starts_with("The rep finder failed: no route. xxx") && reason.len() < 240, "{reason}");
}

#[test]
fn a_search_that_fails_after_the_last_word_changes_nothing() {
    let mut chat = asked();
    chat.when(crate::support::scenario::requester_cancelled());
    fails(&mut chat);
    chat.answer("clear", ok());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    assert_eq!(chat.open, []);
}

#[test]
fn while_others_ring_the_router_is_asked_again() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    chat.answer("offer bo", offered(1));
    chat.answer("offer cem", offered(2));
    chat.answer("report yes", ok());
    chat.when(declined(1));
    chat.commands();
    fails(&mut chat);
    chat.seconds(1);
    assert_eq!(chat.commands(), ["find 19 in the queue, not [ann bo cem]"]);
    fails(&mut chat);
    chat.when(declined(2));
    chat.seconds(2);
    assert_eq!(chat.commands().len(), 1, "and when nobody rings any more");
}
