//! Watches a channel's requests for people: a span for each, how many end how, how long things take.
//!
//! Decides nothing, and nothing depends on it.

use std::collections::HashMap;

use tokio::time::Instant;
use tracing::Span;

use crate::model::call::Call;
use crate::model::ids::{ConversationId, EventId};
use crate::model::time::Timestamp;
use crate::routing::{Command, Conversations, Ending, Fact, Order, Outcome};
use crate::store::ChannelKey;

/// The open requests of a channel, as they are watched.
pub(super) struct Watch {
    org: String,
    channel: String,
    open: HashMap<EventId, Seen>,
}

/// A request that is watched.
struct Seen {
    span: Span,
    created: Timestamp,
    /// When its event came in; none where that was before a restart.
    arrived: Option<Instant>,
    offered: bool,
}

impl Watch {
    pub(super) fn new(key: &ChannelKey) -> Self {
        Self { org: key.org.to_string(), channel: key.channel.to_string(), open: HashMap::new() }
    }

    /// Begins again with what the store has.
    pub(super) fn take_up(&mut self, conversations: &Conversations) {
        self.open.clear();
        for conversation in conversations.busy() {
            for view in conversation.views().filter(|view| view.outcome.is_none()) {
                let span = self.new_span(conversation.id(), &view.request);
                let offered = !view.offers.is_empty();
                let seen = Seen { span, created: view.created, arrived: None, offered };
                self.open.insert(view.request, seen);
            }
        }
    }

    /// Facts were decided.
    pub(super) fn decided(&mut self, conversation: &ConversationId, facts: &[Fact]) {
        for fact in facts {
            let Fact::Requested(requested) = fact else { continue };
            let span = self.new_span(conversation, &requested.event);
            tracing::info!(parent: &span, "a rep asks for somebody");
            let arrived = Some(Instant::now());
            let seen = Seen { span, created: requested.created, arrived, offered: false };
            self.open.insert(requested.event.clone(), seen);
        }
    }

    /// Commands are about to be carried out; gives the span of each.
    pub(super) fn commanded(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        commands: Vec<Command>,
    ) -> Vec<(Command, Span)> {
        let with_span = |command: Command| {
            let Some(seen) = self.open.get_mut(&command.id.request) else {
                let span = self.new_span(conversation, &command.id.request);
                return (command, span);
            };
            if let Some(arrived) = seen.arrived.take() {
                metrics::histogram!("byoc_event_to_first_command_seconds", "org" => self.org.clone())
                    .record(arrived.elapsed());
            }
            if matches!(command.order, Order::Call(Call::CreateAgentWork { .. })) && !seen.offered {
                seen.offered = true;
                metrics::histogram!("byoc_request_to_offer_seconds", "org" => self.org.clone())
                    .record(now.since(seen.created));
            }
            (command, seen.span.clone())
        };
        commands.into_iter().map(with_span).collect()
    }

    /// A request has its last word.
    pub(super) fn ended(&mut self, conversation: &ConversationId, ending: &Ending) {
        let seen = self.open.remove(&ending.request);
        let span = match &seen {
            Some(seen) => seen.span.clone(),
            None => self.new_span(conversation, &ending.request),
        };
        // The reason may name people; the outcome does not.
        tracing::info!(parent: &span, outcome = %ending.outcome, "a request has ended");
        metrics::counter!(
            "byoc_requests_ended_total",
            "org" => self.org.clone(), "channel" => self.channel.clone(), "outcome" => ending.outcome.as_str()
        )
        .increment(1);
        if let (Outcome::Joined, Some(seen)) = (ending.outcome, seen) {
            metrics::histogram!("byoc_request_to_join_seconds", "org" => self.org.clone())
                .record(ending.at.since(seen.created));
        }
    }

    fn new_span(&self, conversation: &ConversationId, request: &EventId) -> Span {
        let (org, channel) = (self.org.as_str(), self.channel.as_str());
        tracing::info_span!(parent: None, "routing_request", org, channel, %conversation, %request)
    }
}
