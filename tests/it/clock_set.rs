//! A conversation that is taken up again when the clock was set back meanwhile.

use std::time::Duration;

use byoc_connector::model::event::{EventKind, Participant, Target};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::SessionStatus;
use byoc_connector::routing::{Conversation, Fact, Input, Reason, RequestFact};

use crate::support::scenario::{
    Scenario, came_at, event, ok, queue, requested, routed, session, settings, went_at, work_item,
};

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
    matches!(facts, [Fact::OfRequest(_, RequestFact::DeadlinesShortened(_)), ..])
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

/// The session waits, nobody was found, and the next attempt is planned.
fn waits_for_the_next_attempt() -> Scenario {
    let mut chat = Scenario::unknown(settings());
    chat.when(EventKind::SessionChanged {
        entry: event(9),
        work_item: work_item(),
        status: SessionStatus::Waiting,
        previous: None,
        ended_by: None,
    });
    chat.answer("route", routed());
    chat.answer("clear", ok());
    assert!(chat.conversation.is_idle() && chat.conversation.waits_for_a_rep());
    chat.commands();
    chat
}

#[test]
fn a_session_that_waits_is_routed_anew_within_the_longest_wait() {
    let mut chat = waits_for_the_next_attempt();
    assert!(!chat.conversation.is_from_the_future(&chat.settings, chat.now));
    chat.now = chat.now - HOUR;
    assert!(chat.conversation.is_from_the_future(&chat.settings, chat.now));
    chat.now = chat.now + HOUR;
    assert!(matches!(resumed(&mut chat, HOUR).as_slice(), [Fact::DeadlinesShortened(_)]));
    assert!(!chat.conversation.is_from_the_future(&chat.settings, chat.now));
    chat.seconds(300);
    assert_eq!(chat.commands(), ["route Initial"]);
}

#[test]
fn a_session_that_was_served_in_the_future_counts_as_served_until_now() {
    let mut chat = waits_for_the_next_attempt();
    chat.when(session(SessionStatus::Active, Some(SessionStatus::Waiting)));
    assert!(matches!(resumed(&mut chat, HOUR).as_slice(), [Fact::DeadlinesShortened(_)]));
    assert!(!chat.conversation.is_from_the_future(&chat.settings, chat.now));
}

#[test]
fn a_move_of_the_future_hides_no_later_one() {
    let mut chat = Scenario::new();
    let now = chat.now.as_millis();
    chat.when(came_at("cem", now + 7_200_000));
    assert!(matches!(resumed(&mut chat, Duration::ZERO).as_slice(), [Fact::DeadlinesShortened(_)]));
    assert!(!chat.conversation.is_from_the_future(&chat.settings, chat.now));
    let reps =
        |chat: &Scenario| chat.conversation.participants().iter().filter_map(Participant::as_rep).count();
    let before = reps(&chat);
    chat.when(went_at("cem", now + 1_000));
    assert_eq!(reps(&chat), before - 1);

    let mut chat = Scenario::new();
    chat.when(came_at("cem", now + 59_000));
    assert_eq!(resumed(&mut chat, Duration::ZERO), [], "Salesforce's clock may be ahead of ours");
}
