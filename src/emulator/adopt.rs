//! Taking over what began elsewhere: conversations and routing requests of a recording, with their own ids.

use super::act_error::ActError;
use super::ledger::LedgerEvent;
use super::salesforce::Salesforce;
use super::state::{Conversation, Request, Work, WorkState};
use crate::model::event::{Participant, RoutingRequested};
use crate::model::ids::{AgentWorkId, ConversationId, RepId, Subject, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{ParticipantRole, RoutingType, SessionStatus};

/// A conversation as it stands when the emulator takes it over from a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedConversation {
    /// `conversationIdentifier`.
    pub conversation: ConversationId,
    /// Its messaging session; one is made where it is not known.
    pub work_item: Option<WorkItemId>,
    /// Its end user; one is made where they are not known.
    pub end_user: Option<Subject>,
    /// The reps who are in it.
    pub reps: Vec<RepId>,
}

impl Salesforce {
    /// Takes over a conversation as it stands in a recording, without emitting anything. The reps who
    /// are in it hold accepted offers, as they would have got there.
    ///
    /// # Errors
    /// Where the conversation or the work item is there already.
    pub fn seed_conversation(
        &mut self,
        now: Timestamp,
        adopted: AdoptedConversation,
    ) -> Result<WorkItemId, ActError> {
        let AdoptedConversation { conversation: id, work_item, end_user, reps } = adopted;
        if self.conversations.contains_key(&id) {
            return Err(ActError::ConversationExists { conversation: id });
        }
        let work_item = work_item.unwrap_or_else(|| self.mint.record(WorkItemId::PREFIX));
        if self.by_work_item.contains_key(&work_item) {
            return Err(ActError::WorkItemExists { work_item });
        }
        let end_user = end_user.unwrap_or_else(|| self.mint.text_id());
        let status = if reps.is_empty() { SessionStatus::Waiting } else { SessionStatus::Active };
        self.enter_conversation(now, &id, work_item, end_user, status);
        for rep in reps {
            self.seat(now, &id, work_item, rep);
        }
        Ok(work_item)
    }

    /// A conversation with its end user alone begins. Nothing is emitted.
    pub(super) fn enter_conversation(
        &mut self,
        now: Timestamp,
        id: &ConversationId,
        work_item: WorkItemId,
        end_user: Subject,
        status: SessionStatus,
    ) {
        let conversation = Conversation {
            id: id.clone(),
            work_item,
            end_user: end_user.clone(),
            status,
            participants: vec![Participant { role: ParticipantRole::EndUser, subject: end_user }],
            started: now,
            requests: Vec::new(),
            works: Vec::new(),
            psrs: Vec::new(),
        };
        self.conversations.insert(id.clone(), conversation);
        self.by_work_item.insert(work_item, id.clone());
        self.books.add(now, LedgerEvent::SessionChanged { conversation: id.clone(), from: None, to: status });
    }

    /// Puts a rep into a conversation as if they had accepted it earlier.
    fn seat(&mut self, now: Timestamp, conversation: &ConversationId, work_item: WorkItemId, rep: RepId) {
        let work = Work {
            id: self.mint.record(AgentWorkId::PREFIX),
            rep,
            work_item,
            conversation: conversation.clone(),
            routing_type: RoutingType::Initial,
            correlation: self.mint.text_id(),
            psr: None,
            weight: self.settings.psr_weight,
            state: WorkState::Accepted,
            created: now,
        };
        self.take_capacity(rep, work.weight);
        if let Some(conversation) = self.conversations.get_mut(conversation) {
            conversation.works.push(work.id);
        }
        self.active.insert((rep, work_item), work.id);
        self.works.insert(work.id, work);
        if let Some(participant) = Participant::rep(rep) {
            self.enter_participant(now, conversation, participant);
        }
    }

    /// Forgets a conversation and everything about it: a long run in which conversations come and go
    /// would otherwise never let go of any. What is open is forgotten too. The books keep their newest
    /// `book_entries`.
    pub fn forget(&mut self, conversation: &ConversationId, book_entries: usize) {
        self.books.keep_newest(book_entries);
        if self.request_ids.len() > book_entries {
            self.request_ids.clear();
        }
        let Some(gone) = self.conversations.remove(conversation) else { return };
        self.by_work_item.remove(&gone.work_item);
        for work in gone.works {
            if let Some(work) = self.works.remove(&work) {
                self.active.remove(&(work.rep, work.work_item));
                self.waiting.remove(&(work.rep, work.id));
            }
        }
        for psr in gone.psrs {
            self.psrs.remove(&psr);
        }
        for request in gone.requests {
            self.requests.remove(&request);
        }
    }

    /// Takes over a routing request from a recording, with the event id that it has there, without
    /// emitting anything. Its 60 seconds run from its own `created`.
    ///
    /// # Errors
    /// Where the conversation is not there, or the request is there already.
    pub fn adopt_request(
        &mut self,
        now: Timestamp,
        conversation: &ConversationId,
        requested: &RoutingRequested,
    ) -> Result<(), ActError> {
        if self.requests.contains_key(&requested.event) {
            return Err(ActError::RequestExists { request: requested.event.clone() });
        }
        let request = Request {
            event: requested.event.clone(),
            conversation: conversation.clone(),
            routing_type: requested.routing_type,
            target: requested.target.clone(),
            requester: requested.requester,
            created: requested.created,
            answered: None,
            ended: None,
        };
        self.enter_request(now, request)
    }
}
