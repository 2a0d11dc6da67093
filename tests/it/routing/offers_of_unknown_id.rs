//! An offer whose creation got no answer, and that no event names, is shown: its rep may ring.

use byoc_connector::model::event::Target;
use byoc_connector::model::words::WorkChange;
use byoc_connector::routing::{Input, OperatorOrder, Outcome, OwedView, Reason};

use crate::support::scenario::*;

fn owed(chat: &Scenario) -> Vec<OwedView> {
    let owed: Vec<OwedView> = chat.conversation.owed().collect();
    assert_eq!(
        chat.conversation.owes().map_or(0, |owes| owes.count),
        owed.len(),
        "the count is that of the list"
    );
    owed
}

/// Bo was offered the work, nobody knows under which id, and it is given up on.
fn given_up_on() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", lost());
    assert_eq!(owed(&chat), [], "its id may come any moment");
    chat.seconds(40);
    chat.answer("report no", ok());
    chat.commands();
    chat
}

#[test]
fn it_is_listed_from_the_moment_at_which_it_is_given_up_on() {
    let mut chat = given_up_on();
    let [shown] = owed(&chat).try_into().unwrap();
    assert_eq!((shown.undo, shown.rep, shown.work), ("unknownOffer", Some(rep("bo")), None));
    assert_eq!((shown.request, shown.tries, shown.next_try), (event(1), 0, None));
    assert_eq!(shown.since, chat.now);
    assert_eq!(chat.conversation.owes().map(|owes| owes.oldest), Some(chat.now));
    chat.input(Input::Ordered(OperatorOrder::TryNow(shown.id)));
    assert_eq!(chat.commands(), [""; 0], "there is no call to make");
    chat.seconds(599);
    assert_eq!(owed(&chat)[0].id, shown.id, "the same for as long as it is listed");
    chat.seconds(1);
    assert_eq!((owed(&chat), chat.outcomes()), (vec![], vec![Outcome::Failed]));
}

#[test]
fn it_ends_with_its_id_with_its_reps_word_or_when_it_is_struck_out() {
    let mut chat = given_up_on();
    chat.when(changed(5, WorkChange::Assigned));
    assert_eq!((owed(&chat), chat.commands()), (vec![], vec!["take back W5".to_owned()]));

    let mut chat = given_up_on();
    chat.when(declined(5));
    assert_eq!((owed(&chat), chat.outcomes()), (vec![], vec![Outcome::Failed]));

    let mut chat = given_up_on();
    chat.when(came("bo"));
    assert_eq!(owed(&chat), []);

    let mut chat = given_up_on();
    let id = owed(&chat)[0].id;
    chat.input(Input::Ordered(OperatorOrder::StrikeOut(id)));
    assert_eq!((owed(&chat), chat.outcomes()), (vec![], vec![Outcome::Failed]));
    assert!(chat.conversation.is_idle());
}

/// Salesforce may mean the offer that was given up on when it says that the rep has one already.
#[test]
fn while_it_may_exist_another_that_exists_already_is_promised_to_nobody() {
    let mut chat = given_up_on();
    chat.when(requested(2, Target::Rep(rep("bo"))));
    assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
    chat.answer("offer bo", refused(15109, true));
    assert_eq!(chat.commands(), [""; 0], "no result yet");
    chat.when(changed(7, WorkChange::Assigned));
    assert_eq!(chat.commands(), ["report yes"], "an event tells that it rings");
}

#[test]
fn who_certainly_rings_is_asked_for_nothing_else_meanwhile() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.answer("offer", refused(15109, true));
    chat.answer("report yes", ok());
    chat.seconds(40);
    chat.commands();
    chat.when(requested(2, Target::Rep(rep("bo"))));
    assert_eq!(chat.commands(), ["report no"]);
    chat.answer("report no", ok());
    assert_eq!(chat.endings.last().map(|ending| &ending.reason), Some(&Reason::AlreadyInvited));
    chat.when(requested(3, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    assert_eq!(chat.commands().last().unwrap(), "offer cem (psr)");
}
