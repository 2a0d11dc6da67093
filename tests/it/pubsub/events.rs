//! Events come in order, once, read by their own schema, and from where one left off.

use byoc_connector::events::{Decoder, FieldNames};

use super::*;

#[tokio::test]
async fn events_come_in_order_and_say_what_was_published() {
    let org = Org::start(patient()).await;
    org.publish(65);
    let mut source = org.subscribe(Start::Earliest);
    let form = OrgSettings::default().events;
    let mut decoder = Decoder::new(Some(FieldNames::new(&form.type_field, &form.payload_field)));
    let before = SystemClock.now() - Duration::from_secs(60);
    for (id, published) in org.published() {
        let arrived = event(&mut source).await;
        assert_eq!((&arrived.replay_id, &*arrived.topic), (&id, &*topic()));
        assert!(arrived.received > before);
        let mut fields: Value = serde_json::from_str(&arrived.json).unwrap();
        let uuid = fields.as_object_mut().unwrap().remove("EventUuid").expect("the event's own id");
        assert!(uuid::Uuid::parse_str(uuid.as_str().unwrap()).is_ok());
        assert_eq!(fields, published);
        let understood = decoder.decode(&arrived.json, arrived.received, Some(&id.to_string())).unwrap();
        assert!(!understood.events.is_empty(), "{understood:?}");
    }
    // What happens while the stream is open comes as well.
    org.publish(1);
    assert_eq!(events(&mut source, 2).await.last(), org.ids().last());
    let state = source.health().state();
    assert!(state.connected && state.cuts == 0 && state.last_heard.is_some(), "{state:?}");
    org.stops().await;
}

/// Reads everything while the stream is cut after `cut` events; `lag` deliveries are taken and not yet
/// processed. Gives all ids as they came.
async fn read_through_a_cut(org: &Org, cut: u64, lag: Option<usize>) -> Vec<ReplayId> {
    let ids = org.ids();
    org.emulator.stream_fault(StreamFault::CutAfter { events: cut });
    let mut source = org.subscribe(Start::Earliest);
    let (mut came, mut missing) = (Vec::new(), ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
    while !missing.is_empty() {
        let id = event(&mut source).await.replay_id;
        missing.remove(&id.to_string());
        came.push(id);
        if let Some(processed) = lag.and_then(|lag| came.len().checked_sub(lag + 1)) {
            source.position().processed(came[processed].clone());
        }
    }
    // The one that cuts behind the last event is seen only after it.
    until(&source.health(), |state| state.cuts == 1).await;
    came
}

#[tokio::test]
async fn a_stream_that_is_cut_anywhere_loses_nothing() {
    const EVENTS: usize = 10;
    let org = Org::start(patient()).await;
    org.publish(EVENTS / 2);
    for cut in 0..=EVENTS {
        for lag in [None, Some(0), Some(1), Some(4)] {
            let came = read_through_a_cut(&org, cut as u64, lag).await;
            let mut seen = BTreeSet::new();
            let firsts: Vec<_> = came.iter().filter(|id| seen.insert(id.to_string())).cloned().collect();
            assert_eq!(firsts, org.ids(), "cut after {cut}, lag {lag:?}: {came:?}");
            // What comes twice was taken and not processed when the cut came.
            let most = lag.map_or(0, |lag| lag + 1);
            assert!(came.len() - EVENTS <= most, "cut after {cut}, lag {lag:?}: {came:?}");
        }
    }
    org.stops().await;
}

#[tokio::test]
async fn each_event_is_read_by_its_own_schema() {
    let org = Org::start(patient()).await;
    let mut source = org.subscribe(Start::Earliest);
    for change in 0..3 {
        org.publish(1);
        org.emulator.stream_fault(StreamFault::ChangeSchema);
        for _ in 0..2 {
            let fields: Value = serde_json::from_str(&event(&mut source).await.json).unwrap();
            assert!(fields[&OrgSettings::default().events.payload_field].is_string(), "{fields}");
            assert_eq!(fields.as_object().unwrap().len(), 5 + change, "{fields}");
        }
    }
    // From the start again, all schemas at once.
    let mut again = org.subscribe(Start::Earliest);
    assert_eq!(events(&mut again, 6).await, org.ids());
    org.stops().await;
}

#[tokio::test]
async fn a_refused_replay_id_is_said_loudly_and_everything_that_is_kept_comes() {
    let org = Org::start(patient()).await;
    org.publish(2);
    let old = org.ids()[1].clone();
    org.emulator.stream_fault(StreamFault::ForgetReplayIds);
    for start in [old, ReplayId::new(*b"nonsense"), ReplayId::new([7])] {
        let mut source = org.subscribe(Start::After(start));
        let StreamItem::Gap { reason } = next(&mut source).await else { panic!("no word of the gap") };
        assert!(reason.contains("replayid.corrupted"), "{reason}");
        let renamed = events(&mut source, 4).await;
        assert!(renamed.iter().all(|id| !org.ids().contains(id)));
        assert_eq!(source.health().state().gaps, 1);
        // With a position that is good again, the next cut is like any other.
        source.position().processed(renamed[2].clone());
        org.emulator.stream_fault(StreamFault::End);
        assert_eq!(event(&mut source).await.replay_id, renamed[3]);
        assert_eq!(source.health().state().gaps, 1);
    }
    org.stops().await;
}

#[tokio::test]
async fn ids_that_are_refused_while_the_stream_runs_lose_nothing_that_is_kept() {
    let org = Org::start(patient()).await;
    org.publish(1);
    let mut source = org.subscribe(Start::Earliest);
    for id in events(&mut source, 2).await {
        source.position().processed(id);
    }
    org.emulator.stream_fault(StreamFault::ForgetReplayIds);
    org.emulator.stream_fault(StreamFault::Unavailable);
    assert!(matches!(next(&mut source).await, StreamItem::Gap { .. }));
    org.publish(1);
    let came = events(&mut source, 4).await;
    assert_eq!(came.last(), org.ids().last());
    org.stops().await;
}

#[tokio::test]
async fn a_keep_alive_moves_the_position() {
    let org = Org::start(StreamForm { keep_alive_milliseconds: 10, ..patient() }).await;
    let mut source = org.subscribe(Start::Latest);
    let StreamItem::KeepAlive { replay_id } = next(&mut source).await else { panic!("not a keep-alive") };
    source.position().processed(replay_id.clone());
    // The stream begins there again: what comes meanwhile is not missed though it began with LATEST.
    drop(source);
    streams(&org, |counts| counts.open == 0).await;
    org.publish(1);
    let mut source = org.subscribe(Start::After(replay_id));
    assert_eq!(events(&mut source, 2).await, org.ids());
    let state = source.health().state();
    assert_eq!((state.gaps, state.cuts), (0, 0));
    org.stops().await;
}

#[tokio::test]
async fn a_cut_before_the_first_replay_id_is_said_to_be_a_gap() {
    let org = Org::start(patient()).await;
    let mut source = org.subscribe(Start::Latest);
    until(&source.health(), |state| state.connected).await;
    streams(&org, |counts| counts.open == 1).await;
    org.emulator.stream_fault(StreamFault::End);
    assert!(matches!(next(&mut source).await, StreamItem::Gap { .. }));
    org.stops().await;
}
