//! What the answer to a command makes true.
//!
//! An answer names its command, and a command that is not awaited any more is a late answer: the state
//! has moved on, and it changes nothing.

use std::time::Duration;

use crate::model::call::{Answer, Refusal, Reply, Routed};
use crate::model::error_codes::{About, ErrorCode};
use crate::model::event::WorkChanged;
use crate::model::ids::{AgentWorkId, RepId};
use crate::model::time::Timestamp;

use super::command::{CommandId, Remark, SearchFailure};
use super::decision::Decision;
use super::fact::{Fact, Intent, RequestFact};
use super::offer::OfferState;
use super::policy::{SETTLE_WINDOW, search_wait};
use super::progress::{Route, Search};
use super::reason::{Conclusion, OfferEndReason, Outcome, Reason, Step};
use super::request::Request;
use super::rules::Correlation;
use super::undo::Undo;

/// How many characters of a failure's text are kept: what Salesforce takes of it, with room for the words around.
const LONGEST_WHY: usize = 200;

impl Decision<'_> {
    pub(super) fn on_answer(&mut self, command: CommandId, answer: Answer) {
        let Some((number, intent)) = self.awaited(&command) else {
            self.remark(Remark::LateAnswer(command));
            return;
        };
        match intent {
            Intent::Route => self.on_routed(number, answer),
            Intent::Offer(rep) => self.on_offered(number, rep, answer),
            Intent::TakeBack(rep, _) => self.on_taken_back(number, command.number, rep, &answer),
            Intent::Report { .. } => {
                let taken = matches!(answer, Answer::Done(_));
                self.about(number, RequestFact::ResultSent { taken });
            }
            Intent::Clear(_) if self.is_cleared(number, &answer) => self.on_cleared(number),
            Intent::Clear(_) => self.in_vain(number, command.number, Undo::Clear, &answer),
            Intent::Remove(rep) if !matches!(answer, Answer::Done(_)) => {
                self.in_vain(number, command.number, Undo::Remove(rep), &answer);
            }
            Intent::Remove(rep) => self.on_removed(number, rep),
            Intent::Search { .. } => self.remark(Remark::LateAnswer(command)),
        }
    }

    pub(super) fn on_found(&mut self, command: CommandId, found: Result<Vec<RepId>, SearchFailure>) {
        let Some((number, Intent::Search { limit, .. })) = self.awaited(&command) else {
            self.remark(Remark::LateAnswer(command));
            return;
        };
        let reps = match found {
            Ok(reps) => reps,
            Err(failure) => return self.on_search_failed(number, failure),
        };
        let mut found: Vec<RepId> = Vec::with_capacity(reps.len().min(limit));
        for rep in reps {
            let possible = !found.contains(&rep)
                && !self.conversation.is_present(rep)
                && !self.conversation.may_ring(rep)
                && self.conversation.request(number).is_some_and(|request| request.offer(rep).is_none());
            if possible && found.len() < limit {
                found.push(rep);
            }
        }
        let undecided = self.conversation.request(number).is_some_and(|request| request.verdict.is_none());
        if undecided && !found.is_empty() {
            self.about(number, RequestFact::RepsFound(found));
        } else {
            self.about(number, RequestFact::NobodyFound);
        }
    }

    /// A failure is not an empty answer: somebody may be free. When to ask again is a fact, so that a restart
    /// neither forgets that the router fails nor hurries it.
    fn on_search_failed(&mut self, number: u32, failure: SearchFailure) {
        let Some(request) = self.conversation.request(number) else { return };
        if request.verdict.is_some() {
            return self.about(number, RequestFact::NobodyFound);
        }
        let (event, tries) = (request.event.clone(), request.failed_searches());
        let search_over = self.now >= request.created + self.settings.policy.search_for();
        match &failure {
            // `next` says the last word, and whether it had failed before.
            SearchFailure::Silent if search_over => {}
            SearchFailure::Silent => self.search_fails(number, &failure.to_string(), search_wait(tries)),
            SearchFailure::Failed { why, wait } => {
                self.search_fails(number, why, search_wait(tries).max(*wait));
            }
        }
        self.remark(Remark::RouterFailed(event, failure));
    }

    fn search_fails(&mut self, number: u32, why: &str, wait: Duration) {
        let fact = RequestFact::SearchFailed { why: one_line(why), again_at: self.now + wait };
        self.about(number, fact);
    }

    /// What the command was for, if its answer is still awaited.
    fn awaited(&self, command: &CommandId) -> Option<(u32, Intent)> {
        let number = self.request_of(command)?;
        let request = self.conversation.request(number)?;
        if let Search::Asked { call, dropped, limit } = request.search
            && call.number == command.number
        {
            return Some((number, Intent::Search { dropped, limit }));
        }
        request
            .in_flight()
            .into_iter()
            .find(|(call, _)| call.number == command.number)
            .map(|(_, intent)| (number, intent))
    }

    fn on_routed(&mut self, number: u32, answer: Answer) {
        let Some(request) = self.conversation.request(number) else { return };
        let undecided = request.verdict.is_none();
        match answer {
            Answer::Done(reply) => {
                let routed = match reply {
                    Reply::Routed(routed) => routed,
                    _ => Routed::default(),
                };
                if let (None, Some(work_item)) = (self.conversation.work_item, routed.work_item) {
                    self.fact(Fact::WorkItemLearned(work_item));
                }
                // A flow knows nothing of who is in the conversation already.
                let rep = routed
                    .rep
                    .filter(|rep| !self.conversation.is_present(*rep) && !self.conversation.may_ring(*rep));
                let rule = self.conversation.request(number).and_then(Request::rule);
                if let Some(psr) = routed.psr {
                    self.fact(Fact::PsrMade { psr, request: number });
                }
                let correlation = match rule.map(|rule| rule.correlation) {
                    Some(Correlation::RoutingEvent) => None,
                    Some(Correlation::RouteAnswer) | None => routed.correlation,
                };
                self.about(
                    number,
                    RequestFact::RouteMade { psr: routed.psr, rep, queue: routed.queue, correlation },
                );
            }
            Answer::Refused(refusal) => {
                let lost = refusal.after_lost_try;
                self.about(number, if lost { RequestFact::RouteUnknown } else { RequestFact::RouteRefused });
                if undecided {
                    self.decide(number, Outcome::Failed, Reason::SalesforceRefused(Step::Route, refusal));
                }
            }
            Answer::Lost(_) => {
                self.about(number, RequestFact::RouteUnknown);
                if undecided {
                    self.decide(number, Outcome::Failed, Reason::NoAnswer(Step::Route));
                }
            }
        }
    }

    fn on_offered(&mut self, number: u32, rep: RepId, answer: Answer) {
        let Some(offer) = self.conversation.request(number).and_then(|r| r.offer(rep)) else { return };
        let until = self.ring_until(number);
        match (offer.state, answer) {
            (OfferState::Making { work: None }, Answer::Done(Reply::Offered(Some(work)))) => {
                self.offer_made(number, rep, work, until);
            }
            (OfferState::Making { work: None }, Answer::Done(_)) => self.offer_nameless(number, rep, true),
            (OfferState::Making { work: None }, Answer::Lost(_)) => self.offer_nameless(number, rep, false),
            (OfferState::Making { work: None }, Answer::Refused(refusal)) => {
                self.offer_refused(number, rep, refusal);
            }
            (state, answer) => self.on_known_offered(number, rep, state, answer),
        }
    }

    /// The answer to the making of an offer that an event has told of already. Where a try before got no
    /// answer, this one may be about another offer than the event was, or another may yet show up.
    fn on_known_offered(&mut self, number: u32, rep: RepId, state: OfferState, answer: Answer) {
        let (another, unsure) = match &answer {
            Answer::Done(Reply::Offered(Some(work))) => (Some(*work), false),
            Answer::Done(_) | Answer::Lost(_) => (None, true),
            Answer::Refused(refusal) => (None, refusal.after_lost_try),
        };
        match (state, answer) {
            // What the event told of was not of our making.
            (OfferState::Making { .. }, Answer::Refused(refusal))
                if !refusal.after_lost_try && !exists(&refusal) =>
            {
                return self.offer_refused(number, rep, refusal);
            }
            (OfferState::Making { work: Some(work) }, _) => {
                if unsure {
                    self.creation_answered(number, rep, true);
                }
                self.offer_made(number, rep, work, self.ring_until(number));
            }
            _ => self.creation_answered(number, rep, unsure),
        }
        let Some(offer) = self.conversation.request(number).and_then(|r| r.offer(rep)).copied() else {
            return;
        };
        match another {
            Some(work) if offer.lacks_id() => self.about(number, RequestFact::OfferIdLearned { rep, work }),
            Some(work) if offer.work() != Some(work) && !self.conversation.is_past_work(work) => {
                self.offer_repeated(number, rep, work);
            }
            _ => {}
        }
    }

    fn creation_answered(&mut self, number: u32, rep: RepId, unsure: bool) {
        let unsure_until = unsure.then_some(self.now + SETTLE_WINDOW);
        self.about(number, RequestFact::OfferAnswered { rep, unsure_until });
    }

    fn offer_made(&mut self, number: u32, rep: RepId, work: AgentWorkId, until: Timestamp) {
        self.about(number, RequestFact::OfferMade { rep, work, until });
        self.place_waiting(number, rep, work);
    }

    /// Lets take effect what was said of an id before it was known whose it is.
    pub(super) fn place_waiting(&mut self, number: u32, rep: RepId, work: AgentWorkId) {
        let waiting: Vec<WorkChanged> =
            self.conversation.unplaced.iter().filter(|change| change.work == work).cloned().collect();
        if !waiting.is_empty() {
            self.fact(Fact::OfferEventMatched(work));
        }
        for change in waiting {
            self.offer_changed(number, rep, change.change);
        }
    }

    /// The offer may not be the only one that the call made, so its first name is not the last word.
    fn offer_nameless(&mut self, number: u32, rep: RepId, certain: bool) {
        // An offer that certainly exists and waits for its rep to have room is assigned, and named, only then.
        let ring_time = self.now + self.settings.policy.ring_for();
        let until = if certain { self.ring_until(number) } else { ring_time } + SETTLE_WINDOW;
        self.creation_answered(number, rep, true);
        self.about(number, RequestFact::OfferIdUnknown { rep, certain, until });
    }

    /// A refusal because the offer exists already means, after a try without answer, that this try
    /// worked (PROTOCOL: "Failures of a call"). Another refusal after such a try tells nothing of it: the
    /// offer may ring, or its rep may even have accepted. Nor is it certain where another request's offer to the
    /// same rep may exist that nobody can name: Salesforce may mean that one.
    ///
    /// What Salesforce has against this rep, it may not have against the next; whatever else it refuses, it
    /// would refuse again.
    fn offer_refused(&mut self, number: u32, rep: RepId, refusal: Refusal) {
        if refusal.after_lost_try && exists(&refusal) {
            let certain = !self.conversation.another_may_exist(number, rep);
            return self.offer_nameless(number, rep, certain);
        }
        if self.waits_for_room(number, &refusal) {
            return self.rep_has_no_room(number, rep, refusal);
        }
        if refusal.after_lost_try {
            self.creation_answered(number, rep, true);
        }
        let about = refusal.code.map_or(About::Request, |code| ErrorCode(code).about());
        if about == About::Rep {
            self.remark(Remark::RepRefused(rep, refusal.clone()));
            self.about(number, RequestFact::RepRefused { rep, refusal });
            return;
        }
        self.about(number, RequestFact::OfferEnded(rep, OfferEndReason::Refused));
        if self.conversation.request(number).is_some_and(|request| request.verdict.is_none()) {
            self.decide(number, Outcome::Failed, Reason::SalesforceRefused(Step::Offer, refusal));
        }
    }

    /// An offer that was taken back is over. One that is not open any more cannot be: its rep was quicker, and
    /// word of what they answered is on its way. In all other cases it is still there, and the cancel is owed.
    fn on_taken_back(&mut self, number: u32, command: u16, rep: RepId, answer: &Answer) {
        match answer {
            Answer::Done(_) => self.undone(number, Undo::Cancel(rep)),
            Answer::Refused(refusal) if refusal.code == Some(ErrorCode::STATUS_NOT_VALID.0) => {
                self.about(number, RequestFact::OfferCancelRefused { rep, until: self.now + SETTLE_WINDOW });
            }
            Answer::Refused(_) | Answer::Lost(_) => {
                self.in_vain(number, command, Undo::Cancel(rep), answer);
            }
        }
    }

    /// Whether no PSR is left. An answer that says no without an error (`DeleteRouteResponse.success`) tells "not
    /// cancelled" and no more: where another try may have worked, or was answered the same, there is none.
    fn is_cleared(&self, number: u32, answer: &Answer) -> bool {
        match answer {
            Answer::Done(_) => true,
            Answer::Refused(refusal) if (200..300).contains(&refusal.status) && refusal.code.is_none() => {
                let request = self.conversation.request(number);
                refusal.after_lost_try || request.is_some_and(|request| request.owed(Undo::Clear).is_some())
            }
            Answer::Refused(_) | Answer::Lost(_) => false,
        }
    }

    /// A clear names the conversation and no PSR: it has taken those of other requests as well that were owed
    /// one.
    fn on_cleared(&mut self, number: u32) {
        self.undone(number, Undo::Clear);
        let owed = |request: &Request| matches!(request.route, Route::ClearOwed(_));
        let others: Vec<u32> =
            self.conversation.requests.iter().filter(|r| owed(r)).map(|request| request.number).collect();
        for other in others {
            self.undone(other, Undo::Clear);
        }
    }

    /// Until when an offer that is made now may ring.
    pub(super) fn ring_until(&self, number: u32) -> Timestamp {
        let ring_time = self.now + self.settings.policy.ring_for();
        match self.conversation.request(number) {
            Some(request) if request.rings_until_accepted() => {
                ring_time.max(request.created + self.settings.policy.transfer_wait())
            }
            _ => ring_time,
        }
    }

    /// Says the last word on a request.
    pub(super) fn decide(&mut self, number: u32, outcome: Outcome, reason: Reason) {
        let verdict = Conclusion { outcome, reason, at: self.now };
        self.about(number, RequestFact::Decided(verdict));
        self.care_for_customer(number);
    }
}

/// As much of a failure's text as is worth storing, on one line and without the full stop that the reason adds.
fn one_line(why: &str) -> String {
    let line: String = why.chars().take(LONGEST_WHY).map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().trim_end_matches('.').to_owned()
}

/// Whether the refusal says that the rep holds such an offer.
fn exists(refusal: &Refusal) -> bool {
    refusal.code == Some(ErrorCode::OFFER_EXISTS.0)
}
