//! The rules in which stores once differed: each holds for all of them.

use byoc_connector::routing::Conversation;
use byoc_connector::store::{Appended, Error, FACTS_BEFORE_STATE, OutcomeId, Position};

use super::{House, STORED, caused, conversation, ended, going_on, learned};
use crate::support::turns::*;

contract!(
    a_duplicate_leaves_nothing_but_its_position,
    a_duplicate_that_begins_a_conversation_is_not_gone_on_from,
    what_goes_on_for_long_is_asked_for_its_state,
    a_state_takes_the_place_of_what_was_stored,
);

async fn a_duplicate_leaves_nothing_but_its_position(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let first = caused(learned(record(&channel, epoch, "a")), 1);
    let heard = first.at;
    assert_eq!(house.store.append(first).await, STORED);

    let mut again = ended(caused(going_on(record(&channel, epoch, "a")), 1), "request");
    again.at = heard + std::time::Duration::from_secs(4 * 3600);
    again.position = Some(Position::new("/event/E__e", &[9]).unwrap());
    let change = again.change.as_mut().unwrap();
    (change.ended, change.state) = (true, Some(Box::new(Conversation::new(conversation("a")))));
    assert_eq!(house.store.append(again).await, Ok(Appended::Duplicate));

    house.reopen().await;
    let loaded = house.store.load(&channel).await.unwrap();
    assert_eq!(loaded.positions[0].replay_id(), [9]);
    let kept = &loaded.conversations[0];
    assert_eq!((kept.ended, kept.heard), (false, heard));
    assert!(kept.conversation.work_item().is_some(), "its state is the one before");
    assert_eq!(house.store.outcomes(OutcomeId::START, 10).await.unwrap(), []);
}

async fn a_duplicate_that_begins_a_conversation_is_not_gone_on_from(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    assert_eq!(store.append(caused(record(&channel, epoch, "a"), 1)).await, STORED);
    assert_eq!(store.append(caused(record(&channel, epoch, "b"), 1)).await, Ok(Appended::Duplicate));
    assert_eq!(store.append(learned(record(&channel, epoch, "c"))).await, Err(Error::Superseded));
    assert_eq!(names(&store.load(&channel).await.unwrap()), ["a"]);
}

async fn what_goes_on_for_long_is_asked_for_its_state(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    store.append(record(&channel, epoch, "a")).await.unwrap();
    let mut asked = 0;
    for turn in 1..=40 {
        let fact = learned(going_on(record(&channel, epoch, "a")));
        if store.append(fact).await == Ok(Appended::Stored { wants_state: true }) {
            asked += 1;
            assert!(turn >= FACTS_BEFORE_STATE);
        }
    }
    assert_eq!(asked, 41 - FACTS_BEFORE_STATE);
}

async fn a_state_takes_the_place_of_what_was_stored(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let first = house.store.append(learned(record(&channel, epoch, "a")));
    let mut whole = learned(going_on(record(&channel, epoch, "a")));
    whole.change.as_mut().unwrap().state = Some(Box::new(Conversation::new(conversation("a"))));
    let second = house.store.append(whole);
    assert_eq!((first.await, second.await), (STORED, STORED));
    house.reopen().await;
    let loaded = house.store.load(&channel).await.unwrap();
    assert_eq!(by_id(&loaded).into_values().collect::<Vec<_>>(), [Conversation::new(conversation("a"))]);
}
