//! A partner who is away for three days: everything arrives or is a dead letter, in order per conversation.

use std::collections::{BTreeMap, BTreeSet};

use byoc_connector::connector::{EndUserNotifier, News, TellError};

use super::tellings::committed_at;
use super::*;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Takes nothing until it is back, and then everything.
struct Away {
    back: Instant,
    taken: Mutex<Vec<News>>,
}

#[async_trait]
impl EndUserNotifier for Away {
    async fn tell(&self, news: &News) -> Result<(), TellError> {
        if Instant::now() < self.back {
            return Err(TellError::NotNow { why: "HTTP 503".to_owned(), wait: Duration::ZERO });
        }
        self.taken.lock().unwrap().push(news.clone());
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_partner_who_is_away_for_three_days_hears_of_everything_or_it_is_a_dead_letter() {
    let (org, store) = (Org::new(&[Script::Wait]), Arc::new(Memory::new()) as Arc<dyn Store>);
    let partner = Arc::new(Away { back: Instant::now() + 72 * HOUR, taken: Mutex::default() });
    let mut told = BTreeSet::new();
    // Every six hours something happens, in conversations old and new, and the connector starts anew.
    for round in 0..14 {
        let names = [format!("old-{}", round % 3), format!("new-{round}")];
        for name in &names {
            let news = [("bo", true), ("cy", true), ("bo", false)];
            let happened = committed_at(&*store, name, &news, org.clock.now()).await;
            told.extend(happened.iter().map(|telling| telling.id.uuid()));
        }
        let notifier: Arc<dyn EndUserNotifier> = Arc::clone(&partner) as _;
        let channel = Channel::start(Parts { notifier, ..org.parts(Arc::clone(&store)) }).await.unwrap();
        tokio::time::sleep(6 * HOUR).await;
        channel.stop().await;
    }
    assert_eq!(store.untold(&Org::key()).await, Ok(Vec::new()));
    let taken = partner.taken.lock().unwrap().clone();
    let dead = store.dead_letters(&Org::key(), usize::MAX).await.unwrap();
    let gone: BTreeMap<Uuid, u64> = dead.iter().map(|one| (one.telling.id.uuid(), one.sequence)).collect();
    let heard: BTreeSet<Uuid> = taken.iter().map(|news| news.id).collect();
    assert!(gone.len() > 20 && heard.len() > 20, "{} dead, {} heard", gone.len(), heard.len());
    assert_eq!(heard.len(), taken.len(), "each once");
    assert!(heard.iter().all(|id| !gone.contains_key(id)), "taken, and a dead letter");
    assert_eq!(heard.into_iter().chain(gone.into_keys()).collect::<BTreeSet<_>>(), told);

    let lost: BTreeSet<_> =
        dead.iter().map(|one| (&one.telling.announcement.conversation, one.sequence)).collect();
    let mut newest = BTreeMap::new();
    for News { announcement, sequence, after_gap, .. } in &taken {
        let conversation = &announcement.conversation;
        assert!(
            newest.insert(conversation, *sequence) < Some(*sequence),
            "{conversation}: {sequence} in order"
        );
        assert_eq!(*after_gap, lost.contains(&(conversation, sequence - 1)), "{conversation}: {sequence}");
    }
    assert!(taken.iter().any(|news| news.after_gap), "a conversation goes on after a gap");
}
