//! What panics every time, for one event, request or telling, holds up nothing else.

use std::collections::BTreeMap;

use byoc_connector::connector::{EndUserNotifier, News, PanicLog, TellError, Work};

use super::*;
use crate::support::panicking::{BUG, Panicking};

/// Counts in memory, and sets aside what has panicked three times.
#[derive(Default)]
struct Counted {
    panics: Mutex<BTreeMap<String, u32>>,
    set_aside: Mutex<Vec<Delivery>>,
    whys: Mutex<Vec<String>>,
}

impl Counted {
    fn counts(&self) -> Vec<u32> {
        self.panics.lock().unwrap().values().copied().collect()
    }
}

impl PanicLog for Counted {
    fn panicked(&self, work: &Work, why: &str) -> bool {
        self.whys.lock().unwrap().push(why.to_owned());
        let mut panics = self.panics.lock().unwrap();
        let count = panics.entry(work.to_string()).or_default();
        *count += 1;
        *count >= 3
    }

    fn is_set_aside(&self, cause: &Cause) -> bool {
        self.panics
            .lock()
            .unwrap()
            .get(&Work::Event(cause.clone()).to_string())
            .is_some_and(|count| *count >= 3)
    }

    fn set_aside(&self, delivery: &Delivery) {
        self.set_aside.lock().unwrap().push(delivery.clone());
    }
}

/// The partner, who panics about one conversation.
struct Partner {
    of: ConversationId,
    told: AtomicUsize,
}

#[async_trait]
impl EndUserNotifier for Partner {
    async fn tell(&self, news: &News) -> Result<(), TellError> {
        assert_ne!(news.announcement.conversation, self.of, "the partner's own bug");
        self.told.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// A router that panics where it is asked for a rep of the queue for the first so many times.
struct Router {
    org: Org,
    panics: AtomicUsize,
}

#[async_trait]
impl RepFinder for Router {
    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, FindError> {
        let left = |left: usize| left.checked_sub(1);
        assert!(
            self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err(),
            "the router's bug"
        );
        self.org.find(query).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_panics_every_time_is_set_aside_with_its_position_and_the_others_are_processed() {
    let org = Org::new(&[Script::Wait, ACCEPT]);
    let (panics, mut stream) = (Arc::new(Counted::default()), Stream::default());
    for _ in 0..3 {
        org.ask();
    }
    let brought: Vec<Delivery> = org.events().into_iter().map(|emitted| stream.delivery(emitted)).collect();
    let asks = |delivery: &&Delivery| {
        matches!(delivery.events.first().map(|event| &event.what), Some(EventKind::RoutingRequested(_)))
    };
    let poison = brought.iter().filter(asks).nth(1).unwrap().clone();
    let store = Arc::new(Panicking::new(poison.cause.clone().unwrap(), usize::MAX));
    let mut waiting: VecDeque<Delivery> = brought.iter().cloned().collect();
    let mut starts = 0;
    while !waiting.is_empty() {
        starts += 1;
        assert!(starts < 9, "it does not end");
        let parts = Parts { panics: panics.clone(), ..org.parts(store.clone()) };
        let mut channel = Channel::start(parts).await.unwrap();
        while let Some(delivery) = waiting.front().cloned() {
            if channel.handle().deliver(delivery).await.is_err() {
                let why = channel.failed().await;
                assert!(why.contains(BUG), "{why}");
                break;
            }
            waiting.pop_front();
        }
        channel.stop().await;
    }
    assert_eq!((starts, panics.counts()), (4, vec![3]));
    assert!(panics.whys.lock().unwrap().iter().all(|why| why == BUG));
    let aside = std::mem::take(&mut *panics.set_aside.lock().unwrap());
    assert_eq!(aside.iter().map(|one| &one.cause).collect::<Vec<_>>(), [&poison.cause]);
    let positions = store.positions(&Org::key()).await.unwrap();
    assert_eq!(positions.first(), brought.iter().rev().find_map(|delivery| delivery.position.as_ref()));
    let open = store.load(&Org::key()).await.unwrap().conversations;
    let open = open.iter().flat_map(|one| one.conversation.open_requests()).count();
    assert_eq!(open, 2, "the other two requests");
}

#[tokio::test(start_paused = true)]
async fn a_router_that_panics_is_one_that_fails_and_its_channel_goes_on() {
    let org = Org::new(&[Script::Wait, ACCEPT]);
    let panics = Arc::new(Counted::default());
    let finder = Arc::new(Router { org: org.clone(), panics: 2.into() });
    let store = Arc::new(Memory::new());
    let parts = Parts { panics: panics.clone(), finder: finder.clone(), ..org.parts(store.clone()) };
    let channel = Channel::start(parts).await.unwrap();
    let mut stream = Stream::default();
    let (_, first) = org.ask();
    stream.run(&org, &channel.handle(), Duration::from_secs(20)).await;
    org.assert_tidy(&first);
    finder.panics.store(usize::MAX, Ordering::SeqCst);
    org.ask();
    stream.run(&org, &channel.handle(), Duration::from_secs(130)).await;
    let counts = panics.counts();
    assert!(counts.contains(&2) && counts.iter().max().unwrap() >= &3, "of each request: {counts:?}");
    let ended = store.outcomes(OutcomeId::START, 9).await.unwrap();
    let ended: Vec<_> = ended.iter().map(|one| (one.ending.outcome, one.ending.reason.to_string())).collect();
    let why = "The rep finder failed: it panicked.".to_owned();
    assert_eq!(ended, [(Outcome::Joined, "The rep accepted.".to_owned()), (Outcome::Failed, why)]);
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_telling_that_panics_every_time_is_given_up_and_what_comes_behind_it_is_told() {
    let org = Org::new(&[Script::Wait, ACCEPT, ACCEPT]);
    let panics = Arc::new(Counted::default());
    let (of, _) = org.ask();
    org.ask();
    let partner = Arc::new(Partner { of, told: AtomicUsize::new(0) });
    let store = Arc::new(Memory::new());
    let parts = Parts { panics: panics.clone(), notifier: partner.clone(), ..org.parts(store.clone()) };
    let channel = Channel::start(parts).await.unwrap();
    Stream::default().run(&org, &channel.handle(), Duration::from_secs(600)).await;
    assert_eq!(panics.counts(), [3, 3], "each three times, and not again");
    assert_eq!(partner.told.load(Ordering::SeqCst), 2, "as many of the other conversation");
    assert_eq!(store.untold(&Org::key()).await.unwrap(), []);
    channel.stop().await;
}
