//! A rep speaks of what was offered to them: what one says of an offer to another changes nothing.

use byoc_connector::model::event::{EventKind, Target, WorkChanged};
use byoc_connector::model::words::WorkChange;
use byoc_connector::routing::{OfferOwner, Remark};

use crate::support::scenario::{Scenario, offered, queue, rep, requested, routed, work, work_item};

const CHANGES: [WorkChange; 7] = [
    WorkChange::Assigned,
    WorkChange::Accepted,
    WorkChange::Declined,
    WorkChange::Cancelled,
    WorkChange::Closed,
    WorkChange::TransferError,
    WorkChange::Transferred,
];

fn says(who: &str, number: u32, change: WorkChange) -> EventKind {
    EventKind::WorkChanged(WorkChanged {
        work: work(number),
        work_item: Some(work_item()),
        rep: Some(rep(who)),
        change,
    })
}

#[test]
fn what_another_rep_says_of_an_offer_changes_nothing() {
    for change in CHANGES {
        let mut chat = Scenario::ringing_from_queue();
        let facts = chat.facts.len();
        chat.when(says("cem", 1, change));
        assert_eq!((chat.facts.len(), chat.commands()), (facts, Vec::new()), "{change:?}");
        assert_eq!(chat.remarks.last(), Some(&Remark::NotTheirOffer(work(1), rep("cem"))), "{change:?}");
    }
}

#[test]
fn what_the_rep_says_of_their_own_offer_counts_all_the_same() {
    let mut chat = Scenario::ringing_from_queue();
    chat.when(says("cem", 1, WorkChange::Declined));
    chat.when(says("bo", 1, WorkChange::Accepted));
    assert_eq!(chat.announced(), ["bo joined"]);
}

#[test]
fn where_two_offers_have_one_id_the_speakers_own_is_meant() {
    let mut chat = Scenario::ring_all(None);
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo", "cem"]);
    // Bo's console takes the other's id for its own, and then the answer tells whose it is.
    chat.when(says("bo", 2, WorkChange::Assigned));
    chat.answer("offer cem", offered(2));
    chat.when(says("cem", 2, WorkChange::Accepted));
    assert_eq!(chat.announced(), ["cem joined"]);
}

#[test]
fn whose_an_offer_is() {
    let chat = Scenario::ringing_from_queue();
    let one = &chat.conversation;
    assert_eq!(one.whose(work(1), rep("bo")), OfferOwner::Theirs);
    assert_eq!(one.whose(work(1), rep("cem")), OfferOwner::Anothers);
    assert_eq!(one.whose(work(9), rep("bo")), OfferOwner::Nobodys, "his offer has its id");
    assert_eq!(one.whose(work(9), rep("cem")), OfferOwner::Nobodys);
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Queue(queue())));
    chat.answer("route", routed());
    chat.found(&["bo"]);
    assert_eq!(chat.conversation.whose(work(9), rep("bo")), OfferOwner::Theirs, "no id is known of it yet");
    assert_eq!(chat.conversation.whose(work(9), rep("cem")), OfferOwner::Nobodys);
}
