//! The directory: the partner's contacts in our lists, and only those that could be picked.

use byoc_connector::model::contact::ContactsFilter;

use super::*;

fn page() -> ResponseTemplate {
    let page = json!({
        "contacts": [
            {"id": rep(1).to_18(), "type": "Agent", "name": "Ada", "availability": "BUSY", "listType": "Transfer"},
            {"id": rep(2), "type": "Agent", "name": "Bo"},
            {"id": rep(3), "type": "Agent", "name": "Olaf Offline", "availability": "OFFLINE"},
            {"id": "00G000000000001", "type": "Queue", "name": "Billing", "queueWaitTime": 40, "availability": "BUSY"},
            {"id": "notary", "type": "PhoneBook", "name": "N".repeat(400), "description": "by\u{7}phone", "listType": "All"},
        ],
        "contactTypes": ["Agent", "Queue"],
    });
    assert_described(&answer("directory"), &page);
    ResponseTemplate::new(200).set_body_json(page)
}

#[tokio::test]
async fn contacts_come_from_the_partner_and_their_lists_from_us() {
    let partner = Partner::answering("/contacts", [page()]).await;
    let result = partner.contacts(&opened(ListType::All)).await.unwrap();
    let expected = json!({
        "contacts": [
            {"id": rep(1), "type": "Agent", "name": "Ada", "availability": "BUSY", "listType": "All"},
            {"id": rep(2), "type": "Agent", "name": "Bo", "availability": "AVAILABLE", "listType": "Transfer"},
            {"id": "00G000000000001", "type": "Queue", "name": "Billing", "queueWaitTime": "40", "listType": "All"},
            {"id": "notary", "type": "PhoneBook", "name": "N".repeat(255), "description": "by phone", "listType": "Transfer"},
        ],
        "contactTypes": ["Queue", "Agent"],
    });
    let mut told = serde_json::to_value(&result).unwrap();
    told["contactTypes"].as_array_mut().unwrap().reverse();
    assert_eq!(told, expected);
    let asked = body(&partner.requests().await[0]);
    assert_described(&question("directory"), &asked);
    let expected = json!({
        "org": "00DHs0000000001", "channel": "Acme_Messaging", "list": "All", "workItemId": "0Mw000000000001",
        "filter": {"contains": "jo", "limit": 500, "offset": 20, "types": ["AGENT", "SWARM"]},
        "conversation": {"conferenceSupported": true, "full": false, "present": [rep(2)]},
    });
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_list_shows_nobody_who_could_not_be_picked() {
    let partner = Partner::answering("/contacts", [page()]).await;
    let names = |result: ContactsResult| result.contacts.into_iter().map(|one| one.name).collect::<Vec<_>>();
    let shown = partner.contacts(&opened(ListType::Conference)).await.unwrap();
    assert_eq!(names(shown), ["Ada", "Billing"]);
    let full = Query { conversation: routing_transfers(false), ..opened(ListType::Conference) };
    assert_eq!(names(partner.contacts(&full).await.unwrap()), [""; 0]);
    let one =
        Query { filter: ContactsFilter { limit: 1, ..ContactsFilter::default() }, ..opened(ListType::All) };
    assert_eq!(names(partner.contacts(&one).await.unwrap()), ["Ada"]);
}

#[tokio::test]
async fn what_can_only_be_transferred_to_is_not_shown_while_transfers_are_not_routed() {
    let partner = Partner::answering("/contacts", [page()]).await;
    let mut query = opened(ListType::All);
    query.conversation.transfers_routed = false;
    let shown = partner.contacts(&query).await.unwrap().contacts;
    let shown: Vec<_> = shown.iter().map(|one| (one.name.as_str(), one.list_type)).collect();
    assert_eq!(shown, [("Ada", ListType::Conference), ("Billing", ListType::Conference)]);
}

#[tokio::test]
async fn a_contact_that_is_none_is_left_out() {
    let odd = json!({"contacts": [
        {"id": "bo", "type": "Agent", "name": "No rep"},
        {"id": rep(1), "type": "Queue", "name": "No queue"},
        {"id": rep(1), "type": "Robot", "name": "Of no type"},
        {"id": "", "type": "PhoneBook", "name": "Without id"},
        {"id": "x".repeat(241), "type": "PhoneBook", "name": "Long id"},
        {"id": rep(1), "type": "Agent", "name": "Ada", "availability": "ASLEEP"},
        {"id": "ok", "type": "PhoneNumber", "name": "Fine", "listType": "Conference", "phoneNumber": "1".repeat(300), "queueWaitTime": "soon"},
        {"id": "ok", "type": "PhoneNumber", "name": "Twice"},
    ]});
    let partner = Partner::answering("/contacts", [ResponseTemplate::new(200).set_body_json(odd)]).await;
    let shown = partner.contacts(&opened(ListType::All)).await.unwrap();
    let expected = json!({"contacts": [{"id": "ok", "type": "PhoneNumber", "name": "Fine", "listType": "Transfer"}],
                          "contactTypes": []});
    assert_eq!(serde_json::to_value(shown).unwrap(), expected);
}

#[tokio::test]
async fn a_directory_that_fails_says_why_and_nothing_else() {
    let large = format!(r#"{{"contacts": [], "padding": "{}"}}"#, "x".repeat(5 << 20));
    for (answer, why) in [
        (
            ResponseTemplate::new(200).set_body_string(r#"{"contacts": [{"id": "secret person"}]}"#),
            "invalid answer: field `contacts[0].type` missing (see webhooks.yaml)",
        ),
        (
            ResponseTemplate::new(200).set_body_string(large),
            "invalid answer: larger than 4194304 bytes (see webhooks.yaml)",
        ),
        (
            ResponseTemplate::new(302).insert_header("Location", "/contacts"),
            "HTTP 302; redirects are not followed, because that would send the secret along",
        ),
        (ResponseTemplate::new(403), "HTTP 403; check that it has the same secret"),
    ] {
        let partner = Partner::answering("/contacts", [answer]).await;
        let error = partner.contacts(&opened(ListType::All)).await.unwrap_err();
        assert_eq!(error, format!("the contact directory failed: {why}"));
    }
    let again = Partner::answering("/contacts", [ResponseTemplate::new(502), page()]).await;
    assert_eq!(again.contacts(&opened(ListType::All)).await.unwrap().contacts.len(), 4);
}
