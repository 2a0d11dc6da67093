//! What to do next: compares what a request has with what it needs, and gives the commands for the
//! difference.
//!
//! It looks at the state and the time alone, never at the input that led there, so every order of
//! events that leads to a state leads to the same next step.
//!
//! Elsewhere: what is done once the last word is spoken, in `wind_up`; what is owed, in `on_owed`.

use crate::model::ids::RepId;
use crate::model::time::Timestamp;

use super::conversation::{Conversation, to_usize};
use super::decision::Decision;
use super::fact::{Intent, RequestFact};
use super::offer::{Creation, Offer, OfferState};
use super::policy::{
    ANSWER_WINDOW, CLEAN_UP_WINDOW, LATER_OFFER_WINDOW, MOST_OFFERS, ORPHAN_WINDOW, Report, Ring, Settings,
};
use super::progress::{ReportState, Route, Search};
use super::reason::{OfferEndReason, Outcome, Reason, Step};
use super::request::Request;
use super::rules::Find;

/// Salesforce takes the request for failed after this moment.
pub(super) fn answer_by(request: &Request) -> Timestamp {
    request.created + ANSWER_WINDOW
}

/// The routing result is sent at this moment at the latest.
pub(super) fn report_by(settings: &Settings, request: &Request) -> Timestamp {
    request.created + (ANSWER_WINDOW.saturating_sub(settings.policy.margin()))
}

impl Decision<'_> {
    /// Gives every command that the state asks for. One request's step can free another's, so it goes
    /// round until nothing new comes of it.
    pub(super) fn advance(&mut self) {
        loop {
            let before = self.effects.facts.len();
            let open: Vec<u32> = self.conversation.requests.iter().map(|request| request.number).collect();
            for number in open {
                self.advance_request(number);
            }
            self.route_waiting();
            if self.effects.facts.len() == before {
                return;
            }
        }
    }

    fn advance_request(&mut self, number: u32) {
        self.expire_offers(number);
        self.try_owed(number);
        let Some(request) = self.conversation.request(number) else { return };
        if request.verdict.is_none() {
            self.pursue(number);
        }
        let Some(request) = self.conversation.request(number) else { return };
        if request.verdict.is_some() {
            self.wind_up(number);
        }
    }

    /// Lets the time of offers run out.
    fn expire_offers(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        let undecided = request.verdict.is_none();
        let offers: Vec<Offer> = request.offers.to_vec();
        for Offer { rep, state, creation } in offers {
            if let Creation::Unsure { until } = creation
                && until <= self.now
            {
                self.about(number, RequestFact::OfferAnswered { rep, unsure_until: None });
            }
            match state {
                OfferState::Ringing { until, .. } if until <= self.now && undecided => {
                    self.take_back(number, rep, OfferEndReason::Unanswered);
                }
                OfferState::IdUnknown { until, certain } if until <= self.now => {
                    let until = self.now + ORPHAN_WINDOW;
                    self.about(number, RequestFact::OfferAbandoned { rep, until });
                    if undecided {
                        let reason =
                            if certain { Reason::OfferUnclear } else { Reason::NoAnswer(Step::Offer) };
                        self.decide(number, Outcome::Failed, reason);
                    }
                }
                OfferState::CancelRefused { until, why, .. } if until <= self.now => {
                    self.about(number, RequestFact::OfferEnded(rep, why));
                }
                OfferState::CancelOwed { .. } if undecided && self.no_word_of_cancel(number, rep) => {
                    self.decide(number, Outcome::Failed, Reason::OfferUnclear);
                }
                OfferState::Abandoned { until, .. } if until <= self.now => {
                    self.about(number, RequestFact::OfferEnded(rep, OfferEndReason::Unknown));
                }
                _ => {}
            }
        }
    }

    /// Whether an offer could not be taken back, and nothing was heard of its rep since. Nobody else may be
    /// asked while that rep can still accept.
    fn no_word_of_cancel(&self, number: u32, rep: RepId) -> bool {
        let Some(request) = self.conversation.request(number) else { return false };
        let by = request.offer(rep).and_then(|offer| request.word_of_cancel_by(offer));
        by.is_some_and(|by| by <= self.now)
    }

    pub(super) fn take_back(&mut self, number: u32, rep: RepId, why: OfferEndReason) {
        self.command(number, Intent::TakeBack(rep, why), self.now + CLEAN_UP_WINDOW);
    }

    /// Brings a request nearer to a rep who joins.
    fn pursue(&mut self, number: u32) {
        self.report_success_if_due(number);
        let Some(request) = self.conversation.request(number) else { return };
        match request.route {
            Route::Wanted => self.ask_for_route(number),
            Route::NotNeeded | Route::Made(_) => self.offer_or_search(number),
            // A request whose PSR is gone or unclear has been decided; until then it waits.
            Route::Asked(_) | Route::MayExist | Route::Clearing(..) | Route::ClearOwed(_) | Route::Gone => {}
        }
        // When the last moment has come and nothing was promised, the answer is no.
        let Some(request) = self.conversation.request(number) else { return };
        let waiting = request.report == ReportState::Due || request.awaits_route();
        if request.verdict.is_none() && waiting && self.now >= report_by(self.settings, request) {
            let reason = request.why_nobody_was_found(Reason::OutOfTime);
            self.decide(number, Outcome::Failed, reason);
        }
        self.end_wait_for_room(number);
    }

    fn ask_for_route(&mut self, number: u32) {
        // A clear names the conversation and no PSR: one that is under way could take this one too.
        let clearing = |request: &Request| matches!(request.route, Route::Clearing(..));
        if self.conversation.requests.iter().any(clearing) {
            return;
        }
        let Some(request) = self.conversation.request(number) else { return };
        let by = report_by(self.settings, request);
        if self.now < by {
            self.command(number, Intent::Route, by);
        }
    }

    fn report_success_if_due(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        if request.report != ReportState::Due || self.conversation.work_item.is_none() {
            return;
        }
        let offered = request.offers.iter().any(|offer| match offer.state {
            OfferState::IdUnknown { certain, .. } => certain,
            OfferState::Making { .. } | OfferState::Abandoned { .. } | OfferState::Over { .. } => false,
            _ => true,
        });
        // "Queued, a rep will follow" may be said once nothing but a rep is missing, and not of a router that fails.
        let on_its_way = matches!(request.route, Route::NotNeeded | Route::Made(_))
            && (request.open_offers() > 0
                || !request.candidates.is_empty()
                || (matches!(request.search, Search::Asked { .. }) && request.router_fails.is_none()));
        // A rep who has no room will have some: the rep who hands over need not wait for it.
        let offered = offered || request.room.is_some();
        let last_moment = self.now >= report_by(self.settings, request);
        if (offered && self.settings.policy.report == Report::Offered) || (last_moment && on_its_way) {
            self.command(number, Intent::Report { success: true }, answer_by_of(self.conversation, number));
        }
    }

    fn offer_or_search(&mut self, number: u32) {
        if self.conversation.work_item.is_none() {
            self.wait_for_work_item(number);
            return;
        }
        while let Some(rep) = self.next_candidate(number) {
            let Some(request) = self.conversation.request(number) else { return };
            let by = match request.report {
                ReportState::Due => answer_by(request),
                _ => self.now + LATER_OFFER_WINDOW,
            };
            self.command(number, Intent::Offer(rep), by);
        }
        let Some(request) = self.conversation.request(number) else { return };
        let seats = self.seats_to_offer(request);
        let open = request.held_seats();
        // A rep who was asked for by name has answered, whatever may yet come of the call.
        let settled = request.candidates.is_empty()
            && (open == 0 || (request.open_offers() == 0 && !request.may_search()));
        let search_over = self.now >= request.created + self.settings.policy.search_for();
        match request.search {
            _ if request.offers.len() >= MOST_OFFERS && open == 0 => {
                self.decide(number, Outcome::Failed, Reason::TooManyOffers);
            }
            _ if seats == 0 && open == 0 => {
                let limit = self.settings.participant_limit.unwrap_or_default();
                self.decide(number, Outcome::Failed, Reason::Full(limit));
            }
            Search::Asked { .. } | Search::Waiting { .. } if search_over && settled => {
                let reason = request.why_nobody_was_found(Reason::RouterSilent);
                self.decide(number, Outcome::Failed, reason);
            }
            Search::Asked { .. } | Search::Waiting { .. } if search_over => {
                self.about(number, RequestFact::NobodyFound);
            }
            Search::Waiting { until, dropped } if until <= self.now => {
                // Where the seats are taken meanwhile, whoever is found waits for one.
                let by = request.created + self.settings.policy.search_for();
                self.command(number, Intent::Search { dropped, limit: seats.max(1) }, by);
            }
            Search::Idle { dropped } if seats > 0 && !search_over && request.may_search() => {
                let by = request.created + self.settings.policy.search_for();
                self.command(number, Intent::Search { dropped, limit: seats }, by);
            }
            Search::Asked { .. } | Search::Waiting { .. } => {}
            _ if settled => self.give_up(number),
            _ => {}
        }
    }

    /// Without a work item there is nothing to offer. An event or an answer that tells it may come any
    /// moment: it is waited for as long as there is time to do something with it.
    fn wait_for_work_item(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        if request.report != ReportState::Due || self.now >= report_by(self.settings, request) {
            self.decide(number, Outcome::Refused, Reason::UnknownWorkItem);
        }
    }

    /// The next rep who may be asked now.
    fn next_candidate(&mut self, number: u32) -> Option<RepId> {
        let request = self.conversation.request(number)?;
        if self.seats_to_offer(request) == 0 || request.room_sought_at().is_some_and(|at| at > self.now) {
            return None;
        }
        request.candidates.last().copied()
    }

    /// How many more offers a request may make now.
    fn seats_to_offer(&self, request: &Request) -> usize {
        let open = request.held_seats();
        let wanted = match self.settings.policy.ring {
            Ring::OneAtATime => 1,
            Ring::All if request.find() == Find::NamedRep => 1,
            Ring::All => self.settings.policy.ring_all_at_most,
        };
        let free = match self.settings.participant_limit {
            Some(limit) if request.joins() => {
                // A rep is counted in every conversation, though none is in one that waits for its first.
                let nobody = request.brings_first_rep() && self.conversation.has_no_rep();
                to_usize(limit)
                    .saturating_add(nobody.into())
                    .saturating_sub(self.conversation.taken_seats(Some(request.number)))
            }
            _ => usize::MAX,
        };
        let left = MOST_OFFERS.saturating_sub(request.offers.len());
        wanted.min(free).saturating_sub(open).min(left)
    }

    /// Nobody is left to ask. The answer of the last rep who was really asked is the request's; where
    /// Salesforce let nobody be asked, what it said is.
    fn give_up(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        let (outcome, reason) = match request.last_answer() {
            Some(why) => why.last_word(),
            None => match request.reps_refused() {
                Some(reason) => (Outcome::Refused, reason),
                None if request.led_nowhere() => (Outcome::Failed, Reason::RouteLedNowhere),
                None => (Outcome::Failed, Reason::NobodyAvailable),
            },
        };
        self.decide(number, outcome, reason);
    }
}

fn answer_by_of(conversation: &Conversation, number: u32) -> Timestamp {
    conversation.request(number).map_or(Timestamp::MAX, answer_by)
}

impl Request {
    /// Whether it waits for its route, to be asked for or answered.
    fn awaits_route(&self) -> bool {
        matches!(self.route, Route::Wanted | Route::Asked(_))
    }

    /// Whether there is a place to look for further reps.
    fn may_search(&self) -> bool {
        match self.find() {
            Find::NamedRep | Find::Outside | Find::Nobody => false,
            Find::BySkills => true,
            Find::InQueue | Find::ByFlow | Find::ByChannel => self.search_queue().is_some(),
        }
    }

    /// Whether the route named nobody and no place to look.
    fn led_nowhere(&self) -> bool {
        self.wanted.route().is_some() && self.search_queue().is_none()
    }

    /// Why the last offer is over that was really made.
    fn last_answer(&self) -> Option<OfferEndReason> {
        self.offers.iter().rev().find_map(|offer| match offer.state {
            OfferState::Over { why, .. } if why != OfferEndReason::Refused => Some(why),
            _ => None,
        })
    }

    /// That Salesforce refused whoever was to be asked, where it did.
    fn reps_refused(&self) -> Option<Reason> {
        let last = self.refusal.as_deref()?.clone();
        if self.find() == Find::NamedRep {
            return Some(Reason::SalesforceRefused(Step::Offer, last));
        }
        let refused =
            |offer: &&Offer| matches!(offer.state, OfferState::Over { why: OfferEndReason::Refused, .. });
        let reps = u32::try_from(self.offers.iter().filter(refused).count()).unwrap_or(u32::MAX);
        Some(Reason::RepsRefused { reps, last })
    }
}

impl Request {
    /// The next moment at which time alone changes something for a self.
    pub(super) fn deadline(&self, settings: &Settings) -> Option<Timestamp> {
        let undecided = self.verdict.is_none();
        let offers = self.offers.iter().filter_map(|offer| match offer.state {
            OfferState::Ringing { until, .. } if undecided => Some(until),
            OfferState::IdUnknown { until, .. }
            | OfferState::CancelRefused { until, .. }
            | OfferState::Abandoned { until, .. } => Some(until),
            _ => None,
        });
        let waiting = self.report == ReportState::Due || (undecided && self.awaits_route());
        let report = waiting.then(|| report_by(settings, self));
        let room = self.room_sought_at().filter(|_| undecided);
        let wait_over = self
            .waits_for_room_until(settings)
            .filter(|_| undecided && self.room.is_some() && self.held_seats() == 0);
        let search_over = self.created + settings.policy.search_for();
        let search = match self.search {
            Search::Asked { .. } if undecided => Some(search_over),
            Search::Waiting { until, .. } if undecided => Some(until.min(search_over)),
            _ => None,
        };
        let unsure = self.offers.iter().filter_map(|offer| match offer.creation {
            Creation::Unsure { until } => Some(until),
            Creation::Asked(_) | Creation::Done => None,
        });
        let word = self.offers.iter().filter_map(|offer| self.word_of_cancel_by(offer));
        offers
            .chain(word.filter(|_| undecided))
            .chain(unsure)
            .chain(report)
            .chain(search)
            .chain(room)
            .chain(wait_over)
            .min()
    }
}
