//! The cause and the position of a delivery go with the last of its turns: until that one is durable, all of
//! it may come again.

use super::*;

fn seen(conversation: &str, work_item: &str) -> Event {
    let what = EventKind::WorkItemSeen(WorkItemId::parse(work_item).unwrap());
    Event { conversation: Some(ConversationId::parse(conversation).unwrap()), what }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_of_which_a_part_was_not_stored_comes_again_whole() {
    let org = Org::new(&[Script::Wait]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    let delivery = Delivery {
        events: [seen("one", "0Mw000000000001"), seen("two", "0Mw000000000002")].into_iter().collect(),
        cause: Some(Cause::named("both").unwrap()),
        position: Some(Position::new("/event/Test__e", &[7]).unwrap()),
    };
    store.refuses.store(2, Ordering::SeqCst);
    channel.handle().deliver(delivery.clone()).await.unwrap_err();
    assert_eq!(store.positions(&Org::key()).await.unwrap(), [], "the stream is not read that far");
    let known = store.seen(&Org::key(), &[delivery.cause.clone().unwrap()]).await.unwrap();
    assert_eq!(known, [false]);

    channel.handle().deliver(delivery).await.unwrap();
    for conversation in ["one", "two"] {
        let id = ConversationId::parse(conversation).unwrap();
        let handle = channel.handle();
        let known = handle.look(move |all| all.get(&id).and_then(Conversation::work_item)).await.unwrap();
        assert!(known.is_some(), "what {conversation} is told of is not lost");
    }
    assert_eq!(store.positions(&Org::key()).await.unwrap().len(), 1);
    channel.stop().await;
}
