//! What is said to Salesforce and to the partner's router, built from the state of a request.
//!
//! Elsewhere: whether it is said at all is `next`'s business; what a failure says, in `reason`.

use crate::model::call::{
    self, Call, ClearRoute, CreateAgentWork, RemoveParticipant, ReportResult, RoutingOutcome, UpdateAgentWork,
};
use crate::model::event::Participant;
use crate::model::ids::QueueId;
use crate::model::rep_query::RepQuery;
use crate::model::time::Timestamp;

use super::conversation::Conversation;
use super::fact::Intent;
use super::offer::{Creation, Offer, OfferState};
use super::policy::Settings;
use super::progress::{InFlight, ReportState, Route, Search};
use super::request::Request;
use super::skills;

impl Conversation {
    /// The call for an intent; `None` where a part of it is not known.
    pub(super) fn call(&self, settings: &Settings, request: &Request, intent: &Intent) -> Option<Call> {
        let conversation = self.id.clone();
        let routing_type = request.routing_type;
        Some(match intent {
            Intent::Route => {
                Call::Route(call::Route { conversation, routing_type, by: request.wanted.route()? })
            }
            Intent::Offer(rep) => Call::CreateAgentWork(CreateAgentWork {
                rep: *rep,
                work_item: self.work_item?,
                conversation,
                routing_type,
                correlation: request.correlation.as_ref().unwrap_or(&request.event).clone(),
                capacity: match request.route {
                    Route::NotNeeded => Some(settings.policy.capacity()),
                    _ => None,
                },
            }),
            Intent::TakeBack(rep, _) => {
                Call::UpdateAgentWork(UpdateAgentWork::cancel(request.offer(*rep).and_then(Offer::work)?))
            }
            Intent::Report { success } => Call::ReportResult(ReportResult {
                conversation,
                work_item: self.work_item?,
                routing_type,
                result: if *success { RoutingOutcome::Routed } else { failure(request) },
            }),
            Intent::Clear(reason) => Call::ClearRoute(ClearRoute { conversation, reason: *reason }),
            Intent::Remove(rep) => Call::RemoveParticipant(RemoveParticipant::rep(conversation, *rep)),
            Intent::Search { .. } => return None,
        })
    }

    /// The question to the partner's router.
    pub(super) fn query(&self, request: &Request, dropped: u8, limit: usize) -> RepQuery {
        let mut exclude: Vec<_> = self.participants.iter().filter_map(Participant::as_rep).collect();
        for other in &self.requests {
            for offer in &other.offers {
                if other.number == request.number || offer.holds_seat() {
                    exclude.push(offer.rep);
                }
            }
            if other.number != request.number {
                exclude.extend(other.candidates.iter().copied());
            }
        }
        exclude.sort_unstable();
        exclude.dedup();
        let skills = skills::without(request.wanted.skills(), dropped);
        RepQuery { queue_id: request.search_queue(), skills, exclude, limit }
    }
}

impl Request {
    /// What is under way, in the order in which it was asked for.
    pub(super) fn in_flight(&self) -> Vec<(InFlight, Intent)> {
        let mut under_way = Vec::new();
        match self.route {
            Route::Asked(call) => under_way.push((call, Intent::Route)),
            Route::Clearing(call, reason) => under_way.push((call, Intent::Clear(reason))),
            _ => {}
        }
        if let Search::Asked { call, dropped, limit } = self.search {
            under_way.push((call, Intent::Search { dropped, limit }));
        }
        for offer in &self.offers {
            if let Creation::Asked(call) = offer.creation {
                under_way.push((call, Intent::Offer(offer.rep)));
            }
            match offer.state {
                OfferState::TakingBack { call, why, .. } => {
                    under_way.push((call, Intent::TakeBack(offer.rep, why)));
                }
                OfferState::Removing { call, .. } => under_way.push((call, Intent::Remove(offer.rep))),
                _ => {}
            }
        }
        if let ReportState::Sent { call, success } = self.report {
            under_way.push((call, Intent::Report { success }));
        }
        under_way.sort_unstable_by_key(|(call, _)| call.number);
        under_way
    }

    /// The call, with its time over where an event has told already what it is to bring about.
    pub(super) fn unless_overtaken(&self, call: InFlight, intent: &Intent) -> InFlight {
        match intent {
            Intent::Offer(rep) => match self.offer(*rep).map(|offer| offer.state) {
                Some(OfferState::Making { .. }) => call,
                _ => InFlight { give_up_at: Timestamp::default(), ..call },
            },
            _ => call,
        }
    }

    /// The queue to look for reps in: the one that Salesforce's answer named, else the one asked for.
    pub(super) fn search_queue(&self) -> Option<QueueId> {
        self.queue.or(self.wanted.queue())
    }
}

fn failure(request: &Request) -> RoutingOutcome {
    let message = request.verdict.as_ref().map(|verdict| verdict.reason.error_message());
    RoutingOutcome::Failed(message.unwrap_or_default().into())
}
