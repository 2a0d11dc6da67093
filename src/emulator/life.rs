//! The life of an offer, and what it does to its rep, its PSR, its request and its conversation.

use super::act_error::ActError;
use super::ledger::{LedgerEvent, PsrEnd};
use super::salesforce::Salesforce;
use super::state::{RequestEnd, Work, WorkState};
use crate::model::event::Participant;
use crate::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, RepId};
use crate::model::time::Timestamp;
use crate::model::words::{Availability, RoutingType, SessionStatus, WorkChange};

impl Salesforce {
    /// Enters a new offer. It rings at once, but for a direct transfer to a rep without room.
    pub(super) fn offer(&mut self, now: Timestamp, work: Work) {
        let created = LedgerEvent::OfferCreated {
            work: work.id,
            rep: work.rep,
            work_item: work.work_item,
            correlation: work.correlation.clone(),
            psr: work.psr,
        };
        self.books.add(now, created);
        if let Some(conversation) = self.conversations.get_mut(&work.conversation) {
            conversation.works.push(work.id);
        }
        let (id, rep) = (work.id, work.rep);
        let waits = work.psr.is_none()
            && work.routing_type == RoutingType::Transfer
            && !self.reps.get(&rep).is_some_and(|it| it.has_room(work.weight));
        self.active.insert((rep, work.work_item), id);
        self.waiting.insert((rep, id));
        self.works.insert(id, Work { state: WorkState::Waiting, ..work });
        if !waits {
            self.assign(now, id);
        }
    }

    fn assign(&mut self, now: Timestamp, id: AgentWorkId) {
        let Some(work) = self.works.get_mut(&id).filter(|work| work.state == WorkState::Waiting) else {
            return;
        };
        work.state = WorkState::Assigned;
        let (rep, weight) = (work.rep, work.weight);
        self.waiting.remove(&(rep, id));
        self.take_capacity(rep, weight);
        self.tell_work(now, id, WorkChange::Assigned);
        self.start_script(now, rep, id);
    }

    /// Assigns what waits for a rep, as long as it fits.
    pub(super) fn assign_waiting(&mut self, now: Timestamp, rep: RepId) {
        let waiting: Vec<_> = self
            .waiting
            .iter()
            .filter(|(holder, _)| *holder == rep)
            .filter_map(|(_, id)| self.works.get(id))
            .map(|work| (work.id, work.weight))
            .collect();
        for (id, weight) in waiting {
            if self.reps.get(&rep).is_some_and(|it| it.has_room(weight)) {
                self.assign(now, id);
            }
        }
    }

    /// The rep takes an offer. The PSR of that routing is gone by itself (PROTOCOL: "What can happen after the
    /// offer"), the rep is in the conversation, and a transfer takes the one who asked for it out.
    pub(super) fn accept(&mut self, now: Timestamp, id: AgentWorkId) -> Result<(), ActError> {
        let work = self.ringing(id)?.clone();
        if self.conversations.get(&work.conversation).is_none_or(super::Conversation::is_over) {
            return Err(ActError::SessionOver { conversation: work.conversation });
        }
        self.set_work_state(id, WorkState::Accepted);
        self.tell_work(now, id, WorkChange::Accepted);
        self.delete_psrs_of(now, &work);
        let request = self.requests.get(&work.correlation);
        if request.is_some_and(|request| !request.is_open()) {
            let request = work.correlation.clone();
            self.books.add(now, LedgerEvent::LateJoin { request, work: id, rep: work.rep });
        }
        let requester = request_requester(self, &work);
        self.end_request(now, &work.correlation, RequestEnd::Joined { rep: work.rep });
        self.add_rep(now, &work.conversation, work.rep);
        self.set_session_status(now, &work.conversation, SessionStatus::Active, None);
        if let Some(requester) = requester.filter(|rep| *rep != work.rep) {
            self.take_rep_out(now, &work.conversation, requester, WorkChange::Transferred);
        }
        Ok(())
    }

    /// The rep says no to an offer.
    pub(super) fn decline(&mut self, now: Timestamp, id: AgentWorkId) -> Result<(), ActError> {
        let work = self.ringing(id)?;
        if work.routing_type == RoutingType::Transfer {
            return Err(ActError::TransfersAreNotDeclined { work: id });
        }
        self.end_offer(now, id, WorkState::Declined, WorkChange::Declined);
        Ok(())
    }

    /// An offer that the rep has not answered is taken back.
    pub(super) fn cancel_offer(&mut self, now: Timestamp, id: AgentWorkId) -> Result<(), ActError> {
        let state = self.works.get(&id).ok_or(ActError::UnknownWork { work: id })?.state;
        if !state.is_open() {
            return Err(ActError::NotRinging { work: id, state });
        }
        self.end_offer(now, id, WorkState::Cancelled, WorkChange::Cancelled);
        Ok(())
    }

    /// The rep has finished with work that they had accepted, and leaves the conversation.
    pub(super) fn close(&mut self, now: Timestamp, id: AgentWorkId) -> Result<(), ActError> {
        let work = self.works.get(&id).ok_or(ActError::UnknownWork { work: id })?;
        if work.state != WorkState::Accepted {
            return Err(ActError::NotAccepted { work: id, state: work.state });
        }
        let (conversation, rep) = (work.conversation.clone(), work.rep);
        self.take_rep_out(now, &conversation, rep, WorkChange::Closed);
        Ok(())
    }

    fn ringing(&self, id: AgentWorkId) -> Result<&Work, ActError> {
        let work = self.works.get(&id).ok_or(ActError::UnknownWork { work: id })?;
        match work.state {
            WorkState::Assigned => Ok(work),
            state => Err(ActError::NotRinging { work: id, state }),
        }
    }

    fn set_work_state(&mut self, id: AgentWorkId, state: WorkState) {
        if let Some(work) = self.works.get_mut(&id) {
            work.state = state;
        }
    }

    /// Ends an active offer and gives its capacity back.
    pub(super) fn end_offer(
        &mut self,
        now: Timestamp,
        id: AgentWorkId,
        state: WorkState,
        change: WorkChange,
    ) {
        let Some(work) = self.works.get_mut(&id).filter(|work| work.state.is_active()) else { return };
        let held = work.state != WorkState::Waiting;
        work.state = state;
        let (rep, weight, work_item) = (work.rep, work.weight, work.work_item);
        self.active.remove(&(rep, work_item));
        self.waiting.remove(&(rep, id));
        self.tell_work(now, id, change);
        if held {
            self.take_capacity(rep, -weight);
        }
        self.assign_waiting(now, rep);
    }

    /// Takes a rep out of a conversation: their accepted work ends, and they are no participant any more.
    pub(super) fn take_rep_out(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        rep: RepId,
        change: WorkChange,
    ) {
        for id in self.works_of(conversation, |work| work.rep == rep && work.state == WorkState::Accepted) {
            self.end_offer(now, id, WorkState::Closed, change);
        }
        if let Some(participant) = Participant::rep(rep) {
            self.remove_participant(now, conversation, &participant);
        }
    }

    /// A rep goes offline: nothing rings at theirs any more, and they drop out of their conversations. Under
    /// tab-based capacity a session that has no rep left goes back to `Waiting`.
    pub(super) fn go_offline(&mut self, now: Timestamp, rep: RepId) {
        if let Some(rep) = self.reps.get_mut(&rep) {
            rep.availability = Availability::Offline;
        }
        let mine: Vec<_> =
            self.active_of(rep).map(|work| (work.id, work.state, work.conversation.clone())).collect();
        for (id, state, conversation) in mine {
            if state.is_open() {
                self.end_offer(now, id, WorkState::Cancelled, WorkChange::Cancelled);
                continue;
            }
            self.take_rep_out(now, &conversation, rep, WorkChange::Closed);
            let empty = self.conversations.get(&conversation).is_some_and(|it| it.reps().next().is_none());
            if empty {
                self.set_session_status(now, &conversation, SessionStatus::Waiting, None);
            }
        }
    }

    pub(super) fn works_of(
        &self,
        conversation: &ConversationId,
        wanted: impl Fn(&Work) -> bool,
    ) -> Vec<AgentWorkId> {
        let all = self.conversations.get(conversation).map(|it| it.works.as_slice()).unwrap_or_default();
        let works = all.iter().filter_map(|id| self.works.get(id));
        works.filter(|work| wanted(work)).map(|work| work.id).collect()
    }

    pub(super) fn open_requests_of(&self, conversation: &ConversationId) -> Vec<EventId> {
        let all = self.conversations.get(conversation).map(|it| it.requests.as_slice()).unwrap_or_default();
        let requests = all.iter().filter_map(|id| self.requests.get(id));
        requests.filter(|request| request.is_open()).map(|request| request.event.clone()).collect()
    }

    pub(super) fn take_capacity(&mut self, rep: RepId, weight: f64) {
        if let Some(rep) = self.reps.get_mut(&rep) {
            rep.capacity_used = (rep.capacity_used + weight).max(0.0);
        }
    }

    fn add_rep(&mut self, now: Timestamp, id: &ConversationId, rep: RepId) {
        let Some(participant) = Participant::rep(rep) else { return };
        if self.enter_participant(now, id, participant.clone()) {
            self.tell_participant(now, id, &participant, true);
        }
    }

    /// Puts somebody into a conversation without telling anybody. Says whether they were not in it yet.
    pub(super) fn enter_participant(
        &mut self,
        now: Timestamp,
        id: &ConversationId,
        participant: Participant,
    ) -> bool {
        let limit = self.settings.channel.participant_limit.and_then(|limit| usize::try_from(limit).ok());
        let Some(conversation) = self.conversations.get_mut(id) else { return false };
        if conversation.participants.contains(&participant) {
            return false;
        }
        conversation.participants.push(participant.clone());
        let count = conversation.participants.len();
        let over_limit = limit.is_some_and(|limit| count > limit);
        let conversation = id.clone();
        self.books.add(now, LedgerEvent::ParticipantJoined { conversation, participant, count, over_limit });
        true
    }

    pub(super) fn remove_participant(
        &mut self,
        now: Timestamp,
        id: &ConversationId,
        participant: &Participant,
    ) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let before = conversation.participants.len();
        conversation.participants.retain(|it| it != participant);
        let count = conversation.participants.len();
        if count == before {
            return;
        }
        self.tell_participant(now, id, participant, false);
        let (conversation, participant) = (id.clone(), participant.clone());
        self.books.add(now, LedgerEvent::ParticipantLeft { conversation, participant, count });
    }

    /// Deletes the PSR that an accepted offer used, and every other of its request: a route call that was
    /// made twice leaves two.
    fn delete_psrs_of(&mut self, now: Timestamp, work: &Work) {
        let Some(used) = work.psr.and_then(|id| self.psrs.get(&id)) else { return };
        let same =
            |psr: &super::Psr| psr.correlation == used.correlation || psr.correlation == work.correlation;
        let psrs: Vec<_> = self
            .conversations
            .get(&work.conversation)
            .map(|it| it.psrs.clone())
            .unwrap_or_default()
            .into_iter()
            .filter(|id| self.psrs.get(id).is_some_and(same))
            .collect();
        for psr in psrs {
            self.delete_psr(now, psr, PsrEnd::Accept);
        }
    }

    pub(super) fn delete_psr(&mut self, now: Timestamp, id: PsrId, end: PsrEnd) {
        let Some(psr) = self.psrs.remove(&id) else { return };
        if let Some(conversation) = self.conversations.get_mut(&psr.conversation) {
            conversation.psrs.retain(|it| *it != id);
        }
        self.books.add(now, LedgerEvent::PsrDeleted { psr: id, end });
    }
}

/// The rep whom an accepted transfer takes out of the conversation.
fn request_requester(salesforce: &Salesforce, work: &Work) -> Option<RepId> {
    if work.routing_type != RoutingType::Transfer {
        return None;
    }
    salesforce.requests.get(&work.correlation).and_then(|request| request.requester)
}
