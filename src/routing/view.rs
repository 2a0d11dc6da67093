//! An open request as a person may look at it: a copy in words, from which nothing can be decided.

use serde::Serialize;

use crate::model::ids::{AgentWorkId, ConversationId, EventId, RepId, WorkItemId};
use crate::model::time::{self, Timestamp};
use crate::model::words::RoutingType;

use super::conversation::Conversation;
use super::offer::{Offer, OfferState};
use super::progress::{ReportState, Route, Search};
use super::reason::{OfferEndReason, Outcome};
use super::request::Request;

/// A routing request that has not ended, or whose cleaning up has not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// The routing event that asked.
    pub request: EventId,
    /// Where.
    pub conversation: ConversationId,
    /// Its work item, where known.
    pub work_item: Option<WorkItemId>,
    /// When Salesforce published it.
    #[serde(serialize_with = "time::as_text")]
    pub created: Timestamp,
    /// What for.
    pub routing_type: RoutingType,
    /// Who asked, where known.
    pub requester: Option<RepId>,
    /// Whom it asks for: `rep 005…`, `queue 00G…`, `flow 300…`, `skills …`.
    pub target: String,
    /// What it is doing, in words.
    pub doing: &'static str,
    /// Where the PSR stands, in a word.
    pub route: &'static str,
    /// Where the routing result stands, in a word.
    pub result: &'static str,
    /// All of its offers, in the order in which they were made.
    pub offers: Vec<OfferView>,
    /// Its last word, where that is spoken and the cleaning up goes on.
    pub outcome: Option<Outcome>,
    /// Why, where it is spoken.
    pub reason: Option<String>,
}

/// An offer of a request that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferView {
    /// To whom.
    pub rep: RepId,
    /// Its agent work, where known.
    pub work: Option<AgentWorkId>,
    /// Where it stands.
    pub state: &'static str,
    /// Until when it rings.
    #[serde(serialize_with = "time::as_text_or_null")]
    pub until: Option<Timestamp>,
}

impl Conversation {
    /// Its open requests, oldest first.
    pub fn views(&self) -> impl Iterator<Item = RequestView> {
        self.requests.iter().map(|request| view(self, request))
    }

    /// The numbers of its open requests, by which facts name them.
    pub fn numbers(&self) -> impl Iterator<Item = (u32, &EventId)> {
        self.requests.iter().map(|request| (request.number, &request.event))
    }

    /// Since when each of its open requests is, and which: what of a view costs nothing.
    pub fn open_since(&self) -> impl Iterator<Item = (Timestamp, &EventId)> {
        self.requests.iter().map(|request| (request.created, &request.event))
    }
}

fn view(conversation: &Conversation, request: &Request) -> RequestView {
    RequestView {
        request: request.event.clone(),
        conversation: conversation.id().clone(),
        work_item: conversation.work_item(),
        created: request.created,
        routing_type: request.routing_type,
        requester: request.requester,
        target: request.wanted.to_string(),
        doing: doing(request),
        route: route(&request.route),
        result: match request.report {
            ReportState::Due => "due",
            ReportState::Sent { .. } => "sent",
            ReportState::Given { .. } => "given",
            ReportState::Withheld => "withheld",
        },
        offers: request.offers.iter().map(offer).collect(),
        outcome: request.verdict.as_ref().map(|verdict| verdict.outcome),
        reason: request.verdict.as_ref().map(|verdict| verdict.reason.to_string()),
    }
}

fn doing(request: &Request) -> &'static str {
    if request.verdict.is_some() {
        return "cleaning up";
    }
    let ringing = |offer: &Offer| matches!(offer.state, OfferState::Ringing { .. });
    match (&request.route, &request.search) {
        (Route::Wanted | Route::Asked(_), _) => "requesting a route",
        _ if request.offers.iter().any(ringing) => "ringing",
        _ if request.open_offers() > 0 => "making or cancelling an offer",
        (_, Search::Asked { .. }) => "looking for a rep",
        (_, Search::Waiting { .. }) => "waiting for the rep finder, which is failing",
        (_, Search::Idle { .. } | Search::Exhausted) => "deciding",
    }
}

const fn route(route: &Route) -> &'static str {
    match route {
        Route::NotNeeded => "not needed",
        Route::Wanted => "wanted",
        Route::Asked(_) => "asked",
        Route::Made(_) => "made",
        Route::MayExist => "may exist",
        Route::Clearing(..) => "clearing",
        Route::ClearOwed(_) => "clear owed",
        Route::Gone => "gone",
    }
}

fn offer(offer: &Offer) -> OfferView {
    let (state, until) = match offer.state {
        OfferState::Making { .. } => ("making", None),
        OfferState::Ringing { until, .. } => ("ringing", Some(until)),
        OfferState::IdUnknown { until, .. } => ("without an id", Some(until)),
        OfferState::TakingBack { .. } => ("cancelling", None),
        OfferState::CancelOwed { .. } => ("cancel owed", None),
        OfferState::RemovalOwed { .. } => ("removal owed", None),
        OfferState::CancelRefused { until, .. } => ("waiting for its event", Some(until)),
        OfferState::Abandoned { until, .. } => ("given up on", Some(until)),
        OfferState::Accepted { .. } => ("accepted", None),
        OfferState::Removing { .. } => ("removing", None),
        OfferState::Over { why: OfferEndReason::Declined, .. } => ("declined", None),
        OfferState::Over { why: OfferEndReason::Unanswered, .. } => ("unanswered", None),
        OfferState::Over { .. } => ("over", None),
    };
    OfferView { rep: offer.rep, work: offer.work(), state, until }
}
