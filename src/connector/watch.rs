//! Watches a channel's requests for people: a span for each, how many end how, how long things take.
//!
//! Decides nothing, and nothing depends on it.

use std::collections::HashMap;

use tokio::time::Instant;
use tracing::Span;

use crate::model::call::{Call, Refusal};
use crate::model::error_codes::ErrorCode;
use crate::model::event::{Event, Happening};
use crate::model::ids::{ConversationId, EventId, RepId};
use crate::model::time::Timestamp;
use crate::routing::{Command, Conversations, Ending, Fact, Order, Outcome, Remark, RequestFact};
use crate::store::ChannelKey;

use super::refused::Refused;

/// The open requests of a channel, as they are watched.
pub(super) struct Watch {
    org: String,
    channel: String,
    open: HashMap<EventId, Seen>,
    refused: Refused,
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
        let (org, channel) = (key.org.to_string(), key.channel.to_string());
        Self { org, channel, open: HashMap::new(), refused: Refused::default() }
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
            if let Fact::About(_, RequestFact::OfferMade { rep, .. }) = fact {
                self.refused.offered(*rep);
            }
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

    /// Something was brought that had been processed before, and so changes nothing. A request is named: if the
    /// far side gives ids again that it gave before, its rep waits in vain.
    pub(super) fn came_again(&self, events: &[Event]) {
        let (org, channel) = (self.org.as_str(), self.channel.as_str());
        metrics::counter!(
            "byoc_duplicate_events_total", "org" => self.org.clone(), "channel" => self.channel.clone()
        )
        .increment(1);
        for event in events {
            match &event.what {
                Happening::RoutingRequested(requested) => tracing::info!(
                    org, channel, request = %requested.event,
                    "a routing request came again; it was processed before, and changes nothing"
                ),
                _ => tracing::debug!(org, channel, "an event came again, and changes nothing"),
            }
        }
    }

    /// Something worth telling a person.
    pub(super) fn remarked(&mut self, remark: &Remark) {
        let (org, channel) = (self.org.as_str(), self.channel.as_str());
        match remark {
            Remark::RepRefused(rep, refusal) => self.rep_refused(*rep, refusal),
            Remark::NoResultWithoutWorkItem(request) => tracing::warn!(
                org, channel, %request,
                "no routing result could be sent: no event told the workItemId in time, and Salesforce ends \
                 the request after its own 60 seconds"
            ),
            Remark::CancelGuessed(request) => tracing::info!(
                org, channel, %request,
                "several requests were open, and the cancel does not say which it means: taken for this one's"
            ),
            _ => {}
        }
    }

    /// Once is a roster that lags by a moment; a warning is for who is refused again and again, and comes
    /// the less often the longer it lasts.
    fn rep_refused(&mut self, rep: RepId, refusal: &Refusal) {
        let code = ErrorCode(refusal.code.unwrap_or_default());
        metrics::counter!(
            "byoc_rep_refusals_total",
            "org" => self.org.clone(), "channel" => self.channel.clone(), "code" => code.to_string()
        )
        .increment(1);
        let times = self.refused.add(rep);
        if times > 1 && times.is_power_of_two() {
            let (org, channel) = (self.org.as_str(), self.channel.as_str());
            let (meaning, advice) = (code.meaning(), code.advice());
            tracing::warn!(
                org, channel, %rep, times, %code, meaning, advice,
                "Salesforce refuses every offer to this rep; others are asked instead"
            );
        }
    }

    fn new_span(&self, conversation: &ConversationId, request: &EventId) -> Span {
        let (org, channel) = (self.org.as_str(), self.channel.as_str());
        tracing::info_span!(parent: None, "routing_request", org, channel, %conversation, %request)
    }
}
