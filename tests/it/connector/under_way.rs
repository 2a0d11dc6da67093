//! A command has one identity, is never under way twice, and after a restart counts as one that was tried.

use std::future::pending;

use super::*;
use byoc_connector::model::event::SkillRequirement;
use byoc_connector::model::ids::SkillId;

/// Calls and searches that are noted and never answered.
#[derive(Clone, Default)]
struct Hanging {
    calls: Arc<Mutex<Vec<(Uuid, bool)>>>,
    searches: Arc<AtomicUsize>,
}

#[async_trait]
impl Calls for Hanging {
    async fn try_once(&self, attempt: &Try) -> Tried {
        self.calls.lock().unwrap().push((attempt.request_id, attempt.resumed));
        pending().await
    }
}

#[async_trait]
impl RepFinder for Hanging {
    async fn find(&self, _: &RepQuery) -> Result<Vec<RepId>, FindError> {
        self.searches.fetch_add(1, Ordering::SeqCst);
        pending().await
    }
}

impl Hanging {
    async fn start(&self, org: &Org, store: Arc<dyn Store>) -> Channel {
        let (calls, finder) = (Arc::new(self.clone()), Arc::new(self.clone()));
        Channel::start(Parts { calls, finder, ..org.parts(store) }).await.unwrap()
    }

    /// How often each call was made, and whether it was said to have been tried before.
    fn calls(&self) -> Vec<(Uuid, bool)> {
        self.calls.lock().unwrap().clone()
    }
}

fn with_skill(org: &Org) {
    let asker = org.roster.reps[0].id;
    let Done::Started { conversation, .. } =
        org.act(Act::StartConversation { end_user: None, reps: vec![asker] })
    else {
        panic!("no conversation")
    };
    let skill = SkillRequirement {
        id: SkillId::parse("french").unwrap(),
        level: None,
        priority: None,
        additional: false,
    };
    let target = Target::Skills(vec![skill]);
    org.act(Act::RequestConference { conversation, requester: Some(asker), target });
}

fn asks_rep(org: &Org, rep: usize) {
    let asker = org.roster.reps[0].id;
    let Done::Started { conversation, .. } =
        org.act(Act::StartConversation { end_user: None, reps: vec![asker] })
    else {
        panic!("no conversation")
    };
    let target = Target::Rep(org.roster.reps[rep].id);
    org.act(Act::RequestConference { conversation, requester: Some(asker), target });
}

#[tokio::test(start_paused = true)]
async fn what_is_given_again_after_a_restart_counts_as_tried() {
    let org = Org::new(&[Script::Wait, Script::Wait]);
    let store = Arc::new(Memory::default());
    let (first, second) = (Hanging::default(), Hanging::default());
    let channel = first.start(&org, store.clone()).await;
    let mut stream = Stream::default();
    org.ask();
    stream.run(&org, &channel.handle(), Duration::from_millis(100)).await;
    let [(route, false)] = first.calls()[..] else { panic!("{:?}", first.calls()) };
    channel.stop().await;

    let channel = second.start(&org, store).await;
    stream.run(&org, &channel.handle(), Duration::from_millis(100)).await;
    assert_eq!(second.calls(), [(route, true)], "the same call, and it may have been tried");
    org.ask();
    stream.run(&org, &channel.handle(), Duration::from_millis(100)).await;
    let calls = second.calls();
    assert!(calls.len() == 2 && !calls[1].1, "a new one was not: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn an_offer_of_before_is_given_again_two_seconds_after_the_stream_stands_or_after_ten() {
    for (stands, before, after) in [(true, 1_900, 2_200), (false, 9_900, 10_200)] {
        let org = Org::new(&[Script::Wait, Script::Wait]);
        let store = Arc::new(Memory::default());
        let (first, second) = (Hanging::default(), Hanging::default());
        let channel = first.start(&org, store.clone()).await;
        asks_rep(&org, 1);
        Stream::default().pump(&org, &channel.handle()).await;
        channel.stop().await;

        let channel = second.start(&org, store).await;
        if stands {
            channel.handle().listening().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(before)).await;
        assert_eq!(second.calls(), [], "the stream may still tell what became of it");
        tokio::time::sleep(Duration::from_millis(after - before)).await;
        let [(offer, true)] = second.calls()[..] else { panic!("{stands}: {:?}", second.calls()) };
        assert!(first.calls().iter().all(|(made, _)| *made == offer), "the same call");
    }
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_is_being_made_is_not_made_again_when_the_quiet_is_over() {
    let org = Org::new(&[Script::Wait, Script::Wait]);
    let hanging = Hanging::default();
    let channel = hanging.start(&org, Arc::new(Memory::default())).await;
    let mut stream = Stream::default();
    asks_rep(&org, 1);
    // Offers of before the start are left alone for ten seconds at most; this one is of after it.
    stream.run(&org, &channel.handle(), Duration::from_secs(15)).await;
    let calls = hanging.calls();
    assert!(matches!(calls[..], [(_, false)]), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_outlives_a_store_that_fails() {
    let org = Org::new(&[Script::Wait, Script::Wait]);
    let store = Arc::new(Moody::default());
    let hanging = Hanging::default();
    let channel = hanging.start(&org, store.clone()).await;
    let handle = channel.handle();
    let mut stream = Stream::default();
    org.ask();
    with_skill(&org);
    asks_rep(&org, 1);
    stream.run(&org, &handle, Duration::from_millis(100)).await;
    let under_way = (hanging.calls(), hanging.searches.load(Ordering::SeqCst));
    assert_eq!((under_way.0.len(), under_way.1), (2, 1), "a route, an offer and a search");

    store.fails.store(true, Ordering::SeqCst);
    let event = agent_work_event("0Mw000000000009", "0Bz000000000009", "ASSIGNED", None).unwrap();
    let cause = Some(Cause::named("a post").unwrap());
    let refused = handle.deliver(Delivery { events: event.events, cause, position: None }).await;
    assert!(refused.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    store.fails.store(false, Ordering::SeqCst);
    // Beyond the quiet after which offers are given again.
    stream.run(&org, &handle, Duration::from_secs(20)).await;
    assert_eq!((hanging.calls(), hanging.searches.load(Ordering::SeqCst)), under_way);
}
