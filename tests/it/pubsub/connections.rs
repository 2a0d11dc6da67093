//! Connections end, go dead, are not there yet, are shared: the stream comes back, and nobody is flooded.

use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn a_stream_ends_in_every_way_and_comes_back() {
    let org = Org::start(patient()).await;
    let mut source = org.subscribe(Start::Earliest);
    for (cuts, fault) in [StreamFault::End, StreamFault::Unavailable].into_iter().enumerate() {
        org.publish(1);
        let ids = events(&mut source, 2).await;
        source.position().processed(ids[1].clone());
        org.emulator.stream_fault(fault);
        let cut = until(&source.health(), |state| state.cuts == cuts as u64 + 1).await;
        assert!(cut.problem.is_some() || cut.connected, "{cut:?}");
    }
    streams(&org, |counts| (counts.begun, counts.open) == (3, 1)).await;
    org.emulator.stream_fault(StreamFault::RefuseSubscribe { times: 3 });
    org.emulator.stream_fault(StreamFault::End);
    until(&source.health(), |state| state.cuts == 6).await;
    org.publish(1);
    assert_eq!(events(&mut source, 2).await.last(), org.ids().last());
    until(&source.health(), |state| state.connected && state.problem.is_none()).await;
    org.stops().await;
}

#[tokio::test]
async fn a_consumer_who_takes_nothing_bounds_what_is_sent() {
    let form = StreamForm { ask_within_milliseconds: 50, ..patient() };
    let org = Org::start(form).await;
    org.publish(20);
    let pubsub = org.connect(Settings { buffered: 7, ..org.settings() });
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    streams(&org, |counts| counts.delivered == 7).await;
    // Salesforce loses patience, and still nothing more is asked for.
    until(&source.health(), |state| state.cuts == 1 && !state.connected).await;
    let counts = streams(&org, |counts| counts.open == 0).await;
    assert_eq!((counts.delivered, counts.begun), (7, 1));
    let mut came = Vec::new();
    for _ in 0..40 {
        let id = event(&mut source).await.replay_id;
        source.position().processed(id.clone());
        came.push(id);
    }
    let seen: BTreeSet<_> = came.iter().map(ToString::to_string).collect();
    assert_eq!(seen.len(), 40, "{came:?}");
    org.stops().await;
}

#[tokio::test]
async fn an_org_that_is_not_there_yet_is_tried_again_until_it_is() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let emulator = Org::emulator(patient());
    let tokens = Tokens {
        emulator: emulator.clone(),
        held: std::sync::Mutex::default(),
        refreshed: AtomicU32::new(0),
    };
    let settings = Settings {
        endpoint: format!("http://{address}"),
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(20),
        ..Settings::new(OrgSettings::default().org, "https://acme.my.salesforce.com")
    };
    let pubsub = PubSub::new(settings, Arc::new(tokens), Arc::new(SystemClock)).unwrap();
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    let state = until(&source.health(), |state| state.cuts >= 3).await;
    assert!(!state.connected && state.problem.is_some_and(|problem| problem.starts_with("Unavailable")));
    let org = Org::start_at(TcpListener::bind(address).await.unwrap(), emulator);
    org.publish(1);
    assert_eq!(events(&mut source, 2).await, org.ids());
    assert!(source.health().state().connected);
    org.stops().await;
}

#[tokio::test]
async fn a_stream_that_says_nothing_counts_as_dead() {
    let org = Org::start(patient()).await;
    let pubsub = org.connect(Settings { silence: Duration::from_millis(30), ..org.settings() });
    let source = pubsub.subscribe(&topic(), Start::Earliest);
    let state = until(&source.health(), |state| state.cuts >= 2 && !state.connected).await;
    assert_eq!(state.problem.as_deref(), Some("nothing received for 0.03 s"));
    org.stops().await;
}

/// Passes on to the org what comes in. Told so, its first connection goes dead: nothing is passed on and
/// nothing closed. Later ones work.
async fn pipe_that_can_go_dead(org: &Org) -> (String, oneshot::Sender<()>) {
    let target = org.address.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (go_dead, dead) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut first = listener.accept().await.unwrap().0;
        let mut behind = TcpStream::connect(&target).await.unwrap();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut first, &mut behind) => {}
            _ = dead => {}
        }
        while let Ok((mut next, _)) = listener.accept().await {
            let mut behind = TcpStream::connect(&target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut next, &mut behind).await });
        }
    });
    (address, go_dead)
}

#[tokio::test]
async fn a_connection_that_went_dead_is_noticed_by_its_pings() {
    let org = Org::start(patient()).await;
    let (endpoint, go_dead) = pipe_that_can_go_dead(&org).await;
    let ping_every = Some(Duration::from_millis(500));
    let pubsub = org.connect(Settings { endpoint, ping_every, ..org.settings() });
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    org.publish(1);
    let ids = events(&mut source, 2).await;
    source.position().processed(ids[1].clone());
    go_dead.send(()).unwrap();
    org.publish(1);
    assert_eq!(events(&mut source, 2).await, org.ids()[2..]);
    assert!(source.health().state().cuts >= 1);
    org.stop.send(()).unwrap();
}

#[tokio::test]
async fn two_topics_or_subscribers_share_a_connection_and_nothing_else() {
    let org = Org::start(patient()).await;
    org.publish(2);
    let pubsub = org.connect(org.settings());
    let mut one = pubsub.subscribe(&topic(), Start::Earliest);
    let mut two = pubsub.subscribe(&topic(), Start::Earliest);
    assert_eq!(events(&mut one, 4).await, events(&mut two, 4).await);
    drop(one);
    streams(&org, |counts| counts.open == 1).await;
    org.publish(1);
    assert_eq!(events(&mut two, 2).await.last(), org.ids().last());
    org.stops().await;
}
