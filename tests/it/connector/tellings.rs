//! What the partner is told: at least once, under one id, in the order of its conversation, whatever fails.

use std::collections::VecDeque;
use std::sync::Mutex;

use byoc_connector::connector::{EndUserNotifier, News, TellError};
use byoc_connector::routing::{Announced, Announcement};
use byoc_connector::store::{Change, Telling};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::*;
use crate::support::scenario::rep;

/// A partner who answers as it is told to, then takes everything, and says what it heard.
pub(super) struct Partner {
    answers: Mutex<VecDeque<Result<(), TellError>>>,
    heard: mpsc::UnboundedSender<News>,
}

impl Partner {
    pub(super) fn new(
        answers: impl IntoIterator<Item = Result<(), TellError>>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<News>) {
        let (heard, inbox) = mpsc::unbounded_channel();
        (Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), heard }), inbox)
    }
}

#[async_trait]
impl EndUserNotifier for Partner {
    async fn tell(&self, news: &News) -> Result<(), TellError> {
        self.heard.send(news.clone()).ok();
        self.answers.lock().unwrap().pop_front().unwrap_or(Ok(()))
    }
}

/// What the partner is to be told of a turn, as the store has it after a crash between its commit and the telling.
pub(super) async fn committed(store: &dyn Store, conversation: &str, news: &[(&str, bool)]) -> Vec<Telling> {
    committed_at(store, conversation, news, Timestamp::from_millis(1_780_300_700_000)).await
}

pub(super) async fn committed_at(
    store: &dyn Store,
    conversation: &str,
    news: &[(&str, bool)],
    at: Timestamp,
) -> Vec<Telling> {
    let key = Org::key();
    let epoch = store.load(&key).await.unwrap().epoch;
    let id = ConversationId::parse(conversation).unwrap();
    let tellings: Vec<Telling> = (0..)
        .zip(news)
        .map(|(number, (who, joined))| {
            let what = Announced::Rep { rep: rep(who), joined: *joined };
            let announcement = Announcement { conversation: id.clone(), what };
            Telling::new(&key, at, number, announcement)
        })
        .collect();
    let change = Change {
        conversation: id,
        began: true,
        ended: false,
        facts: Vec::new(),
        state: None,
        endings: Vec::new(),
        tellings: tellings.clone(),
    };
    let turn = TurnRecord {
        channel: key,
        epoch,
        at,
        cause: None,
        position: None,
        change: Some(change),
        urgent: true,
    };
    store.append(turn).await.unwrap();
    tellings
}

pub(super) async fn start(org: &Org, store: &Arc<dyn Store>, partner: &Arc<Partner>) -> Channel {
    let notifier: Arc<dyn EndUserNotifier> = Arc::clone(partner) as _;
    Channel::start(Parts { notifier, ..org.parts(Arc::clone(store)) }).await.unwrap()
}

/// Everything that was heard so far.
pub(super) fn all(inbox: &mut mpsc::UnboundedReceiver<News>) -> Vec<Uuid> {
    std::iter::from_fn(|| inbox.try_recv().ok()).map(|news| news.id).collect()
}

pub(super) fn ids(tellings: &[Telling]) -> Vec<Uuid> {
    tellings.iter().map(|telling| telling.id.uuid()).collect()
}

pub(super) fn not_now() -> Result<(), TellError> {
    left_alone(Duration::ZERO)
}

fn left_alone(wait: Duration) -> Result<(), TellError> {
    Err(TellError::NotNow { why: "HTTP 503".to_owned(), wait })
}

/// How many seconds lie between what is heard, so many times.
async fn rests(inbox: &mut mpsc::UnboundedReceiver<News>, times: usize) -> Vec<u64> {
    let mut rests = Vec::new();
    inbox.recv().await.unwrap();
    for _ in 0..times {
        let began = Instant::now();
        inbox.recv().await.unwrap();
        rests.push(began.elapsed().as_secs());
    }
    rests
}

#[tokio::test(start_paused = true)]
async fn what_was_committed_before_a_crash_is_told_after_it_in_order_and_once() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let tellings = committed(&*store, "a", &[("bo", true), ("bo", false), ("cy", true)]).await;
    let (partner, mut inbox) = Partner::new([]);
    let channel = start(&org, &store, &partner).await;
    for telling in &tellings {
        let news = inbox.recv().await.unwrap();
        assert_eq!((news.id, news.announcement), (telling.id.uuid(), telling.announcement.clone()));
    }
    channel.stop().await;
    assert_eq!(store.untold(&Org::key()).await, Ok(Vec::new()));
    start(&org, &store, &partner).await.stop().await;
    assert_eq!(all(&mut inbox), Vec::<Uuid>::new());
}

#[tokio::test(start_paused = true)]
async fn what_was_told_and_not_marked_before_a_crash_is_told_again_under_the_same_id() {
    let org = Org::new(&[Script::Wait]);
    let moody = Arc::new(Moody::default());
    let store = Arc::clone(&moody) as Arc<dyn Store>;
    let tellings = committed(&*store, "a", &[("bo", true)]).await;
    let (partner, mut inbox) = Partner::new([]);
    moody.forgets_what_was_told.store(true, Ordering::SeqCst);
    start(&org, &store, &partner).await.stop().await;
    assert_eq!(all(&mut inbox), ids(&tellings));
    moody.forgets_what_was_told.store(false, Ordering::SeqCst);
    start(&org, &store, &partner).await.stop().await;
    assert_eq!(all(&mut inbox), ids(&tellings), "once more, under the same id");
    start(&org, &store, &partner).await.stop().await;
    assert_eq!(all(&mut inbox), Vec::<Uuid>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_is_told_again_before_what_follows_and_holds_up_no_other() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let stuck = ids(&committed(&*store, "stuck", &[("bo", true), ("bo", false)]).await);
    let free = ids(&committed(&*store, "free", &[("cy", true)]).await);
    let (partner, mut inbox) = Partner::new([not_now(), Ok(()), not_now()]);
    let channel = start(&org, &store, &partner).await;
    let mut heard = Vec::new();
    while heard.len() < 5 {
        heard.push(inbox.recv().await.unwrap().id);
    }
    assert_eq!(heard[..2], [stuck[0], free[0]]);
    assert_eq!(heard[2..], [stuck[0], stuck[0], stuck[1]]);
    channel.stop().await;
    assert_eq!(store.untold(&Org::key()).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_rests_for_longer_each_time() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    committed(&*store, "a", &[("bo", true)]).await;
    let (partner, mut inbox) = Partner::new(std::iter::repeat_with(not_now).take(8));
    let channel = start(&org, &store, &partner).await;
    let rests = rests(&mut inbox, 8).await;
    for (rest, longest) in rests.iter().zip([30, 60, 120, 240, 480, 900, 900, 900]) {
        assert!((longest / 2..=longest).contains(rest), "{rests:?}");
    }
    channel.stop().await;
    assert_eq!(store.untold(&Org::key()).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_partner_who_asks_to_be_left_alone_is_left_alone_for_an_hour_at_most() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    committed(&*store, "a", &[("bo", true)]).await;
    let wishes = [5, 1_800, 7_200].map(|seconds| left_alone(Duration::from_secs(seconds)));
    let (partner, mut inbox) = Partner::new(wishes);
    let channel = start(&org, &store, &partner).await;
    let rests = rests(&mut inbox, 3).await;
    assert!((15..=30).contains(&rests[0]), "{rests:?}");
    assert_eq!(rests[1..], [1_800, 3_600]);
    channel.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_partner_who_is_away_and_the_next_start_tells() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let tellings = ids(&committed(&*store, "a", &[("bo", true), ("bo", false)]).await);
    let (partner, mut inbox) = Partner::new([not_now()]);
    let channel = start(&org, &store, &partner).await;
    assert_eq!(inbox.recv().await.map(|news| news.id), Some(tellings[0]));
    let began = Instant::now();
    channel.stop().await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(store.untold(&Org::key()).await.unwrap().len(), 2);
    start(&org, &store, &partner).await.stop().await;
    assert_eq!(all(&mut inbox), tellings);
}

#[tokio::test(start_paused = true)]
async fn each_join_of_a_conference_is_told_under_an_id_of_its_own() {
    let (org, store) = (Org::new(&[Script::Wait, ACCEPT]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let (partner, mut inbox) = Partner::new([]);
    let channel = start(&org, &store, &partner).await;
    let (conversation, _) = org.ask();
    let mut stream = Stream::default();
    stream.run(&org, &channel.handle(), Duration::from_secs(5)).await;
    channel.stop().await;
    let heard: Vec<_> = std::iter::from_fn(|| inbox.try_recv().ok()).collect();
    let what = Announced::Rep { rep: org.roster.reps[1].id, joined: true };
    let join = Announcement { conversation, what };
    assert!(heard.iter().any(|news| news.announcement == join), "{heard:?}");
    let mut names: Vec<Uuid> = heard.iter().map(|news| news.id).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), heard.len());
    assert_eq!(store.untold(&Org::key()).await, Ok(Vec::new()));
}
