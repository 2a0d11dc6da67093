//! Salesforce tells of an offer whose request is over: what was ours is not taken for another's.

use byoc_connector::model::event::EventKind;
use byoc_connector::model::words::WorkChange;
use byoc_connector::routing::{Conversation, Outcome, Remark};

use crate::support::scenario::*;

/// A requester's cancel that is over and done with.
fn taken_back() -> Scenario {
    let mut chat = Scenario::ringing_rep();
    chat.when(requester_cancelled());
    chat.answer("take back W1", ok());
    assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    assert!(chat.conversation.is_idle());
    chat
}

fn told(chat: &mut Scenario, happening: EventKind) -> Vec<Remark> {
    let before = (chat.remarks.len(), chat.facts.len());
    chat.when(happening);
    assert_eq!(chat.facts.len(), before.1, "it changes nothing");
    chat.remarks[before.0..].to_vec()
}

#[test]
fn that_our_own_cancel_took_effect_is_no_remark() {
    let mut chat = taken_back();
    for change in [WorkChange::Cancelled, WorkChange::Closed, WorkChange::Declined, WorkChange::Assigned] {
        assert_eq!(told(&mut chat, changed(1, change)), [], "{change:?}");
    }
    assert_eq!(told(&mut chat, accepted(1)), [Remark::OldWork(work(1))]);
}

#[test]
fn before_the_answer_to_the_cancel_it_ends_the_offer() {
    let mut chat = Scenario::ringing_rep();
    chat.when(requester_cancelled());
    chat.when(changed(1, WorkChange::Cancelled));
    assert_eq!((chat.outcomes(), chat.remarks.len()), (vec![Outcome::Cancelled], 0));
}

#[test]
fn anothers_offer_is_anothers_however_often_it_is_told_and_after_a_restart() {
    let mut chat = taken_back();
    chat.when(accepted(7));
    assert_eq!(chat.remarks.last(), Some(&Remark::ForeignWork(work(7))));
    let stored = serde_json::to_string(&chat.conversation).unwrap();
    chat.conversation = serde_json::from_str::<Conversation>(&stored).unwrap();
    assert_eq!(told(&mut chat, changed(7, WorkChange::Cancelled)), [Remark::ForeignWork(work(7))]);
    assert_eq!(told(&mut chat, changed(1, WorkChange::Cancelled)), []);
}
