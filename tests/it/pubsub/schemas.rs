//! A schema that cannot be had: it is asked for again, the stream stands still meanwhile, and only what cannot be
//! had within a bound is set aside.

use super::*;

/// gRPC's numbers of what Salesforce may answer.
const NOT_FOUND: i32 = 5;
const STATUSES: [i32; 7] = [NOT_FOUND, 3, 7, 13, 14, 4, 16];

fn refuse(org: &Org, times: u32, status: i32) {
    org.emulator.stream_fault(StreamFault::RefuseSchema { times, status });
}

#[tokio::test]
async fn a_schema_that_could_not_be_had_is_asked_for_again_and_nothing_is_lost() {
    for status in STATUSES {
        let org = Org::start(patient()).await;
        org.publish(2);
        refuse(&org, 3, status);
        let mut source = org.subscribe(Start::Earliest);
        assert_eq!(events(&mut source, 4).await, org.ids(), "after {status}");
        assert_eq!(streams(&org, |_| true).await.schemas_asked, 4, "after {status}");
        let state = source.health().state();
        assert_eq!((state.set_aside, state.held, state.held_since), (0, None, None), "after {status}");
        assert_eq!(state.cuts, 0, "the stream itself has stood");
        org.stops().await;
    }
}

#[tokio::test]
async fn the_stream_says_that_it_waits_and_does_not_pass_what_might_be_read() {
    let org = Org::start(patient()).await;
    org.publish(1);
    let mut source = org.subscribe(Start::Earliest);
    let before = events(&mut source, 2).await;
    org.emulator.stream_fault(StreamFault::ChangeSchema);
    refuse(&org, u32::MAX, NOT_FOUND);
    org.publish(1);
    let state = until(&source.health(), |state| state.held.is_some()).await;
    let why = state.held.unwrap();
    assert!(why.contains("NotFound") && why.contains(&org.emulator.schema_id()), "{why}");
    assert!(state.connected && state.held_since.is_some());
    // However often it is asked for, nothing behind it is handed over, and nothing is given up.
    let asked = org.emulator.streams().borrow().schemas_asked;
    streams(&org, |counts| counts.schemas_asked > asked + 5).await;
    assert!(futures_util::FutureExt::now_or_never(source.next()).is_none());
    assert_eq!(source.health().state().set_aside, 0);
    refuse(&org, 0, NOT_FOUND);
    assert_eq!([before, events(&mut source, 2).await].concat(), org.ids());
    assert_eq!(source.health().state().held, None);
    org.stops().await;
}

#[tokio::test]
async fn what_salesforce_does_not_have_within_the_bound_is_set_aside_and_still_asked_for() {
    let org = Org::start(patient()).await;
    org.publish(1);
    refuse(&org, u32::MAX, NOT_FOUND);
    let settings = Settings { schema_patience: Duration::from_millis(30), ..org.settings() };
    let mut source = org.connect(settings).subscribe(&topic(), Start::Earliest);
    for id in org.ids() {
        let StreamItem::Unreadable { replay_id, reason, .. } = next(&mut source).await else {
            panic!("read")
        };
        assert_eq!(replay_id, id);
        assert!(reason.contains("cannot fetch an event's schema"), "{reason}");
    }
    assert!(org.emulator.streams().borrow().schemas_asked > 1, "once is not enough to give up");
    let state = source.health().state();
    assert_eq!((state.set_aside, state.held), (2, None));
    assert!(state.last_set_aside.is_some_and(|why| why.contains("NotFound")));
    refuse(&org, 0, NOT_FOUND);
    loop {
        org.publish(1);
        match next(&mut source).await {
            StreamItem::Event(_) => break,
            StreamItem::Unreadable { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    org.stops().await;
}

#[tokio::test]
async fn where_nobody_answers_there_is_no_bound() {
    const UNAVAILABLE: i32 = 14;
    let org = Org::start(patient()).await;
    org.publish(1);
    refuse(&org, 12, UNAVAILABLE);
    let settings = Settings { schema_patience: Duration::ZERO, ..org.settings() };
    let mut source = org.connect(settings).subscribe(&topic(), Start::Earliest);
    assert_eq!(events(&mut source, 2).await, org.ids());
    assert_eq!(source.health().state().set_aside, 0);
    org.stops().await;
}

/// Each of these used to end the process, and again after each restart.
#[tokio::test]
async fn a_schema_that_nobody_could_read_by_is_refused_and_the_stream_goes_on() {
    for (text, why) in [
        (include_str!("../../../fixtures/cases/avro/recursive.avsc"), "contains itself"),
        (include_str!("../../../fixtures/cases/avro/fixed-huge.avsc"), "a fixed has no size, or one above"),
        ("{}", "a type has no type"),
        ("not JSON", "its schema"),
    ] {
        let org = Org::start(patient()).await;
        let mut source = org.subscribe(Start::Earliest);
        org.emulator.say_schema(text);
        org.publish(1);
        org.emulator.stream_fault(StreamFault::ChangeSchema);
        org.publish(1);
        for _ in 0..2 {
            let StreamItem::Unreadable { reason, .. } = next(&mut source).await else {
                panic!("read by {text}")
            };
            assert!(reason.contains(why), "{reason}");
        }
        assert_eq!(events(&mut source, 2).await, org.ids()[2..]);
        org.stops().await;
    }
}
