//! The embedded directory as a caller sees it: against a naive search, page by page, list by list.

use byoc_connector::contacts::{ConversationView, Directory, Index, MAX_CONTAINS, Query, fold};
use byoc_connector::model::contact::{Contact, ContactType, ContactsFilter, FilterType, ListType};
use byoc_connector::model::ids::RepId;
use byoc_connector::model::roster::Roster;
use byoc_connector::model::words::Availability;
use proptest::prelude::*;
use serde_json::{Value, json};

fn roster(json: Value) -> Roster {
    serde_json::from_value(json).unwrap()
}

fn everything() -> Query {
    Query {
        filter: ContactsFilter { limit: ContactsFilter::MAX_LIMIT, ..ContactsFilter::default() },
        list: ListType::All,
        // So that there is something in each list.
        conversation: ConversationView {
            transfers_routed: true,
            outside_routed: true,
            ..ConversationView::of_channel(true)
        },
        work_item: None,
    }
}

fn of_types(names: &[&str]) -> ContactsFilter {
    serde_json::from_value(json!({ "types": names })).unwrap()
}

fn small() -> Index {
    Index::build(roster(json!({
        "reps": [
            {"id": "005000000000001", "name": "José Álvarez", "capacity": 10, "capacityUsed": 3},
            {"id": "005000000000002", "name": "Ada Full", "capacity": 5, "capacityUsed": 5},
            {"id": "005000000000003", "name": "Olaf Offline", "availability": "OFFLINE"},
            {"id": "005000000000004", "name": "Voice Only", "messaging": false},
            {"id": "005000000000005", "name": "Bea Busy", "availability": "BUSY"}
        ],
        "queues": [
            {"id": "00G000000000001", "name": "Billing", "waitSeconds": 40, "acceptedLast10Minutes": 12},
            {"id": "00G000000000002", "name": "Claims", "waitSeconds": 40, "acceptedLast10Minutes": 3}
        ],
        "flows": [{"id": "300000000000001", "name": "Route by language"}],
        "contacts": [
            {"id": "notary", "name": "Straßer & Söhne", "phoneNumber": "+351 (21) 000-12"},
            {"id": "courier", "name": "Ærø Courier", "description": "by e-mail"}
        ]
    })))
}

fn names(index: &Index, query: &Query) -> Vec<String> {
    index.search(query).contacts.into_iter().map(|contact| contact.name).collect()
}

fn search(index: &Index, text: &str) -> Vec<String> {
    let filter = ContactsFilter { contains: Some(text.into()), ..ContactsFilter::default() };
    names(index, &Query { filter, ..everything() })
}

#[test]
fn everybody_who_can_be_picked_is_listed_in_the_order_of_their_names() {
    let expected = [
        "Ada Full",
        "Ærø Courier",
        "Bea Busy",
        "Billing",
        "Claims",
        "José Álvarez",
        "Route by language",
        "Straßer & Söhne",
    ];
    assert_eq!(names(&small(), &everything()), expected);
}

#[test]
fn a_search_is_right_for_case_accents_and_numbers() {
    let index = small();
    let courier: &[&str] = &["Ærø Courier"];
    let jose: &[&str] = &["José Álvarez"];
    let strasser: &[&str] = &["Straßer & Söhne"];
    let rows: &[(&str, &[&str])] = &[
        ("jose", jose),
        ("JOSÉ ÁL", jose),
        ("jose\u{301}  alvarez ", jose),
        ("strasser", strasser),
        ("SÖHNE", strasser),
        ("35121000", strasser),
        ("(21) 00", strasser),
        ("aero", courier),
        ("rou", &["Route by language"]),
        ("by e-mail", &[]),
        (
            "\n",
            &[
                "Ada Full",
                "Ærø Courier",
                "Bea Busy",
                "Billing",
                "Claims",
                "José Álvarez",
                "Route by language",
                "Straßer & Söhne",
            ],
        ),
        ("nobody", &[]),
    ];
    for (text, expected) in rows {
        assert_eq!(search(&index, text), *expected, "{text:?}");
    }
}

#[test]
fn a_text_longer_than_any_name_finds_nothing() {
    let long = "a".repeat(300);
    let index = Index::build(roster(json!({"contacts": [{"id": "long", "name": long}]})));
    assert_eq!(search(&index, &long[..MAX_CONTAINS]), [long.as_str()]);
    assert_eq!(search(&index, &long[..=MAX_CONTAINS]), [] as [&str; 0]);
}

#[test]
fn each_type_lists_its_own_and_available_narrows_the_reps() {
    let index = small();
    let rows: &[(&[&str], &[&str])] = &[
        (&["AGENT"], &["Ada Full", "Bea Busy", "José Álvarez"]),
        (&["AVAILABLE"], &["José Álvarez"]),
        (&["AGENT", "AVAILABLE"], &["José Álvarez"]),
        (&["QUEUE", "AVAILABLE"], &["Billing", "Claims"]),
        (&["QUEUE"], &["Billing", "Claims"]),
        (&["FLOW"], &["Route by language"]),
        (&["CONTACT"], &["Ærø Courier", "Straßer & Söhne"]),
        (&["DIRECTORY"], &["Ærø Courier", "Straßer & Söhne"]),
        (&["FLOW", "AGENT"], &["Ada Full", "Bea Busy", "José Álvarez", "Route by language"]),
        (&["SWARM"], &[]),
        (&["SWARM", "FLOW"], &["Route by language"]),
    ];
    for (types, expected) in rows {
        let query = Query { filter: of_types(types), ..everything() };
        assert_eq!(names(&index, &query), *expected, "{types:?}");
    }
}

#[test]
fn a_contact_carries_what_its_kind_has() {
    let found = small().search(&everything()).contacts;
    let one = |name: &str| found.iter().find(|contact| contact.name == name).unwrap();
    assert_eq!(
        serde_json::to_value(one("Ada Full")).unwrap(),
        json!({
            "id": "005000000000002", "type": "Agent", "name": "Ada Full", "listType": "All",
            "availability": "BUSY", "recordId": "005000000000002", "description": "5 of 5 used",
        })
    );
    assert_eq!(one("Billing").queue_wait_time.as_deref(), Some("40"));
    assert_eq!(one("Claims").queue_wait_time, None);
    assert_eq!(one("Straßer & Söhne").contact_type, ContactType::PhoneNumber);
    assert_eq!(one("Ærø Courier").contact_type, ContactType::PhoneBook);
    assert!(found.iter().all(|one| one.availability.is_some() == (one.contact_type == ContactType::Agent)));
}

#[test]
fn the_conference_list_shows_who_could_join_and_no_one_else() {
    let index = small();
    let jose = RepId::parse("005000000000001").unwrap();
    let mut query = Query { list: ListType::Conference, ..everything() };
    let joinable = ["Ada Full", "Bea Busy", "Billing", "Claims", "José Álvarez", "Route by language"];
    assert_eq!(names(&index, &query), joinable);
    query.conversation.present.insert(jose);
    let without_jose = ["Ada Full", "Bea Busy", "Billing", "Claims", "Route by language"];
    assert_eq!(names(&index, &query), without_jose);
    query.conversation.full = true;
    assert_eq!(names(&index, &query), [] as [&str; 0]);
    query.list = ListType::Transfer;
    assert_eq!(names(&index, &query).len(), 8, "a full conversation can still be transferred");
}

#[test]
fn the_tabs_are_those_that_have_something_in_them() {
    let tabs = |json| Index::build(roster(json)).search(&everything()).contact_types;
    assert_eq!(tabs(json!({})), []);
    let offline = json!({"reps": [{"id": "005000000000003", "availability": "OFFLINE"}]});
    assert_eq!(tabs(offline), [ContactType::Agent]);
    assert_eq!(small().search(&everything()).contact_types, ContactType::ALL);
}

#[test]
fn of_two_with_one_id_the_first_is_listed() {
    let index = Index::build(roster(json!({
        "reps": [
            {"id": "005000000000001", "name": "Bo"},
            {"id": "005000000000001", "name": "Ada", "availability": "BUSY"}
        ],
        "contacts": [{"id": "005000000000001", "name": "Not a rep"}]
    })));
    assert_eq!(names(&index, &everything()), ["Bo", "Not a rep"]);
}

#[tokio::test]
async fn the_index_is_a_directory() {
    let directory: Box<dyn Directory> = Box::new(small());
    let result = directory.contacts(&everything()).await.unwrap();
    assert_eq!(result.contacts.len(), 8);
}

fn any_name() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "Jo",
        "sé",
        "se\u{301}",
        "Ana",
        "na",
        " ",
        "ß",
        "SS",
        "Ø",
        "o",
        "9",
        "が",
        "x",
        "-",
        "  ",
    ]);
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn any_roster() -> impl Strategy<Value = Roster> {
    let reps = prop::collection::vec((any_name(), 0..3_usize, any::<bool>(), 0..3_u8), 0..8);
    let named = || prop::collection::vec(any_name(), 0..6);
    let outside = prop::collection::vec((any_name(), prop::option::of("[+0-9 ]{0,6}")), 0..8);
    (reps, named(), named(), outside).prop_map(|(reps, queues, flows, outside)| {
        let reps = reps.into_iter().enumerate().map(|(n, (name, presence, messaging, used))| {
            let availability = Availability::ALL[presence];
            json!({"id": format!("005{n:012}"), "name": name, "availability": availability,
                   "messaging": messaging, "capacity": 2, "capacityUsed": used})
        });
        let reps: Vec<Value> = reps.collect();
        let id = |prefix: &str, n: usize| format!("{prefix}{n:012}");
        let queues: Vec<Value> =
            queues.iter().enumerate().map(|(n, name)| json!({"id": id("00G", n), "name": name})).collect();
        let flows: Vec<Value> =
            flows.iter().enumerate().map(|(n, name)| json!({"id": id("300", n), "name": name})).collect();
        let contacts: Vec<Value> = outside
            .iter()
            .enumerate()
            .map(|(n, (name, number))| json!({"id": format!("c{n}"), "name": name, "phoneNumber": number}))
            .collect();
        roster(json!({"reps": reps, "queues": queues, "flows": flows, "contacts": contacts}))
    })
}

fn any_filter() -> impl Strategy<Value = ContactsFilter> {
    let types = prop::sample::subsequence(FilterType::ALL.to_vec(), 0..=6);
    let contains = prop::option::of(prop_oneof![any_name(), "[0-9]{1,2}"]);
    (contains, types).prop_map(|(contains, types)| ContactsFilter {
        contains,
        types,
        limit: ContactsFilter::MAX_LIMIT,
        ..ContactsFilter::default()
    })
}

fn any_conversation() -> impl Strategy<Value = ConversationView> {
    let rep = || (0..8_usize).prop_map(|n| RepId::parse(&format!("005{n:012}")).unwrap());
    let reps = |most| prop::collection::btree_set(rep(), 0..most);
    (any::<[bool; 4]>(), reps(4), reps(2)).prop_map(|(is, present, asked)| {
        let [conference_supported, transfers_routed, outside_routed, full] = is;
        ConversationView { conference_supported, transfers_routed, outside_routed, full, present, asked }
    })
}

prop_compose! {
    fn any_query()(
        filter in any_filter(),
        conversation in any_conversation(),
        list in prop::sample::select(ListType::ALL.to_vec()),
    ) -> Query {
        Query { filter, list, conversation, work_item: None }
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A letter of a folded text, and what stands before it.
type Letter = (Option<char>, char);

fn letters(folded: &str) -> Vec<Letter> {
    let mut gap = None;
    let letter = |c| match c {
        ' ' | '-' => {
            gap = Some(c);
            None
        }
        c => Some((gap.take(), c)),
    };
    folded.chars().filter_map(letter).collect()
}

/// Whether a name has in it what is typed: the same letters; a space only where there is a space or a mark.
fn is_named(name: &str, typed: &str) -> bool {
    let (name_folded, typed_folded) = (fold(name), fold(typed));
    let (name_letters, typed_letters) = (letters(&name_folded), letters(&typed_folded));
    if typed_letters.is_empty() {
        let marks = |text: &str| text.chars().filter(|c| *c == '-').collect::<String>();
        return marks(name).contains(&marks(typed));
    }
    let fits = |(n, ((here, a), (asked, b))): (usize, (&Letter, &Letter))| {
        let parted = *here == Some(' ') && asked.is_none();
        let joined = *asked == Some(' ') && here.is_none();
        a == b && (n == 0 || !(parted || joined))
    };
    name_letters
        .windows(typed_letters.len())
        .any(|part| part.iter().zip(&typed_letters).enumerate().all(fits))
}

/// The rules once more, one contact at a time.
fn naively_matches(contact: &Contact, query: &Query) -> bool {
    let types = &query.filter.types;
    let asks = |one| types.contains(&one);
    let is_agent = contact.contact_type == ContactType::Agent;
    let named = match contact.contact_type {
        ContactType::Agent => asks(FilterType::Agent),
        ContactType::Queue => asks(FilterType::Queue),
        ContactType::Flow => asks(FilterType::Flow),
        ContactType::PhoneBook | ContactType::PhoneNumber => {
            asks(FilterType::Contact) || asks(FilterType::Directory)
        }
    };
    let of_type = if types.is_empty() {
        true
    } else if types[..] == [FilterType::Available] {
        is_agent
    } else {
        named
    };
    let reachable =
        !is_agent || !asks(FilterType::Available) || contact.availability == Some(Availability::Available);
    let text = query.filter.contains.as_deref().unwrap_or_default();
    let is_number = !digits(text).is_empty() && text.chars().all(|c| c.is_ascii_digit() || " -".contains(c));
    let number = contact.phone_number.as_deref().map(digits).unwrap_or_default();
    let found = is_named(&contact.name, text) || (is_number && number.contains(&digits(text)));
    of_type && reachable && found && query.list.shows(contact.list_type)
}

proptest! {
    #[test]
    fn a_search_finds_what_a_naive_filter_finds(roster in any_roster(), query in any_query()) {
        let index = Index::build(roster);
        let all = Query { conversation: query.conversation.clone(), ..everything() };
        let naive: Vec<Contact> =
            index.search(&all).contacts.into_iter().filter(|one| naively_matches(one, &query)).collect();
        prop_assert_eq!(index.search(&query).contacts, naive);
    }

    #[test]
    fn pages_neither_repeat_nor_miss(roster in any_roster(), query in any_query(), limit in 1..7_usize) {
        let index = Index::build(roster);
        let whole = index.search(&query).contacts;
        let mut paged = Vec::new();
        loop {
            let filter = ContactsFilter { limit, offset: paged.len(), ..query.filter.clone() };
            let page = index.search(&Query { filter, ..query.clone() }).contacts;
            prop_assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        prop_assert_eq!(paged, whole);
    }

    #[test]
    fn nobody_is_offered_for_a_conference_that_would_be_refused(
        roster in any_roster(),
        conversation in any_conversation(),
    ) {
        let index = Index::build(roster);
        let seen = &conversation;
        for contact in index.search(&Query { conversation: seen.clone(), ..everything() }).contacts {
            let rep = RepId::parse(&contact.id).ok();
            prop_assert!(!rep.is_some_and(|rep| seen.asked.contains(&rep)), "who is asked is not asked again");
            let is_present = rep.is_some_and(|rep| seen.present.contains(&rep));
            let is_outside = ContactType::PhoneBook == contact.contact_type
                || ContactType::PhoneNumber == contact.contact_type;
            prop_assert!(!is_outside || (seen.outside_routed && !seen.is_conference()), "nobody would move it");
            let refused = !seen.conference_supported || seen.full || is_present || is_outside;
            prop_assert!(!refused || seen.transfers_routed, "it would be refused");
            let expected = match (refused, conversation.transfers_routed) {
                (true, _) => ListType::Transfer,
                (false, true) => ListType::All,
                (false, false) => ListType::Conference,
            };
            prop_assert_eq!(contact.list_type, expected);
        }
    }
}
