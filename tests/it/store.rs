//! What every store has to keep, whatever it is made of; and below, what only the one in a file can be asked.

#[cfg(feature = "store-sqlite")]
mod crash;
#[cfg(all(unix, feature = "store-sqlite"))]
mod paths;
#[cfg(feature = "store-sqlite")]
mod sqlite;
#[cfg(feature = "store-sqlite")]
mod taken_over;

use std::sync::Arc;
use std::time::Duration;

use byoc_connector::model::ids::{ConversationId, EventId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Conversation, Ending, Fact, Outcome, Reason, RequestFact};
use byoc_connector::store::{Appended, Cause, Error, Memory, OutcomeId, Position, Retention, TurnRecord};

use crate::support::scenario::{rep, work, work_item};
use crate::support::turns::*;

const STORED: Result<Appended, Error> = Ok(Appended::Stored { wants_state: false });

/// A store that can be closed and opened again.
struct House {
    store: Shared,
    #[cfg(feature = "store-sqlite")]
    folder: Option<tempfile::TempDir>,
}

impl House {
    fn in_memory() -> Self {
        Self {
            store: Arc::new(Memory::new()),
            #[cfg(feature = "store-sqlite")]
            folder: None,
        }
    }

    #[cfg(feature = "store-sqlite")]
    async fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(sqlite::open(folder.path()).await.unwrap());
        Self { store, folder: Some(folder) }
    }

    /// What lives longer than a process, after the process.
    #[cfg(feature = "store-sqlite")]
    async fn reopen(&mut self) {
        if let Some(folder) = &self.folder {
            self.store.close().await.unwrap();
            self.store = Arc::new(Memory::new());
            self.store = Arc::new(sqlite::open(folder.path()).await.unwrap());
        }
    }

    #[cfg(not(feature = "store-sqlite"))]
    #[expect(clippy::unused_async, reason = "as the other")]
    async fn reopen(&mut self) {}
}

/// Each rule of the contract, for each store.
macro_rules! contract {
    ($($rule:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test] async fn $rule() { super::$rule(crate::store::House::in_memory()).await; })+
        }
        #[cfg(feature = "store-sqlite")]
        mod file {
            $(#[tokio::test] async fn $rule() { super::$rule(crate::store::House::in_a_file().await).await; })+
        }
    };
}

mod rules;
mod tellings;

contract!(
    what_was_stored_is_loaded_as_it_was_in_memory,
    the_same_cause_again_changes_nothing_but_the_position,
    what_was_decided_from_a_duplicate_is_refused_until_the_channel_is_loaded,
    who_loaded_before_is_refused,
    a_turn_of_a_conversation_that_was_never_begun_is_refused,
    a_conversation_that_begins_anew_knows_nothing_of_the_old_one,
    outcomes_are_told_in_order_and_from_any_place,
    positions_are_kept_by_topic,
    channels_know_nothing_of_each_other,
    what_is_forgotten_is_gone,
    facts_that_make_no_sense_are_set_aside_and_named,
    old_things_are_dropped_and_open_ones_are_kept,
    a_closed_store_says_so,
);

fn learned(mut record: TurnRecord) -> TurnRecord {
    record.change.as_mut().unwrap().facts = vec![Fact::WorkItemLearned(work_item())];
    record
}

fn going_on(mut record: TurnRecord) -> TurnRecord {
    record.change.as_mut().unwrap().began = false;
    record
}

fn caused(mut record: TurnRecord, replay_id: u8) -> TurnRecord {
    record.cause = Some(Cause::replay_id(&[replay_id]).unwrap());
    record.position = Some(Position::new("/event/E__e", &[replay_id]).unwrap());
    record
}

fn ended(mut record: TurnRecord, request: &str) -> TurnRecord {
    record.change.as_mut().unwrap().endings.push(Ending {
        request: EventId::parse(request).unwrap(),
        at: record.at,
        outcome: Outcome::Joined,
        reason: Reason::Joined(rep("bo")),
    });
    record
}

fn conversation(name: &str) -> ConversationId {
    ConversationId::parse(name).unwrap()
}

async fn what_was_stored_is_loaded_as_it_was_in_memory(mut house: House) {
    let (mut some_open, mut some_idle) = (false, false);
    for seed in 1..=4_u32 {
        let channel = channel(&format!("channel_{seed}"));
        let loaded = house.store.load(&channel).await.unwrap();
        let mut actor = Actor::new(channel.clone(), loaded, seed.into(), 0);
        for round in 0..4 {
            // All are under way at once; what the store answers comes in their order.
            let mut under_way = Vec::new();
            for _ in 0..300 {
                let record = actor.turn();
                under_way.push((of(&record), house.store.append(record)));
            }
            for (conversation, pending) in under_way {
                actor.noted(conversation, pending.await.unwrap());
            }
            if round % 2 == 1 {
                house.reopen().await;
            }
            let loaded = house.store.load(&channel).await.unwrap();
            assert_eq!(by_id(&loaded), actor.conversations, "seed {seed}, round {round}");
            some_open |= actor.conversations.values().any(|one| !one.is_idle());
            some_idle |= actor.conversations.values().any(Conversation::is_idle);
            actor.epoch = loaded.epoch;
        }
        let endings = house.store.outcomes(OutcomeId::START, usize::MAX).await.unwrap();
        assert!(endings.iter().filter(|one| one.channel == channel).count() > 20);
    }
    assert!(some_open, "something was open");
    assert!(some_idle, "something was idle");
}

async fn the_same_cause_again_changes_nothing_but_the_position(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    assert_eq!(house.store.append(caused(learned(record(&channel, epoch, "a")), 1)).await, STORED);

    for _ in 0..2 {
        let epoch = house.store.load(&channel).await.unwrap().epoch;
        let mut again = caused(going_on(record(&channel, epoch, "a")), 1);
        again = ended(again, "request");
        again.change.as_mut().unwrap().facts = vec![Fact::ForeignOfferSeen(work(1))];
        again.position = Some(Position::new("/event/E__e", &[9]).unwrap());
        assert_eq!(house.store.append(again).await, Ok(Appended::Duplicate));
        let causes = [1, 2].map(|id| Cause::replay_id(&[id]).unwrap());
        assert_eq!(house.store.seen(&channel, &causes).await.unwrap(), [true, false]);
        // The same name is another cause where it names another kind of thing.
        let named = Cause::named("\u{1}").unwrap();
        assert_eq!(house.store.seen(&channel, &[named]).await.unwrap(), [false]);
        house.reopen().await;
    }

    let loaded = house.store.load(&channel).await.unwrap();
    let mut only = Conversation::new(conversation("a"));
    only.apply(&Fact::WorkItemLearned(work_item())).unwrap();
    assert_eq!(by_id(&loaded).into_values().collect::<Vec<_>>(), [only]);
    assert_eq!(loaded.positions[0].replay_id(), [9]);
    assert_eq!(house.store.outcomes(OutcomeId::START, 10).await.unwrap(), []);
}

async fn what_was_decided_from_a_duplicate_is_refused_until_the_channel_is_loaded(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    let first = store.append(caused(learned(record(&channel, epoch, "a")), 1));
    let nothing_new = store.append(caused(going_on(record(&channel, epoch, "a")), 1));
    let fine = store.append(learned(going_on(record(&channel, epoch, "a"))));
    let with_facts = store.append(caused(learned(going_on(record(&channel, epoch, "a"))), 1));
    let after = store.append(caused(learned(record(&channel, epoch, "b")), 2));
    assert_eq!(first.await, STORED);
    assert_eq!(nothing_new.await, Ok(Appended::Duplicate));
    assert_eq!(fine.await, STORED);
    assert_eq!(with_facts.await, Ok(Appended::Duplicate));
    assert_eq!(after.await, Err(Error::Superseded));

    let loaded = store.load(&channel).await.unwrap();
    assert_eq!(names(&loaded), ["a"]);
    let again = caused(learned(record(&channel, loaded.epoch, "b")), 2);
    assert_eq!(store.append(again).await, STORED, "what was refused left no trace");
}

async fn who_loaded_before_is_refused(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let old = store.load(&channel).await.unwrap().epoch;
    let new = store.load(&channel).await.unwrap().epoch;
    assert!(new > old);
    assert_eq!(store.append(record(&channel, old, "a")).await, Err(Error::Superseded));
    assert_eq!(store.append(record(&channel, new, "a")).await, STORED);
}

async fn a_turn_of_a_conversation_that_was_never_begun_is_refused(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    assert_eq!(store.append(going_on(record(&channel, epoch, "a"))).await, Err(Error::Superseded));
    assert_eq!(store.append(record(&channel, epoch, "b")).await, Err(Error::Superseded), "and all after it");
    assert_eq!(names(&store.load(&channel).await.unwrap()), [""; 0]);
}

async fn a_conversation_that_begins_anew_knows_nothing_of_the_old_one(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    for _ in 0..2 {
        assert_eq!(house.store.append(learned(record(&channel, epoch, "a"))).await, STORED);
    }
    assert_eq!(house.store.append(record(&channel, epoch, "a")).await, STORED);
    house.reopen().await;
    let loaded = house.store.load(&channel).await.unwrap();
    assert_eq!(by_id(&loaded).into_values().collect::<Vec<_>>(), [Conversation::new(conversation("a"))]);
}

async fn outcomes_are_told_in_order_and_from_any_place(mut house: House) {
    let (one, two) = (channel("one"), channel("two"));
    let epochs = [house.store.load(&one).await.unwrap().epoch, house.store.load(&two).await.unwrap().epoch];
    for number in 0..10 {
        let (channel, epoch) = if number % 2 == 0 { (&one, epochs[0]) } else { (&two, epochs[1]) };
        let record = ended(record(channel, epoch, "a"), &format!("request-{number}"));
        assert_eq!(house.store.append(record).await, STORED);
    }
    house.reopen().await;
    let last = house.store.last_outcome().await.unwrap();
    let mut told = Vec::new();
    let mut after = OutcomeId::START;
    loop {
        let page = house.store.outcomes(after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = OutcomeId::from_number(last.id.number());
        told.extend(page);
    }
    let requests: Vec<_> = told.iter().map(|one| one.request().to_string()).collect();
    assert_eq!(requests, (0..10).map(|n| format!("request-{n}")).collect::<Vec<_>>());
    assert_eq!(after, last);
    assert_eq!(told[3].channel, two);
    assert_eq!(told[3].conversation, conversation("a"));
    assert_eq!(
        (told[3].ending.outcome, &told[3].ending.reason),
        (Outcome::Joined, &Reason::Joined(rep("bo")))
    );
}

async fn positions_are_kept_by_topic(mut house: House) {
    let channel = channel("chat");
    assert_eq!(house.store.positions(&channel).await.unwrap(), []);
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    for (topic, id) in [("/event/A__e", 1), ("/event/B__e", 2), ("/event/A__e", 3)] {
        let mut moved = record(&channel, epoch, "a");
        moved.change = None;
        moved.position = Some(Position::new(topic, &[0, id, 255]).unwrap());
        assert_eq!(house.store.append(moved).await, STORED);
    }
    house.reopen().await;
    let positions = house.store.positions(&channel).await.unwrap();
    assert_eq!(positions, house.store.load(&channel).await.unwrap().positions);
    let shown: Vec<_> = positions.iter().map(|one| (one.topic(), one.replay_id())).collect();
    assert_eq!(shown, [("/event/A__e", &[0, 3, 255][..]), ("/event/B__e", &[0, 2, 255][..])]);
    assert!(matches!(Position::new("t", &[0; 2000]), Err(Error::TooLarge { bytes: 2000, .. })));
}

async fn channels_know_nothing_of_each_other(mut house: House) {
    let (one, two) = (channel("one"), channel("two"));
    let epochs = [house.store.load(&one).await.unwrap().epoch, house.store.load(&two).await.unwrap().epoch];
    let first = house.store.append(caused(learned(record(&one, epochs[0], "a")), 1));
    // That the other one is refused is nothing to this one.
    let refused = house.store.append(going_on(record(&two, epochs[1], "a")));
    let second = house.store.append(learned(going_on(record(&one, epochs[0], "a"))));
    assert_eq!((first.await, second.await), (STORED, STORED));
    assert_eq!(refused.await, Err(Error::Superseded));
    let epoch = house.store.load(&two).await.unwrap().epoch;
    assert_eq!(house.store.append(caused(record(&two, epoch, "a"), 1)).await, STORED);
    house.reopen().await;
    let (one, two) = (house.store.load(&one).await.unwrap(), house.store.load(&two).await.unwrap());
    assert_eq!(one.conversations[0].conversation.work_item(), Some(work_item()));
    assert_eq!(two.conversations[0].conversation.work_item(), None);
}

async fn what_is_forgotten_is_gone(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    let (a, b) = (
        house.store.append(ended(learned(record(&channel, epoch, "a")), "request")),
        house.store.append(learned(record(&channel, epoch, "b"))),
    );
    house.store.forget(&channel, &conversation("a")).await.unwrap();
    assert_eq!((a.await, b.await), (STORED, STORED));
    assert_eq!(house.store.append(going_on(record(&channel, epoch, "a"))).await, Err(Error::Superseded));
    house.reopen().await;
    assert_eq!(names(&house.store.load(&channel).await.unwrap()), ["b"]);
    assert_eq!(house.store.outcomes(OutcomeId::START, 9).await.unwrap().len(), 1, "outcomes stay");
}

async fn facts_that_make_no_sense_are_set_aside_and_named(mut house: House) {
    let channel = channel("chat");
    let epoch = house.store.load(&channel).await.unwrap().epoch;
    assert_eq!(house.store.append(learned(record(&channel, epoch, "a"))).await, STORED);
    let mut wrong = record(&channel, epoch, "b");
    wrong.change.as_mut().unwrap().facts = vec![Fact::OfRequest(7, RequestFact::Closed)];
    assert_eq!(house.store.append(wrong).await, STORED);
    house.reopen().await;
    let loaded = house.store.load(&channel).await.unwrap();
    assert_eq!(names(&loaded), ["a"]);
    assert_eq!(loaded.unreadable.len(), 1);
    assert_eq!(loaded.unreadable[0].conversation, conversation("b"));
    assert!(loaded.unreadable[0].why.contains("no open request 7"), "{}", loaded.unreadable[0].why);
    // It begins anew, and is readable again.
    assert_eq!(house.store.append(record(&channel, loaded.epoch, "b")).await, STORED);
    assert_eq!(names(&house.store.load(&channel).await.unwrap()), ["a", "b"]);
}

async fn old_things_are_dropped_and_open_ones_are_kept(mut house: House) {
    let channel = channel("chat");
    let loaded = house.store.load(&channel).await.unwrap();
    let epoch = loaded.epoch;
    let mut actor = Actor::new(channel.clone(), loaded, 5, 0);
    for _ in 0..200 {
        house.store.append(actor.turn()).await.unwrap();
    }
    let mut over = caused(ended(record(&channel, epoch, "over"), "old"), 200);
    over.change.as_mut().unwrap().ended = true;
    over.at = actor.now;
    house.store.append(over).await.unwrap();
    let mut open: Vec<_> =
        actor.conversations.iter().filter(|(_, one)| !one.is_idle()).map(|(id, _)| id.to_string()).collect();
    assert!(!open.is_empty() && open.len() < actor.conversations.len());

    let keep = Retention::default();
    let store = &house.store;
    let later = async |after: Duration, name: &str| {
        let epoch = store.load(&channel).await.unwrap().epoch;
        for n in 0..20 {
            let mut tick = record(&channel, epoch, name);
            tick.at = actor.now + after + Duration::from_secs(7200 + 120 * n);
            assert_eq!(store.append(tick).await, STORED);
        }
    };
    later(keep.ended, "x").await;
    let left = names(&store.load(&channel).await.unwrap());
    assert!(!left.contains(&"over".to_owned()) && left.len() > open.len() + 1, "{left:?}");
    let cause = [Cause::replay_id(&[200]).unwrap()];
    later(keep.causes.checked_sub(Duration::from_secs(3 * 3600)).unwrap(), "x").await;
    assert_eq!(store.seen(&channel, &cause).await.unwrap(), [true], "it can still come again");
    later(keep.causes, "y").await;
    assert_eq!(store.seen(&channel, &cause).await.unwrap(), [false]);
    assert!(!store.outcomes(OutcomeId::START, 1).await.unwrap().is_empty());
    later(keep.outcomes, "z").await;
    assert_eq!(store.outcomes(OutcomeId::START, 1).await.unwrap(), []);

    house.reopen().await;
    open.push("z".to_owned());
    assert_eq!(names(&house.store.load(&channel).await.unwrap()), open, "what is open is kept for ever");
}

async fn a_closed_store_says_so(house: House) {
    let (store, channel) = (house.store, channel("chat"));
    let epoch = store.load(&channel).await.unwrap().epoch;
    let last = store.append(record(&channel, epoch, "a"));
    store.close().await.unwrap();
    assert_eq!(last.await, STORED, "what was queued is stored");
    assert_eq!(store.append(record(&channel, epoch, "b")).await, Err(Error::Closed));
    assert_eq!(store.load(&channel).await.unwrap_err(), Error::Closed);
    assert_eq!(store.positions(&channel).await, Err(Error::Closed));
    let health = store.health();
    assert_eq!((health.turns, health.queued), (1, 0));
    assert!(health.last_commit > Some(Timestamp::from_millis(0)));
}
