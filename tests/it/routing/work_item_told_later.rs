//! A request whose work item is not known waits for whoever tells it, as long as there is time.

use byoc_connector::model::event::{EventKind, Target};
use byoc_connector::model::ids::Subject;
use byoc_connector::model::words::{SessionStatus, WorkChange};
use byoc_connector::routing::{Outcome, Reason, Remark};

use crate::support::scenario::*;

/// A request for `bo` in a conversation of which nothing is known.
fn asked_for(target: Target) -> Scenario {
    let mut chat = Scenario::unknown(settings());
    chat.when(requested(1, target));
    chat
}

#[test]
fn whatever_tells_it_lets_the_request_go_on() {
    let tellers = [
        session(SessionStatus::Active, None),
        EventKind::WorkItemSeen(work_item()),
        changed(9, WorkChange::Assigned),
        EventKind::RoutingStarted { psr: None, work_item: Some(work_item()) },
    ];
    for teller in tellers {
        let mut chat = asked_for(Target::Rep(rep("bo")));
        assert_eq!(chat.commands(), [""; 0]);
        chat.seconds(51);
        chat.when(teller.clone());
        assert_eq!(chat.commands(), ["offer bo (weight 1)"], "{teller:?}");
    }
}

#[test]
fn skills_wait_too() {
    let mut chat = asked_for(Target::Skills(vec![skill("french", None)]));
    assert_eq!(chat.commands(), [""; 0]);
    chat.when(EventKind::WorkItemSeen(work_item()));
    assert_eq!(chat.commands(), ["find 1 french, not []"]);
}

#[test]
fn where_nobody_tells_it_the_request_ends_at_the_margin_and_a_remark_says_so() {
    let mut chat = asked_for(Target::Rep(rep("bo")));
    chat.seconds(51);
    assert_eq!(chat.outcomes(), []);
    chat.seconds(1);
    assert_eq!(chat.commands(), [""; 0], "a result needs the work item");
    assert_eq!(chat.outcomes(), [Outcome::Refused]);
    assert_eq!(chat.endings[0].reason, Reason::UnknownWorkItem);
    assert_eq!(chat.remarks, [Remark::NoResultWithoutWorkItem(event(1))]);
}

#[test]
fn a_no_waits_for_it_as_well() {
    for target in [Target::Bot(Subject::parse("1JZ000000000001").unwrap()), Target::Unreadable] {
        let mut chat = asked_for(target.clone());
        assert_eq!(chat.outcomes(), []);
        chat.seconds(1);
        chat.when(EventKind::WorkItemSeen(work_item()));
        assert_eq!(chat.commands(), ["report no"], "{target:?}");
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Refused]);

        let mut chat = asked_for(target);
        chat.seconds(52);
        assert_eq!(chat.outcomes(), [Outcome::Refused]);
        assert_eq!(chat.remarks, [Remark::NoResultWithoutWorkItem(event(1))]);
    }
}

#[test]
fn a_cancel_while_it_waits_ends_it() {
    let mut chat = asked_for(Target::Rep(rep("bo")));
    chat.when(requester_cancelled());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    assert_eq!(chat.remarks, []);
}
