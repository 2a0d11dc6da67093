//! A partner's router that fails, or never answers, under the runtime.

use super::*;

/// A router that fails until it has been asked so often; then it is the org's roster.
struct Failing {
    org: Org,
    failures: AtomicUsize,
}

#[async_trait]
impl RepFinder for Failing {
    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, FindError> {
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(FindError::NoAnswer("connection refused".to_owned())),
            Err(_) => self.org.find(query).await,
        }
    }
}

/// A router that never says anything.
struct Silent;

#[async_trait]
impl RepFinder for Silent {
    async fn find(&self, _: &RepQuery) -> Result<Vec<RepId>, FindError> {
        std::future::pending().await
    }
}

/// How a request to the queue ends with that router, stopped and started again after so long.
async fn ends(failures: usize, silent: bool, restart_after: Option<Duration>) -> (Outcome, String) {
    let org = Org::new(&[Script::Wait, ACCEPT]);
    let store = Arc::new(Memory::default());
    let failing = Arc::new(Failing { org: org.clone(), failures: AtomicUsize::new(failures) });
    let finder = || -> Arc<dyn RepFinder> { if silent { Arc::new(Silent) } else { failing.clone() } };
    let mut channel = Channel::start(Parts { finder: finder(), ..org.parts(store.clone()) }).await.unwrap();
    let (_, request) = org.ask();
    let mut stream = Stream::default();
    if let Some(after) = restart_after {
        stream.run(&org, &channel.handle(), after).await;
        channel.stop().await;
        channel = Channel::start(Parts { finder: finder(), ..org.parts(store.clone()) }).await.unwrap();
    }
    stream.run(&org, &channel.handle(), Duration::from_secs(130)).await;
    assert!(org.salesforce.lock().unwrap().leftovers().is_empty());
    assert_eq!(effective_results(org.salesforce.lock().unwrap().books(), &request), 1);
    channel.stop().await;
    let ended = store.outcomes(OutcomeId::START, 9).await.unwrap();
    assert_eq!(ended.len(), 1);
    (ended[0].ending.outcome, ended[0].ending.reason.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_router_that_comes_back_finds_somebody() {
    assert_eq!(ends(3, false, None).await, (Outcome::Joined, "The rep accepted.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_restart_while_the_router_fails_changes_nothing() {
    for millis in [300, 900, 2_500, 6_000] {
        let restarted = ends(4, false, Some(Duration::from_millis(millis))).await;
        assert_eq!(restarted, (Outcome::Joined, "The rep accepted.".to_owned()), "{millis}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_stays_away_is_named_as_the_reason() {
    let why = "The rep finder failed: no answer: connection refused.";
    assert_eq!(ends(usize::MAX, false, None).await, (Outcome::Failed, why.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_router_that_never_answers_is_not_nobody() {
    let why = "The rep finder did not answer in time.";
    assert_eq!(ends(0, true, None).await, (Outcome::Failed, why.to_owned()));
}
