//! Transfers are not routed yet: who asks for one is told at once, in words, and nobody waits for 60 seconds.

use byoc_connector::contacts::{ConversationView, Index, Query};
use byoc_connector::model::contact::{ContactType, ContactsFilter, ListType};
use byoc_connector::model::event::{EventKind, RoutingRequested, Target};
use byoc_connector::model::ids::Subject;
use byoc_connector::model::words::RoutingType;
use byoc_connector::routing::{Outcome, Reason, Remark};

use crate::support::scenario::*;

fn of_type(routing_type: RoutingType, number: u32, target: Target) -> EventKind {
    let EventKind::RoutingRequested(asked) = requested(number, target) else { panic!() };
    EventKind::RoutingRequested(Box::new(RoutingRequested { routing_type, ..*asked }))
}

#[test]
fn a_transfer_is_refused_at_once_with_a_sentence() {
    for target in [
        Target::Rep(rep("bo")),
        Target::Queue(queue()),
        Target::External(Subject::parse("+4930").unwrap()),
        Target::Unreadable,
    ] {
        let mut chat = Scenario::new();
        chat.commands();
        chat.when(of_type(RoutingType::Transfer, 1, target));
        assert_eq!(chat.commands(), ["report no"]);
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Refused]);
        assert_eq!(chat.endings[0].reason, Reason::TransfersNotRouted);
        assert!(chat.endings[0].reason.to_string().starts_with("Transfers are not available"));
        assert!(chat.conversation.is_idle());
    }
}

#[test]
fn a_refused_transfer_leaves_an_open_conference_as_it_is() {
    let mut chat = Scenario::new();
    chat.when(requested(1, Target::Rep(rep("bo"))));
    chat.commands();
    chat.when(of_type(RoutingType::Transfer, 2, Target::Rep(rep("cem"))));
    assert_eq!(chat.commands(), ["report no"]);
    chat.answer("report no", ok());
    chat.answer("offer", offered(1));
    chat.answer("report yes", ok());
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Refused, Outcome::Joined]);
}

#[test]
fn the_same_transfer_twice_is_refused_once() {
    let mut chat = Scenario::new();
    chat.when(of_type(RoutingType::Transfer, 1, Target::Queue(queue())));
    assert_eq!(chat.commands(), ["report no"]);
    chat.when(of_type(RoutingType::Transfer, 1, Target::Queue(queue())));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::SeenBefore(event(1))]);
}

#[test]
fn an_initial_request_is_left_alone() {
    let mut chat = Scenario::new();
    chat.when(of_type(RoutingType::Initial, 1, Target::Queue(queue())));
    assert_eq!(chat.commands(), [""; 0]);
    assert_eq!(chat.remarks, [Remark::NotRouted(event(1), RoutingType::Initial)]);
}

#[test]
fn nobody_is_offered_for_a_transfer() {
    let roster: byoc_connector::model::roster::Roster = serde_json::from_value(serde_json::json!({
        "reps": [{"id": "005000000000001", "name": "Ann"}, {"id": "005000000000002", "name": "Bo"}],
        "queues": [{"id": "00G000000000001", "name": "Billing"}],
        "contacts": [{"id": "courier", "name": "Courier", "phoneNumber": "+4930"}]
    }))
    .unwrap();
    let index = Index::build(roster);
    let mut conversation = ConversationView::of_channel(true);
    conversation.present.extend([byoc_connector::model::ids::RepId::parse("005000000000001").unwrap()]);
    let mut query =
        Query { filter: ContactsFilter::default(), list: ListType::All, conversation, work_item: None };
    let found = index.search(&query);
    let offered: Vec<_> = found.contacts.iter().map(|one| (one.name.as_str(), one.list_type)).collect();
    assert_eq!(offered, [("Billing", ListType::Conference), ("Bo", ListType::Conference)]);
    assert_eq!(found.contact_types, [ContactType::Queue, ContactType::Agent]);
    query.list = ListType::Transfer;
    assert_eq!(index.search(&query).contacts, []);
    query.list = ListType::All;
    query.conversation.full = true;
    assert_eq!(index.search(&query).contacts, []);
}
