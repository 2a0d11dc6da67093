//! A cancel that comes again, or that is another rep's, does not mean this request.

use super::*;

fn cancel(entry: &str, by: &str) -> EventKind {
    EventKind::RoutingCancelled(RoutingCancelled {
        entry: EventId::parse(entry).ok(),
        reason: CancelReason::Cancel,
        routing_type: Some(RoutingType::Conference),
        psr: None,
        work: None,
        initiator: None,
        by: Some(rep(by)),
    })
}

fn requested_by(number: u32, who: &str, target: Target) -> EventKind {
    let EventKind::RoutingRequested(mut request) = requested(number, target) else { panic!() };
    request.requester = Some(rep(who));
    EventKind::RoutingRequested(request)
}

#[test]
fn a_cancel_that_comes_again_does_not_mean_the_next_request() {
    let mut chat = Scenario::new();
    chat.when(requested_by(1, "ann", Target::Rep(rep("bo"))));
    chat.answer("offer bo", offered(1));
    chat.when(cancel("c-1", "ann"));
    chat.answer("take back W1", ok());
    chat.when(requested_by(2, "ann", Target::Rep(rep("dee"))));
    chat.commands();
    chat.when(cancel("c-1", "ann"));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks.last(), Some(&Remark::SeenBefore(EventId::parse("c-1").unwrap())));
    chat.answer("offer dee", offered(2));
    assert_eq!(chat.commands(), ["report yes"]);
    chat.when(cancel("c-2", "ann"));
    assert_eq!(chat.commands(), ["take back W2"]);
}

#[test]
fn a_cancel_never_means_the_request_of_another_rep() {
    let mut chat = Scenario::new();
    chat.when(came("cem"));
    chat.when(requested_by(1, "ann", Target::Rep(rep("bo"))));
    chat.answer("offer bo", offered(1));
    chat.commands();
    chat.when(cancel("c-1", "cem"));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks.last(), Some(&Remark::NothingToCancel));
}
