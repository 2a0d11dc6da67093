//! A conference with a queue, one input at a time: what fills a store.

use byoc_connector::model::call::{Answer, Call, Reply, Routed};
use byoc_connector::model::event::{EventKind, RoutingRequested, Target, WorkChanged};
use byoc_connector::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, QueueId, RepId, WorkItemId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{RoutingType, WorkChange};
use byoc_connector::routing::{Command, Conversation, Input, Order, Policy, Settings};
use byoc_connector::store::{Cause, Change, ChannelKey, Epoch, Position, TurnRecord};

/// Inputs of a conference with a queue until it rings: request, route, rep, offer, result, assigned.
pub(crate) const RINGING: usize = 6;

/// A conference with a queue, one input at a time.
pub(crate) struct Chat {
    number: usize,
    now: Timestamp,
    conversation: Conversation,
    settings: Settings,
    open: Vec<Command>,
    turns: usize,
}

impl Chat {
    /// One that begins and goes on at that moment.
    pub(crate) fn new(number: usize, now: Timestamp) -> Self {
        let id = uuid::Uuid::from_u128((1 << 96) | number as u128).to_string();
        Self {
            number,
            now,
            conversation: Conversation::new(ConversationId::parse(&id).expect("an id")),
            settings: Settings {
                conference_supported: true,
                participant_limit: Some(5),
                policy: Policy { ring_seconds: 3600, ..Policy::default() },
            },
            open: Vec::new(),
            turns: 0,
        }
    }

    fn record(&self, prefix: &str) -> String {
        format!("{prefix}{:012}", self.number)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.turns > 0 && self.conversation.is_idle()
    }

    fn input(&mut self) -> Input {
        let work = AgentWorkId::parse(&self.record("0Bz")).expect("an id");
        let work_item = WorkItemId::parse(&self.record("0Mw")).expect("an id");
        let rep = RepId::parse(&self.record("005")).expect("an id");
        if self.turns == 0 {
            return Input::Happened(EventKind::RoutingRequested(Box::new(RoutingRequested {
                event: EventId::parse(&uuid::Uuid::from_u128((2 << 96) | self.number as u128).to_string())
                    .expect("an id"),
                created: self.now,
                routing_type: RoutingType::Conference,
                target: Target::Queue(QueueId::parse("00G000000000001").expect("an id")),
                work_item: Some(work_item),
                end_user: None,
                requester: None,
                list_opened_by: None,
            })));
        }
        let Some(command) = self.open.pop() else {
            let change = if self.turns < RINGING { WorkChange::Assigned } else { WorkChange::Accepted };
            let changed = WorkChanged { work, work_item: Some(work_item), rep: Some(rep), change };
            return Input::Happened(EventKind::WorkChanged(changed));
        };
        let reply = match command.order {
            Order::Find(_) => return Input::Found(command.id, Ok(vec![rep])),
            Order::Call(Call::Route(_)) => {
                Reply::Routed(Routed { psr: PsrId::parse(&self.record("0JR")).ok(), ..Routed::default() })
            }
            Order::Call(Call::CreateAgentWork(_)) => Reply::Offered(Some(work)),
            Order::Call(_) => Reply::Ok,
        };
        Input::Answered(command.id, Answer::Done(reply))
    }

    /// The next change, and whether an event led to it.
    pub(crate) fn change(&mut self) -> (Change, bool) {
        let input = self.input();
        let event = matches!(input, Input::Happened(_));
        let effects = self.conversation.handle(&self.settings, self.now, input);
        self.open.extend(effects.commands);
        self.turns += 1;
        let change = Change {
            conversation: self.conversation.id().clone(),
            began: self.turns == 1,
            ended: false,
            facts: effects.facts,
            state: self.conversation.is_idle().then(|| Box::new(self.conversation.clone())),
            endings: effects.endings,
            tellings: Vec::new(),
        };
        (change, event)
    }

    /// The next change, as it is stored.
    pub(crate) fn turn(&mut self, channel: &ChannelKey, epoch: Epoch) -> TurnRecord {
        let replay_id = ((self.number * 10 + self.turns) as u64).to_be_bytes();
        let (change, event) = self.change();
        TurnRecord {
            channel: channel.clone(),
            epoch,
            at: self.now,
            cause: event.then(|| Cause::replay_id(&replay_id).expect("short")),
            position: event.then(|| Position::new("/event/Acme__e", &replay_id).expect("short")),
            change: Some(change),
            urgent: true,
        }
    }
}
