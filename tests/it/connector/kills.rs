//! Killed fifty times in nine minutes of virtual time, in which the router is down for one minute, Salesforce
//! fails for two and the store for one: nothing is left ringing, nothing is owed at the end, and both books
//! name the same people as joined.
//!
//! A kill is the end of the runtime that everything ran on: each task ends at the await where it stands, and
//! what the store had not committed is lost. `killed` in `serving` does the same to a real process.

#[path = "disk.rs"]
mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use byoc_connector::connector::{EndUserNotifier, News, TellError};
use byoc_connector::emulator::{Fault, FaultKind, LedgerEvent, SeededRandom};
use byoc_connector::model::event::Participant;
use byoc_connector::routing::{Announced, Announcement, Reason};
use futures_util::FutureExt as _;

use super::*;
use crate::support::books::{assert_same, joined, said_to_have_joined};
use disk::Disk;

const KILLS: usize = 50;

/// When what is out of order, in virtual seconds.
const ROUTER_DOWN: Range<u64> = 100..160;
const SALESFORCE_FAILS: Range<u64> = 220..340;
/// In the second half of that nothing is heard of Salesforce either.
const STREAM_DOWN: Range<u64> = 280..340;
const STORE_FAILS: Range<u64> = 400..460;

/// The longest that it takes until nothing is open and nothing owed any more.
const PATIENCE: Duration = Duration::from_secs(3_600);
const TICK: Duration = Duration::from_millis(20);

/// Those who ask stand in front; then come reps who accept, decline and keep silent.
const SCRIPTS: [Script; 8] = [
    Script::Wait,
    ACCEPT,
    DECLINE,
    Script::Accept { after_milliseconds: 6_000 },
    Script::Ignore,
    Script::Decline { after_milliseconds: 9_000 },
    Script::Accept { after_milliseconds: 50 },
    Script::Accept { after_milliseconds: 29_900 },
];

/// The org, its people, and what outlives the connector.
struct Town {
    org: Org,
    disk: Disk,
    people: Mutex<People>,
    /// What was published, and what the reps' pages have to say: they say it until it is heard.
    published: Mutex<(Vec<Emitted>, VecDeque<Emitted>)>,
    /// How much time had gone by when this life began.
    lived: Duration,
    /// The most that was ever owed.
    owed: AtomicUsize,
    partner: Arc<Partner>,
}

/// The partner's channel: takes everything in a moment, and keeps what it took through every kill.
#[derive(Default)]
struct Partner(Mutex<Vec<(Uuid, Announcement)>>);

#[async_trait]
impl EndUserNotifier for Partner {
    async fn tell(&self, news: &News) -> Result<(), TellError> {
        tokio::time::sleep(LATENCY).await;
        self.0.lock().unwrap().push((news.id, news.announcement.clone()));
        tokio::time::sleep(LATENCY).await;
        Ok(())
    }
}

struct People {
    draws: SeededRandom,
    asked: Vec<EventId>,
    next: Duration,
    /// What they will do, and when.
    plans: Vec<(Duration, Act)>,
}

impl People {
    fn below(&mut self, end: u64) -> u64 {
        self.draws.next_u64() % end
    }
}

fn is_in(seconds: &Range<u64>, at: Duration) -> bool {
    (Duration::from_secs(seconds.start)..Duration::from_secs(seconds.end)).contains(&at)
}

impl Town {
    fn found(seed: u64) -> Self {
        let org = Org::new(&SCRIPTS);
        let now = org.clock.now();
        for rep in &org.roster.reps {
            let rep = Rep { capacity: 1_000_000.0, ..rep.clone() };
            org.salesforce.lock().unwrap().upsert_rep(now, rep);
        }
        let people = People {
            draws: SeededRandom::new(seed),
            asked: Vec::new(),
            next: Duration::ZERO,
            plans: Vec::new(),
        };
        Self {
            org,
            disk: Disk::default(),
            people: Mutex::new(people),
            published: Mutex::default(),
            lived: Duration::ZERO,
            owed: AtomicUsize::default(),
            partner: Arc::default(),
        }
    }

    /// One life of the connector, on a runtime of its own.
    fn live(&mut self, uptime: Option<Duration>, busy: bool) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let lasted = runtime.block_on(async {
            let born = Instant::now();
            self.org.clock = PausedClock(born.checked_sub(self.lived).unwrap());
            let life = async {
                tokio::select! {
                    () = self.people_live(busy) => {}
                    () = self.connector_lives(busy) => {}
                }
            };
            let killed = tokio::time::timeout(uptime.unwrap_or(PATIENCE), life).await.is_err();
            assert_eq!(killed, uptime.is_some(), "it never comes to rest: {:?}", self.ringing());
            born.elapsed()
        });
        drop(runtime);
        self.disk.lose_what_is_queued();
        self.lived += lasted;
    }

    fn elapsed(&self) -> Duration {
        self.org.clock.0.elapsed()
    }

    fn ringing(&self) -> Vec<String> {
        let salesforce = self.org.salesforce.lock().unwrap();
        let works = salesforce.works().filter(|work| work.state.is_open()).map(|work| format!("{work:?}"));
        works.chain(salesforce.psrs().map(|psr| format!("{psr:?}"))).collect()
    }

    /// What people do, and what fails meanwhile. Where they are not busy, they only see to what they planned.
    async fn people_live(&self, busy: bool) {
        loop {
            let now = self.elapsed();
            self.go_wrong(now);
            self.act(now, busy);
            self.publish();
            tokio::time::sleep(TICK).await;
        }
    }

    fn publish(&self) {
        let (stream, pages) = &mut *self.published.lock().unwrap();
        for emitted in self.org.events() {
            match emitted.what {
                Emission::Platform { .. } => stream.push(emitted),
                Emission::AgentWork { .. } => pages.push_back(emitted),
            }
        }
    }

    fn go_wrong(&self, now: Duration) {
        self.org.router_is_down.store(is_in(&ROUTER_DOWN, now), Ordering::SeqCst);
        self.disk.fail(is_in(&STORE_FAILS, now));
        let mut salesforce = self.org.salesforce.lock().unwrap();
        salesforce.clear_faults();
        if is_in(&SALESFORCE_FAILS, now) {
            // In the second half some calls are carried out all the same, and their answers lost.
            let kinds = if is_in(&STREAM_DOWN, now) { 4 } else { 3 };
            let kind = match self.people.lock().unwrap().below(kinds) {
                3 => FaultKind::AnswerLost { after_milliseconds: 0 },
                0 => FaultKind::ConnectionRefused,
                1 => FaultKind::RateLimited { retry_after_seconds: None },
                _ => FaultKind::ServerError { status: 503 },
            };
            salesforce.plan_fault(Fault::always(kind));
        }
    }

    fn act(&self, now: Duration, busy: bool) {
        let mut people = self.people.lock().unwrap();
        let (due, later) = std::mem::take(&mut people.plans).into_iter().partition(|(at, _)| *at <= now);
        people.plans = later;
        let due: Vec<(Duration, Act)> = due;
        for (_, act) in due {
            // It may be over already; then there is nothing to call off.
            self.org.salesforce.lock().unwrap().act(self.org.clock.now(), act).ok();
        }
        if !busy || people.next > now {
            return;
        }
        people.next = now + Duration::from_millis(300 + people.below(1_700));
        let (conversation, request) = self.org.ask();
        people.asked.push(request.clone());
        let soon = now + Duration::from_millis(people.below(12_000));
        match people.below(12) {
            0..=2 => people.plans.push((soon, Act::CancelRequest { request })),
            3 => people.plans.push((soon, Act::EndUserLeaves { conversation })),
            4 => people.plans.push((soon, Act::EndSession { conversation })),
            _ => {}
        }
    }

    /// The connector, and what is brought to it: the stream from where the store says, and what pages say.
    /// Where people are not busy it ends once everything has come to rest.
    async fn connector_lives(&self, busy: bool) {
        let store: Arc<dyn Store> = Arc::new(self.disk.clone());
        let channel = loop {
            let notifier = Arc::clone(&self.partner) as Arc<dyn EndUserNotifier>;
            match Channel::start(Parts { notifier, ..self.org.parts(Arc::clone(&store)) }).await {
                Ok(channel) => break channel,
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        };
        let handle = channel.handle();
        let mut next = self.place(channel.positions());
        let mut decoding = Stream::default();
        let mut listening = false;
        loop {
            let stands = !is_in(&STREAM_DOWN, self.elapsed());
            if stands && !listening {
                handle.listening().await.unwrap();
            }
            listening = stands;
            while let Some(emitted) = self.published(next).filter(|_| stands) {
                if handle.deliver(decoding.delivery(emitted)).await.is_err() {
                    break;
                }
                next += 1;
            }
            self.pages_tell(&handle, &mut decoding).await;
            let owes = handle.owes().map_or(0, |owes| owes.count);
            self.owed.fetch_max(owes, Ordering::SeqCst);
            let begun = self.elapsed() > self.lived + Duration::from_secs(15);
            if !busy && begun && self.is_quiet(next) && handle.look(Conversations::open).await.unwrap() == 0 {
                self.check_people(&handle).await;
                return channel.stop().await;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn is_quiet(&self, next: usize) -> bool {
        let (stream, pages) = &*self.published.lock().unwrap();
        stream.len() == next && pages.is_empty() && self.people.lock().unwrap().plans.is_empty()
    }

    fn published(&self, number: usize) -> Option<Emitted> {
        self.published.lock().unwrap().0.get(number).cloned()
    }

    /// What of the stream comes next.
    fn place(&self, positions: &[Position]) -> usize {
        let Some(position) = positions.first() else { return 0 };
        let is_there = |emitted: &Emitted| matches!(&emitted.what, Emission::Platform { replay_id, .. } if **replay_id == *position.replay_id());
        1 + self.published.lock().unwrap().0.iter().position(is_there).unwrap()
    }

    async fn pages_tell(&self, handle: &Handle, decoding: &mut Stream) {
        loop {
            let Some(emitted) = self.published.lock().unwrap().1.front().cloned() else { return };
            if handle.deliver(decoding.delivery(emitted)).await.is_err() {
                return;
            }
            self.published.lock().unwrap().1.pop_front();
        }
    }

    /// Nothing is owed, and both sides know the same people in every conversation that goes on.
    async fn check_people(&self, handle: &Handle) {
        assert_eq!(handle.owes(), None);
        let owed = handle.look(|all| all.owed().count()).await.unwrap();
        assert_eq!(owed, 0);
        let ids: BTreeSet<ConversationId> =
            self.org.salesforce.lock().unwrap().requests().map(|it| it.conversation.clone()).collect();
        for id in ids {
            let known = id.clone();
            let here = handle
                .look(move |all| Some(all.get(&known)?.participants().iter().cloned().collect()))
                .await
                .unwrap();
            let here: Option<BTreeSet<Participant>> = here;
            let salesforce = self.org.salesforce.lock().unwrap();
            let there = salesforce.conversation(&id).unwrap();
            if let Some(here) = here.filter(|_| !there.is_over()) {
                assert_eq!(there.participants.iter().cloned().collect::<BTreeSet<_>>(), here, "{id}");
            }
        }
    }

    /// Requests that nobody answered in 60 seconds, though nothing was out of order.
    fn forgotten(&self) -> Vec<EventId> {
        let salesforce = self.org.salesforce.lock().unwrap();
        let begin = PausedClock(Instant::now()).now();
        let unanswered = salesforce.books().entries().iter().filter_map(|entry| match &entry.what {
            LedgerEvent::RequestUnanswered { request } => Some(request.clone()),
            _ => None,
        });
        let in_order = |request: &EventId| {
            let asked = salesforce.request(request).unwrap().created.since(begin);
            let until = asked + Duration::from_secs(60);
            [SALESFORCE_FAILS, STORE_FAILS].iter().all(|wrong| {
                until < Duration::from_secs(wrong.start) || asked > Duration::from_secs(wrong.end + 5)
            })
        };
        unanswered.filter(in_order).collect()
    }
}

/// Every join was told, whenever the connector was killed; and what was told twice has one id.
fn check_told(outcomes: &[OutcomeRecord], told: &[(Uuid, Announcement)]) {
    for outcome in outcomes {
        let Reason::Joined(rep) = outcome.ending.reason else { continue };
        let is_it = |news: &Announcement| {
            news.what == Announced::Rep { rep, joined: true } && news.conversation == outcome.conversation
        };
        assert!(told.iter().any(|(_, news)| is_it(news)), "{rep} joined {}", outcome.conversation);
    }
    let mut known = BTreeMap::new();
    let mut repeated = 0;
    for (id, news) in told {
        let first = known.insert(id, news);
        assert!(first.is_none_or(|first| first == news));
        repeated += usize::from(first.is_some());
    }
    assert!(repeated > 0, "some kills came between the telling and its mark");
}

#[test]
fn killed_fifty_times_while_everything_fails_in_turn_both_books_say_the_same() {
    let mut town = Town::found(20_261_128);
    for _ in 0..KILLS {
        let uptime = Duration::from_millis(200 + town.people.lock().unwrap().below(20_000));
        town.live(Some(uptime), true);
        town.lived += Duration::from_millis(100 + town.people.lock().unwrap().below(900));
    }
    assert!(town.lived > Duration::from_secs(STORE_FAILS.end + 5), "{:?} were lived", town.lived);
    town.live(None, false);

    assert_eq!(town.ringing(), [""; 0]);
    assert!(town.org.salesforce.lock().unwrap().leftovers().is_empty());
    assert_eq!(town.forgotten(), []);
    let outcomes = town.disk.outcomes(OutcomeId::START, 100_000).now_or_never().unwrap().unwrap();
    let here = said_to_have_joined(&outcomes);
    assert_same(&here, &joined(&town.org.salesforce.lock().unwrap()));

    check_told(&outcomes, &town.partner.0.lock().unwrap());
    assert_eq!(town.disk.untold(&Org::key()).now_or_never().unwrap(), Ok(Vec::new()));

    let owed = town.owed.into_inner();
    let asked = town.people.into_inner().unwrap().asked;
    let mut ended: BTreeMap<&EventId, usize> = BTreeMap::new();
    for outcome in &outcomes {
        *ended.entry(outcome.request()).or_default() += 1;
    }
    assert!(asked.iter().all(|request| ended.get(request) == Some(&1)), "each ended once");
    assert_eq!(ended.len(), asked.len());
    assert!(asked.len() > 300 && here.len() > asked.len() / 4, "{} of {} joined", here.len(), asked.len());
    assert!(owed > 0, "the clean-ups that failed for so long were owed");
}
