//! Nothing is called before what led to it is durable, and a store that fails only costs time.

use super::*;

#[tokio::test(start_paused = true)]
async fn no_call_is_made_before_what_led_to_it_is_durable() {
    let org = Org::new(&[Script::Wait, ACCEPT]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    store.holds.store(true, Ordering::SeqCst);
    org.ask();
    let mut stream = Stream::default();
    let brought: Vec<Delivery> = org.events().into_iter().map(|emitted| stream.delivery(emitted)).collect();
    let handle = channel.handle();
    let bringing = tokio::spawn(async move {
        for delivery in brought {
            handle.deliver(delivery).await.unwrap();
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!bringing.is_finished(), "nothing is said to be processed");
    assert_eq!(org.calls.load(Ordering::SeqCst), 0, "nothing is called");
    while !bringing.is_finished() {
        store.release();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(org.calls.load(Ordering::SeqCst), 1, "the route is asked for");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_costs_time_and_nothing_else() {
    let org = Org::new(&[Script::Wait, DECLINE, ACCEPT]);
    let store = Arc::new(Moody::default());
    let channel = org.start(store.clone()).await;
    let handle = channel.handle();
    let (_, request) = org.ask();
    let mut stream = Stream::default();
    stream.run(&org, &handle, Duration::from_millis(400)).await;
    store.fails.store(true, Ordering::SeqCst);
    let refused = {
        let event = agent_work_event("0Mw000000000009", "0Bz000000000009", "ASSIGNED", None).unwrap();
        let cause = Some(Cause::named("a post").unwrap());
        handle.deliver(Delivery { events: event.events, cause, position: None }).await
    };
    assert!(matches!(refused, Err(Error::Store(store::Error::DiskFull(_)))), "{refused:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    store.fails.store(false, Ordering::SeqCst);
    stream.run(&org, &handle, Duration::from_secs(30)).await;
    org.assert_tidy(&request);
    let history = store.outcomes(OutcomeId::START, 9).await.unwrap();
    assert_eq!(history.iter().map(|one| one.ending.outcome).collect::<Vec<_>>(), [Outcome::Joined]);
    channel.stop().await;
}
