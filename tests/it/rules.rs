//! The table of rules: every row is what a request meets, every status of a session is read as it says, and
//! `docs/rules.md` shows both.

use byoc_connector::model::event::{EventKind, RoutingRequested, Target};
use byoc_connector::model::ids::Subject;
use byoc_connector::model::words::{CancelReason, RoutingType, SessionStatus};
use byoc_connector::routing::rules::{
    Admission, Arrival, Correlation, Find, ResultSays, Rings, Rule, TargetKind, Waits, rule,
};
use byoc_connector::routing::{Outcome, Reason, Remark, SessionPhase};

use crate::support::scenario::*;

mod document;
mod phases;
mod switched_on;

/// Every row, and where it stands.
fn rows() -> impl Iterator<Item = (RoutingType, TargetKind, Rule)> {
    RoutingType::ALL
        .iter()
        .flat_map(|&kind| TargetKind::ALL.into_iter().map(move |target| (kind, target, rule(kind, target))))
}

/// Somebody of that kind.
fn target(kind: TargetKind) -> Target {
    let subject = |text| Subject::parse(text).unwrap();
    match kind {
        TargetKind::Rep => Target::Rep(rep("bo")),
        TargetKind::Queue => Target::Queue(queue()),
        TargetKind::Flow => Target::Flow { flow: flow(), fallback: Some(queue()) },
        TargetKind::Skills => Target::Skills(vec![skill("french", None)]),
        TargetKind::Bot => Target::Bot(subject("1JZ000000000001")),
        TargetKind::External => Target::External(subject("+4930")),
        TargetKind::Unnamed => Target::Unreadable,
    }
}

/// A routing event that asks for it.
fn asks_for(kind: RoutingType, of: TargetKind) -> EventKind {
    let EventKind::RoutingRequested(asked) = requested(1, target(of)) else { panic!("no request") };
    EventKind::RoutingRequested(Box::new(RoutingRequested { routing_type: kind, ..*asked }))
}

/// A conversation in which it can be asked for: one that looks for its only rep has none.
fn without_rep_for(rule: &Rule) -> Scenario {
    let mut chat = Scenario::new();
    if rule.arrival == Arrival::First {
        chat.when(went("ann"));
        chat.announcements.clear();
    }
    chat
}

#[test]
fn every_row_is_what_a_routing_event_meets() {
    let mut routed = 0;
    for (kind, of, rule) in rows() {
        let row = format!("{kind}, {of:?}");
        let mut chat = without_rep_for(&rule);
        chat.when(asks_for(kind, of));
        match rule.admission {
            Admission::Routed => {
                routed += 1;
                assert_eq!(chat.outcomes(), [], "{row}");
                assert!(!chat.commands().is_empty(), "{row}: somebody is looked for");
            }
            Admission::Refused(reason) | Admission::NotYet(reason) => {
                assert_eq!(chat.commands(), ["report no"], "{row}");
                chat.answer("report no", ok());
                assert_eq!(chat.outcomes(), [Outcome::Refused], "{row}");
                assert_eq!(chat.endings[0].reason, *reason, "{row}");
                assert!(chat.conversation.is_idle(), "{row}");
            }
            Admission::LeftAlone => {
                assert_eq!(chat.commands(), [""; 0], "{row}");
                assert_eq!(chat.remarks, [Remark::NotRouted(event(1), kind)], "{row}");
                assert!(chat.conversation.is_idle(), "{row}");
            }
        }
    }
    assert_eq!(
        routed, 13,
        "a rep, a queue, a flow, skills, each of three kinds, and a session's first rep at large"
    );
}

#[test]
fn what_is_refused_asks_for_nothing() {
    for (kind, of, rule) in rows() {
        let seeks = (rule.route, rule.find, rule.rings, rule.declinable);
        let nothing = (false, Find::Nobody, Rings::Never, false);
        let refused = matches!(rule.admission, Admission::Refused(_));
        assert!(!refused || seeks == nothing, "{kind}, {of:?}: {rule:?}");
        assert_eq!(refused, rule.result == ResultSays::Refused, "{kind}, {of:?}");
    }
}

#[test]
fn no_transfer_can_be_cancelled_or_declined_and_every_row_has_a_source() {
    for (kind, of, rule) in rows() {
        assert!(!rule.sources.is_empty(), "{kind}, {of:?}");
        if kind == RoutingType::Transfer {
            assert!(!rule.cancellable && !rule.declinable, "{of:?}");
        }
    }
}
