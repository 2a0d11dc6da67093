//! The state of one routing request, and what each fact makes of it.
//!
//! Nothing is decided here. A fact that does not fit is refused with both sides named, so a journal
//! that was tampered with cannot bring about a state that no decision could.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::model::call::Refusal;
use crate::model::ids::{EventId, QueueId, RepId};
use crate::model::time::Timestamp;
use crate::model::words::RoutingType;

use super::fact::{IllegalFact, Intent, RequestFact, Requested};
use super::offer::{Offer, OfferState};
use super::progress::{InFlight, ReportState, Route, Search};
use super::reason::{Conclusion, Reason};
use super::room_wait::RoomWait;
use super::rules::{self, Arrival, Find, Rings, Rule};
use super::target::ResolvedTarget;
use super::undo::{Owed, Said};

/// One routing request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Request {
    pub(super) number: u32,
    pub(super) event: EventId,
    pub(super) created: Timestamp,
    pub(super) routing_type: RoutingType,
    pub(super) wanted: ResolvedTarget,
    pub(super) requester: Option<RepId>,
    /// The rep who most likely asked.
    #[serde(default)]
    pub(super) asked_by: Option<RepId>,
    /// What agent work names, where it is not the routing event.
    pub(super) correlation: Option<EventId>,
    /// The queue to look for reps in.
    pub(super) queue: Option<QueueId>,
    pub(super) commands: u16,
    pub(super) route: Route,
    pub(super) search: Search,
    /// Reps who were found and are not asked yet, the best last.
    pub(super) candidates: SmallVec<[RepId; 1]>,
    pub(super) offers: SmallVec<[Offer; 1]>,
    pub(super) report: ReportState,
    /// What Salesforce said of the last rep whom it refused.
    #[serde(default)]
    pub(super) refusal: Option<Box<Refusal>>,
    pub(super) verdict: Option<Box<Conclusion>>,
    /// What must be undone and could not be yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) owed: Vec<Owed>,
    /// From which command on the messaging session was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session_over_from: Option<u16>,
    /// That the rep whom it names has no room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) room: Option<Box<RoomWait>>,
    /// How the router has been failing since it last answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) router_fails: Option<Box<RouterFails>>,
}

/// A router that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RouterFails {
    /// How often in a row.
    pub(super) times: u16,
    /// What was wrong the last time.
    pub(super) why: String,
}

impl Request {
    pub(super) fn new(requested: &Requested) -> Self {
        let route = requested.wanted.route().map_or(Route::NotNeeded, |_| Route::Wanted);
        Self {
            number: requested.number,
            event: requested.event.clone(),
            created: requested.created,
            routing_type: requested.routing_type,
            wanted: requested.wanted.clone(),
            requester: requested.requester,
            asked_by: requested.asked_by,
            correlation: None,
            queue: None,
            commands: 0,
            route,
            search: Search::Idle { dropped: 0 },
            candidates: requested.wanted.named_rep().into_iter().collect(),
            offers: SmallVec::new(),
            report: if requested.reports { ReportState::Due } else { ReportState::Withheld },
            refusal: None,
            verdict: None,
            owed: Vec::new(),
            session_over_from: None,
            room: None,
            router_fails: None,
        }
    }

    /// What it takes; `None` where it was refused as it came.
    pub(super) fn rule(&self) -> Option<Rule> {
        self.wanted.kind().map(|target| rules::rule(self.routing_type, target))
    }

    /// Whether its rep takes a seat: not the one who comes in another's place.
    pub(super) fn joins(&self) -> bool {
        !self.is_transfer()
    }

    /// Whether it brings a session its only rep.
    pub(super) fn brings_first_rep(&self) -> bool {
        self.rule().is_some_and(|rule| rule.arrival == Arrival::First)
    }

    /// Whether it hands the conversation over.
    pub(super) fn is_transfer(&self) -> bool {
        self.rule().is_some_and(|rule| rule.arrival == Arrival::InPlaceOfRequester)
    }

    /// Whether its offers stay until their rep has taken them.
    pub(super) fn rings_until_accepted(&self) -> bool {
        self.rule().is_some_and(|rule| rule.rings == Rings::UntilAccepted)
    }

    /// Whom it is offered to.
    pub(super) fn find(&self) -> Find {
        self.rule().map_or(Find::Nobody, |rule| rule.find)
    }

    /// That the router fails, where it does; else `otherwise`.
    pub(super) fn why_nobody_was_found(&self, otherwise: Reason) -> Reason {
        match &self.router_fails {
            Some(fails) => Reason::RouterFailed(fails.why.clone()),
            None => otherwise,
        }
    }

    /// How often in a row the router has failed.
    pub(super) fn failed_searches(&self) -> u16 {
        self.router_fails.as_ref().map_or(0, |fails| fails.times)
    }

    pub(super) fn offer(&self, rep: RepId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.rep == rep)
    }

    pub(super) fn open_offers(&self) -> usize {
        self.offers.iter().filter(|offer| offer.is_open()).count()
    }

    /// The seats of its own that no further rep may be offered now.
    pub(super) fn held_seats(&self) -> usize {
        self.offers.iter().filter(|offer| offer.holds_seat()).count()
    }

    /// The seats that it keeps in the conversation: one for whoever will join, more where more ring.
    /// An offer that nobody can name keeps its seat too, for its rep may yet accept. Whoever comes in another's
    /// place takes none.
    pub(super) fn seats(&self) -> usize {
        if !self.joins() {
            return 0;
        }
        let orphaned =
            |offer: &&Offer| matches!(offer.state, OfferState::Abandoned { .. }) && !offer.holds_seat();
        let held = self.held_seats().saturating_add(self.offers.iter().filter(orphaned).count());
        if self.verdict.is_none() { held.max(1) } else { held }
    }

    /// Whether a PSR of it exists or may come to exist, so that nobody else may clear the conversation's.
    pub(super) fn needs_route(&self) -> bool {
        match self.route {
            Route::Asked(_) => true,
            Route::Made(_) | Route::MayExist => self.verdict.is_none(),
            Route::NotNeeded | Route::Wanted | Route::Clearing(..) | Route::ClearOwed(_) | Route::Gone => {
                false
            }
        }
    }

    /// Makes a fact part of the state.
    pub(super) fn apply(&mut self, fact: &RequestFact) -> Result<(), IllegalFact> {
        let fits = match fact {
            RequestFact::Commanded { number, give_up_at, intent } => {
                self.commands = number.saturating_add(1);
                self.commanded(InFlight { number: *number, give_up_at: *give_up_at }, intent)
            }
            RequestFact::RouteMade { .. } | RequestFact::RouteRefused | RequestFact::RouteUnknown => {
                self.route_answered(fact)
            }
            RequestFact::RouteCleared => self.route_cleared(),
            RequestFact::RepsFound(_) | RequestFact::NobodyFound => self.search_answered(fact),
            RequestFact::SearchFailed { why, again_at } => self.search_failed(why, *again_at),
            RequestFact::ResultSent { .. } | RequestFact::ResultNotSent => self.reported(fact),
            RequestFact::Decided(verdict) => {
                self.verdict = Some(Box::new(verdict.clone()));
                self.candidates.clear();
                true
            }
            RequestFact::Owed { undo, at, next, answer, unanswered } => {
                let said = Said { answer: answer.clone(), unanswered: unanswered.clone() };
                self.owe(*undo, *at, *next, said)
            }
            RequestFact::OwedDismissed(undo) => self.strike_out(*undo),
            RequestFact::RepHasNoRoom { rep, refusal, again_at } => {
                self.has_no_room(*rep, refusal, *again_at)
            }
            RequestFact::RoomMayBeFree(at) => self.room_may_be_free(*at),
            RequestFact::DeadlinesShortened(latest) => {
                self.cut_times(latest);
                true
            }
            RequestFact::Closed => self.verdict.is_some(),
            about_an_offer => self.offer_changed(about_an_offer),
        };
        self.settle_owed();
        if fits { Ok(()) } else { Err(self.illegal(fact)) }
    }

    fn illegal(&self, fact: &RequestFact) -> IllegalFact {
        IllegalFact {
            fact: format!("{fact:?}"),
            state: format!(
                "the request {} with route {:?}, search {:?}, report {:?}, offers {:?}, verdict {:?}",
                self.event, self.route, self.search, self.report, self.offers, self.verdict
            ),
        }
    }

    fn commanded(&mut self, call: InFlight, intent: &Intent) -> bool {
        match (intent, self.route) {
            (Intent::Route, Route::Wanted) => self.route = Route::Asked(call),
            (Intent::Clear(reason), Route::Made(_) | Route::MayExist | Route::ClearOwed(_)) => {
                self.route = Route::Clearing(call, *reason);
            }
            (Intent::Route | Intent::Clear(_), _) => return false,
            (Intent::Search { dropped, limit }, _) => {
                if matches!(self.search, Search::Asked { .. }) {
                    return false;
                }
                self.search = Search::Asked { call, dropped: *dropped, limit: *limit };
            }
            (Intent::Offer(rep), _) => {
                if self.offer(*rep).is_some() {
                    return false;
                }
                self.candidates.retain(|candidate| candidate != rep);
                self.offers.push(Offer::new(*rep, call));
            }
            (Intent::TakeBack(rep, why), _) => {
                return self.change_offer(*rep, |state| match state {
                    OfferState::Ringing { work, .. } | OfferState::CancelOwed { work, .. } => {
                        Some(OfferState::TakingBack { work, why: *why, call })
                    }
                    _ => None,
                });
            }
            (Intent::Remove(rep), _) => {
                return self.change_offer(*rep, |state| match state {
                    OfferState::Accepted { work } | OfferState::RemovalOwed { work } => {
                        Some(OfferState::Removing { work, call })
                    }
                    _ => None,
                });
            }
            (Intent::Report { success }, _) => {
                if self.report != ReportState::Due {
                    return false;
                }
                self.report = ReportState::Sent { call, success: *success };
            }
        }
        true
    }

    fn route_answered(&mut self, fact: &RequestFact) -> bool {
        if !matches!(self.route, Route::Asked(_)) {
            return false;
        }
        match fact {
            RequestFact::RouteMade { psr, rep, queue, correlation } => {
                self.route = Route::Made(*psr);
                self.queue = *queue;
                self.correlation.clone_from(correlation);
                if self.verdict.is_none() {
                    self.candidates.extend(*rep);
                }
            }
            RequestFact::RouteRefused => self.route = Route::Gone,
            _ => self.route = Route::MayExist,
        }
        true
    }

    fn route_cleared(&mut self) -> bool {
        let clearing = matches!(
            self.route,
            Route::Clearing(..) | Route::ClearOwed(_) | Route::Made(_) | Route::MayExist
        );
        if clearing {
            self.route = Route::Gone;
        }
        clearing
    }

    fn search_answered(&mut self, fact: &RequestFact) -> bool {
        let (dropped, limit) = match self.search {
            Search::Asked { dropped, limit, .. } => (dropped, limit),
            // It is not asked again: nobody else will be found.
            Search::Waiting { dropped, .. } if *fact == RequestFact::NobodyFound => (dropped, 0),
            _ => return false,
        };
        self.router_fails = None;
        match fact {
            RequestFact::RepsFound(reps) => {
                self.search =
                    if reps.len() < limit { Search::Exhausted } else { Search::Idle { dropped: 0 } };
                if self.verdict.is_none() {
                    self.candidates.extend(reps.iter().rev().copied());
                }
            }
            _ => {
                self.search = if dropped < super::skills::groups(self.wanted.skills()) {
                    Search::Idle { dropped: dropped.saturating_add(1) }
                } else {
                    Search::Exhausted
                };
            }
        }
        true
    }

    fn search_failed(&mut self, why: &str, again_at: Timestamp) -> bool {
        let Search::Asked { dropped, .. } = self.search else { return false };
        self.search = Search::Waiting { until: again_at, dropped };
        let times = self.failed_searches().saturating_add(1);
        self.router_fails = Some(Box::new(RouterFails { times, why: why.to_owned() }));
        true
    }

    fn reported(&mut self, fact: &RequestFact) -> bool {
        self.report = match (self.report, fact) {
            (ReportState::Sent { success, .. }, RequestFact::ResultSent { .. }) => {
                ReportState::Given { success }
            }
            (ReportState::Due, RequestFact::ResultNotSent) => ReportState::Withheld,
            _ => return false,
        };
        true
    }
}
