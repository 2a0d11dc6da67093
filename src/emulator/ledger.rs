//! The books: what happened in the emulated org, in order, for tests and for whoever looks on.
//!
//! Tokens never reach them: of a call's headers only the `RequestId` is kept.

use serde::Serialize;
use serde_json::Value;

use super::operations::Operation;
use super::state::RequestEnd;
use crate::model::event::Participant;
use crate::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, RoutingType, SessionStatus, WorkChange};

/// One line of the books.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Counts up from 1 without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: LedgerEvent,
}

/// What can stand in the books.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LedgerEvent {
    /// A call came and was answered.
    Call {
        /// Which operation; none where path and method are no operation of the emulator's.
        operation: Option<Operation>,
        /// Its `RequestId`, where it had a valid one.
        request_id: Option<String>,
        /// Its body, where it was JSON.
        body: Option<Value>,
        /// The status of the answer.
        status: u16,
        /// The error code of the answer.
        code: Option<u32>,
    },
    /// A call's `RequestId` had been used before. Salesforce promises no idempotency: the call was carried out.
    RequestIdRepeated {
        /// The id.
        request_id: String,
        /// Whether operation and body were those of the first call with that id.
        same_call: bool,
    },
    /// The answer to the call before was dropped by a fault; what it asked for was done.
    AnswerDropped,
    /// A fault kept a call from being carried out.
    CallSpoiled {
        /// Which operation.
        operation: Option<Operation>,
        /// Its `RequestId`.
        request_id: Option<String>,
        /// The status that was answered; none where the connection broke.
        status: Option<u16>,
    },
    /// A routing request was published.
    RequestPublished {
        /// Its event.
        request: EventId,
        /// Its conversation.
        conversation: ConversationId,
        /// What for.
        routing_type: RoutingType,
    },
    /// A routing request ended.
    RequestEnded {
        /// Its event.
        request: EventId,
        /// How.
        ending: RequestEnd,
    },
    /// 60 seconds went by without a routing result.
    RequestUnanswered {
        /// Its event.
        request: EventId,
    },
    /// A routing result came.
    ResultReceived {
        /// For which conversation.
        conversation: ConversationId,
        /// The request that it was taken to answer.
        request: Option<EventId>,
        /// What it said.
        success: bool,
        /// What it counts for.
        verdict: ResultEffect,
    },
    /// A PSR was created.
    PsrCreated {
        /// The PSR.
        psr: PsrId,
        /// For which conversation.
        conversation: ConversationId,
        /// What agent works name to use it.
        correlation: EventId,
    },
    /// A PSR went away.
    PsrDeleted {
        /// The PSR.
        psr: PsrId,
        /// How.
        end: PsrEnd,
    },
    /// An offer was made.
    OfferCreated {
        /// The offer.
        work: AgentWorkId,
        /// To whom.
        rep: RepId,
        /// Of what.
        work_item: WorkItemId,
        /// The routing event that it answers.
        correlation: EventId,
        /// The PSR that it uses.
        psr: Option<PsrId>,
    },
    /// An offer was refused since the rep holds an active one for the same work item (15109).
    DuplicateRefused {
        /// To whom it would have been.
        rep: RepId,
        /// Of what.
        work_item: WorkItemId,
        /// The one that is active.
        active: AgentWorkId,
    },
    /// Something happened to an offer.
    OfferChanged {
        /// The offer.
        work: AgentWorkId,
        /// Its rep.
        rep: RepId,
        /// The routing event that it answers.
        correlation: EventId,
        /// What happened.
        change: WorkChange,
    },
    /// A rep joined through a request that was over already, or that another rep had joined.
    LateJoin {
        /// The request.
        request: EventId,
        /// The offer that was accepted.
        work: AgentWorkId,
        /// The rep.
        rep: RepId,
    },
    /// Somebody came into a conversation.
    ParticipantJoined {
        /// Which.
        conversation: ConversationId,
        /// Who.
        participant: Participant,
        /// How many are in it now.
        count: usize,
        /// Whether that is more than the channel allows.
        over_limit: bool,
    },
    /// Somebody left a conversation.
    ParticipantLeft {
        /// Which.
        conversation: ConversationId,
        /// Who.
        participant: Participant,
        /// How many are in it now.
        count: usize,
    },
    /// A message of an end user's was taken.
    MessageTaken {
        /// In which conversation.
        conversation: ConversationId,
        /// Its id, once among all messages.
        entry: String,
    },
    /// A session changed its status.
    SessionChanged {
        /// Whose.
        conversation: ConversationId,
        /// Before; none where it is new.
        from: Option<SessionStatus>,
        /// Now.
        to: SessionStatus,
    },
}

/// What a routing result counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ResultEffect {
    /// The first answer to its request, in time.
    Effective,
    /// Its request had been answered.
    Repeated,
    /// Its request had been marked failed, or was over.
    Late,
    /// There is no request that it could answer.
    Unasked,
}

/// How a PSR went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "by", content = "reason")]
pub enum PsrEnd {
    /// A rep accepted.
    Accept,
    /// The partner cleared it.
    Clear(CancelReason),
}

/// Everything that happened, in order.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    pub(super) fn add(&mut self, at: Timestamp, what: LedgerEvent) {
        let number = self.entries.last().map_or(1, |last| last.number.saturating_add(1));
        self.entries.push(Entry { number, at, what });
    }

    /// Forgets all but the newest entries. Numbers go on.
    pub(super) fn keep_newest(&mut self, entries: usize) {
        let gone = self.entries.len().saturating_sub(entries);
        self.entries.drain(..gone);
    }

    /// All entries that are kept.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries after the one of that number; all of them after 0.
    pub fn after(&self, number: u64) -> &[Entry] {
        let from = self.entries.partition_point(|entry| entry.number <= number);
        self.entries.get(from..).unwrap_or_default()
    }

    /// How often calls of an operation were carried out or refused, spoiled ones left out.
    pub fn calls(&self, wanted: Operation) -> usize {
        self.count(|what| matches!(what, LedgerEvent::Call { operation: Some(it), .. } if *it == wanted))
    }

    /// How many routing results came for a request in all.
    pub fn results(&self, wanted: &EventId) -> usize {
        self.count(
            |what| matches!(what, LedgerEvent::ResultReceived { request: Some(it), .. } if it == wanted),
        )
    }

    /// How many entries satisfy a condition.
    pub fn count(&self, condition: impl Fn(&LedgerEvent) -> bool) -> usize {
        self.entries.iter().filter(|entry| condition(&entry.what)).count()
    }
}
