//! Several reps ring at once, and one joins.

use byoc_connector::model::event::WorkChanged;

use super::*;

#[test]
fn everybody_rings_and_the_losers_are_taken_back() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    assert_eq!(chat.commands().last().unwrap(), "find 20 in the queue, not [ann]");
    chat.found(&["bo", "cem", "dee"]);
    assert_eq!(chat.commands(), ["offer bo (psr)", "offer cem (psr)", "offer dee (psr)"]);
    chat.answer("offer bo", offered(1));
    chat.answer("offer cem", offered(2));
    chat.answer("offer dee", offered(3));
    chat.commands();
    chat.when(accepted(2));
    assert_eq!(chat.commands(), ["take back W1", "take back W3"]);
    chat.answer("report", ok());
    chat.answer("take back W1", ok());
    assert_eq!(chat.outcomes(), []);
    chat.answer("take back W3", ok());
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn of_two_who_accept_the_second_is_removed() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Skills(vec![skill("french", None)])));
    chat.found(&["bo", "cem"]);
    chat.answer("offer bo", offered(1));
    chat.answer("offer cem", offered(2));
    chat.answer("report", ok());
    chat.commands();
    chat.when(accepted(1));
    chat.when(accepted(2));
    assert_eq!(chat.commands(), ["take back W2", "remove cem"]);
    chat.answer("remove", ok());
    assert_eq!(chat.announced(), ["bo joined", "cem joined", "cem left"]);
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn word_of_an_accept_that_comes_after_the_removal_changes_nothing() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Skills(vec![skill("french", None)])));
    chat.found(&["bo", "cem", "dee"]);
    chat.answer("offer bo", offered(1));
    chat.answer("offer cem", offered(2));
    chat.answer("offer dee", offered(3));
    chat.answer("report", ok());
    chat.when(accepted(1));
    chat.when(came("cem"));
    chat.answer("remove cem", ok());
    chat.commands();
    chat.when(accepted(2));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.announced(), ["bo joined", "cem joined", "cem left"]);
}

#[test]
fn the_id_of_an_offer_whose_rep_was_removed_is_no_second_offer() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Skills(vec![skill("french", None)])));
    chat.found(&["bo", "cem"]);
    chat.answer("offer bo", offered(1));
    chat.when(accepted(1));
    chat.when(came("cem"));
    chat.answer("remove cem", ok());
    chat.commands();
    chat.when(accepted(2));
    chat.answer("offer cem", offered(2));
    assert_eq!(chat.commands(), [""; 0]);
}

#[test]
fn no_more_ring_than_there_are_seats() {
    let mut chat = Scenario::ring_all(Some(4));
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    assert_eq!(chat.commands().last().unwrap(), "find 2 in the queue, not [ann]");
    chat.found(&["bo", "cem", "dee"]);
    assert_eq!(chat.commands(), ["offer bo (psr)", "offer cem (psr)"]);
    chat.answer("offer bo", offered(1));
    chat.answer("report", ok());
    chat.commands();
    chat.when(declined(1));
    assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo cem]"]);
}

#[test]
fn an_accept_of_an_unknown_offer_waits_until_the_answers_tell_whose_it_is() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    chat.when(accepted(2));
    chat.answer("offer bo", offered(1));
    assert_eq!(chat.announced(), [""; 0]);
    chat.answer("offer cem", offered(2));
    assert_eq!(chat.announced(), ["cem joined"]);
}

#[test]
fn an_event_that_names_the_rep_is_placed_at_once() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    chat.when(EventKind::WorkChanged(WorkChanged {
        work: work(2),
        work_item: None,
        rep: Some(rep("cem")),
        change: WorkChange::Accepted,
    }));
    assert_eq!(chat.announced(), ["cem joined"]);
}
