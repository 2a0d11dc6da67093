//! Conferences go to their end, whatever is told twice, too late, or while nobody listens.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_conference_goes_from_the_click_to_the_rep_who_joins() {
    let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
    let store = Arc::new(Memory::default());
    let channel = org.start(store.clone()).await;
    let mut endings = channel.handle().endings();
    let (conversation, request) = org.ask();
    let mut stream = Stream::default();
    stream.run(&org, &channel.handle(), Duration::from_secs(5)).await;
    let Ended { conversation: place, ending, asked } = endings.recv().await.unwrap();
    // Nothing in the event says who asked.
    let Asked { routing_type, requester, target } = asked.unwrap();
    let wanted = format!("queue {}", org.roster.queues[0].id);
    assert_eq!((routing_type, requester, target), (RoutingType::Conference, None, wanted));
    assert_eq!(
        (place, ending.request.clone(), ending.outcome),
        (conversation, request.clone(), Outcome::Joined)
    );
    org.assert_tidy(&request);
    assert_eq!(channel.handle().look(Conversations::open).await.unwrap(), 0);
    channel.stop().await;
    let history = store.outcomes(OutcomeId::START, 9).await.unwrap();
    assert_eq!(history.iter().map(OutcomeRecord::request).collect::<Vec<_>>(), [&request]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_at_any_moment_takes_up_what_was_under_way() {
    for stop_after in (0..2_400).step_by(40) {
        let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
        let store = Arc::new(Memory::default());
        let first = org.start(store.clone()).await;
        let (_, request) = org.ask();
        let mut stream = Stream::default();
        stream.run(&org, &first.handle(), Duration::from_millis(stop_after)).await;
        first.stop().await;

        let second = org.start(store.clone()).await;
        // An offer that may have been made twice is waited for before the next rep is asked.
        stream.run(&org, &second.handle(), Duration::from_secs(30)).await;
        org.assert_tidy(&request);
        let history = store.outcomes(OutcomeId::START, 9).await.unwrap();
        let outcomes: Vec<_> = history.iter().map(|one| one.ending.outcome).collect();
        let open = second.handle().look(|all| format!("{all:?}")).await.unwrap();
        assert_eq!(outcomes, [Outcome::Joined], "stopped after {stop_after} ms: {open}");
        second.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rep_who_has_declined_while_nobody_listened_is_not_rung_again() {
    for stop_after in (0..200).step_by(10) {
        let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
        let store = Arc::new(Memory::default());
        let first = org.start(store.clone()).await;
        let (_, request) = org.ask();
        let mut stream = Stream::default();
        stream.run(&org, &first.handle(), Duration::from_millis(stop_after)).await;
        first.stop().await;
        tokio::time::sleep(Duration::from_secs(2)).await;

        let second = org.start(store.clone()).await;
        // The stream takes its time to connect, longer than a call does.
        tokio::time::sleep(Duration::from_millis(500)).await;
        second.handle().listening().await.unwrap();
        stream.run(&org, &second.handle(), Duration::from_secs(30)).await;
        org.assert_tidy(&request);
        second.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_brought_twice_is_processed_once() {
    let org = Org::new(&[Script::Wait, ACCEPT]);
    let channel = org.start(Arc::new(Memory::default())).await;
    let handle = channel.handle();
    let (_, request) = org.ask();
    let mut stream = Stream::default();
    let all: Vec<Delivery> = org.events().into_iter().map(|emitted| stream.delivery(emitted)).collect();
    for _ in 0..3 {
        for delivery in &all {
            handle.deliver(delivery.clone()).await.unwrap();
        }
    }
    stream.run(&org, &handle, Duration::from_secs(3)).await;
    org.assert_tidy(&request);
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_may_begin_with_an_event_that_says_nothing_of_it() {
    let org = Org::new(&[Script::Wait]);
    let channel = org.start(Arc::new(Memory::default())).await;
    let conversation = ConversationId::parse("new").unwrap();
    let event = |what| Event { conversation: Some(conversation.clone()), what };
    let nothing = event(EventKind::RoutingStarted { psr: None, work_item: None });
    let something = event(EventKind::WorkItemSeen(WorkItemId::parse("0Mw000000000001").unwrap()));
    for event in [nothing, something] {
        let delivery = Delivery { events: [event].into_iter().collect(), ..Delivery::default() };
        channel.handle().deliver(delivery).await.unwrap();
    }
    let handle = channel.handle();
    let known = handle.look(move |all| all.get(&conversation).and_then(Conversation::work_item)).await;
    assert!(known.unwrap().is_some());
    channel.stop().await;
}
