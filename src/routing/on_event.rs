//! What a happening at Salesforce makes true (PROTOCOL: "RoutingRequested", "What can happen after the
//! offer").

use crate::model::event::{EventKind, Participant, RoutingRequested, WorkChanged};
use crate::model::ids::{AgentWorkId, EventId, RepId, WorkItemId};
use crate::model::words::{ParticipantRole, WorkChange};

use super::command::{Announced, Remark, SessionNews};
use super::conversation::to_usize;
use super::decision::Decision;
use super::fact::{Fact, RequestFact, Requested};
use super::offer::{Offer, OfferState};
use super::phase::SessionPhase;
use super::policy::ANSWER_WINDOW;
use super::progress::ReportState;
use super::reason::{OfferEndReason, Outcome, Reason};
use super::request::Request;
use super::rules::{Admission, Arrival, Rule, TargetKind, rule};
use super::target::ResolvedTarget;

impl Decision<'_> {
    pub(super) fn on_event(&mut self, happening: EventKind) {
        match happening {
            EventKind::RoutingRequested(requested) => self.on_requested(&requested),
            EventKind::RoutingCancelled(cancelled) => self.on_cancelled(&cancelled),
            EventKind::RoutingStarted { work_item, .. } => self.learn_missing_work_item(work_item),
            EventKind::WorkItemSeen(work_item) => self.learn_missing_work_item(Some(work_item)),
            EventKind::WorkChanged(change) => {
                self.learn_missing_work_item(change.work_item);
                self.on_work_changed(change);
            }
            EventKind::SessionChanged { entry, work_item, status, ended_by, .. } => {
                self.on_session(&entry, work_item, SessionPhase::of(status), ended_by);
            }
            EventKind::ParticipantsChanged(changes) => {
                for change in changes {
                    self.on_participant(change);
                }
            }
            EventKind::ParticipantSeen(participant) => self.see(participant),
        }
    }

    fn learn_missing_work_item(&mut self, work_item: Option<WorkItemId>) {
        if let (None, Some(work_item)) = (self.conversation.work_item, work_item) {
            self.fact(Fact::WorkItemLearned(work_item));
        }
    }

    fn learn_work_item(&mut self, work_item: WorkItemId) {
        if self.conversation.work_item != Some(work_item) {
            self.fact(Fact::WorkItemLearned(work_item));
        }
    }

    fn on_requested(&mut self, requested: &RoutingRequested) {
        if self.conversation.has_seen(&requested.event) {
            self.remark(Remark::SeenBefore(requested.event.clone()));
            return;
        }
        let rule = rule(requested.routing_type, TargetKind::of(&requested.target));
        if rule.arrival == Arrival::First {
            self.on_first_requested(requested, &rule);
            return;
        }
        self.learn_of_request(requested);
        if let Some(requester) = requested.requester.and_then(Participant::rep) {
            self.see(requester);
        }
        let asked_by = requested.list_opened_by.or_else(|| self.conversation.only_rep());
        // A clock that runs behind Salesforce's must not stretch the 60 seconds.
        let created = requested.created.min(self.now);
        let admitted = if self.now >= created + ANSWER_WINDOW {
            Err((Outcome::Failed, Reason::TooOld))
        } else {
            self.admit(requested, &rule).map_err(|reason| (Outcome::Refused, reason))
        };
        let number = self.conversation.next_number();
        let (wanted, refusal) = match admitted {
            Ok(wanted) => (wanted, None),
            Err(refusal) => (ResolvedTarget::Nobody, Some(refusal)),
        };
        let named = wanted.named_rep();
        self.fact(Fact::Requested(Box::new(Requested {
            number,
            event: requested.event.clone(),
            created,
            routing_type: requested.routing_type,
            wanted,
            reports: rule.reports(),
            requester: requested.requester,
            asked_by,
        })));
        if let Some((outcome, reason)) = refusal {
            self.decide(number, outcome, reason);
        } else if let Some(rep) = named.filter(|rep| self.conversation.is_present(*rep)) {
            // A transfer to somebody who is in already: there is nobody to bring.
            self.decide(number, Outcome::Joined, Reason::Joined(rep));
        }
    }

    /// What a routing event tells of its conversation, whatever becomes of it.
    pub(super) fn learn_of_request(&mut self, requested: &RoutingRequested) {
        if let Some(work_item) = requested.work_item {
            self.learn_work_item(work_item);
        }
        if let Some(subject) = requested.end_user.clone() {
            self.see(Participant { role: ParticipantRole::EndUser, subject });
        }
    }

    /// Whether what is asked for may begin, and if not, why not. A rep whose transfer nobody answers would
    /// wait for 60 seconds.
    fn admit(&self, requested: &RoutingRequested, rule: &Rule) -> Result<ResolvedTarget, Reason> {
        let joins = rule.arrival == Arrival::Beside;
        if joins && !self.settings.conference_supported {
            return Err(Reason::NotSupported);
        }
        if let Admission::Refused(reason) | Admission::NotYet(reason) = rule.admission {
            return Err(reason.clone());
        }
        let wanted = ResolvedTarget::resolve(&requested.target)?;
        if let Some(rep) = wanted.named_rep() {
            if joins && self.conversation.is_present(rep) {
                return Err(Reason::AlreadyIn);
            }
            if self.conversation.may_ring(rep) {
                return Err(Reason::AlreadyInvited);
            }
        }
        if rule.arrival == Arrival::InPlaceOfRequester
            && !self.conversation.can_be_relieved(requested.requester)
        {
            return Err(Reason::TransferUnderWay);
        }
        match self.settings.participant_limit {
            Some(limit) if joins && self.conversation.taken_seats(None) >= to_usize(limit) => {
                Err(Reason::Full(limit))
            }
            _ => Ok(wanted),
        }
    }

    fn on_session(
        &mut self,
        entry: &EventId,
        work_item: WorkItemId,
        phase: SessionPhase,
        by: Option<ParticipantRole>,
    ) {
        if phase == SessionPhase::Over {
            // A session of the past may end late; the one that goes on is not touched by it.
            if self.conversation.work_item.is_none_or(|current| current == work_item) {
                self.end_all(&Reason::SessionEnded);
                self.all_are_out();
                self.fact(Fact::SessionEnded);
                self.tell(Announced::Session(SessionNews::Ended { by }));
                self.try_all_owed();
            }
            return;
        }
        self.learn_work_item(work_item);
        self.on_session_phase(entry, phase);
    }

    /// Finds the offer that an event is about, and lets it take effect.
    fn on_work_changed(&mut self, change: WorkChanged) {
        let work = change.work;
        match self.conversation.named_offer(&change) {
            Some((_, rep)) if change.rep.is_some_and(|spoke| spoke != rep) => {
                return self.remark(Remark::NotTheirOffer(work, change.rep.unwrap_or(rep)));
            }
            Some((number, rep)) => return self.offer_changed(number, rep, change.change),
            None => {}
        }
        if self.conversation.was_ours(work) {
            // It is over, and Salesforce tells how: after a cancel of ours, that it was cancelled.
            if change.change == WorkChange::Accepted {
                self.remark(Remark::OldWork(work));
            }
            return;
        }
        if self.conversation.is_past_work(work) {
            self.remark(Remark::ForeignWork(work));
            return;
        }
        let mut nameless = self.offers_of(&change, Offer::awaits_name);
        if nameless.is_empty() {
            nameless = self.offers_of(&change, Offer::may_get_name);
        }
        match nameless.as_slice() {
            [] => {
                self.fact(Fact::ForeignOfferSeen(work));
                self.remark(Remark::ForeignWork(work));
            }
            [(number, rep)] => self.name_offer(*number, *rep, &change),
            // All of one rep, and none of them waits: the newest is the likeliest.
            [.., (number, rep)] if change.rep.is_some() => self.name_offer(*number, *rep, &change),
            _ => self.fact(Fact::OfferEventHeld(change)),
        }
    }

    /// The offers that an event about one of unknown id could mean.
    fn offers_of(&self, change: &WorkChanged, fits: fn(&Offer) -> bool) -> Vec<(u32, RepId)> {
        let fits = |offer: &&Offer| fits(offer) && change.rep.is_none_or(|rep| rep == offer.rep);
        let of_request = |request: &Request| {
            let number = request.number;
            request.offers.iter().filter(fits).map(|offer| (number, offer.rep)).collect::<Vec<_>>()
        };
        self.conversation.requests.iter().flat_map(of_request).collect()
    }

    fn name_offer(&mut self, number: u32, rep: RepId, change: &WorkChanged) {
        if !matches!(
            change.change,
            WorkChange::Assigned | WorkChange::Accepted | WorkChange::Declined | WorkChange::Cancelled
        ) {
            // The end of somebody's work: of another's, or of ours, and then what came before is still on its
            // way. Whose it is will be known then.
            self.remark(Remark::ForeignWork(change.work));
            return;
        }
        let Some(offer) = self.conversation.request(number).and_then(|r| r.offer(rep)) else { return };
        let work = change.work;
        match offer.state {
            OfferState::Making { work: None } => {
                self.about(number, RequestFact::OfferIdLearned { rep, work });
            }
            _ if offer.lacks_id() => self.about(number, RequestFact::OfferIdLearned { rep, work }),
            OfferState::IdUnknown { .. } | OfferState::Abandoned { .. } => {
                let until = self.ring_until(number);
                self.about(number, RequestFact::OfferMade { rep, work, until });
            }
            _ => self.offer_repeated(number, rep, work),
        }
        self.offer_changed(number, rep, change.change);
    }

    /// The call that made an offer has made another. A rep who was done with the first is not asked
    /// again.
    pub(super) fn offer_repeated(&mut self, number: u32, rep: RepId, work: AgentWorkId) {
        let Some(offer) = self.conversation.request(number).and_then(|r| r.offer(rep)) else { return };
        let done_with = match offer.state {
            OfferState::Over { why, .. }
            | OfferState::TakingBack { why, .. }
            | OfferState::CancelOwed { why, .. }
            | OfferState::CancelRefused { why, .. } => Some(why),
            OfferState::Accepted { .. } | OfferState::Removing { .. } | OfferState::RemovalOwed { .. } => {
                Some(OfferEndReason::CalledOff)
            }
            _ => None,
        };
        self.about(number, RequestFact::OfferRepeated { rep, work, until: self.ring_until(number) });
        if let Some(why) = done_with {
            self.take_back(number, rep, why);
        }
        self.place_waiting(number, rep, work);
    }

    pub(super) fn offer_changed(&mut self, number: u32, rep: RepId, change: WorkChange) {
        let Some(offer) = self.conversation.request(number).and_then(|r| r.offer(rep)) else { return };
        let over = match change {
            WorkChange::Assigned => return,
            WorkChange::Accepted => return self.on_accepted(number, rep),
            WorkChange::Declined => OfferEndReason::Declined,
            WorkChange::Cancelled
            | WorkChange::Closed
            | WorkChange::TransferError
            | WorkChange::Transferred => match offer.state {
                OfferState::TakingBack { why, .. }
                | OfferState::CancelOwed { why, .. }
                | OfferState::CancelRefused { why, .. } => why,
                _ => OfferEndReason::Withdrawn,
            },
        };
        if offer.is_open() {
            self.about(number, RequestFact::OfferEnded(rep, over));
            if over == OfferEndReason::Declined {
                self.remark_decline(number);
            }
        }
    }

    /// What may not be declined and is all the same is over nevertheless.
    fn remark_decline(&mut self, number: u32) {
        let Some(request) = self.conversation.request(number) else { return };
        if request.rule().is_some_and(|rule| !rule.declinable) {
            let event = request.event.clone();
            self.remark(Remark::NotDeclinable(event));
        }
    }

    pub(super) fn on_accepted(&mut self, number: u32, rep: RepId) {
        let Some(request) = self.conversation.request(number) else { return };
        let Some(offer) = request.offer(rep) else { return };
        if matches!(
            offer.state,
            OfferState::Accepted { .. }
                | OfferState::Removing { .. }
                | OfferState::RemovalOwed { .. }
                | OfferState::Over { why: OfferEndReason::Declined | OfferEndReason::Removed, .. }
        ) {
            return;
        }
        let was_open = offer.is_open() || offer.may_get_name();
        let verdict = request.verdict.as_deref().map(|verdict| (verdict.outcome, verdict.reason.clone()));
        let told_failed = matches!(
            request.report,
            ReportState::Sent { success: false, .. } | ReportState::Given { success: false }
        );
        match verdict {
            Some((Outcome::Cancelled, Reason::EndUserLeft | Reason::SessionEnded)) => {
                if was_open && !matches!(offer.state, OfferState::Over { .. }) {
                    self.about(number, RequestFact::OfferEnded(rep, OfferEndReason::CalledOff));
                }
                return;
            }
            // Somebody else is in already, or the requester was told that nobody comes: `next` takes
            // this rep out again.
            Some((Outcome::Joined, _)) => self.about(number, RequestFact::OfferAccepted(rep)),
            Some(_) if told_failed || !was_open => self.about(number, RequestFact::OfferAccepted(rep)),
            Some(_) | None => {
                self.about(number, RequestFact::OfferAccepted(rep));
                self.decide(number, Outcome::Joined, Reason::Joined(rep));
            }
        }
        if let Some(participant) = Participant::rep(rep)
            && self.join(participant)
        {
            self.announce(rep, true);
        }
    }
}
