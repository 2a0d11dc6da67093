//! The emulated org itself: its state, its time, and what was put into it from outside.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::act_error::ActError;
use super::emitted::Emitted;
use super::fault::{Fault, Plan};
use super::ledger::{Ledger, LedgerEvent};
use super::random::IdGenerator;
use super::settings::{BearerRule, Settings};
use super::state::{Conversation, Psr, Request, RequestEnd, Work, WorkState};
use crate::model::ids::{
    AgentWorkId, ConversationId, EventId, FlowId, PsrId, QueueId, RepId, Subject, WorkItemId,
};
use crate::model::roster::{Flow, Rep, Roster, Script};
use crate::model::time::Timestamp;
use crate::model::words::{ConsentStatus, RoutingType};

/// How long the partner has to answer a routing request (PROTOCOL: "The sequences").
pub(super) const ANSWER_TIME: Duration = Duration::from_mins(1);

/// The emulated org. See the module's doc for what it promises.
#[derive(Debug, Clone)]
pub struct Salesforce {
    pub(super) settings: Settings,
    pub(super) mint: IdGenerator,
    pub(super) created_by: RepId,
    pub(super) reps: BTreeMap<RepId, Rep>,
    pub(super) queues: BTreeSet<QueueId>,
    pub(super) flows: BTreeMap<FlowId, Flow>,
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) by_work_item: BTreeMap<WorkItemId, ConversationId>,
    /// The ids of all messages that were taken.
    pub(super) messages: BTreeSet<String>,
    /// What end users have agreed to, where somebody has said so.
    pub(super) consents: BTreeMap<Subject, ConsentStatus>,
    pub(super) psrs: BTreeMap<PsrId, Psr>,
    pub(super) works: BTreeMap<AgentWorkId, Work>,
    /// Who has which active agent work for which work item: at most one (15109).
    pub(super) active: BTreeMap<(RepId, WorkItemId), AgentWorkId>,
    /// What waits for a rep to have room.
    pub(super) waiting: BTreeSet<(RepId, AgentWorkId)>,
    pub(super) requests: BTreeMap<EventId, Request>,
    pub(super) tokens: BTreeMap<String, Timestamp>,
    pub(super) request_ids: HashMap<String, u64>,
    /// Which routing request the calls of a `RequestId` were taken for, where they name none themselves.
    pub(super) taken_for: HashMap<String, EventId>,
    /// The `RequestId` of the call that is being answered.
    pub(super) calling: Option<String>,
    pub(super) faults: Plan,
    pub(super) books: Ledger,
    pub(super) emitted: Vec<Emitted>,
    pub(super) muted: bool,
    due: BTreeMap<(Timestamp, u64), Due>,
    next_due: u64,
}

/// Something that happens by itself when its time comes.
#[derive(Debug, Clone)]
enum Due {
    Accept(AgentWorkId),
    Decline(AgentWorkId),
    /// 60 seconds after a request was published.
    Mark(EventId),
}

/// What the partner should have taken back and has not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// Offers that a rep could still accept, though their request or their session is over.
    pub offers: Vec<AgentWorkId>,
    /// PSRs whose request or session is over.
    pub psrs: Vec<PsrId>,
}

impl Leftovers {
    /// Whether nothing is left over.
    pub const fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.psrs.is_empty()
    }
}

impl Salesforce {
    /// An org with these people. The seed decides every id that it will make.
    pub fn new(seed: u64, roster: Roster, settings: Settings) -> Self {
        let mut mint = IdGenerator::new(seed);
        let created_by = mint.record(RepId::PREFIX);
        let mut queues: BTreeSet<_> = roster.queues.iter().map(|queue| queue.id).collect();
        queues.extend(roster.reps.iter().flat_map(|rep| rep.queues.iter().copied()));
        queues.extend(roster.flows.iter().filter_map(|flow| flow.queue));
        queues.extend(settings.channel.default_queue);
        Self {
            settings,
            mint,
            created_by,
            reps: roster.reps.into_iter().map(|rep| (rep.id, rep)).collect(),
            queues,
            flows: roster.flows.into_iter().map(|flow| (flow.id, flow)).collect(),
            conversations: BTreeMap::new(),
            by_work_item: BTreeMap::new(),
            messages: BTreeSet::new(),
            consents: BTreeMap::new(),
            psrs: BTreeMap::new(),
            works: BTreeMap::new(),
            active: BTreeMap::new(),
            waiting: BTreeSet::new(),
            requests: BTreeMap::new(),
            tokens: BTreeMap::new(),
            request_ids: HashMap::new(),
            taken_for: HashMap::new(),
            calling: None,
            faults: Plan::default(),
            books: Ledger::default(),
            emitted: Vec::new(),
            muted: false,
            due: BTreeMap::new(),
            next_due: 0,
        }
    }

    /// How the org is set up.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Everything that happened.
    pub const fn books(&self) -> &Ledger {
        &self.books
    }

    /// A conversation.
    pub fn conversation(&self, id: &ConversationId) -> Option<&Conversation> {
        self.conversations.get(id)
    }

    /// The conversation of a work item.
    pub fn conversation_of(&self, work_item: WorkItemId) -> Option<&Conversation> {
        self.by_work_item.get(&work_item).and_then(|id| self.conversations.get(id))
    }

    /// An offer.
    pub fn work(&self, id: AgentWorkId) -> Option<&Work> {
        self.works.get(&id)
    }

    /// All offers that were ever made, in the order of their ids, which is the order of their making.
    pub fn works(&self) -> impl Iterator<Item = &Work> {
        self.works.values()
    }

    /// The PSRs that exist.
    pub fn psrs(&self) -> impl Iterator<Item = &Psr> {
        self.psrs.values()
    }

    /// A routing request that was published or adopted.
    pub fn request(&self, event: &EventId) -> Option<&Request> {
        self.requests.get(event)
    }

    /// All routing requests, in the order of their event ids.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values()
    }

    /// A rep, with what is taken of their capacity now.
    pub fn rep(&self, id: RepId) -> Option<&Rep> {
        self.reps.get(&id)
    }

    /// Every rep.
    pub fn reps(&self) -> impl Iterator<Item = &Rep> {
        self.reps.values()
    }

    /// What the partner should have taken back and has not: nothing, once every request is over and
    /// every call that follows from it has been made.
    pub fn leftovers(&self) -> Leftovers {
        let over = |conversation: &ConversationId, correlation: &EventId| {
            self.requests.get(correlation).is_some_and(|request| !request.is_open())
                || self.conversations.get(conversation).is_some_and(Conversation::is_over)
        };
        let left = |work: &&Work| work.state.is_open() && over(&work.conversation, &work.correlation);
        Leftovers {
            offers: self.works.values().filter(left).map(|work| work.id).collect(),
            psrs: self
                .psrs
                .values()
                .filter(|psr| over(&psr.conversation, &psr.correlation))
                .map(|psr| psr.id)
                .collect(),
        }
    }

    /// A rep's active offers.
    pub(super) fn active_of(&self, rep: RepId) -> impl Iterator<Item = &Work> {
        let of_rep = self.active.iter().filter(move |((holder, _), _)| *holder == rep);
        of_rep.filter_map(|(_, id)| self.works.get(id))
    }

    /// The state as JSON, for whoever looks on.
    pub fn snapshot(&self) -> Value {
        json!({
            "settings": self.settings,
            "reps": self.reps.values().collect::<Vec<_>>(),
            "queues": self.queues,
            "flows": self.flows.values().collect::<Vec<_>>(),
            "conversations": self.conversations.values().collect::<Vec<_>>(),
            "consents": self.consents,
            "psrs": self.psrs.values().collect::<Vec<_>>(),
            "agentWorks": self.works.values().collect::<Vec<_>>(),
            "routingRequests": self.requests.values().collect::<Vec<_>>(),
            "faults": self.faults.faults(),
            "leftovers": self.leftovers(),
        })
    }

    /// Adds a rep, or puts their new record in the place of the old one. What their active offers take
    /// of their capacity stays taken.
    pub fn upsert_rep(&mut self, now: Timestamp, mut rep: Rep) {
        let taken: f64 = self
            .active_of(rep.id)
            .filter(|work| work.state != WorkState::Waiting)
            .map(|work| work.weight)
            .sum();
        rep.capacity_used += taken;
        self.queues.extend(rep.queues.iter().copied());
        let id = rep.id;
        self.reps.insert(id, rep);
        self.assign_waiting(now, id);
    }

    /// Adds a queue.
    pub fn add_queue(&mut self, queue: QueueId) {
        self.queues.insert(queue);
    }

    /// Adds a flow, or puts its new record in the place of the old one.
    pub fn upsert_flow(&mut self, flow: Flow) {
        self.queues.extend(flow.queue);
        self.flows.insert(flow.id, flow);
    }

    /// Adds a fault to the plan.
    pub fn plan_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Forgets all faults that are still to come.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Makes a bearer token that the API takes until it ages out. Its text is decided by the seed: it
    /// protects nothing.
    pub fn issue_token(&mut self, until: Timestamp) -> String {
        let text = format!("{}!{}", self.settings.org, self.mint.uuid().replace('-', ""));
        self.grant_token(text.clone(), until);
        text
    }

    /// Lets the API take this bearer token until it ages out.
    pub fn grant_token(&mut self, token: String, until: Timestamp) {
        self.tokens.insert(token, until);
    }

    /// Whether the API takes this bearer token now.
    pub fn takes_token(&self, now: Timestamp, token: &str) -> bool {
        match self.settings.bearer {
            BearerRule::Any => !token.trim().is_empty(),
            BearerRule::Granted => self.tokens.get(token).is_some_and(|until| now < *until),
        }
    }

    /// Stops taking a token, or all of them. Says how many that were.
    pub fn revoke_tokens(&mut self, token: Option<&str>) -> usize {
        match token {
            Some(token) => usize::from(self.tokens.remove(token).is_some()),
            None => std::mem::take(&mut self.tokens).len(),
        }
    }

    pub(super) fn enter_request(&mut self, now: Timestamp, request: Request) -> Result<(), ActError> {
        let Some(conversation) = self.conversations.get_mut(&request.conversation) else {
            return Err(ActError::UnknownConversation { conversation: request.conversation });
        };
        conversation.requests.push(request.event.clone());
        // No routing result answers an Initial.
        if request.routing_type != RoutingType::Initial {
            self.schedule(request.created + ANSWER_TIME, Due::Mark(request.event.clone()));
        }
        let published = LedgerEvent::RequestPublished {
            request: request.event.clone(),
            conversation: request.conversation.clone(),
            routing_type: request.routing_type,
        };
        self.books.add(now, published);
        self.requests.insert(request.event.clone(), request);
        Ok(())
    }

    /// When something is due by itself; call [`advance`](Self::advance) then.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Lets happen what is due by `now`, each thing at its own time.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.due.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                return;
            }
            match entry.remove() {
                // A scripted rep does nothing about an offer that is no longer theirs to answer.
                Due::Accept(work) => drop(self.accept(at, work)),
                Due::Decline(work) => drop(self.decline(at, work)),
                Due::Mark(event) => self.mark_unanswered(at, &event),
            }
        }
    }

    /// Tells nobody anything from now on: where nobody listens, the telling is the dearest part.
    pub const fn mute(&mut self) {
        self.muted = true;
    }

    /// What was emitted since the last time that this was called, in order.
    #[must_use = "what is taken is gone"]
    pub fn take_events(&mut self) -> Vec<Emitted> {
        std::mem::take(&mut self.emitted)
    }

    fn schedule(&mut self, at: Timestamp, due: Due) {
        self.due.insert((at, self.next_due), due);
        self.next_due = self.next_due.saturating_add(1);
    }

    /// Lets the rep's script run for an offer that has just reached them.
    pub(super) fn start_script(&mut self, now: Timestamp, rep: RepId, work: AgentWorkId) {
        match self.reps.get(&rep).map(|rep| rep.script) {
            Some(Script::Accept { after_milliseconds }) => {
                self.schedule(now + Duration::from_millis(after_milliseconds), Due::Accept(work));
            }
            Some(Script::Decline { after_milliseconds }) => {
                self.schedule(now + Duration::from_millis(after_milliseconds), Due::Decline(work));
            }
            Some(Script::Wait | Script::Ignore) | None => {}
        }
    }

    fn mark_unanswered(&mut self, at: Timestamp, event: &EventId) {
        let Some(request) = self.requests.get(event) else { return };
        let joined = matches!(request.ended, Some((_, RequestEnd::Joined { .. })));
        if request.answered.is_some() || !(request.is_open() || joined) {
            return;
        }
        self.books.add(at, LedgerEvent::RequestUnanswered { request: event.clone() });
        self.end_request(at, event, RequestEnd::MarkedFailed);
    }

    /// Ends a request, unless it is over.
    pub(super) fn end_request(&mut self, at: Timestamp, event: &EventId, ending: RequestEnd) {
        let Some(request) = self.requests.get_mut(event).filter(|request| request.is_open()) else { return };
        request.ended = Some((at, ending.clone()));
        self.books.add(at, LedgerEvent::RequestEnded { request: event.clone(), ending });
    }
}
