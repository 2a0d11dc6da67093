//! The live roster as those see it who use it: who is found while reps come, fill up and go, and who is listed.

use std::sync::Arc;

use byoc_connector::connector::RepFinder;
use byoc_connector::contacts::{ConversationView, Directory, Query};
use byoc_connector::model::contact::{ContactsFilter, ListType};
use byoc_connector::model::ids::{QueueId, RepId};
use byoc_connector::model::rep_query::RepQuery;
use byoc_connector::model::roster::{Rep, Roster};
use byoc_connector::model::words::Availability;
use byoc_connector::people::{Error, People, RepChange};
use byoc_connector::rep_finder::{Choice, choose};
use proptest::prelude::*;
use serde_json::{Value, json};

const QUEUE: &str = "00G000000000001";

fn rep(number: u32) -> RepId {
    RepId::parse(&format!("005{number:012}")).unwrap()
}

fn people(choice: Choice, reps: &Value) -> People {
    let roster = json!({
        "reps": reps,
        "queues": [{"id": QUEUE, "name": "Support", "reps": [rep(8), rep(9)]}],
        "contacts": [{"id": "notary", "name": "Notary"}],
    });
    People::new(serde_json::from_value(roster).unwrap(), choice)
}

fn in_queue(limit: usize) -> RepQuery {
    RepQuery { queue_id: QueueId::parse(QUEUE).ok(), limit, ..RepQuery::default() }
}

fn change(json: Value) -> RepChange {
    serde_json::from_value(json).unwrap()
}

/// Who is listed, and how available they are.
async fn listed(people: &People) -> Vec<(String, Option<Availability>)> {
    let query = Query {
        filter: ContactsFilter::default(),
        list: ListType::All,
        conversation: ConversationView {
            transfers_routed: true,
            outside_routed: true,
            ..ConversationView::of_channel(true)
        },
        work_item: None,
    };
    let found = people.contacts(&query).await.unwrap().contacts;
    found.into_iter().map(|contact| (contact.name, contact.availability)).collect()
}

fn line(name: &str, availability: Availability) -> (String, Option<Availability>) {
    (name.to_owned(), Some(availability))
}

fn place(name: &str) -> (String, Option<Availability>) {
    (name.to_owned(), None)
}

fn three_alike() -> Value {
    json!([
        {"id": rep(1), "name": "Ada", "queues": [QUEUE]},
        {"id": rep(2), "name": "Bo", "queues": [QUEUE]},
        {"id": rep(3), "name": "Cem", "queues": [QUEUE]},
    ])
}

#[tokio::test]
async fn equals_are_found_in_turn() {
    let people = people(Choice::MostAvailable, &three_alike());
    let mut found = Vec::new();
    for _ in 0..7 {
        found.extend(people.find(&in_queue(1)).await.unwrap());
    }
    assert_eq!(found, [1, 2, 3, 1, 2, 3, 1].map(rep));
    assert_eq!(people.find(&in_queue(2)).await.unwrap(), [2, 3].map(rep));
    assert_eq!(
        people.find(&in_queue(9)).await.unwrap(),
        [1, 2, 3].map(rep),
        "it is everybody's turn, in the same order"
    );
    assert_eq!(people.find(&in_queue(0)).await.unwrap(), []);
}

#[tokio::test]
async fn the_choice_decides_before_the_turn_does() {
    let reps = json!([
        {"id": rep(1), "queues": [QUEUE], "capacity": 20, "capacityUsed": 4},
        {"id": rep(2), "queues": [QUEUE], "capacity": 5, "capacityUsed": 1},
    ]);
    for (choice, order) in [(Choice::MostAvailable, [1, 2]), (Choice::LeastActive, [2, 1])] {
        let people = people(choice, &reps);
        for _ in 0..3 {
            assert_eq!(people.find(&in_queue(1)).await.unwrap(), [rep(order[0])], "{choice:?}");
        }
        assert_eq!(people.find(&in_queue(2)).await.unwrap(), order.map(rep), "{choice:?}");
    }
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_search_and_in_the_list() {
    let people = people(Choice::MostAvailable, &three_alike());
    let (full, busy) = (json!({"capacity": 2, "capacityUsed": 2}), json!({"availability": "BUSY"}));
    assert!(people.set(rep(1), change(full)).unwrap().capacity_used > 1.9);
    people.set(rep(2), change(busy)).unwrap();
    assert_eq!(people.find(&in_queue(9)).await.unwrap(), [rep(3)]);
    people.set(rep(3), RepChange::to(Availability::Offline)).unwrap();
    assert_eq!(people.find(&in_queue(9)).await.unwrap(), []);
    let expected =
        [line("Ada", Availability::Busy), line("Bo", Availability::Busy), place("Notary"), place("Support")];
    assert_eq!(listed(&people).await, expected);
    people.set(rep(3), RepChange::to(Availability::Available)).unwrap();
    assert_eq!(listed(&people).await[2], line("Cem", Availability::Available));
    people.set(rep(3), change(json!({"messaging": false}))).unwrap();
    assert_eq!(people.find(&in_queue(9)).await.unwrap(), []);
    assert_eq!(listed(&people).await, expected);
}

#[tokio::test]
async fn a_rep_serves_the_queues_and_has_the_skills_that_were_said_last() {
    let people = people(Choice::MostAvailable, &three_alike());
    let french =
        serde_json::from_value::<RepQuery>(json!({"skills": [{"id": "french", "level": 3}], "limit": 9}));
    let french = french.unwrap();
    assert_eq!(people.find(&french).await.unwrap(), []);
    people.set(rep(1), change(json!({"queues": []}))).unwrap();
    people.set(rep(2), change(json!({"skills": ["french"]}))).unwrap();
    people.set(rep(3), change(json!({"skills": [{"id": "french", "level": 2}]}))).unwrap();
    assert_eq!(people.find(&in_queue(9)).await.unwrap(), [2, 3].map(rep));
    assert_eq!(people.find(&french).await.unwrap(), [rep(2)]);
    let both = RepQuery { exclude: vec![rep(2)], skills: french.skills.clone(), ..in_queue(9) };
    assert_eq!(people.find(&both).await.unwrap(), []);
    people.set(rep(1), change(json!({"queues": [QUEUE, QUEUE]}))).unwrap();
    people.set(rep(2), change(json!({"skills": []}))).unwrap();
    assert_eq!(
        people.find(&in_queue(9)).await.unwrap(),
        [1, 3, 2].map(rep),
        "who was found the longest ago comes first"
    );
    assert_eq!(people.find(&french).await.unwrap(), []);
    assert_eq!(people.find(&RepQuery { limit: 9, ..RepQuery::default() }).await.unwrap().len(), 3);
}

#[tokio::test]
async fn somebody_new_is_found_at_once_and_listed_when_the_list_has_been_rebuilt() {
    let people = people(Choice::MostAvailable, &json!([]));
    let nameless = people.set(rep(8), change(json!({"name": "Hedy"}))).unwrap_err();
    assert_eq!(nameless, Error::NotThere { rep: rep(8) });
    assert_eq!(nameless.to_string(), format!("unknown rep {}; to add a rep, set availability", rep(8)));
    let hedy = people.set(rep(8), change(json!({"name": "Hedy", "availability": "AVAILABLE"}))).unwrap();
    assert_eq!(hedy.queues, [QueueId::parse(QUEUE).unwrap()], "the queue names her");
    assert_eq!(people.find(&in_queue(1)).await.unwrap(), [rep(8)]);
    people.listed().await;
    assert_eq!(listed(&people).await[0], line("Hedy", Availability::Available));
    people.set(rep(8), change(json!({"name": "Zoë"}))).unwrap();
    people.listed().await;
    assert_eq!(listed(&people).await.last().unwrap(), &line("Zoë", Availability::Available));
}

#[tokio::test]
async fn whoever_is_removed_is_neither_found_nor_listed_and_can_come_back() {
    let people = people(Choice::MostAvailable, &three_alike());
    assert_eq!(people.remove(rep(2)).map(|gone| gone.name).as_deref(), Some("Bo"));
    assert_eq!((people.remove(rep(2)), people.get(rep(2))), (None, None));
    assert_eq!(people.find(&in_queue(9)).await.unwrap(), [1, 3].map(rep));
    assert!(!listed(&people).await.iter().any(|(name, _)| name == "Bo"));
    let back = json!({"availability": "AVAILABLE", "name": "Bo again", "queues": [QUEUE]});
    people.set(rep(2), change(back)).unwrap();
    assert_eq!(people.find(&in_queue(1)).await.unwrap(), [rep(2)], "nobody has been found longer ago");
    people.listed().await;
    assert!(listed(&people).await.contains(&line("Bo again", Availability::Available)));
    assert_eq!(people.reps().iter().map(|rep| rep.id).collect::<Vec<_>>(), [1, 2, 3].map(rep));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let people = people(Choice::MostAvailable, &three_alike());
    let before = people.reps();
    let queues: Vec<String> = (0..1_001).map(|n| format!("00G{n:012}")).collect();
    let skills: Vec<String> = (0..1_001).map(|n| format!("s{n}")).collect();
    for (field, wrong) in [
        ("capacity", json!({"capacity": -1})),
        ("capacityUsed", json!({"availability": "BUSY", "capacityUsed": 1e9})),
        ("queues", json!({"queues": queues})),
        ("skills", json!({"skills": skills})),
        ("name", json!({"name": "a".repeat(256)})),
        ("name", json!({"name": "a\nb"})),
    ] {
        let error = people.set(rep(1), change(wrong)).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
        assert!(error.to_string().starts_with(&format!("{field} ")) && error.to_string().contains("must be"));
    }
    let nan = RepChange { capacity: Some(f64::NAN), ..RepChange::default() };
    assert_eq!(people.set(rep(1), nan).unwrap_err().field(), Some("capacity"));
    assert_eq!(people.reps(), before);
    for unknown in
        [json!({"capcity": 3}), json!({"availability": "ASLEEP"}), json!({"queues": ["300000000000001"]})]
    {
        assert!(serde_json::from_value::<RepChange>(unknown.clone()).is_err(), "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_search_and_change_at_once_agree_in_the_end() {
    let reps: Vec<Value> = (0..50).map(|n| json!({"id": rep(n), "queues": [QUEUE]})).collect();
    let people = Arc::new(people(Choice::MostAvailable, &json!(reps)));
    let searches = (0..4).map(|_| {
        let people = Arc::clone(&people);
        tokio::spawn(async move {
            for _ in 0..500 {
                assert!(people.find(&in_queue(1)).await.unwrap().len() <= 1);
            }
        })
    });
    let changes = (0..4).map(|task| {
        let people = Arc::clone(&people);
        tokio::spawn(async move {
            for n in 0..500 {
                let who = rep((n * 7 + task) % 50);
                match n % 4 {
                    0 => drop(people.remove(who)),
                    1 => drop(people.set(who, RepChange::to(Availability::Busy))),
                    _ => {
                        drop(
                            people.set(who, change(json!({"availability": "AVAILABLE", "queues": [QUEUE]}))),
                        );
                    }
                }
            }
        })
    });
    for task in searches.chain(changes).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let able: Vec<RepId> =
        people.reps().into_iter().filter(|rep| rep.has_room(1.0)).map(|rep| rep.id).collect();
    let mut found = people.find(&in_queue(99)).await.unwrap();
    found.sort();
    assert_eq!(found, able);
    people.listed().await;
    assert_eq!(listed(&people).await.len(), people.reps().len() + 2);
}

fn any_rep() -> impl Strategy<Value = Value> {
    let queues = prop::sample::subsequence(vec![QUEUE, "00G000000000002"], 0..=2);
    let skills = prop::sample::subsequence(
        vec![json!("a"), json!({"id": "b", "level": 2}), json!({"id": "b", "level": 4})],
        0..=3,
    );
    (0..6_u32, 0..3_usize, any::<bool>(), 0..4_u8, queues, skills).prop_map(
        |(id, presence, messaging, used, queues, skills)| {
            json!({"id": rep(id), "availability": Availability::ALL[presence], "messaging": messaging,
                   "capacity": 3, "capacityUsed": used, "queues": queues, "skills": skills})
        },
    )
}

fn any_question() -> impl Strategy<Value = RepQuery> {
    let queue =
        prop::sample::select(vec![None, Some(QUEUE), Some("00G000000000002"), Some("00G000000000003")]);
    let skills = prop::sample::subsequence(
        vec![json!({"id": "a"}), json!({"id": "b", "level": 3}), json!({"id": "c"})],
        0..=2,
    );
    let exclude = prop::collection::vec(0..6_u32, 0..3);
    (queue, skills, exclude).prop_map(|(queue, skills, exclude)| {
        let exclude: Vec<RepId> = exclude.into_iter().map(rep).collect();
        serde_json::from_value(json!({"queueId": queue, "skills": skills, "exclude": exclude, "limit": 99}))
            .unwrap()
    })
}

proptest! {
    #[test]
    fn after_any_changes_it_finds_whom_a_roster_of_the_same_people_finds(
        begin in prop::collection::vec(any_rep(), 0..5),
        later in prop::collection::vec((any_rep(), any::<bool>()), 0..12),
        question in any_question(),
    ) {
        let mut first = begin;
        first.sort_by_key(|rep| rep["id"].to_string());
        first.dedup_by_key(|rep| rep["id"].to_string());
        let roster: Roster = serde_json::from_value(json!({ "reps": first })).unwrap();
        let people = People::new(roster, Choice::MostAvailable);
        for (mut rep, stays) in later {
            let id: RepId = serde_json::from_value(rep["id"].take()).unwrap();
            rep.as_object_mut().unwrap().remove("id");
            people.set(id, change(rep)).unwrap();
            if !stays {
                people.remove(id);
            }
        }
        let reps: Vec<Rep> = people.reps();
        let mut expected = choose(&Roster { reps, ..Roster::default() }, &question);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut found = runtime.block_on(people.find(&question)).unwrap();
        prop_assert_eq!(&found, &expected, "nobody has been found before");
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}
