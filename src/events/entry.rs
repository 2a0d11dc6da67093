//! The entries of an `Interaction` that tell routing something, one function each.
//!
//! Knows each entry's own fields. Must never know the envelope around it.

use serde::Deserialize;
use smallvec::{SmallVec, smallvec};

use super::json::Text;
use super::mend::ExpectedType;
use super::person::{PERSON, Person};
use super::{Error, Ignored};
use crate::model::event::{EventKind, ParticipantChange, RoutingCancelled, WorkChanged};
use crate::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, ParticipantRole, RoutingType, SessionStatus, WorkChange};

/// What an entry told.
#[derive(Default)]
pub(super) struct Found {
    pub(super) happenings: SmallVec<[EventKind; 1]>,
    pub(super) conversation: Option<ConversationId>,
    pub(super) ignored: Option<Ignored>,
}

impl Found {
    pub(super) fn passed(reason: Ignored) -> Self {
        Self { ignored: Some(reason), ..Self::default() }
    }

    fn one(happening: EventKind) -> Self {
        Self { happenings: smallvec![happening], ..Self::default() }
    }

    /// Adds the work item, which is worth knowing whatever became of the rest.
    fn and_work_item(mut self, work_item: Option<WorkItemId>) -> Self {
        self.happenings.extend(work_item.map(EventKind::WorkItemSeen));
        self
    }
}

type Read<T> = Result<T, serde_json::Error>;

fn id<T>(text: Option<&Text<'_>>, parse: impl Fn(&str) -> Result<T, crate::model::ids::Error>) -> Option<T> {
    text.and_then(|text| parse(text).ok())
}

/// The id of an entry: the envelope's word for it, else the entry's own.
fn entry_id(identifier: Option<&str>, own: Option<&str>) -> Option<EventId> {
    [identifier, own].into_iter().flatten().find_map(|id| EventId::parse(id).ok())
}

fn unknown(field: &'static str, value: &str) -> Ignored {
    Ignored::Value { field, value: value.into() }
}

/// What the fields of a `RoutingResult` that are read should be.
pub(super) const ROUTING_RESULT: ExpectedType = ExpectedType::Object(&[
    ("id", ExpectedType::Text),
    ("cancelReason", ExpectedType::Text),
    ("failureType", ExpectedType::Text),
    ("routingType", ExpectedType::Text),
    ("pendingServiceRoutingId", ExpectedType::Text),
    ("recordId", ExpectedType::Text),
    ("workOwnerId", ExpectedType::Text),
    ("initiator", PERSON),
]);

/// The same of a `RoutingWorkResult`.
pub(super) const ROUTING_WORK_RESULT: ExpectedType = ExpectedType::Object(&[
    ("workId", ExpectedType::Text),
    ("workTargetId", ExpectedType::Text),
    ("workType", ExpectedType::Text),
    ("agentSessionId", ExpectedType::Text),
    ("conversationId", ExpectedType::Text),
]);

/// The same of a `SessionStatusChanged`.
pub(super) const SESSION_STATUS_CHANGED: ExpectedType = ExpectedType::Object(&[
    ("id", ExpectedType::Text),
    ("conversationIdentifier", ExpectedType::Text),
    ("sessionId", ExpectedType::Text),
    ("sessionStatus", ExpectedType::Text),
    ("sessionStatusPrev", ExpectedType::Text),
    ("sessionEndedByRole", ExpectedType::Text),
]);

/// The same of a `ParticipantChanged`.
pub(super) const PARTICIPANT_CHANGED: ExpectedType = ExpectedType::Object(&[(
    "entries",
    ExpectedType::List(&ExpectedType::Object(&[("operation", ExpectedType::Text), ("participant", PERSON)])),
)]);

/// The same of a `QueuePosition`.
pub(super) const QUEUE_POSITION: ExpectedType = ExpectedType::Object(&[("workItemId", ExpectedType::Text)]);

/// `RoutingResult`: Salesforce made a PSR, or somebody called routing off.
pub(super) fn routing_result(text: &str, identifier: Option<&str>) -> Read<Found> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct RoutingResult<'a> {
        #[serde(borrow, default, rename = "id")]
        entry: Option<Text<'a>>,
        #[serde(borrow, default)]
        cancel_reason: Option<Text<'a>>,
        #[serde(borrow, default)]
        failure_type: Option<Text<'a>>,
        #[serde(borrow, default)]
        routing_type: Option<Text<'a>>,
        #[serde(borrow, default)]
        pending_service_routing_id: Option<Text<'a>>,
        #[serde(borrow, default)]
        record_id: Option<Text<'a>>,
        #[serde(borrow, default)]
        work_owner_id: Option<Text<'a>>,
        #[serde(borrow, default)]
        initiator: Option<Person<'a>>,
    }
    let result: RoutingResult<'_> = serde_json::from_str(text)?;
    let work_item = id(result.record_id.as_ref(), WorkItemId::parse);
    let psr = id(result.pending_service_routing_id.as_ref(), PsrId::parse);
    let reason = match (result.cancel_reason.as_deref(), result.failure_type.as_deref()) {
        (Some(name), _) if !name.is_empty() => match CancelReason::from_name(name) {
            Some(reason) => reason,
            None => return Ok(Found::passed(unknown("cancelReason", name)).and_work_item(work_item)),
        },
        (_, None | Some("" | "None")) => return Ok(Found::one(EventKind::RoutingStarted { psr, work_item })),
        // An org that does not know cancel reasons yet (error 10076) says only that it was cancelled.
        (_, Some("Cancelled")) => CancelReason::Unknown,
        (_, Some(other)) => return Ok(Found::passed(unknown("failureType", other)).and_work_item(work_item)),
    };
    let cancelled = RoutingCancelled {
        entry: entry_id(identifier, result.entry.as_deref()),
        reason,
        routing_type: result.routing_type.as_deref().and_then(RoutingType::from_name),
        psr,
        work: id(result.record_id.as_ref(), AgentWorkId::parse),
        initiator: result.initiator.as_ref().and_then(Person::rep),
        by: id(result.work_owner_id.as_ref(), RepId::parse),
    };
    Ok(Found::one(EventKind::RoutingCancelled(cancelled)).and_work_item(work_item))
}

/// `RoutingWorkResult`: something happened to an offer.
pub(super) fn routing_work_result(text: &str) -> Read<Found> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct RoutingWorkResult<'a> {
        #[serde(borrow, default)]
        work_id: Option<Text<'a>>,
        #[serde(borrow, default)]
        work_target_id: Option<Text<'a>>,
        #[serde(borrow, default)]
        work_type: Option<Text<'a>>,
        #[serde(borrow, default)]
        agent_session_id: Option<Text<'a>>,
        #[serde(borrow, default)]
        conversation_id: Option<Text<'a>>,
    }
    let result: RoutingWorkResult<'_> = serde_json::from_str(text)?;
    let work_item = id(result.work_target_id.as_ref(), WorkItemId::parse);
    let conversation = id(result.conversation_id.as_ref(), ConversationId::parse);
    let passed = |reason| Found { conversation: conversation.clone(), ..Found::passed(reason) };
    let Some(work) = id(result.work_id.as_ref(), AgentWorkId::parse) else {
        return Ok(passed(Ignored::Incomplete { field: "workId" }).and_work_item(work_item));
    };
    let change = match result.work_type.as_deref() {
        None | Some("") => {
            return Ok(passed(Ignored::Incomplete { field: "workType" }).and_work_item(work_item));
        }
        Some(name) => match WorkChange::from_work_event(name) {
            Some(change) => change,
            None => return Ok(passed(unknown("workType", name)).and_work_item(work_item)),
        },
    };
    let rep = id(result.agent_session_id.as_ref(), RepId::parse);
    let changed = WorkChanged { work, work_item, rep, change };
    Ok(Found { conversation, ..Found::one(EventKind::WorkChanged(changed)) })
}

/// `SessionStatusChanged`: the messaging session, which is the work item, began, waits, or is over.
///
/// The inner error is about the entry's own id, which may have to be derived.
pub(super) fn session_status_changed(
    text: &str,
    identifier: Option<&str>,
    fallback: impl FnOnce() -> Result<EventId, Error>,
) -> Read<Result<Found, Error>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct SessionStatusChanged<'a> {
        #[serde(borrow, default)]
        id: Option<Text<'a>>,
        #[serde(borrow, default)]
        conversation_identifier: Option<Text<'a>>,
        #[serde(borrow, default)]
        session_id: Option<Text<'a>>,
        #[serde(borrow, default)]
        session_status: Option<Text<'a>>,
        #[serde(borrow, default)]
        session_status_prev: Option<Text<'a>>,
        #[serde(borrow, default)]
        session_ended_by_role: Option<Text<'a>>,
    }
    let changed: SessionStatusChanged<'_> = serde_json::from_str(text)?;
    let conversation = id(changed.conversation_identifier.as_ref(), ConversationId::parse);
    let Some(work_item) = id(changed.session_id.as_ref(), WorkItemId::parse) else {
        return Ok(Ok(Found::passed(Ignored::Incomplete { field: "sessionId" })));
    };
    let name = changed.session_status.as_deref().unwrap_or_default();
    let Some(status) = SessionStatus::from_name(name) else {
        let found = Found { conversation, ..Found::passed(unknown("sessionStatus", name)) };
        return Ok(Ok(found.and_work_item(Some(work_item))));
    };
    let entry = entry_id(identifier, changed.id.as_deref());
    let entry = match entry.map_or_else(fallback, Ok) {
        Ok(entry) => entry,
        Err(error) => return Ok(Err(error)),
    };
    let previous = changed.session_status_prev.as_deref().and_then(SessionStatus::from_name);
    let ended_by = changed.session_ended_by_role.as_deref().and_then(ParticipantRole::from_name);
    let happening = EventKind::SessionChanged { entry, work_item, status, previous, ended_by };
    Ok(Ok(Found { conversation, ..Found::one(happening) }))
}

/// `ParticipantChanged`: somebody came or went. An `update` changes nothing that routing counts.
/// `at` is the entry's own time.
pub(super) fn participant_changed(text: &str, at: Timestamp) -> Read<Found> {
    #[derive(Deserialize)]
    struct ParticipantChanged<'a> {
        #[serde(borrow, default)]
        entries: Option<Vec<Change<'a>>>,
    }
    #[derive(Deserialize)]
    struct Change<'a> {
        #[serde(borrow, default)]
        operation: Option<Text<'a>>,
        #[serde(borrow, default)]
        participant: Option<Person<'a>>,
    }
    let entry: ParticipantChanged<'_> = serde_json::from_str(text)?;
    let mut ignored = None;
    let mut changes = Vec::new();
    for change in entry.entries.as_deref().unwrap_or_default() {
        let joined = match change.operation.as_deref() {
            Some("add") => true,
            Some("remove") => false,
            other => {
                ignored = Some(unknown("operation", other.unwrap_or_default()));
                continue;
            }
        };
        match change.participant.as_ref().and_then(Person::participant) {
            Some(participant) => changes.push(ParticipantChange { participant, joined, at }),
            None => ignored = Some(Ignored::Incomplete { field: "participant" }),
        }
    }
    if changes.is_empty() {
        return Ok(Found::passed(ignored.unwrap_or(Ignored::Incomplete { field: "entries" })));
    }
    Ok(Found { ignored, ..Found::one(EventKind::ParticipantsChanged(changes)) })
}

/// `QueuePosition`: of use only for the work item's id that it carries.
pub(super) fn queue_position(text: &str) -> Read<Found> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct QueuePosition<'a> {
        #[serde(borrow, default)]
        work_item_id: Option<Text<'a>>,
    }
    let position: QueuePosition<'_> = serde_json::from_str(text)?;
    Ok(match id(position.work_item_id.as_ref(), WorkItemId::parse) {
        Some(work_item) => Found::one(EventKind::WorkItemSeen(work_item)),
        None => Found::passed(Ignored::Incomplete { field: "workItemId" }),
    })
}
