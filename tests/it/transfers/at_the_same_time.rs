//! A transfer beside another request of the same conversation.

use super::*;

#[test]
fn a_second_transfer_of_the_only_rep_is_refused() {
    let mut chat = ringing();
    chat.when(transfer(2, Target::Rep(rep("cem"))));
    assert_eq!(chat.commands(), ["report no"]);
    chat.answer("report no", ok());
    assert_eq!(chat.endings[0].reason, Reason::TransferUnderWay);
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Refused, Outcome::Joined]);
}

#[test]
fn each_rep_of_a_conference_may_hand_over() {
    let mut chat = Scenario::new();
    chat.when(came("cem"));
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    chat.when(transfer(2, Target::Rep(rep("dee"))));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "offer dee (weight 1)"]);
    chat.when(transfer(3, Target::Rep(rep("eli"))));
    assert_eq!(chat.commands(), ["report no"], "there are two to relieve");
}

#[test]
fn a_known_requester_hands_over_once() {
    let mut chat = Scenario::new();
    chat.when(came("cem"));
    for (number, to) in [(1, "bo"), (2, "dee")] {
        let EventKind::RoutingRequested(mut asked) = transfer(number, Target::Rep(rep(to))) else { panic!() };
        asked.requester = Some(rep("ann"));
        chat.when(EventKind::RoutingRequested(asked));
    }
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
}

#[test]
fn a_conference_goes_on_beside_it() {
    let mut chat = ringing();
    chat.when(requested(2, Target::Rep(rep("cem"))));
    chat.answer("offer cem", offered(2));
    chat.answer("report yes", ok());
    chat.when(accepted(1));
    chat.when(went("ann"));
    chat.when(accepted(2));
    assert_eq!(chat.outcomes(), [Outcome::Joined, Outcome::Joined]);
    assert_eq!(chat.announced(), ["bo joined", "ann left", "cem joined"]);
}

#[test]
fn a_session_that_waits_meanwhile_is_not_routed_beside_it() {
    let mut chat = ringing();
    chat.when(went("ann"));
    chat.when(session(SessionStatus::Waiting, None));
    assert_eq!(chat.commands(), [""; 0]);
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
    chat.seconds(3600);
    assert_eq!(chat.commands(), [""; 0]);
}
