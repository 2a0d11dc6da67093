//! What the partner is to be told comes with its turn, has a number, and stays until it was told or given up.

use std::sync::Arc;
use std::time::Duration;

use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::ParticipantRole;
use byoc_connector::routing::{Announced, Announcement, SessionNews};
use byoc_connector::store::{
    Appended, ChannelKey, DeadLetter, DeadLetterCount, Error, GivenUp, Memory, Place, Retention, Store,
    Telling, TellingId, TurnRecord,
};
#[cfg(feature = "store-sqlite")]
use byoc_connector::store::{Options, Sqlite};

use super::{House, STORED, caused, conversation, going_on, learned};
use crate::support::scenario::rep;
use crate::support::turns::*;

contract!(
    what_is_to_be_told_is_kept_in_order_until_it_was_told,
    only_what_is_stored_is_told,
    each_channel_has_its_own,
    what_is_to_be_told_outlives_its_conversation,
    what_nobody_tells_in_time_is_a_dead_letter,
    what_is_to_be_told_is_numbered_within_its_conversation,
    what_is_given_up_is_a_dead_letter_and_the_next_stands_after_a_gap,
    dead_letters_have_a_bound_in_time,
    a_dead_letter_that_is_sent_again_stays_one_until_it_was_told,
    a_dead_letter_that_is_given_up_again_comes_last,
    a_dead_letter_is_dropped,
);

/// A telling's text and id as releases before wrote them, and that of a session beside them.
#[test]
fn joins_and_leaves_are_stored_and_named_as_ever() {
    let told = |what| {
        let announcement = Announcement { conversation: conversation("a"), what };
        let telling = Telling::new(&channel("Acme"), Timestamp::from_millis(7), 1, announcement);
        let text = serde_json::to_string(&telling.announcement).unwrap();
        assert_eq!(serde_json::from_str::<Announcement>(&text).unwrap(), telling.announcement);
        (text, telling.id.to_string())
    };
    let rep = "005000000000001".parse().unwrap();
    let (text, id) = told(Announced::Rep { rep, joined: true });
    assert_eq!(text, r#"{"conversation":"a","rep":"005000000000001","joined":true}"#);
    assert_eq!(id, "55bd23d5-9f59-5bb2-a882-6f7d5ff0065c");
    let (text, _) = told(Announced::Session(SessionNews::Ended { by: Some(ParticipantRole::EndUser) }));
    assert_eq!(text, r#"{"conversation":"a","session":"ended","by":"EndUser"}"#);
    let (text, _) = told(Announced::Session(SessionNews::Waiting));
    assert_eq!(text, r#"{"conversation":"a","session":"waiting"}"#);
}

/// A turn of which the partner is to be told who joined, in this order.
fn told(mut record: TurnRecord, reps: &[&str]) -> TurnRecord {
    let change = record.change.as_mut().unwrap();
    for (number, who) in reps.iter().enumerate() {
        let conversation = change.conversation.clone();
        let what = Announced::Rep { rep: rep(who), joined: true };
        let announcement = Announcement { conversation, what };
        change.tellings.push(Telling::new(&record.channel, record.at, number, announcement));
    }
    record
}

fn ids(tellings: &[Telling]) -> Vec<TellingId> {
    tellings.iter().map(|telling| telling.id).collect()
}

fn of(record: &TurnRecord) -> Vec<Telling> {
    record.change.as_ref().unwrap().tellings.clone()
}

async fn what_is_to_be_told_is_kept_in_order_until_it_was_told(mut house: House) {
    let channel = channel("chat");
    let loaded = house.store.load(&channel).await.unwrap();
    assert_eq!(loaded.untold, []);
    let first = told(learned(record(&channel, loaded.epoch, "a")), &["bo", "cy"]);
    let second = told(learned(record(&channel, loaded.epoch, "b")), &["bo"]);
    let third = told(going_on(record(&channel, loaded.epoch, "a")), &["di"]);
    let mut all: Vec<Telling> = [&first, &second, &third].into_iter().flat_map(of).collect();
    let under_way = [first, second, third].map(|turn| house.store.append(turn));
    for pending in under_way {
        assert_eq!(pending.await, STORED);
    }
    house.reopen().await;
    assert_eq!(house.store.load(&channel).await.unwrap().untold, all);

    house.store.told(&channel, &[all[1].id, all[2].id]).await.unwrap();
    all.drain(1..3);
    assert_eq!(house.store.untold(&channel).await.unwrap(), all);
    house.store.told(&channel, &[all[0].id, all[0].id]).await.unwrap();
    house.reopen().await;
    assert_eq!(house.store.load(&channel).await.unwrap().untold, all[1..]);
}

async fn only_what_is_stored_is_told(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let old = store.load(&channel).await.unwrap().epoch;
    let epoch = store.load(&channel).await.unwrap().epoch;
    assert_eq!(store.append(told(record(&channel, old, "a"), &["bo"])).await, Err(Error::Superseded));
    let first = told(caused(record(&channel, epoch, "a"), 1), &["cy"]);
    let stored = of(&first);
    assert_eq!(store.append(first).await, STORED);
    let again = told(caused(going_on(record(&channel, epoch, "a")), 1), &["di"]);
    assert_eq!(store.append(again).await, Ok(Appended::Duplicate));
    assert_eq!(store.untold(&channel).await.unwrap(), stored);
}

async fn each_channel_has_its_own(house: House) {
    let (store, one, two) = (house.store, channel("one"), channel("two"));
    assert_eq!(store.untold(&one).await.unwrap(), []);
    store.told(&one, &[]).await.unwrap();
    let mut stored = Vec::new();
    for channel in [&one, &two] {
        let epoch = store.load(channel).await.unwrap().epoch;
        let turn = told(record(channel, epoch, "a"), &["bo"]);
        stored.push(of(&turn));
        assert_eq!(store.append(turn).await, STORED);
    }
    assert_ne!(ids(&stored[0]), ids(&stored[1]), "an id is one thing's alone");
    store.told(&two, &ids(&stored[0])).await.unwrap();
    store.told(&two, &ids(&stored[1])).await.unwrap();
    assert_eq!(store.untold(&one).await.unwrap(), stored[0]);
    assert_eq!(store.untold(&two).await.unwrap(), []);
}

async fn what_is_to_be_told_outlives_its_conversation(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let first = told(record(&channel, epoch, "a"), &["bo"]);
    let stored = of(&first);
    assert_eq!(house.store.append(first).await, STORED);
    assert_eq!(house.store.append(record(&channel, epoch, "a")).await, STORED, "it begins anew");
    house.store.forget(&channel, &conversation("a")).await.unwrap();
    house.reopen().await;
    assert_eq!(house.store.load(&channel).await.unwrap().untold, stored);
}

async fn what_nobody_tells_in_time_is_a_dead_letter(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    let old = told(record(&channel, epoch, "a"), &["bo"]);
    let (late, at) = (of(&old), old.at);
    assert_eq!(store.append(old).await, STORED);
    let mut new = told(record(&channel, epoch, "b"), &["cy"]);
    new.at = at + Duration::from_secs(3600);
    let stored = of(&new);
    assert_eq!(store.append(new).await, STORED);
    assert_eq!(store.untold(&channel).await.unwrap().len(), 2);
    let mut tick = record(&channel, epoch, "c");
    tick.at = at + Retention::default().tellings + Duration::from_secs(60);
    let now = tick.at;
    assert_eq!(store.append(tick).await, STORED);
    assert_eq!(ids(&store.untold(&channel).await.unwrap()), ids(&stored));
    let why = "it was not told in time".to_owned();
    let telling = late[0].clone();
    let letter = DeadLetter { telling, sequence: 1, at, given_up: now, why };
    assert_eq!(store.dead_letters(&channel, 9).await.unwrap(), [letter]);
    assert_eq!(store.place(&channel, late[0].id).await, Ok(None));
}

/// The number of each, and whether it stands after a gap.
async fn places(store: &dyn Store, channel: &ChannelKey, tellings: &[Telling]) -> Vec<(u64, bool)> {
    let mut places = Vec::new();
    for telling in tellings {
        let place = store.place(channel, telling.id).await.unwrap().unwrap();
        places.push((place.sequence, place.after_gap));
    }
    places
}

async fn what_is_to_be_told_is_numbered_within_its_conversation(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let turns = [
        told(record(&channel, epoch, "a"), &["bo", "cy"]),
        told(record(&channel, epoch, "b"), &["bo"]),
        told(going_on(record(&channel, epoch, "a")), &["di"]),
    ];
    let all: Vec<Telling> = turns.iter().flat_map(of).collect();
    let under_way = turns.map(|turn| house.store.append(turn));
    for pending in under_way {
        assert_eq!(pending.await, STORED);
    }
    let numbers = [(1, false), (2, false), (1, false), (3, false)];
    assert_eq!(places(&*house.store, &channel, &all).await, numbers);
    house.reopen().await;
    assert_eq!(places(&*house.store, &channel, &all).await, numbers);

    house.store.told(&channel, &ids(&all)).await.unwrap();
    assert_eq!(house.store.place(&channel, all[0].id).await, Ok(None));
    house.store.forget(&channel, &conversation("a")).await.unwrap();
    house.reopen().await;
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let anew = told(record(&channel, epoch, "a"), &["ed"]);
    let last = of(&anew);
    assert_eq!(house.store.append(anew).await, STORED);
    assert_eq!(places(&*house.store, &channel, &last).await, [(4, false)], "it goes on, though forgotten");
}

async fn what_is_given_up_is_a_dead_letter_and_the_next_stands_after_a_gap(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let first = told(record(&channel, epoch, "a"), &["bo", "cy", "di"]);
    let (all, at) = (of(&first), first.at);
    assert_eq!(house.store.append(first).await, STORED);
    let given_up = |number: usize| {
        let at = at + Duration::from_secs(number.try_into().unwrap());
        GivenUp { id: all[number].id, at, why: format!("HTTP 41{number}") }
    };
    house.store.give_up(&channel, given_up(0)).await.unwrap();
    house.store.give_up(&channel, given_up(0)).await.unwrap();
    assert_eq!(house.store.untold(&channel).await.unwrap(), all[1..]);
    assert_eq!(places(&*house.store, &channel, &all[1..]).await, [(2, true), (3, false)]);
    house.store.give_up(&channel, given_up(1)).await.unwrap();
    house.store.told(&channel, &[all[2].id]).await.unwrap();
    house.store.give_up(&channel, given_up(2)).await.unwrap();
    house.reopen().await;
    let letters = (0..2).map(|number| {
        let GivenUp { at: given_up, why, .. } = given_up(number);
        let sequence = u64::try_from(number).unwrap() + 1;
        DeadLetter { telling: all[number].clone(), sequence, at, given_up, why }
    });
    let letters: Vec<_> = letters.collect();
    assert_eq!(house.store.dead_letters(&channel, 9).await.unwrap(), letters);
    assert_eq!(house.store.dead_letters(&channel, 1).await.unwrap(), letters[..1]);
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let later = told(going_on(record(&channel, epoch, "a")), &["ed"]);
    let stored = of(&later);
    assert_eq!(house.store.append(later).await, STORED);
    assert_eq!(places(&*house.store, &channel, &stored).await, [(4, false)], "the third was taken");
}

async fn dead_letters_have_a_bound_in_time(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    let first = told(record(&channel, epoch, "a"), &["bo", "cy"]);
    let (all, at) = (of(&first), first.at);
    assert_eq!(store.append(first).await, STORED);
    for (id, hours) in [(all[0].id, 0), (all[1].id, 1)] {
        let at = at + Duration::from_secs(hours * 3_600);
        store.give_up(&channel, GivenUp { id, at, why: "HTTP 410".to_owned() }).await.unwrap();
    }
    let mut tick = record(&channel, epoch, "b");
    tick.at = at + Retention::default().dead_letters + Duration::from_secs(60);
    assert_eq!(store.append(tick).await, STORED);
    let left: Vec<TellingId> =
        store.dead_letters(&channel, 9).await.unwrap().iter().map(|letter| letter.telling.id).collect();
    assert_eq!(left, [all[1].id]);
}

/// Two dead letters, and a third thing that waits behind them.
async fn with_dead_letters(store: &dyn Store, channel: &ChannelKey) -> (Vec<Telling>, Timestamp) {
    let epoch = store.load(channel).await.unwrap().epoch;
    let first = told(record(channel, epoch, "a"), &["bo", "cy", "di"]);
    let (all, at) = (of(&first), first.at);
    assert_eq!(store.append(first).await, STORED);
    for id in ids(&all[..2]) {
        store.give_up(channel, GivenUp { id, at, why: "HTTP 410".to_owned() }).await.unwrap();
    }
    (all, at)
}

async fn a_dead_letter_that_is_sent_again_stays_one_until_it_was_told(mut house: House) {
    let channel = channel("chat");
    let (all, at) = with_dead_letters(&*house.store, &channel).await;
    let later = at + Duration::from_secs(60);
    let resent = Telling { resent: true, ..all[1].clone() };
    let count = DeadLetterCount { count: 2, oldest: Some(at) };
    assert_eq!(house.store.place(&channel, all[1].id).await, Ok(None));
    assert_eq!(house.store.resend(&channel, all[2].id, later).await, Ok(None), "it is none");
    assert_eq!(house.store.resend(&channel, all[1].id, later).await, Ok(Some(resent.clone())));
    house.reopen().await;
    assert_eq!(house.store.load(&channel).await.unwrap().untold, [all[2].clone(), resent.clone()]);
    let place = Place { sequence: 2, after_gap: false, since: later };
    assert_eq!(house.store.place(&channel, all[1].id).await, Ok(Some(place)));
    assert_eq!(house.store.count_dead_letters(&channel).await, Ok(count));
    assert_eq!(house.store.dead_letters(&channel, 9).await.unwrap()[1].telling, resent);

    house.store.told(&channel, &ids(&all)).await.unwrap();
    let left = house.store.dead_letters(&channel, 9).await.unwrap();
    assert_eq!(
        left.into_iter().map(|one| one.telling).collect::<Vec<_>>(),
        all[..1],
        "the other was not sent"
    );
    assert_eq!(house.store.untold(&channel).await, Ok(Vec::new()));
}

async fn a_dead_letter_that_is_given_up_again_comes_last(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let (all, at) = with_dead_letters(&*store, &channel).await;
    let later = at + Duration::from_secs(60);
    let again = GivenUp { id: all[0].id, at: later, why: "HTTP 400".to_owned() };
    store.give_up(&channel, again.clone()).await.unwrap();
    assert_eq!(store.dead_letters(&channel, 9).await.unwrap()[0].why, "HTTP 410", "it was not sent again");
    store.resend(&channel, all[0].id, at).await.unwrap();
    store.give_up(&channel, again).await.unwrap();
    let letters = store.dead_letters(&channel, 9).await.unwrap();
    let told: Vec<_> = letters.iter().map(|one| (one.sequence, one.given_up, one.why.as_str())).collect();
    assert_eq!(told, [(2, at, "HTTP 410"), (1, later, "HTTP 400")]);
    assert!(!letters[1].telling.resent);
    assert_eq!(store.untold(&channel).await.unwrap(), all[2..]);
    assert_eq!(places(&*store, &channel, &all[2..]).await, [(3, true)], "its gap is where it was");
}

async fn a_dead_letter_is_dropped(mut house: House) {
    let channel = channel("chat");
    let (all, at) = with_dead_letters(&*house.store, &channel).await;
    house.store.resend(&channel, all[0].id, at).await.unwrap();
    for (id, there) in [(all[0].id, true), (all[0].id, false), (all[2].id, false)] {
        assert_eq!(house.store.drop_dead_letter(&channel, id).await, Ok(there));
    }
    house.reopen().await;
    assert_eq!(house.store.place(&channel, all[0].id).await, Ok(None));
    assert_eq!(house.store.untold(&channel).await.unwrap(), all[2..]);
    assert_eq!(house.store.count_dead_letters(&channel).await.unwrap().count, 1);
}

#[tokio::test]
async fn dead_letters_have_a_bound_in_number() {
    let few = Retention { most_dead_letters: 2, ..Retention::default() };
    let mut stores: Vec<Arc<dyn Store>> = vec![Arc::new(Memory::with_retention(few))];
    #[cfg(feature = "store-sqlite")]
    let folder = tempfile::tempdir().unwrap();
    #[cfg(feature = "store-sqlite")]
    {
        let options = Options { retention: few, ..Options::new(folder.path().join("store.db")) };
        stores.push(Arc::new(Sqlite::open(options).await.unwrap()));
    }
    for store in stores {
        let channel = channel("chat");
        let epoch = store.load(&channel).await.unwrap().epoch;
        let first = told(record(&channel, epoch, "a"), &["bo", "cy", "di"]);
        let (all, at) = (of(&first), first.at);
        assert_eq!(store.append(first).await, STORED);
        for id in ids(&all) {
            store.give_up(&channel, GivenUp { id, at, why: "HTTP 410".to_owned() }).await.unwrap();
        }
        let letters = store.dead_letters(&channel, 9).await.unwrap();
        let left: Vec<_> = letters.into_iter().map(|letter| letter.telling).collect();
        assert_eq!(left, all[1..]);
    }
}
