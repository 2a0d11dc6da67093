//! The rows that are switched on, column by column: what a row says is what happens.
//!
//! Who switches on a row with a value that no row had until then finds a `panic!` here, and shows in its place what
//! that value does.

use byoc_connector::model::call::{Answer, Call, Reply, Routed};
use byoc_connector::model::ids::EventId;
use byoc_connector::routing::Order;

use super::*;

/// The rows that are routed.
fn switched_on() -> Vec<(RoutingType, TargetKind, Rule)> {
    let rows: Vec<_> = rows().filter(|(.., rule)| rule.admission == Admission::Routed).collect();
    assert_eq!(rows.len(), 13);
    rows
}

/// A conversation in which it was begun.
fn begun((kind, of, rule): &(RoutingType, TargetKind, Rule)) -> Scenario {
    let mut chat = without_rep_for(rule);
    chat.when(asks_for(*kind, *of));
    chat
}

/// What the answer to `POST /route` names beside the PSR.
fn route_answer() -> Answer {
    let correlation = Some(EventId::parse("of-the-route").unwrap());
    Answer::Done(Reply::Routed(Routed {
        psr: Some(psr(1)),
        queue: Some(queue()),
        correlation,
        ..Routed::default()
    }))
}

/// Brings it to where somebody is looked for, or offered the work where the rep is named.
fn routed(row: &(RoutingType, TargetKind, Rule)) -> Scenario {
    let mut chat = begun(row);
    if row.2.route {
        chat.answer("route", route_answer());
    }
    chat
}

/// Brings it to where it rings.
fn ringing(row: &(RoutingType, TargetKind, Rule)) -> Scenario {
    let mut chat = routed(row);
    if row.2.find != Find::NamedRep {
        chat.found(&["bo"]);
    }
    chat.answer("offer bo", offered(1));
    chat
}

#[test]
fn a_route_is_made_first_or_the_offer_has_a_capacity() {
    for row in switched_on() {
        let (kind, of, rule) = row;
        let mut chat = begun(&row);
        let first = chat.commands().remove(0);
        assert_eq!(first.starts_with(&format!("route {kind}")), rule.route, "{kind}, {of:?}: {first}");
        let commands = ringing(&row).commands();
        let capacity = commands.iter().any(|command| command == "offer bo (weight 1)");
        assert_eq!(capacity, !rule.route, "{kind}, {of:?}: {commands:?}");
    }
}

#[test]
fn whom_it_is_offered_to() {
    for row in switched_on() {
        let (kind, of, rule) = row;
        let mut chat = routed(&row);
        let commands = chat.commands();
        let last = commands.last().unwrap().as_str();
        let text = format!("{kind}, {of:?}: {commands:?}");
        match rule.find {
            Find::NamedRep => assert_eq!(last, "offer bo (weight 1)", "{text}"),
            Find::InQueue => assert!(last.starts_with("find 1 in the queue"), "{text}"),
            Find::BySkills => assert!(last.starts_with("find 1 french"), "{text}"),
            Find::ByFlow | Find::ByChannel => {
                assert!(last.starts_with("find 1 in the queue"), "{text}");
                let mut chat = begun(&row);
                let named = Routed { psr: Some(psr(1)), rep: Some(rep("dee")), ..Routed::default() };
                chat.answer("route", Answer::Done(Reply::Routed(named)));
                assert_eq!(chat.commands().pop().unwrap(), "offer dee (psr)", "{text}");
                chat.answer("offer", offered(1));
                chat.when(declined(1));
                let falls_back = chat.commands().iter().any(|command| command.starts_with("find"));
                assert_eq!(falls_back, rule.find == Find::ByFlow, "{text}: the fallback queue");
            }
            Find::Outside | Find::Nobody => panic!("{text}: show what it does"),
        }
    }
}

#[test]
fn for_how_long_it_rings() {
    for row in switched_on() {
        let seconds = match row.2.rings {
            Rings::RingTime => 30,
            Rings::UntilAccepted => 600,
            Rings::Never => panic!("{row:?}: show what it does"),
        };
        let mut chat = ringing(&row);
        while chat.open.iter().any(|command| sentence(&command.order).starts_with("report")) {
            chat.answer("report", ok());
        }
        chat.commands();
        chat.seconds(seconds - 1);
        assert_eq!(chat.commands(), [""; 0], "{row:?}");
        chat.seconds(1);
        assert_eq!(chat.commands(), ["take back W1"], "{row:?}");
    }
}

#[test]
fn whether_it_waits_where_nobody_is_free() {
    for row in switched_on().into_iter().filter(|(.., rule)| rule.find != Find::NamedRep) {
        let mut chat = routed(&row);
        chat.found(&[]);
        while let Some(command) = chat.open.first().map(|command| sentence(&command.order)) {
            assert!(["clear Unavailable", "report no"].contains(&command.as_str()), "{row:?}: {command}");
            chat.answer(&command, ok());
        }
        chat.commands();
        assert_eq!(chat.outcomes(), [Outcome::Failed], "{row:?}");
        assert_eq!(chat.endings[0].reason, Reason::NobodyAvailable);
        chat.seconds(5);
        match row.2.waits {
            Waits::No => assert!(chat.conversation.is_idle(), "{row:?}"),
            Waits::WhileSessionWaits => assert_eq!(chat.commands(), [format!("route {}", row.0)]),
            Waits::ForRoom => panic!("{row:?}: show what it does"),
        }
    }
}

#[test]
fn whether_it_may_be_declined() {
    for row in switched_on() {
        let mut chat = ringing(&row);
        chat.commands();
        chat.when(declined(1));
        assert_eq!(chat.remarks.contains(&Remark::NotDeclinable(event(1))), !row.2.declinable, "{row:?}");
        if row.2.find == Find::NamedRep {
            if row.2.result == ResultSays::Routed {
                assert_eq!(chat.outcomes(), [], "{row:?}: the result is on its way");
                chat.answer("report yes", ok());
            }
        } else {
            assert!(chat.commands()[0].starts_with("find 1"), "{row:?}");
            chat.found(&[]);
            if row.2.route {
                chat.answer("clear Decline", ok());
            }
            if row.2.result == ResultSays::Routed {
                chat.answer("report yes", ok());
            }
        }
        assert_eq!(chat.outcomes(), [Outcome::Declined], "{row:?}");
    }
}

#[test]
fn whether_a_cancel_may_mean_it() {
    for row in switched_on() {
        let mut chat = ringing(&row);
        chat.commands();
        let EventKind::RoutingCancelled(mut cancel) = cancelled(CancelReason::Cancel) else { panic!() };
        cancel.routing_type = None;
        chat.when(EventKind::RoutingCancelled(cancel));
        let taken_back = chat.commands().iter().any(|command| command == "take back W1");
        assert_eq!(taken_back, row.2.cancellable, "{row:?}");
        assert_eq!(chat.remarks.contains(&Remark::NothingToCancel), !row.2.cancellable, "{row:?}");
    }
}

#[test]
fn what_the_routing_result_says() {
    for row in switched_on() {
        let commands = ringing(&row).commands();
        let results: Vec<_> = commands.iter().filter(|command| command.starts_with("report")).collect();
        match row.2.result {
            ResultSays::Routed => assert_eq!(results, ["report yes"], "{row:?}"),
            ResultSays::Nothing => assert_eq!(results, [""; 0], "{row:?}"),
            ResultSays::RoutedOutside | ResultSays::Refused => panic!("{row:?}: show what it does"),
        }
    }
}

#[test]
fn in_whose_place_the_rep_comes() {
    for row in switched_on() {
        let (kind, of, rule) = row;
        let (mut without, mut full) = (settings(), settings());
        without.conference_supported = false;
        full.participant_limit = Some(2);
        let meets = |settings, refusal: &Reason| {
            let mut chat = Scenario::with(settings);
            chat.when(asks_for(kind, of));
            let refused = chat.take("report no");
            assert!(matches!(refused.order, Order::Call(Call::ReportResult(_))));
            let doing = chat.conversation.views().next().unwrap();
            assert_eq!(doing.reason.as_deref(), Some(refusal.to_string().as_str()), "{kind}, {of:?}");
        };
        match rule.arrival {
            Arrival::Beside => {
                meets(without, &Reason::NotSupported);
                meets(full, &Reason::Full(2));
            }
            Arrival::First => {
                let mut chat = Scenario::unknown(without);
                chat.when(session(SessionStatus::Waiting, None));
                assert_eq!(chat.commands(), [format!("route {kind}")]);
            }
            Arrival::InPlaceOfRequester => {
                for settings in [without, full] {
                    let mut chat = Scenario::with(settings);
                    chat.when(asks_for(kind, of));
                    assert_ne!(chat.commands(), ["report no"], "{kind}, {of:?}: one comes as another goes");
                }
            }
        }
    }
}

#[test]
fn what_agent_work_is_correlated_with() {
    for row in switched_on() {
        let mut chat = routed(&row);
        if row.2.find != Find::NamedRep {
            chat.found(&["bo"]);
        }
        let Order::Call(Call::CreateAgentWork(offer)) = chat.take("offer").order else { panic!("no offer") };
        let expected = match row.2.correlation {
            Correlation::RoutingEvent => event(1),
            Correlation::RouteAnswer => EventId::parse("of-the-route").unwrap(),
        };
        assert_eq!(offer.correlation, expected, "{row:?}");
    }
}
