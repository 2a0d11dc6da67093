//! What Salesforce refuses, and what is refused before anything is asked of it.

use super::*;

fn refused_with(mut chat: Scenario, target: Target) -> Reason {
    chat.commands();
    chat.when(requested(1, target));
    assert_eq!(chat.commands(), ["report no"]);
    chat.answer("report", ok());
    assert_eq!(chat.outcomes(), [Outcome::Refused]);
    chat.endings[0].reason.clone()
}

#[test]
fn a_target_that_cannot_join_is_refused_in_words() {
    let bot = Subject::parse("1JZ000000000001").unwrap();
    let outside = Subject::parse("+4930").unwrap();
    let flow = Target::Flow { flow: flow(), fallback: None };
    for (target, reason) in [
        (Target::Bot(bot), Reason::Bot),
        (Target::External(outside), Reason::OutsideContact),
        (Target::Unreadable, Reason::Unreadable),
        (Target::Rep(rep("ann")), Reason::AlreadyIn),
        (flow, Reason::NoFallbackQueue),
    ] {
        assert_eq!(refused_with(Scenario::new(), target), reason);
    }
}

#[test]
fn a_channel_without_conferences_refuses_them() {
    let mut settings = settings();
    settings.conference_supported = false;
    let reason = refused_with(Scenario::with(settings), Target::Rep(rep("bo")));
    assert_eq!(reason.to_string(), "This channel does not support conferences.");
}

#[test]
fn the_limit_counts_everybody_and_the_seats_that_are_promised() {
    let mut settings = settings();
    settings.participant_limit = Some(4);
    let mut chat = Scenario::with(settings.clone());
    chat.when(came("bo"));
    chat.when(came("cem"));
    assert_eq!(refused_with(chat, Target::Rep(rep("dee"))), Reason::Full(4));

    let mut chat = Scenario::with(settings.clone());
    chat.when(EventKind::ParticipantSeen(bot()));
    chat.when(requested(2, Target::Queue(queue())));
    assert_eq!(refused_with(chat, Target::Rep(rep("dee"))), Reason::Full(4));

    let mut chat = Scenario::with(settings);
    chat.when(came("bo"));
    chat.when(came("cem"));
    chat.when(went("bo"));
    chat.when(requested(1, Target::Rep(rep("dee"))));
    assert_eq!(chat.commands(), ["offer dee (weight 1)"]);
}

#[test]
fn a_rep_who_is_being_invited_is_not_invited_again() {
    let mut chat = Scenario::new();
    chat.when(requested(2, Target::Rep(rep("bo"))));
    assert_eq!(refused_with(chat, Target::Rep(rep("bo"))), Reason::AlreadyInvited);
}

#[test]
fn a_route_may_tell_the_work_item() {
    let mut chat = Scenario::unknown(settings());
    chat.when(requested(1, Target::Queue(queue())));
    let routed = Routed { psr: Some(psr(1)), work_item: Some(work_item()), ..Routed::default() };
    chat.answer("route", Answer::Done(Reply::Routed(routed)));
    chat.found(&["bo"]);
    assert_eq!(
        chat.commands(),
        ["route Conference by queue", "find 1 in the queue, not []", "offer bo (psr)"]
    );
}

#[test]
fn events_may_tell_the_work_item_after_the_route() {
    let mut chat = Scenario::unknown(settings());
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    assert_eq!(chat.commands(), ["route Conference by queue"]);
    chat.when(EventKind::RoutingStarted { psr: None, work_item: Some(work_item()) });
    assert_eq!(chat.commands(), ["find 1 in the queue, not []"]);
}

#[test]
fn a_request_of_yesterday_is_not_answered() {
    let mut chat = Scenario::new();
    chat.now = Timestamp::from_millis(60_000);
    chat.when(requested(1, Target::Rep(rep("bo"))));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
    assert_eq!(chat.endings[0].reason, Reason::TooOld);
}
