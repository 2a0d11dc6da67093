//! Carries out the commands of a turn.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tracing::{Instrument as _, Span};

use super::channel::Message;
use super::ports::{Calls, RepFinder};
use crate::model::call::Call;
use crate::model::ids::ConversationId;
use crate::model::time::Clock;
use crate::routing::{Command, Order, SearchFailure};

/// Whoever carries commands out.
#[derive(Clone)]
pub(super) struct Runner {
    pub(super) calls: Arc<dyn Calls>,
    pub(super) finder: Arc<dyn RepFinder>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) answers: mpsc::Sender<Message>,
}

impl Runner {
    /// Carries out the commands of one turn. Those of one kind are independent of each other and go
    /// together; those of another kind begin when the ones before are over.
    pub(super) async fn run(
        self,
        conversation: ConversationId,
        commands: Vec<(Command, Span)>,
        resumed: bool,
    ) {
        let mut rest = commands.into_iter().peekable();
        while let Some(first) = rest.next() {
            let kind = kind(&first.0.order);
            let mut together = vec![first];
            while let Some(next) = rest.next_if(|next| self::kind(&next.0.order) == kind) {
                together.push(next);
            }
            let carried_out = together
                .into_iter()
                .map(|(command, span)| self.carry_out(&conversation, command, resumed).instrument(span));
            join_all(carried_out).await;
        }
    }

    async fn carry_out(&self, conversation: &ConversationId, command: Command, resumed: bool) {
        let Command { id, give_up_at, order } = command;
        let conversation = conversation.clone();
        let message = match order {
            Order::Call(call) => {
                let answer = self.calls.call(id.request_id(), &call, give_up_at, resumed).await;
                Message::Answered { conversation, command: id, answer }
            }
            Order::Find(query) => {
                let left = give_up_at.since(self.clock.now()).max(Duration::from_millis(1));
                let found = match tokio::time::timeout(left, self.finder.find(&query)).await {
                    Ok(found) => found.map_err(SearchFailure::from),
                    Err(_) => Err(SearchFailure::Silent),
                };
                Message::Found { conversation, command: id, found }
            }
        };
        // With the channel gone there is nobody left to tell; the journal knows what is under way.
        self.answers.send(message).await.ok();
    }
}

/// What must not overtake what.
fn kind(order: &Order) -> u8 {
    match order {
        Order::Find(_) => 0,
        Order::Call(Call::Route { .. }) => 1,
        Order::Call(Call::CreateAgentWork { .. }) => 2,
        Order::Call(Call::CancelAgentWork { .. }) => 3,
        Order::Call(Call::ReportResult { .. }) => 4,
        Order::Call(Call::ClearRoute { .. }) => 5,
        Order::Call(Call::RemoveParticipant { .. }) => 6,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::pin::pin;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;
    use uuid::Uuid;

    use super::*;
    use crate::connector::ports::FindError;
    use crate::model::call::{Answer, RouteBy, RoutingOutcome};
    use crate::model::ids::{AgentWorkId, EventId, QueueId, RepId, WorkItemId};
    use crate::model::rep_query::RepQuery;
    use crate::model::time::Timestamp;
    use crate::model::words::{CancelReason, RoutingType};
    use crate::routing::CommandId;

    /// Calls that a test answers one by one, in the order in which they began.
    #[derive(Default)]
    struct Held(Mutex<VecDeque<(Uuid, oneshot::Sender<Answer>)>>);

    #[async_trait]
    impl Calls for Held {
        async fn call(&self, id: Uuid, _: &Call, _: Timestamp, _: bool) -> Answer {
            let (answer, answered) = oneshot::channel();
            self.0.lock().unwrap().push_back((id, answer));
            answered.await.unwrap()
        }
    }

    impl Held {
        /// Those that have begun and are not over.
        fn begun(&self) -> Vec<Uuid> {
            self.0.lock().unwrap().iter().map(|(id, _)| *id).collect()
        }

        fn answer_first(&self) {
            self.0.lock().unwrap().pop_front().unwrap().1.send(Answer::Lost("a test".into())).unwrap();
        }
    }

    #[async_trait]
    impl RepFinder for Held {
        async fn find(&self, _: &RepQuery) -> Result<Vec<RepId>, FindError> {
            Ok(Vec::new())
        }
    }

    impl Clock for Held {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
    }

    fn id(number: u16) -> CommandId {
        CommandId { request: EventId::parse("0d8b7f6c-6a5f-4d1c-8f6e-1b2c3d4e5f60").unwrap(), number }
    }

    /// Commands with these calls, numbered in their order.
    fn commands(calls: Vec<Call>) -> Vec<(Command, Span)> {
        let command = |(number, call)| {
            let (id, order) = (id(number), Order::Call(call));
            (Command { id, give_up_at: Timestamp::from_millis(60_000), order }, Span::none())
        };
        (0..).zip(calls).map(command).collect()
    }

    /// A call of each kind.
    fn each_kind() -> [Call; 6] {
        let conversation = ConversationId::parse("chat-1").unwrap();
        let (rep, work_item) =
            (RepId::parse("005000000000001").unwrap(), WorkItemId::parse("0Mw000000000001").unwrap());
        let routing_type = RoutingType::Conference;
        [
            Call::Route {
                conversation: conversation.clone(),
                routing_type,
                by: RouteBy::Queue(QueueId::parse("00G000000000001").unwrap()),
            },
            Call::CreateAgentWork {
                rep,
                work_item,
                conversation: conversation.clone(),
                routing_type,
                correlation: id(0).request,
                capacity: None,
            },
            Call::CancelAgentWork { work: AgentWorkId::parse("0Bz000000000001").unwrap() },
            Call::ReportResult {
                conversation: conversation.clone(),
                work_item,
                routing_type,
                result: RoutingOutcome::Routed,
            },
            Call::ClearRoute { conversation: conversation.clone(), reason: CancelReason::Cancel },
            Call::RemoveParticipant { conversation, rep },
        ]
    }

    /// Carries them out, answering what began first, and gives what was under way together before each answer.
    fn carried_out(calls: Vec<Call>) -> Vec<Vec<u16>> {
        let held = Arc::new(Held::default());
        let (answers, _told) = mpsc::channel(99);
        let runner = Runner { calls: held.clone(), finder: held.clone(), clock: held.clone(), answers };
        let count = u16::try_from(calls.len()).unwrap();
        let number = |uuid: &Uuid| (0..count).find(|number| id(*number).request_id() == *uuid).unwrap();
        let conversation = ConversationId::parse("chat-1").unwrap();
        let mut running = pin!(runner.run(conversation, commands(calls), false));
        let mut together = Vec::new();
        while running.as_mut().now_or_never().is_none() {
            together.push(held.begun().iter().map(number).collect());
            held.answer_first();
        }
        together
    }

    #[test]
    fn what_is_of_another_kind_waits_until_what_comes_before_is_over() {
        let kinds = each_kind();
        for first in &kinds {
            for second in kinds.iter().filter(|second| *second != first) {
                let calls = vec![first.clone(), second.clone()];
                assert_eq!(carried_out(calls), [[0], [1]], "{second:?} waits for {first:?}");
            }
        }
    }

    #[test]
    fn what_is_of_one_kind_goes_together_and_all_of_it_is_waited_for() {
        for (kind, next) in each_kind().into_iter().zip(each_kind().into_iter().cycle().skip(1)) {
            let calls = vec![kind.clone(), kind.clone(), kind, next];
            assert_eq!(carried_out(calls), [vec![0, 1, 2], vec![1, 2], vec![2], vec![3]]);
        }
    }
}
