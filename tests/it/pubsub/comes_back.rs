//! A stream that comes back: nothing that waits comes twice, and what has worked since is no longer held against it.

use tracing::Level;

use super::*;
use crate::support::log::Lines;

#[tokio::test]
async fn what_waits_behind_what_was_processed_comes_once_through_a_cut() {
    let org = Org::start(patient()).await;
    org.publish(3);
    let mut source = org.subscribe(Start::Earliest);
    let first = event(&mut source).await.replay_id;
    source.position().processed(first);
    streams(&org, |counts| counts.delivered == 6).await;
    // The end comes behind what was sent before it: the other five wait when the stream begins anew.
    org.emulator.stream_fault(StreamFault::End);
    streams(&org, |counts| counts.begun == 2).await;
    org.publish(1);
    assert_eq!(events(&mut source, 7).await, org.ids()[1..]);
    org.stops().await;
}

#[tokio::test]
async fn a_stream_that_has_worked_since_is_waited_for_no_longer_than_at_first() {
    let lines = Lines::default();
    let _keeping = lines.keep(Level::WARN);
    let org = Org::start(patient()).await;
    let settings = Settings {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_secs(1),
        ..org.settings()
    };
    let mut source = org.connect(settings).subscribe(&topic(), Start::Earliest);
    for cuts in 1..=4 {
        org.publish(1);
        let id = events(&mut source, 2).await.remove(1);
        source.position().processed(id);
        org.emulator.stream_fault(StreamFault::Unavailable);
        until(&source.health(), |state| state.cuts == cuts).await;
    }
    let whole = lines.whole();
    let cuts: Vec<&str> = whole.lines().filter(|line| line.contains("event stream disconnected")).collect();
    assert_eq!(cuts.len(), 4, "{whole}");
    for cut in cuts {
        let wait = cut.split("wait=").nth(1).unwrap();
        assert!(wait.ends_with("\u{b5}s"), "less than a millisecond, the first wait: {cut}");
    }
    org.stops().await;
}

#[tokio::test]
async fn a_token_that_has_worked_since_it_was_replaced_is_replaced_at_once() {
    let lines = Lines::default();
    let _keeping = lines.keep(Level::WARN);
    let org = Org::start(patient()).await;
    let mut source = org.subscribe(Start::Earliest);
    for round in 1..=3 {
        org.publish(1);
        let id = events(&mut source, 2).await.remove(1);
        source.position().processed(id);
        org.emulator.with(|salesforce, _| salesforce.revoke_tokens(None));
        org.emulator.stream_fault(StreamFault::Unavailable);
        until(&source.health(), |state| state.connected && state.cuts == 2 * round).await;
    }
    let whole = lines.whole();
    let waited = whole.lines().filter(|line| line.contains("event stream disconnected"));
    assert_eq!(waited.count(), 3, "for each end of the stream, and for no token: {whole}");
    org.stops().await;
}
