//! Whom the list offers for a transfer.

use byoc_connector::contacts::{ConversationView, Index, Query};
use byoc_connector::model::contact::{ContactType, ContactsFilter, ListType};
use byoc_connector::model::ids::RepId;

#[test]
fn who_is_in_or_full_is_not_listed_for_a_conference_but_may_be_for_a_transfer() {
    let roster: byoc_connector::model::roster::Roster = serde_json::from_value(serde_json::json!({
        "reps": [{"id": "005000000000001", "name": "Ann"}, {"id": "005000000000002", "name": "Bo"}],
        "queues": [{"id": "00G000000000001", "name": "Billing"}],
        "contacts": [{"id": "courier", "name": "Courier", "phoneNumber": "+4930"}]
    }))
    .unwrap();
    let index = Index::build(roster);
    let mut conversation = ConversationView { transfers_routed: true, ..ConversationView::of_channel(true) };
    conversation.present.extend([RepId::parse("005000000000001").unwrap()]);
    let mut query =
        Query { filter: ContactsFilter::default(), list: ListType::All, conversation, work_item: None };
    let found = index.search(&query);
    let offered: Vec<_> = found.contacts.iter().map(|one| (one.name.as_str(), one.list_type)).collect();
    assert_eq!(offered, [("Ann", ListType::Transfer), ("Billing", ListType::All), ("Bo", ListType::All)]);
    assert_eq!(found.contact_types, [ContactType::Queue, ContactType::Agent]);
    query.conversation.full = true;
    let found = index.search(&query);
    let offered: Vec<_> = found.contacts.iter().map(|one| (one.name.as_str(), one.list_type)).collect();
    assert!(offered.iter().all(|(_, list)| *list == ListType::Transfer), "{offered:?}");
    assert_eq!(offered.len(), 3, "nobody moves anyone to the courier");
}
