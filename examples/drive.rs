//! Drives a channel without the connector's runtime: whatever owns an `Engine` does what its outputs say.
//!
//! A rep asks a queue for help; here Salesforce, the router and the store answer from a script, and the rep who is
//! offered the work accepts it. Run it with `cargo run --example drive`.

use std::time::Duration;

use byoc_connector::engine::{Delivery, Engine, Output};
use byoc_connector::interaction::{Operation, Tried, TryOutcome};
use byoc_connector::model::call::{Call, Reply};
use byoc_connector::model::event::{Event, EventKind, RoutingRequested, Target, WorkChanged};
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, OrgId, QueueId, RepId, WorkItemId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{RoutingType, WorkChange};
use byoc_connector::routing::{Announced, Policy, Settings};
use byoc_connector::store::{Appended, ChannelKey, Loaded, Telling};

/// What happened, a line each.
///
/// # Errors
/// Where an id is not one.
pub fn drive() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (mut now, mut story) = (Timestamp::from_millis(1_780_000_000_000), Vec::new());
    let work_item = WorkItemId::parse("0Mw000000000001")?;
    let (rep, work) = (RepId::parse("005000000000002")?, AgentWorkId::parse("0Bz000000000001")?);
    let settings =
        Settings { conference_supported: true, participant_limit: None, policy: Policy::default() };
    let key = ChannelKey { org: OrgId::NONE, channel: "Partner".into() };
    let mut engine: Engine<()> = Engine::new(key, settings, ());
    let delivery = |what| -> Result<Delivery, Box<dyn std::error::Error>> {
        let conversation = Some(ConversationId::parse("3f0d2a52-77a1-4f0e-8d3b-0a4f3f1b7c55")?);
        Ok(Delivery { events: [Event { conversation, what }].into_iter().collect(), ..Delivery::default() })
    };
    let asked = RoutingRequested {
        event: EventId::parse("0d8b7f6c-6a5f-4d1c-8f6e-1b2c3d4e5f60")?,
        created: now,
        routing_type: RoutingType::Conference,
        target: Target::Queue(QueueId::parse("00G000000000001")?),
        work_item: Some(work_item),
        end_user: None,
        requester: None,
        list_opened_by: None,
    };
    engine.deliver(now, (), delivery(EventKind::RoutingRequested(Box::new(asked)))?);
    while let Some(output) = engine.output() {
        now = now + Duration::from_millis(10);
        match output {
            Output::Load => engine.loaded(now, Loaded::nothing()),
            // A store would make the turn durable first.
            Output::Append(_) => engine.appended(now, Ok(Appended::Stored { wants_state: false })),
            Output::AskSeen(causes) => engine.seen(now, causes.clone(), Ok(vec![false; causes.len()])),
            Output::Find(search) => engine.found(now, search.id, Ok(vec![rep])),
            Output::Send { id, attempt, .. } => {
                story.push(format!("call {}", Operation::of(&attempt.call).name));
                let offers = matches!(*attempt.call, Call::CreateAgentWork(_));
                let reply = if offers { Reply::Offered(Some(work)) } else { Reply::Ok };
                engine.tried(now, &id, Tried { outcome: TryOutcome::Done(reply), token: None });
                if offers {
                    let change = WorkChange::Accepted;
                    let changed = WorkChanged { work, work_item: Some(work_item), rep: Some(rep), change };
                    engine.deliver(now, (), delivery(EventKind::WorkChanged(changed))?);
                }
            }
            Output::Tell(Telling { announcement: told, .. }) => {
                if let Announced::Rep { rep, joined } = told.what {
                    story.push(format!("tell that {rep} joined: {joined}"));
                }
            }
            Output::Ended { ending, .. } => story.push(format!("{}: {}", ending.outcome, ending.reason)),
            Output::AskWorkItem(conversation) => engine.work_item_found(now, conversation, work_item),
            Output::Processed { .. } => story.push("processed".to_owned()),
        }
    }
    Ok(story)
}

#[expect(clippy::print_stdout, reason = "this is what the example is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    drive()?.iter().for_each(|line| println!("{line}"));
    Ok(())
}
