//! A work item that nobody has told is asked for, once, and the request goes on with it.

use byoc_connector::engine::{Delivery, Engine, Output};
use byoc_connector::model::call::Call;
use byoc_connector::model::event::{Event, EventKind, RoutingRequested, Target};
use byoc_connector::model::ids::{ConversationId, EventId, OrgId, RepId, WorkItemId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::RoutingType;
use byoc_connector::routing::{Policy, Settings};
use byoc_connector::store::{Appended, ChannelKey, Loaded};

const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

struct Rig(Engine<()>);

impl Rig {
    fn new() -> Self {
        let settings =
            Settings { conference_supported: true, participant_limit: None, policy: Policy::default() };
        Self(Engine::new(ChannelKey { org: OrgId::NONE, channel: "Partner".into() }, settings, ()))
    }

    fn asks(&mut self, event: &str, work_item: Option<WorkItemId>) {
        let what = EventKind::RoutingRequested(Box::new(RoutingRequested {
            event: EventId::parse(event).unwrap(),
            created: NOW,
            routing_type: RoutingType::Conference,
            target: Target::Rep(RepId::parse("005000000000002").unwrap()),
            work_item,
            end_user: None,
            requester: None,
            list_opened_by: None,
        }));
        let event = Event { conversation: Some(conversation()), what };
        let events = [event].into_iter().collect();
        self.0.deliver(NOW, (), Delivery { events, ..Delivery::default() });
    }

    /// For which conversations the work item is asked, and how many offers are sent.
    fn runs(&mut self) -> (Vec<ConversationId>, usize) {
        let (mut asked, mut offers) = (Vec::new(), 0);
        while let Some(output) = self.0.output() {
            match output {
                Output::Load => self.0.loaded(NOW, Loaded::nothing()),
                Output::Append(_) => self.0.appended(NOW, Ok(Appended::Stored { wants_state: false })),
                Output::AskWorkItem(id) => asked.push(id),
                Output::Send { attempt, .. } => {
                    offers += usize::from(matches!(*attempt.call, Call::CreateAgentWork(_)));
                }
                _ => {}
            }
        }
        (asked, offers)
    }
}

fn conversation() -> ConversationId {
    ConversationId::parse("3f0d2a52-77a1-4f0e-8d3b-0a4f3f1b7c55").unwrap()
}

fn work_item() -> WorkItemId {
    WorkItemId::parse("0Mw000000000001").unwrap()
}

#[test]
fn an_unknown_work_item_is_asked_for_once_and_the_offer_is_made_with_it() {
    let mut rig = Rig::new();
    rig.asks("one", None);
    assert_eq!(rig.runs(), (vec![conversation()], 0));
    rig.asks("two", None);
    assert_eq!(rig.runs().0, [], "asked again");
    rig.0.work_item_found(NOW, conversation(), work_item());
    assert_eq!(rig.runs(), (vec![], 1));
}

#[test]
fn what_is_known_is_not_asked_for_and_stays() {
    let mut rig = Rig::new();
    rig.asks("one", Some(work_item()));
    assert_eq!(rig.runs(), (vec![], 1));
    rig.0.work_item_found(NOW, conversation(), WorkItemId::parse("0Mw000000000002").unwrap());
    rig.runs();
    assert_eq!(rig.0.conversations().get(&conversation()).unwrap().work_item(), Some(work_item()));
    let nobodys = ConversationId::parse("another").unwrap();
    rig.0.work_item_found(NOW, nobodys.clone(), work_item());
    assert!(rig.0.conversations().get(&nobodys).is_none());
}
