//! The engine by itself: what it asks to be done after it has begun again from the store.

use std::collections::HashSet;
use std::time::Duration;

use byoc_connector::engine::{Delivery, Engine, Output};
use byoc_connector::interaction::{Tried, TryOutcome};
use byoc_connector::model::call::Reply;
use byoc_connector::model::event::{
    Event, EventKind, Participant, ParticipantChange, RoutingRequested, Target,
};
use byoc_connector::model::ids::{ConversationId, EventId, OrgId, QueueId, RepId, WorkItemId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::RoutingType;
use byoc_connector::routing::{Policy, Settings};
use byoc_connector::store::{self, ChannelKey, Memory, Store};

const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

fn of(conversation: &str, what: EventKind) -> Delivery {
    let conversation = Some(ConversationId::parse(conversation).unwrap());
    Delivery { events: [Event { conversation, what }].into_iter().collect(), ..Delivery::default() }
}

fn asks_queue() -> EventKind {
    EventKind::RoutingRequested(Box::new(RoutingRequested {
        event: EventId::parse("0d8b7f6c-6a5f-4d1c-8f6e-1b2c3d4e5f60").unwrap(),
        created: NOW,
        routing_type: RoutingType::Conference,
        target: Target::Queue(QueueId::parse("00G000000000001").unwrap()),
        work_item: Some(WorkItemId::parse("0Mw000000000001").unwrap()),
        end_user: None,
        requester: None,
        list_opened_by: None,
    }))
}

/// Salesforce's entries have times of their own; what is behind comes all at once.
#[tokio::test]
async fn what_happens_twice_in_a_millisecond_is_told_twice() {
    let key = ChannelKey { org: OrgId::NONE, channel: "Partner".into() };
    let settings =
        Settings { conference_supported: true, participant_limit: None, policy: Policy::default() };
    let store = Memory::new();
    let mut engine: Engine<()> = Engine::new(key.clone(), settings, ());
    let participant = Participant::rep(RepId::parse("005000000000001").unwrap()).unwrap();
    for (seconds, joined) in (1..).zip([true, false, true, false]) {
        let at = NOW + Duration::from_secs(seconds);
        let change = ParticipantChange { participant: participant.clone(), joined, at };
        engine.deliver(NOW, (), of("one", EventKind::ParticipantsChanged(vec![change])));
    }
    let mut told = Vec::new();
    while let Some(output) = engine.output() {
        match output {
            Output::Load => engine.loaded(NOW, store.load(&key).await.unwrap()),
            Output::Append(turn) => engine.appended(NOW, store.append(*turn).await),
            Output::Tell(telling) => told.push(telling.id),
            _ => {}
        }
    }
    assert_eq!((told.len(), told.iter().collect::<HashSet<_>>().len()), (4, 4), "each has an id of its own");
}

#[tokio::test]
async fn a_call_that_is_answered_while_the_store_is_read_is_not_made_again() {
    let key = ChannelKey { org: OrgId::NONE, channel: "Partner".into() };
    let settings =
        Settings { conference_supported: true, participant_limit: None, policy: Policy::default() };
    let store = Memory::new();
    let mut engine: Engine<()> = Engine::new(key.clone(), settings, ());
    engine.deliver(NOW, (), of("one", asks_queue()));
    let mut sent = Vec::new();
    while let Some(output) = engine.output() {
        match output {
            Output::Load => engine.loaded(NOW, store.load(&key).await.unwrap()),
            Output::Append(turn) => engine.appended(NOW, store.append(*turn).await),
            Output::Send { id, .. } => sent.push(id),
            _ => {}
        }
    }
    let [call] = &sent[..] else { panic!("{sent:?}") };

    // The store refuses something else, and the answer comes while it is read.
    engine.deliver(
        NOW,
        (),
        of("two", EventKind::WorkItemSeen(WorkItemId::parse("0Mw000000000002").unwrap())),
    );
    let Some(Output::Append(_)) = engine.output() else { panic!("nothing to append") };
    engine.appended(NOW, Err(store::Error::Superseded));
    engine.tried(NOW, call, Tried { outcome: TryOutcome::Done(Reply::Ok), token: None });
    engine.loaded(NOW, store.load(&key).await.unwrap());
    let mut turns = 0;
    while let Some(output) = engine.output() {
        match output {
            Output::Append(turn) => {
                turns += 1;
                engine.appended(NOW, store.append(*turn).await);
            }
            Output::Send { id, .. } => assert_ne!(id, *call, "it has its answer"),
            _ => {}
        }
    }
    assert_eq!(turns, 1, "the answer is stored");
}
