//! The life of a messaging session: how it ends, and what ends with it.

use super::ledger::LedgerEvent;
use super::salesforce::Salesforce;
use super::state::{Request, RequestEnd, WorkState};
use crate::model::event::{Participant, Target};
use crate::model::ids::{ConversationId, Subject, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, ParticipantRole, RoutingType, SessionStatus, WorkChange};

impl Salesforce {
    pub(super) fn set_session_status(
        &mut self,
        now: Timestamp,
        id: &ConversationId,
        status: SessionStatus,
        ended_by: Option<ParticipantRole>,
    ) {
        let Some(conversation) = self.conversations.get_mut(id) else { return };
        let from = std::mem::replace(&mut conversation.status, status);
        if from == status {
            return;
        }
        self.tell_session(now, id, from, ended_by);
        let change = LedgerEvent::SessionChanged { conversation: id.clone(), from: Some(from), to: status };
        self.books.add(now, change);
    }

    /// Begins a conversation with nobody but its end user, and its session. It is not routed, and waits for the end
    /// user's consent first where the channel asks for more than it has.
    pub(super) fn begin_session(
        &mut self,
        now: Timestamp,
        end_user: Subject,
    ) -> (ConversationId, WorkItemId) {
        let (id, work_item) = (self.mint.text_id(), self.mint.record(WorkItemId::PREFIX));
        let status =
            if self.is_enough(self.consent(&end_user)) { SessionStatus::New } else { SessionStatus::Consent };
        let participant = Participant { role: ParticipantRole::EndUser, subject: end_user.clone() };
        self.enter_conversation(now, &id, work_item, end_user, status);
        self.tell_session(now, &id, status, None);
        self.tell_participant(now, &id, &participant, true);
        self.ask_for_first_rep(now, &id);
        (id, work_item)
    }

    /// Salesforce asks for a rep by itself, where it is set up so, once the session may be routed.
    pub(super) fn ask_for_first_rep(&mut self, now: Timestamp, id: &ConversationId) {
        let is_new = self.conversations.get(id).is_some_and(|it| it.status == SessionStatus::New);
        if !is_new || !self.settings.asks_for_first_rep {
            return;
        }
        let request = Request {
            event: self.mint.text_id(),
            conversation: id.clone(),
            routing_type: RoutingType::Initial,
            target: Target::Unreadable,
            requester: None,
            created: now,
            answered: None,
            ended: None,
        };
        self.tell_routing_requested(now, &request);
        // The conversation is there.
        drop(self.enter_request(now, request));
    }

    /// Ends a session. Accepted work is closed; what the partner should take back stays, for it to do so.
    pub(super) fn end_session(&mut self, now: Timestamp, id: &ConversationId, by: ParticipantRole) {
        for work in self.works_of(id, |work| work.state == WorkState::Accepted) {
            self.end_offer(now, work, WorkState::Closed, WorkChange::Closed);
        }
        self.set_session_status(now, id, SessionStatus::Ended, Some(by));
        for event in self.open_requests_of(id) {
            self.end_request(now, &event, RequestEnd::SessionEnded);
        }
    }

    /// The end user ends a session that is not over: every open request is called off, and they leave.
    pub(super) fn end_user_ends(&mut self, now: Timestamp, id: &ConversationId) {
        let Some(end_user) = self.conversations.get(id).map(|it| it.end_user.clone()) else { return };
        for event in self.open_requests_of(id) {
            if let Some(request) = self.requests.get(&event).cloned() {
                self.call_off(now, &request, CancelReason::EndUserEnded);
            }
        }
        let participant = Participant { role: ParticipantRole::EndUser, subject: end_user };
        self.remove_participant(now, id, &participant);
        self.end_session(now, id, ParticipantRole::EndUser);
    }

    /// Calls a request off.
    pub(super) fn call_off(&mut self, now: Timestamp, request: &Request, reason: CancelReason) {
        let psr = self.psrs.values().find(|psr| psr.correlation == request.event).cloned();
        let (conversation, routing_type) = (&request.conversation, request.routing_type);
        self.tell_routing_cancelled(now, conversation, routing_type, reason, request.requester, psr.as_ref());
        self.end_request(now, &request.event, RequestEnd::Cancelled { reason });
    }
}
