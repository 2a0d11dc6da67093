//! The platform event around the payload: its type, its time, its ids.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::any_time::AnyTime;
use super::json::{Text, UnionText};
use super::mend::{self, ExpectedType, MendedFields};
use super::payload_context::PayloadContext;
use super::unescape::unescape;
use super::{Decoded, Error, FieldNames, Ignored, interaction, request};
use crate::model::time::Timestamp;

/// Reads one platform event (PROTOCOL: "RoutingRequested", "What can happen after the offer").
///
/// `event` is the event's JSON, its Avro unions in either spelling. `received` is when it came, and
/// `replay_id` its place in the stream.
///
/// # Errors
/// Where the event or its payload is cut off, is no JSON, has a field of another type, or lacks one without
/// which nothing can be answered. What is merely unknown is [ignored](Ignored).
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
