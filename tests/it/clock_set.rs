//! A conversation that is taken up again when the clock was set back meanwhile.

use std::time::Duration;

use byoc_connector::model::event::Target;
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Conversation, Fact, Input, Reason, RequestFact};

use crate::support::scenario::{Scenario, ok, queue, requested, routed};

const HOUR: Duration = Duration::from_secs(3600);

/// Taken up again, that much earlier by the clock.
fn resumed(chat: &mut Scenario, back: Duration) -> Vec<Fact> {
    let before = chat.facts.len();
    let mut restarted = Conversation::new(chat.conversation.id().clone());
    for fact in &chat.facts {
        restarted.apply(fact).unwrap();
    }
    chat.conversation = restarted;
    chat.now = chat.now - back;
    chat.input(Input::Resumed);
    chat.facts[before..].to_vec()
}

fn is_cut(facts: &[Fact]) -> bool {
    matches!(facts, [Fact::About(_, RequestFact::TimesCut(_)), ..])
}

#[test]
fn an_offer_rings_no_longer_than_the_rules_allow() {
    let mut chat = Scenario::ringing_from_queue();
    assert!(!chat.conversation.is_from_the_future(&chat.settings, chat.now));
    assert!(is_cut(&resumed(&mut chat, HOUR)));
    assert!(!chat.conversation.is_from_the_future(&chat.settings, chat.now));
    chat.seconds(40);
    assert_eq!(chat.commands(), ["take back W1"]);
}

#[test]
fn a_request_is_answered_and_its_search_ends() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.commands();
    assert!(is_cut(&resumed(&mut chat, HOUR)));
    chat.seconds(52);
    assert_eq!(chat.commands(), ["report yes"]);
    chat.answer("report", ok());
    chat.seconds(68);
    assert_eq!(chat.commands(), ["clear Unavailable"]);
    chat.answer("clear", ok());
    assert_eq!(chat.endings[0].reason, Reason::RouterSilent);
}

#[test]
fn what_is_given_again_is_not_tried_for_an_hour() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    resumed(&mut chat, HOUR);
    let outstanding = chat.conversation.outstanding(&chat.settings);
    assert_eq!(outstanding.len(), 1);
    assert!(outstanding[0].give_up_at <= chat.now + Duration::from_secs(120), "{outstanding:?}");
}

#[test]
fn a_clock_that_is_right_or_nearly_cuts_nothing() {
    for back in [0, 1, 4_900] {
        let mut chat = Scenario::ringing_from_queue();
        assert_eq!(resumed(&mut chat, Duration::from_millis(back)), [], "{back}");
    }
    let mut chat = Scenario::ringing_from_queue();
    chat.now = chat.now + HOUR;
    assert!(!is_cut(&resumed(&mut chat, Duration::ZERO)), "what is too near is left");
    assert_eq!(chat.now, Timestamp::from_millis(3_600_000));
}
