//! What the partner does not take, refused or left alone for a day, is a dead letter; the conversation goes on.

use byoc_connector::connector::TellError;

use super::tellings::{Partner, all, committed, committed_at, ids, not_now, start};
use super::*;

fn refused() -> Result<(), TellError> {
    Err(TellError::Refused("HTTP 410".to_owned()))
}

async fn dead(store: &Arc<dyn Store>) -> Vec<(Uuid, u64, String)> {
    let letters = store.dead_letters(&Org::key(), usize::MAX).await.unwrap();
    letters.into_iter().map(|one| (one.telling.id.uuid(), one.sequence, one.why)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_kept_and_the_next_says_that_there_is_a_gap() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let news = [("bo", true), ("bo", false), ("cy", true), ("cy", false)];
    let tellings = ids(&committed(&*store, "a", &news).await);
    let (partner, mut inbox) = Partner::new([Ok(()), refused(), refused()]);
    start(&org, &store, &partner).await.stop().await;
    let heard: Vec<_> = std::iter::from_fn(|| inbox.try_recv().ok()).collect();
    let heard: Vec<_> = heard.iter().map(|news| (news.id, news.sequence, news.after_gap)).collect();
    let [one, two, three, four] = tellings[..] else { panic!("{tellings:?}") };
    assert_eq!(heard, [(one, 1, false), (two, 2, false), (three, 3, true), (four, 4, true)]);
    let why = "HTTP 410".to_owned();
    assert_eq!(dead(&store).await, [(two, 2, why.clone()), (three, 3, why)]);
    assert_eq!(store.untold(&Org::key()).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_told_with_what_happens_later_and_in_no_other_conversation() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    committed(&*store, "a", &[("bo", true)]).await;
    let (partner, mut inbox) = Partner::new([refused()]);
    start(&org, &store, &partner).await.stop().await;
    committed(&*store, "b", &[("bo", true)]).await;
    let later = Timestamp::from_millis(1_780_300_700_001);
    let later = committed_at(&*store, "a", &[("bo", false), ("cy", true)], later).await;
    all(&mut inbox);
    start(&org, &store, &partner).await.stop().await;
    let heard: Vec<_> = std::iter::from_fn(|| inbox.try_recv().ok()).collect();
    let of_a = heard.iter().filter(|news| ids(&later).contains(&news.id));
    assert_eq!(of_a.map(|news| (news.sequence, news.after_gap)).collect::<Vec<_>>(), [(2, true), (3, false)]);
    assert_eq!(heard.iter().filter(|news| news.after_gap).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_for_a_day_is_kept_with_the_last_answer_and_the_next_is_told() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let tellings = ids(&committed(&*store, "a", &[("bo", true), ("bo", false)]).await);
    let away = std::iter::repeat_with(not_now).take(1_000);
    let (partner, mut inbox) = Partner::new(away);
    let channel = start(&org, &store, &partner).await;
    let began = Instant::now();
    let mut heard = Vec::new();
    while heard.last() != Some(&tellings[1]) {
        heard.push(inbox.recv().await.unwrap().id);
    }
    // It happened 100 seconds before the start.
    let day = Duration::from_secs(24 * 60 * 60 - 100);
    assert!(began.elapsed() <= day, "{:?}", began.elapsed());
    assert!(began.elapsed() + Duration::from_secs(1_800) > day, "{:?}", began.elapsed());
    assert!(heard.len() > 90, "{} tries", heard.len());
    channel.stop().await;
    let dead = dead(&store).await;
    assert_eq!(dead[0], (tellings[0], 1, "not taken for 24 hours; last: HTTP 503".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_noted_as_given_up_holds_up_the_next_until_it_can() {
    let org = Org::new(&[Script::Wait]);
    let moody = Arc::new(Moody::default());
    let store = Arc::clone(&moody) as Arc<dyn Store>;
    let tellings = ids(&committed(&*store, "a", &[("bo", true), ("bo", false)]).await);
    let (partner, mut inbox) = Partner::new([refused()]);
    moody.forgets_what_was_told.store(true, Ordering::SeqCst);
    let channel = start(&org, &store, &partner).await;
    assert_eq!(inbox.recv().await.map(|news| news.id), Some(tellings[0]));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(all(&mut inbox), Vec::<Uuid>::new());
    moody.forgets_what_was_told.store(false, Ordering::SeqCst);
    let next = inbox.recv().await.unwrap();
    assert_eq!((next.id, next.after_gap), (tellings[1], true));
    channel.stop().await;
    assert_eq!(dead(&store).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_sent_again_has_its_id_and_number_and_says_so() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let tellings = committed(&*store, "a", &[("bo", true), ("bo", false)]).await;
    let (partner, mut inbox) = Partner::new([refused(), Ok(()), not_now()]);
    let channel = start(&org, &store, &partner).await;
    inbox.recv().await.unwrap();
    inbox.recv().await.unwrap();
    let handle = channel.handle();
    let letters = handle.dead_letters();
    assert_eq!(letters.count().count, 1);
    assert_eq!(letters.resend(tellings[1].id).await, Ok(false), "it was taken");
    assert_eq!(letters.resend(tellings[0].id).await, Ok(true));
    assert_eq!(letters.resend(tellings[0].id).await, Ok(true), "once more, while it is on its way");
    for _ in 0..2 {
        let news = inbox.recv().await.unwrap();
        let told = (news.id, news.sequence, news.after_gap, news.resent);
        assert_eq!(told, (tellings[0].id.uuid(), 1, false, true));
    }
    channel.stop().await;
    assert_eq!(all(&mut inbox), Vec::<Uuid>::new());
    assert_eq!(letters.count().count, 0);
    assert_eq!(dead(&store).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_sent_again_holds_up_nothing_and_is_sent_after_a_restart() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let old = committed(&*store, "a", &[("bo", true)]).await;
    let (partner, mut inbox) = Partner::new([refused(), not_now(), not_now(), Ok(())]);
    start(&org, &store, &partner).await.stop().await;
    let channel = start(&org, &store, &partner).await;
    assert_eq!(channel.handle().dead_letters().count().count, 1);
    channel.handle().dead_letters().resend(old[0].id).await.unwrap();
    channel.stop().await;
    let later = Timestamp::from_millis(1_780_300_700_001);
    let new = committed_at(&*store, "a", &[("bo", false)], later).await;
    all(&mut inbox);
    let channel = start(&org, &store, &partner).await;
    let mut heard = [inbox.recv().await.unwrap(), inbox.recv().await.unwrap()];
    heard.sort_by_key(|news| news.sequence);
    let heard = heard.map(|news| (news.id, news.sequence, news.after_gap, news.resent));
    let [old, new] = [old[0].id.uuid(), new[0].id.uuid()];
    assert_eq!(heard, [(old, 1, false, true), (new, 2, true, false)], "neither waits for the other");
    inbox.recv().await.unwrap();
    channel.stop().await;
    assert_eq!(dead(&store).await, []);
}
