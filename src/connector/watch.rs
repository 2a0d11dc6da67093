//! Watches a channel's requests for people: a span for each, how many end how, how long things take.
//!
//! Decides nothing, and nothing depends on it.

use std::collections::HashMap;

use tokio::time::Instant;
use tracing::Span;

use crate::model::call::{Answer, Call, Refusal};
use crate::model::error_codes::ErrorCode;
use crate::model::event::{Event, EventKind};
use crate::model::ids::{ConversationId, EventId, RepId};
use crate::model::time::Timestamp;
use crate::model::words::RoutingType;
use crate::routing::{
    Conversations, Ending, Fact, OfferEndReason, Outcome, Reason, Remark, RequestFact, RequestView, Requested,
};
use crate::store::{Cause, ChannelKey};

use super::in_vain::InVain;
use super::panics::AtWork;
use super::refused::Refused;
use crate::engine::{CallId, Observer};
use crate::interaction::{Rejection, tell_given_up, tell_in_vain};

/// The open requests of a channel, as they are watched.
pub(super) struct ChannelObserver {
    org: String,
    channel: String,
    open: HashMap<EventId, Seen>,
    /// The same by the numbers that facts have.
    numbers: HashMap<(ConversationId, u32), EventId>,
    refused: Refused,
    in_vain: InVain,
    at_work: AtWork,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What for.
    pub routing_type: RoutingType,
    /// Who, where known.
    pub requester: Option<RepId>,
    /// Whom it asks for, by ids: `rep 005…`, `queue 00G…`, `flow 300…`, `skills …`.
    pub target: String,
}

/// A request that is watched.
struct Seen {
    asked: Asked,
    span: Span,
    number: u32,
    created: Timestamp,
    /// When its event came in; none where that was before a restart.
    arrived: Option<Instant>,
    offered: bool,
}

impl ChannelObserver {
    pub(super) fn new(key: &ChannelKey) -> Self {
        let (org, channel) = (key.org.to_string(), key.channel.to_string());
        Self {
            org,
            channel,
            open: HashMap::new(),
            numbers: HashMap::new(),
            refused: Refused::default(),
            in_vain: InVain::default(),
            at_work: AtWork::default(),
        }
    }

    pub(super) fn at_work(&self) -> AtWork {
        self.at_work.clone()
    }

    /// Begins again with what the store has.
    fn take_up(&mut self, conversations: &Conversations) {
        self.open.clear();
        self.numbers.clear();
        for conversation in conversations.busy() {
            let id = conversation.id();
            let numbered = conversation.views().zip(conversation.numbers());
            for (view, (number, _)) in numbered.filter(|(view, _)| view.outcome.is_none()) {
                let span = self.new_span(id, &view.request);
                let offered = !view.offers.is_empty();
                let RequestView { routing_type, requester, target, .. } = view;
                let asked = Asked { routing_type, requester, target };
                let seen = Seen { asked, span, number, created: view.created, arrived: None, offered };
                self.numbers.insert((id.clone(), number), view.request.clone());
                self.open.insert(view.request, seen);
            }
        }
    }

    /// Facts were decided.
    fn on_decided(&mut self, conversation: &ConversationId, facts: &[Fact]) {
        for fact in facts {
            match fact {
                Fact::Requested(requested) => self.requested(conversation, requested),
                Fact::OfRequest(number, fact) => self.about(conversation, *number, fact),
                _ => {}
            }
        }
    }

    fn requested(&mut self, conversation: &ConversationId, requested: &Requested) {
        let Requested { number, event, created, routing_type, wanted, requester, .. } = requested;
        let span = self.new_span(conversation, event);
        let by = requester.as_ref().map(tracing::field::display);
        if *routing_type == RoutingType::Initial {
            tracing::info!(parent: &span, target = %wanted, "session waits for a rep");
        } else {
            tracing::info!(parent: &span, requester = by, target = %wanted, "{}", asked(*routing_type));
        }
        let arrived = Some(Instant::now());
        let asked = Asked { routing_type: *routing_type, requester: *requester, target: wanted.to_string() };
        let seen = Seen { asked, span, number: *number, created: *created, arrived, offered: false };
        self.numbers.insert((conversation.clone(), *number), event.clone());
        self.open.insert(event.clone(), seen);
    }

    fn about(&mut self, conversation: &ConversationId, number: u32, fact: &RequestFact) {
        let event = self.numbers.get(&(conversation.clone(), number));
        let span = event.and_then(|event| self.open.get(event)).map(|seen| seen.span.clone());
        let span = span.unwrap_or_else(Span::none);
        match fact {
            RequestFact::OfferMade { rep, .. } => {
                self.refused.offered(*rep);
                tracing::info!(parent: &span, %rep, "offer made");
            }
            RequestFact::RepRefused { rep, .. } => {
                tracing::info!(parent: &span, %rep, reason = OfferEndReason::Refused.as_str(), "offer ended");
            }
            RequestFact::OfferAccepted(rep) => tracing::info!(parent: &span, %rep, "offer accepted"),
            RequestFact::OfferEnded(rep, why) => {
                tracing::info!(parent: &span, %rep, reason = why.as_str(), "offer ended");
            }
            // The request may have ended, and be watched no more.
            RequestFact::Owed { undo, next, answer, .. } => {
                let span = self.conversation_span(conversation);
                let (rep, code) = (undo.rep(), answer.as_ref().and_then(|answer| answer.code));
                let (rep, status) = (rep.map(tracing::field::display), answer.as_ref().map(|no| no.status));
                tracing::warn!(
                    parent: &span, undo = undo.word(), rep, code, status, next = %next,
                    "clean-up at Salesforce failed; a rep may still ring; it is retried (see GET /v1/owed)"
                );
            }
            RequestFact::OfferAbandoned { rep, until } => {
                let span = self.conversation_span(conversation);
                tracing::warn!(
                    parent: &span, %rep, until = %until,
                    "offer id unknown: no answer and no event named it; the rep may still ring, and the offer cannot be \
                     cancelled until its id is known"
                );
            }
            _ => {}
        }
    }

    /// A command is about to be carried out for the first time, a call where there is one; gives its span.
    pub(super) fn commanded(&mut self, now: Timestamp, id: &CallId, call: Option<&Call>) -> Span {
        let CallId { conversation, command: id } = id;
        let Some(seen) = self.open.get_mut(&id.request) else {
            return self.new_span(conversation, &id.request);
        };
        if let Some(arrived) = seen.arrived.take() {
            metrics::histogram!("byoc_event_to_first_command_seconds", "org" => self.org.clone())
                .record(arrived.elapsed());
        }
        if matches!(call, Some(Call::CreateAgentWork(_))) && !seen.offered {
            seen.offered = true;
            metrics::histogram!("byoc_request_to_offer_seconds", "org" => self.org.clone())
                .record(now.since(seen.created));
        }
        seen.span.clone()
    }

    /// The span of a request.
    pub(super) fn span(&self, id: &CallId) -> Span {
        let known = self.open.get(&id.command.request).map(|seen| seen.span.clone());
        known.unwrap_or_else(|| self.new_span(&id.conversation, &id.command.request))
    }

    /// A request ended; what it asked for, where that is known.
    pub(super) fn ended(&mut self, conversation: &ConversationId, ending: &Ending) -> Option<Asked> {
        let seen = self.open.remove(&ending.request);
        let span = match &seen {
            Some(seen) => seen.span.clone(),
            None => self.new_span(conversation, &ending.request),
        };
        if let Some(seen) = &seen {
            self.numbers.remove(&(conversation.clone(), seen.number));
        }
        // The reason is a sentence of ours, with ids and codes; what Salesforce said in words may name people.
        let seconds = seen.as_ref().map(|seen| ending.at.since(seen.created).as_secs_f64());
        tracing::info!(
            parent: &span, outcome = %ending.outcome, reason = %ending.reason, seconds, "request ended"
        );
        if let Reason::SalesforceRefused(_, refusal) = &ending.reason {
            tracing::debug!(parent: &span, said = &*refusal.message, "message from Salesforce");
        }
        metrics::counter!(
            "byoc_requests_ended_total",
            "org" => self.org.clone(), "channel" => self.channel.clone(), "outcome" => ending.outcome.as_str()
        )
        .increment(1);
        if let (Outcome::Joined, Some(seen)) = (ending.outcome, &seen) {
            metrics::histogram!("byoc_request_to_join_seconds", "org" => self.org.clone())
                .record(ending.at.since(seen.created));
        }
        seen.map(|seen| seen.asked)
    }

    /// Something was brought that had been processed before, and so changes nothing. A request is named: if the
    /// far side gives ids again that it gave before, its rep waits in vain.
    fn on_came_again(&self, events: &[Event]) {
        let (org, channel) = (self.org.as_str(), self.channel.as_str());
        metrics::counter!(
            "byoc_duplicate_events_total", "org" => self.org.clone(), "channel" => self.channel.clone()
        )
        .increment(1);
        for event in events {
            match &event.what {
                EventKind::RoutingRequested(requested) => tracing::info!(
                    org, channel, request = %requested.event,
                    "duplicate routing request ignored"
                ),
                _ => tracing::debug!(org, channel, "duplicate event ignored"),
            }
        }
    }

    /// The calls that undo something, and fail so far; what is given goes on with them.
    pub(super) fn in_vain(&self) -> InVain {
        self.in_vain.clone()
    }

    /// Who is refused again and again; what is given goes on counting.
    pub(super) fn refused(&self) -> Refused {
        self.refused.clone()
    }

    /// Something worth telling a person.
    fn on_remarked(&mut self, now: Timestamp, conversation: &ConversationId, remark: &Remark) {
        let reason = remark.reason();
        metrics::counter!(
            "byoc_remarks_total",
            "org" => self.org.clone(), "channel" => self.channel.clone(), "reason" => reason
        )
        .increment(1);
        let known = remark.request().and_then(|request| self.open.get(request));
        let span = match (known, remark.request()) {
            (Some(seen), _) => seen.span.clone(),
            (None, Some(request)) => self.new_span(conversation, request),
            (None, None) => self.conversation_span(conversation),
        };
        match remark {
            Remark::Broken(_) => tracing::error!(parent: &span, reason, "{remark}"),
            Remark::NoResultWithoutWorkItem(_) => tracing::warn!(parent: &span, reason, "{remark}"),
            // That the router is down is one warning of the router's; a request that fails for it says so at its end.
            Remark::RouterFailed(..) => tracing::debug!(parent: &span, reason, "{remark}"),
            _ => tracing::info!(parent: &span, reason, "{remark}"),
        }
        if let Remark::RepRefused(rep, refusal) = remark {
            self.rep_refused(now, *rep, refusal);
        }
    }

    /// Once is a roster that lags by a moment; a warning is for who is refused again and again, and comes
    /// the less often the longer it lasts.
    fn rep_refused(&self, now: Timestamp, rep: RepId, refusal: &Refusal) {
        let code = ErrorCode(refusal.code.unwrap_or_default());
        metrics::counter!(
            "byoc_rep_refusals_total",
            "org" => self.org.clone(), "channel" => self.channel.clone(), "code" => code.to_string()
        )
        .increment(1);
        let times = self.refused.add(rep, code, now);
        if times > 1 && times.is_power_of_two() {
            let (org, channel) = (self.org.as_str(), self.channel.as_str());
            let (meaning, advice) = (code.meaning(), code.advice());
            tracing::warn!(
                org, channel, %rep, times, %code, meaning, advice,
                "Salesforce refuses every offer to this rep; other reps are offered instead"
            );
        }
    }

    fn conversation_span(&self, conversation: &ConversationId) -> Span {
        let (org, channel) = (self.org.as_str(), self.channel.as_str());
        tracing::info_span!(parent: None, "conversation", org, channel, %conversation)
    }

    fn new_span(&self, conversation: &ConversationId, request: &EventId) -> Span {
        let (org, channel) = (self.org.as_str(), self.channel.as_str());
        tracing::info_span!(parent: None, "routing_request", org, channel, %conversation, %request)
    }
}

impl Observer for ChannelObserver {
    fn working_on(&mut self, cause: Option<&Cause>) {
        self.at_work.set(cause);
    }

    fn decided(&mut self, _at: Timestamp, conversation: &ConversationId, facts: &[Fact]) {
        self.on_decided(conversation, facts);
    }

    fn remarked(&mut self, at: Timestamp, conversation: &ConversationId, remark: &Remark) {
        self.on_remarked(at, conversation, remark);
    }

    fn came_again(&mut self, events: &[Event]) {
        self.on_came_again(events);
    }

    fn failed(&mut self, at: Timestamp, id: &CallId, call: &Call, next: Timestamp, said: &Rejection) {
        if self.in_vain.failed(at, id.command.request_id(), call, next, said) {
            tell_in_vain(call, said);
        }
    }

    fn answered(&mut self, id: &CallId, _answer: &Answer, _tries: u32) {
        self.in_vain.over(id.command.request_id());
    }

    fn given_up(&mut self, call: &Call, tries: u32, said: &Rejection) {
        tell_given_up(call, tries, said);
    }

    fn resumed(&mut self, conversations: &Conversations, cut: usize) {
        if cut > 0 {
            tracing::warn!(
                conversations = cut,
                "the clock was set back since the connector stopped; deadlines that lie too far ahead are cut"
            );
        }
        self.take_up(conversations);
    }
}

const fn asked(routing_type: RoutingType) -> &'static str {
    match routing_type {
        RoutingType::Conference => "conference requested",
        RoutingType::Transfer => "transfer requested",
        RoutingType::Initial => "routing requested",
    }
}
