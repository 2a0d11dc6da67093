//! Who waits for whom: a stop for what was decided, what comes behind a refused turn for its being brought again,
//! whoever brings for room, the channel for a store that fails.

use super::*;
use byoc_connector::model::event::{Participant, ParticipantChange};

fn of(conversation: &str, what: EventKind) -> Delivery {
    let event = Event { conversation: Some(ConversationId::parse(conversation).unwrap()), what };
    Delivery { events: [event].into_iter().collect(), ..Delivery::default() }
}

fn seen(conversation: &str) -> Delivery {
    of(conversation, EventKind::WorkItemSeen(WorkItemId::parse("0Mw000000000001").unwrap()))
}

/// Time stands still while anybody can do anything: when this is over, everybody has done what they can.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_until_what_was_decided_is_durable() {
    let org = Org::new(&[Script::Wait]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    store.holds.store(true, Ordering::SeqCst);
    let receipt = channel.handle().sequence().hand_over(seen("one")).await.unwrap();
    settle().await;
    let stopping = tokio::spawn(channel.stop());
    settle().await;
    assert!(!stopping.is_finished(), "the turn is not durable yet");
    store.release();
    stopping.await.unwrap();
    receipt.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_behind_a_refused_turn_is_refused_too_and_is_there_when_it_comes_again() {
    let org = Org::new(&[Script::Wait]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    store.holds.store(true, Ordering::SeqCst);
    store.refuses.store(1, Ordering::SeqCst);
    let sequence = channel.handle().sequence();
    let first = sequence.hand_over(seen("one")).await.unwrap();
    let second = sequence.hand_over(seen("two")).await.unwrap();
    settle().await;
    store.holds.store(false, Ordering::SeqCst);
    store.release();
    first.await.expect_err("it was refused");
    second.await.expect_err("it was decided upon what has not happened");
    let third = sequence.hand_over(seen("three")).await.unwrap();
    third.await.expect_err("what came before it comes first");
    for conversation in ["one", "two"] {
        channel.handle().deliver(seen(conversation)).await.unwrap();
    }
    assert_eq!(channel.handle().look(Conversations::len).await.unwrap(), 2);
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_goes_on_brings_its_state_exactly_when_the_store_asks() {
    let org = Org::new(&[Script::Wait, Script::Wait]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    let (conversation, _) = org.ask();
    // Nobody answers, so the conversation is not idle and brings no state by itself.
    Stream::default().run(&org, &channel.handle(), Duration::from_secs(2)).await;
    let participant = Participant::rep(RepId::parse("005000000000009").unwrap()).unwrap();
    let moves = async |joined| {
        settle().await;
        let change = ParticipantChange { participant: participant.clone(), joined, at: org.clock.now() };
        let what = EventKind::ParticipantsChanged(vec![change]);
        channel.handle().deliver(of(conversation.as_str(), what)).await.unwrap();
        store.states.swap(0, Ordering::SeqCst)
    };
    moves(true).await;
    assert_eq!(moves(false).await, 0, "nobody has asked");
    store.wants_states.store(true, Ordering::SeqCst);
    assert_eq!(moves(true).await, 0, "it is asked for with the answer");
    store.wants_states.store(false, Ordering::SeqCst);
    assert_eq!(moves(false).await, 1);
    assert_eq!(moves(true).await, 0, "once");
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_brings_waits_for_room_while_the_store_stands_still() {
    const ALL: usize = 5_000;
    let org = Org::new(&[Script::Wait]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    store.holds.store(true, Ordering::SeqCst);
    let brought = Arc::new(AtomicUsize::new(0));
    let (sequence, count) = (channel.handle().sequence(), brought.clone());
    let bringing = tokio::spawn(async move {
        let mut receipts = Vec::new();
        for number in 0..ALL {
            let position = Some(Position::new("/event/Test__e", &number.to_be_bytes()).unwrap());
            receipts.push(sequence.hand_over(Delivery { position, ..Delivery::default() }).await.unwrap());
            count.fetch_add(1, Ordering::SeqCst);
        }
        receipts
    });
    settle().await;
    let (turns, taken) = (store.turns.load(Ordering::SeqCst), brought.load(Ordering::SeqCst));
    assert_eq!(turns, 1024, "turns are on their way to the store");
    assert_eq!(taken, 2 * 1024, "as many wait for their turn");
    store.holds.store(false, Ordering::SeqCst);
    store.release();
    for receipt in bringing.await.unwrap() {
        receipt.await.unwrap();
    }
    assert_eq!(store.turns.load(Ordering::SeqCst), ALL);
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_store_is_asked_once_about_all_that_waits() {
    let org = Org::new(&[Script::Wait]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    let (sequence, mut receipts) = (channel.handle().sequence(), Vec::new());
    // The channel's task runs when this one waits, and not before.
    for number in 0..5 {
        let cause = Some(Cause::named(&format!("event {number}")).unwrap());
        let delivery = Delivery { cause, ..seen(&format!("conversation {number}")) };
        receipts.push(sequence.hand_over(delivery).await.unwrap());
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    assert_eq!(*store.asked.lock().unwrap(), [5]);
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_loaded_is_asked_less_and_less_often() {
    let org = Org::new(&[Script::Wait]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    store.loads.lock().unwrap().clear();
    store.fails.store(true, Ordering::SeqCst);
    channel.handle().deliver(seen("one")).await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let loads = store.loads.lock().unwrap().clone();
    let waits: Vec<u128> = loads.windows(2).map(|pair| (pair[1] - pair[0]).as_millis() / 100).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 50, 50], "tenths of a second");
    store.fails.store(false, Ordering::SeqCst);
    channel.stop().await;
}
