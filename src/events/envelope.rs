//! The platform event around the payload: its type, its time, its ids.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::json::{Text, UnionText};
use super::mend::{self, ExpectedType, MendedFields};
use super::unescape::unescape;
use super::{Decoded, Error, FieldNames, Ignored, interaction, request};
use crate::model::ids::EventId;
use crate::model::time::Timestamp;

/// What surrounds a payload, for whoever reads the payload.
pub(super) struct PayloadContext<'a> {
    /// Where the payload stands, for errors.
    pub(super) field: &'a str,
    /// The payload.
    pub(super) payload: &'a str,
    /// When Salesforce published the event; when it came where it does not say.
    pub(super) created: Timestamp,
    /// `EventUuid`.
    pub(super) uuid: Option<&'a str>,
    /// The event's place in the stream.
    pub(super) replay_id: Option<&'a str>,
}

impl PayloadContext<'_> {
    /// A name for what has no id of its own: `EventUuid`, else the replay id, else one that is derived
    /// from the payload, so that the same event has the same name when it comes again.
    pub(super) fn fallback_id(&self) -> Result<EventId, Error> {
        let named = self.uuid.and_then(|id| EventId::parse(id).ok());
        let placed = || self.replay_id.and_then(|id| EventId::parse(id).ok());
        if let Some(id) = named.or_else(placed) {
            return Ok(id);
        }
        let derived = Uuid::new_v5(&Uuid::NAMESPACE_OID, self.payload.as_bytes());
        EventId::parse(&derived.to_string())
            .map_err(|source| Error::Id { field: self.field.to_owned(), source })
    }

    /// An error inside the payload.
    pub(super) fn json_error(&self, error: &serde_json::Error) -> Error {
        Error::json(self.field, self.payload, error)
    }

    /// A path inside the payload.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}.{path}", self.field)
    }
}

/// Reads one platform event (PROTOCOL: "RoutingRequested", "What can happen after the offer").
///
/// `event` is the event's JSON, its Avro unions in either spelling. `received` is when it came, and
/// `replay_id` its place in the stream.
///
/// # Errors
/// Where the event or its payload is cut off, is no JSON, has a field of another type, or lacks one without
/// which nothing can be answered. What is merely unknown is [passed by](PassedBy).
pub fn decode(
    names: &FieldNames,
    event: &str,
    received: Timestamp,
    replay_id: Option<&str>,
) -> Result<Decoded, Error> {
    let error = match read_envelope(names, event) {
        Ok(envelope) => return open(names, envelope, received, replay_id),
        Err(error) => error,
    };
    let Some((mended, mut odd)) = mended(names, event) else { return Err(Error::json("", event, &error)) };
    let envelope = read_envelope(names, &mended).map_err(|_| Error::json("", event, &error))?;
    let mut decoded = open(names, envelope, received, replay_id)?;
    odd.append(&MendedFields(decoded.odd));
    decoded.odd = odd.0;
    Ok(decoded)
}

fn read_envelope<'a>(names: &FieldNames, event: &'a str) -> Result<Envelope<'a>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(event);
    let envelope = EnvelopeSeed(names).deserialize(&mut reader)?;
    reader.end()?;
    Ok(envelope)
}

/// An event whose fields are not of their usual types, mended, and which those are.
fn mended(names: &FieldNames, event: &str) -> Option<(String, MendedFields)> {
    let mut odd = MendedFields::default();
    let mut fields: Map<String, Value> = serde_json::from_str(event).ok()?;
    for (name, value) in &mut fields {
        match name.as_str() {
            "CreatedDate" if AnyTime::deserialize(&*value).is_err() => {
                mend::mend(value, &ExpectedType::Whole, "CreatedDate", &mut odd);
            }
            "EventUuid" => mend::mend(value, &ExpectedType::Text, "EventUuid", &mut odd),
            name if names.is_event_type(name) => {
                mend::mend(value, &ExpectedType::Text, names.event_type(), &mut odd);
            }
            _ => {}
        }
    }
    Some((Value::Object(fields).to_string(), odd))
}

/// Reads what an envelope holds.
pub(super) fn open(
    names: &FieldNames,
    envelope: Envelope<'_>,
    received: Timestamp,
    replay_id: Option<&str>,
) -> Result<Decoded, Error> {
    let Some(event_type) = envelope.event_type else {
        return Ok(Decoded::passed(Ignored::NotOfThisChannel));
    };
    let read = match &*event_type {
        "Interaction" => interaction::read,
        "RoutingRequested" => request::read,
        other => return Ok(Decoded::passed(Ignored::EventType(other.into()))),
    };
    let field = names.payload();
    let Some(payload) = payload_text(field, envelope.payload)? else {
        return Ok(Decoded::passed(Ignored::Incomplete { field: "payload" }));
    };
    let around = PayloadContext {
        field,
        payload: &payload,
        created: envelope.created.unwrap_or(received),
        uuid: envelope.uuid.as_deref(),
        replay_id,
    };
    let mut odd = MendedFields::default();
    let decoded = read(&around, &mut odd)?;
    Ok(Decoded { odd: odd.0, ..decoded })
}

/// The payload's JSON: a string, a union that holds one, or, where whoever sends it has taken it out, the
/// object itself. `None` where there is nothing in it.
fn payload_text<'a>(field: &str, payload: Option<Payload<'a>>) -> Result<Option<Cow<'a, str>>, Error> {
    #[derive(Deserialize)]
    struct Union<'a> {
        #[serde(borrow)]
        string: &'a RawValue,
    }
    let said = |text: Cow<'a, str>| Some(text).filter(|text| !text.trim_ascii().is_empty());
    let raw = match payload {
        None => return Ok(None),
        Some(Payload::Raw(raw)) => raw,
        Some(Payload::Text(text)) => return Ok(said(text)),
    };
    let text = match raw.get().as_bytes().first() {
        Some(b'"') => unescape(raw),
        Some(b'{') => match serde_json::from_str::<Union<'_>>(raw.get()) {
            Ok(Union { string }) if string.get().starts_with('"') => unescape(string),
            Ok(_) => return Ok(None),
            Err(_) => Cow::Borrowed(raw.get()),
        },
        Some(b'n') => return Ok(None),
        _ => {
            let what = "expected a string that holds a JSON object".to_owned();
            return Err(Error::Malformed { field: field.to_owned(), what });
        }
    };
    Ok(said(text))
}

/// What an event has besides what is ignored.
#[derive(Default)]
pub(crate) struct Envelope<'a> {
    pub(super) event_type: Option<Cow<'a, str>>,
    pub(super) payload: Option<Payload<'a>>,
    pub(super) created: Option<Timestamp>,
    pub(super) uuid: Option<Cow<'a, str>>,
}

impl Envelope<'_> {
    /// Whether it has the field that says its type.
    pub(crate) fn is_ours(&self) -> bool {
        self.event_type.is_some()
    }
}

/// A payload, before or after it was taken out of its string.
pub(super) enum Payload<'a> {
    Raw(&'a RawValue),
    Text(Cow<'a, str>),
}

/// Reads an envelope whose field names are known only at run time.
struct EnvelopeSeed<'n>(&'n FieldNames);

impl<'de> DeserializeSeed<'de> for EnvelopeSeed<'_> {
    type Value = Envelope<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeSeed<'_> {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a platform event: an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key {
                "CreatedDate" => envelope.created = map.next_value::<AnyTime>()?.0,
                "EventUuid" => envelope.uuid = map.next_value::<UnionText<'de>>()?.into_cow(),
                name if self.0.is_event_type(name) => {
                    envelope.event_type = map.next_value::<UnionText<'de>>()?.into_cow();
                }
                name if self.0.is_payload(name) => {
                    envelope.payload = map.next_value::<Option<_>>()?.map(Payload::Raw);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(envelope)
    }
}

/// A point in time: milliseconds or seconds since the epoch, RFC 3339, or an Avro union of one of them.
pub(super) struct AnyTime(pub(super) Option<Timestamp>);

/// Smaller numbers are seconds: as milliseconds this is March 1973, as seconds the year 5138.
const LEAST_MILLIS: u64 = 100_000_000_000;

impl AnyTime {
    pub(super) fn from_number(number: i64) -> Self {
        let millis = if number.unsigned_abs() < LEAST_MILLIS { number.saturating_mul(1000) } else { number };
        Self(Some(Timestamp::from_millis(millis)))
    }
}

impl<'de> Deserialize<'de> for AnyTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyTimeVisitor;
        impl<'de> Visitor<'de> for AnyTimeVisitor {
            type Value = AnyTime;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds since the epoch, or RFC 3339")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<AnyTime, E> {
                Ok(AnyTime::from_number(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<AnyTime, E> {
                Ok(AnyTime::from_number(i64::try_from(number).unwrap_or(i64::MAX)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyTime, E> {
                match (text.parse::<i64>(), Timestamp::parse_rfc3339(text)) {
                    (Ok(number), _) => Ok(AnyTime::from_number(number)),
                    (_, Some(at)) => Ok(AnyTime(Some(at))),
                    _ => Err(de::Error::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
            fn visit_unit<E: de::Error>(self) -> Result<AnyTime, E> {
                Ok(AnyTime(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyTime, A::Error> {
                let mut moment = AnyTime(None);
                while let Some((_, inner)) = map.next_entry::<IgnoredAny, AnyTime>()? {
                    moment = inner;
                }
                Ok(moment)
            }
        }
        deserializer.deserialize_any(AnyTimeVisitor)
    }
}
