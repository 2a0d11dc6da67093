//! Salesforce's sixty seconds are kept.

use super::*;

#[test]
fn a_result_that_would_come_too_late_is_sent_before_the_offer() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.commands();
    chat.seconds(51);
    assert_eq!(chat.commands(), [""; 0]);
    chat.seconds(1);
    assert_eq!(chat.commands(), ["report yes"]);
    chat.answer("report", ok());
    chat.seconds(20);
    chat.found(&["bo"]);
    assert_eq!(chat.commands(), ["offer bo (psr)"]);
}

#[test]
fn with_report_accepted_the_result_is_not_later_than_the_margin() {
    let mut chat = Scenario::report_accepted();
    chat.settings.policy.ring_seconds = 300;
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", offered(1));
    chat.commands();
    chat.seconds(52);
    assert_eq!(chat.commands(), ["report yes"]);
}

#[test]
fn a_route_without_an_answer_gives_up_in_time() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    assert_eq!(chat.open[0].give_up_at, Timestamp::from_millis(52_000));
    chat.commands();
    chat.seconds(52);
    assert_eq!(chat.commands(), ["report no"]);
    chat.answer("report", ok());
    chat.answer("route", lost());
    assert_eq!(chat.commands(), ["clear Unknown"]);
    chat.answer("clear", ok());
    assert_eq!(chat.endings[0].reason, Reason::OutOfTime);
}

#[test]
fn a_request_that_comes_late_is_promised_first() {
    let mut chat = Scenario::new();
    chat.now = Timestamp::from_millis(55_000);
    chat.when(requested(1, Target::Rep(rep("bo"))));
    assert_eq!(chat.commands(), ["report yes", "offer bo (weight 1)"]);
}

#[test]
fn a_router_that_keeps_silent_is_not_waited_for_for_ever() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.seconds(52);
    chat.answer("report", ok());
    chat.commands();
    chat.seconds(68);
    assert_eq!(chat.commands(), ["clear Unavailable"]);
    chat.answer("clear", ok());
    assert_eq!(chat.endings[0].reason, Reason::RouterSilent);
}

#[test]
fn a_no_is_sent_in_time_even_where_the_clearing_hangs() {
    let mut chat = Scenario::new();
    chat.now = Timestamp::from_millis(50_000);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&[]);
    assert_eq!(
        chat.commands(),
        ["route Conference by queue", "find 1 in the queue, not [ann]", "clear Unavailable"]
    );
    chat.seconds(2);
    assert_eq!(chat.commands(), ["report no"]);
}
