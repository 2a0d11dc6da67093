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
