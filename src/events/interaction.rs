//! `Interaction`: something happened in a conversation (PROTOCOL: "What can happen after the offer").
//!
//! Most of these are messages. Of those only the sender is read: that they are in the conversation.

use serde::Deserialize;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::any_time::AnyTime;
use super::json::{Text, embedded};
use super::mend::{ExpectedType, MendedFields, reading};
use super::payload_context::PayloadContext;
use super::person::{PERSON, Person};
use super::{Decoded, Error, Ignored, entry};
use crate::model::event::{Event, EventKind, Participant};
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow, default)]
    conversation_identifier: Option<Text<'a>>,
    #[serde(borrow, default)]
    payload: Option<Entry<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry<'a> {
    #[serde(borrow)]
    identifier: Option<Text<'a>>,
    #[serde(borrow, rename = "entryType")]
    kind: Option<Text<'a>>,
    #[serde(borrow, rename = "entryPayload")]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    sender: Option<Person<'a>>,
    #[serde(borrow)]
    client_timestamp: Option<&'a RawValue>,
}

impl Entry<'_> {
    /// When it came about, by its own word; `None` where it does not say.
    fn at(&self) -> Option<Timestamp> {
        let AnyTime(at) = serde_json::from_str(self.client_timestamp?.get()).ok()?;
        at.filter(|at| at.as_millis() > 0)
    }
}

/// The entry types that tell routing something. The others in Salesforce's list are in [`UNUSED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RoutingResult,
    RoutingWorkResult,
    SessionStatusChanged,
    ParticipantChanged,
    QueuePosition,
}

/// Entry types that are known and tell routing nothing but who is there.
const UNUSED: &[&str] = &[
    "Message",
    "MessageDeliveryFailed",
    "Note",
    "FlagRaise",
    "FlagLower",
    "EndUserConsentUpdated",
    "ConsultConversationInfo",
    "MessageUpdated",
    "TransferProgress",
    "ParticipantsConferenced",
    "TypingStartedIndicator",
    "TypingStoppedIndicator",
    "DeliveryAcknowledgement",
    "ReadAcknowledgement",
    "ProgressIndicator",
];

impl Kind {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "RoutingResult" => Some(Self::RoutingResult),
            "RoutingWorkResult" => Some(Self::RoutingWorkResult),
            "SessionStatusChanged" => Some(Self::SessionStatusChanged),
            "ParticipantChanged" => Some(Self::ParticipantChanged),
            "QueuePosition" => Some(Self::QueuePosition),
            _ => None,
        }
    }
}

/// What the fields that are read should be.
const SHAPE: ExpectedType = ExpectedType::Object(&[
    ("conversationIdentifier", ExpectedType::Text),
    (
        "payload",
        ExpectedType::Object(&[
            ("identifier", ExpectedType::Text),
            ("entryType", ExpectedType::Text),
            ("sender", PERSON),
        ]),
    ),
]);

pub(super) fn read(around: &PayloadContext<'_>, odd: &mut MendedFields) -> Result<Decoded, Error> {
    let mut inside = MendedFields::default();
    let read = reading(around.payload, "", &SHAPE, odd, |text| {
        serde_json::from_str(text).map(|payload| read_payload(around, payload, &mut inside))
    });
    odd.append(&inside);
    read.map_err(|error| around.json_error(&error))?
}

fn read_payload(
    around: &PayloadContext<'_>,
    payload: Payload<'_>,
    odd: &mut MendedFields,
) -> Result<Decoded, Error> {
    let entry = payload.payload.unwrap_or_default();
    let conversation =
        payload.conversation_identifier.as_deref().and_then(|id| ConversationId::parse(id).ok());
    let seen = entry.sender.as_ref().and_then(Person::participant).filter(|sender| sender.role.counts());
    let Some(name) = entry.kind.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(passed(conversation.as_ref(), seen, Ignored::Incomplete { field: "entryType" }));
    };
    let Some(kind) = Kind::from_name(name) else {
        let reason = match UNUSED.iter().find(|unused| **unused == name) {
            Some(unused) => Ignored::Unused(unused),
            None => Ignored::EntryType(name.into()),
        };
        return Ok(passed(conversation.as_ref(), seen, reason));
    };
    let found = read_entry(around, kind, &entry, odd)?;
    let conversation = conversation.or(found.conversation);
    // Who changed participants may be the one who left: that they wrote it must not bring them back.
    let seen = seen.filter(|_| kind != Kind::ParticipantChanged);
    let events = as_event(conversation.as_ref(), seen);
    let mut decoded = Decoded { events, ignored: found.ignored, ..Decoded::default() };
    if conversation.is_none() && kind != Kind::RoutingWorkResult {
        return Ok(Decoded::passed(Ignored::Incomplete { field: "conversationIdentifier" }));
    }
    decoded
        .events
        .extend(found.happenings.into_iter().map(|what| Event { conversation: conversation.clone(), what }));
    Ok(decoded)
}

fn read_entry(
    around: &PayloadContext<'_>,
    kind: Kind,
    entry: &Entry<'_>,
    odd: &mut MendedFields,
) -> Result<entry::Found, Error> {
    const PATH: &str = "payload.entryPayload";
    let text = entry.content.map_or(Ok(None), embedded).unwrap_or_else(|_| {
        odd.note(PATH);
        None
    });
    let Some(text) = text else {
        return Ok(entry::Found::passed(Ignored::Incomplete { field: "entryPayload" }));
    };
    let identifier = entry.identifier.as_deref();
    let at = entry.at().unwrap_or(around.created);
    let shape = match kind {
        Kind::RoutingResult => &entry::ROUTING_RESULT,
        Kind::RoutingWorkResult => &entry::ROUTING_WORK_RESULT,
        Kind::SessionStatusChanged => &entry::SESSION_STATUS_CHANGED,
        Kind::ParticipantChanged => &entry::PARTICIPANT_CHANGED,
        Kind::QueuePosition => &entry::QUEUE_POSITION,
    };
    let found = reading(&text, PATH, shape, odd, |text| match kind {
        Kind::RoutingResult => entry::routing_result(text, identifier).map(Ok),
        Kind::RoutingWorkResult => entry::routing_work_result(text).map(Ok),
        Kind::SessionStatusChanged => {
            entry::session_status_changed(text, identifier, || around.fallback_id())
        }
        Kind::ParticipantChanged => entry::participant_changed(text, at).map(Ok),
        Kind::QueuePosition => entry::queue_position(text).map(Ok),
    });
    // A text that is no JSON says nothing; who wrote it, and that there was something, is known all the same.
    found.unwrap_or_else(|_| {
        odd.note(PATH);
        Ok(entry::Found::passed(Ignored::Incomplete { field: "entryPayload" }))
    })
}

fn as_event(conversation: Option<&ConversationId>, seen: Option<Participant>) -> SmallVec<[Event; 1]> {
    let both = conversation.zip(seen);
    both.into_iter()
        .map(|(conversation, who)| Event {
            conversation: Some(conversation.clone()),
            what: EventKind::ParticipantSeen(who),
        })
        .collect()
}

fn passed(conversation: Option<&ConversationId>, seen: Option<Participant>, reason: Ignored) -> Decoded {
    Decoded { events: as_event(conversation, seen), ignored: Some(reason), ..Decoded::default() }
}
