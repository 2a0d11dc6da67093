//! A machine whose clock is set by an hour during an offer: the offer rings for as long as it should.

use std::sync::atomic::AtomicI64;

use super::*;
use byoc_connector::model::time::{Machine, SteadyClock};

/// A machine whose clock can be set, and whose uptime is tokio's paused time.
#[derive(Clone)]
struct Settable {
    began: Instant,
    set_by: Arc<AtomicI64>,
}

impl Machine for Settable {
    fn wall(&self) -> Timestamp {
        let set_by = self.set_by.load(Ordering::SeqCst);
        Timestamp::from_millis(1_780_300_800_000 + set_by) + self.began.elapsed()
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(9_000) + self.began.elapsed()
    }
}

const HOUR: i64 = 3_600_000;

/// Calls of an org whose clock is an hour ahead of the channel's.
struct AnHourAhead(Org);

#[async_trait]
impl Calls for AnHourAhead {
    async fn try_once(&self, attempt: &Try) -> Tried {
        let give_up_at = attempt.give_up_at + Duration::from_secs(3600);
        self.0.try_once(&Try { give_up_at, ..attempt.clone() }).await
    }
}

/// How many milliseconds the last offer rang before it was taken back, where the clock is set meanwhile.
async fn rings_for(set_by: i64) -> u128 {
    let org = Org::new(&[Script::Wait, Script::Wait]);
    let machine = Settable { began: org.clock.0, set_by: Arc::default() };
    let clock = Arc::new(SteadyClock::begin(machine.clone()));
    let parts = Parts { clock: clock.clone(), ..org.parts(Arc::new(Memory::default())) };
    let channel = Channel::start(parts).await.unwrap();
    let (_, request) = org.ask();
    let mut stream = Stream::default();
    let open = || most_open_offers(org.salesforce.lock().unwrap().books(), &request) > 0;
    while !open() {
        stream.run(&org, &channel.handle(), Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    stream.run(&org, &channel.handle(), Duration::from_secs(5)).await;
    machine.set_by.store(set_by, Ordering::SeqCst);
    assert_eq!(clock.machine_ahead(), set_by, "it is noticed");
    let is_open = || {
        let salesforce = org.salesforce.lock().unwrap();
        salesforce.works().any(|work| work.correlation == request && work.state.is_open())
    };
    while is_open() {
        stream.run(&org, &channel.handle(), Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(100), "it rings for ever");
    }
    channel.stop().await;
    began.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn an_offer_rings_as_long_whatever_the_clock_is_set_to() {
    let undisturbed = rings_for(0).await;
    assert!((29_000..32_000).contains(&undisturbed), "{undisturbed}");
    for set_by in [HOUR, -HOUR] {
        assert_eq!(rings_for(set_by).await, undisturbed, "set by {set_by} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_with_the_clock_set_back_an_offer_rings_no_longer_than_the_rules_allow() {
    let org = Org::new(&[Script::Wait, Script::Wait]);
    let store = Arc::new(Memory::default());
    let machine = Settable { began: org.clock.0, set_by: Arc::default() };
    let clock = Arc::new(SteadyClock::begin(machine.clone()));
    let channel = Channel::start(Parts { clock, ..org.parts(store.clone()) }).await.unwrap();
    let (_, request) = org.ask();
    let mut stream = Stream::default();
    stream.run(&org, &channel.handle(), Duration::from_secs(3)).await;
    channel.stop().await;
    machine.set_by.store(-HOUR, Ordering::SeqCst);
    let clock = Arc::new(SteadyClock::begin(machine));
    let calls = Arc::new(AnHourAhead(org.clone()));
    let channel = Channel::start(Parts { clock, calls, ..org.parts(store.clone()) }).await.unwrap();
    stream.run(&org, &channel.handle(), Duration::from_secs(60)).await;
    assert!(org.salesforce.lock().unwrap().leftovers().is_empty());
    let open = channel.handle().look(|all| format!("{all:?}")).await.unwrap();
    channel.stop().await;
    let ended = store.outcomes(OutcomeId::START, 9).await.unwrap();
    assert_eq!(ended.len(), 1, "the request of before has ended: {open}");
    assert_eq!(ended[0].request(), &request);
}
