//! What the partner is to be told comes with its turn, and stays until it was told.

use std::time::Duration;

use byoc_connector::routing::Announcement;
use byoc_connector::store::{Appended, Error, Retention, Telling, TellingId, TurnRecord};

use super::{House, STORED, caused, conversation, going_on, learned};
use crate::support::scenario::rep;
use crate::support::turns::*;

contract!(
    what_is_to_be_told_is_kept_in_order_until_it_was_told,
    only_what_is_stored_is_told,
    each_channel_has_its_own,
    what_is_to_be_told_outlives_its_conversation,
    what_is_no_news_any_more_is_dropped,
);

/// A turn of which the partner is to be told who joined, in this order.
fn told(mut record: TurnRecord, reps: &[&str]) -> TurnRecord {
    let change = record.change.as_mut().unwrap();
    for (number, who) in reps.iter().enumerate() {
        let conversation = change.conversation.clone();
        let announcement = Announcement { conversation, rep: rep(who), joined: true };
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

async fn what_is_no_news_any_more_is_dropped(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    let old = told(record(&channel, epoch, "a"), &["bo"]);
    let at = old.at;
    assert_eq!(store.append(old).await, STORED);
    let mut new = told(record(&channel, epoch, "b"), &["cy"]);
    new.at = at + Duration::from_secs(3600);
    let stored = of(&new);
    assert_eq!(store.append(new).await, STORED);
    assert_eq!(store.untold(&channel).await.unwrap().len(), 2);
    let mut tick = record(&channel, epoch, "c");
    tick.at = at + Retention::default().tellings + Duration::from_secs(60);
    assert_eq!(store.append(tick).await, STORED);
    assert_eq!(ids(&store.untold(&channel).await.unwrap()), ids(&stored));
}
