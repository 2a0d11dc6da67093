//! An event's Avro bytes as JSON text, its unions written plainly.
//!
//! Both the schema and the bytes come from outside, so both are read here, within bounds, and not by
//! `apache-avro`: that goes as deep as a schema says, reserves what a length says, and takes a text that breaks
//! off for null (docs/decisions.md). It encodes the emulator's events, so each is tested against the other.

mod read;
mod schema;
#[cfg(test)]
mod tests;
mod unreadable;

use read::Reader;
use schema::Schema;
pub(in super::super) use unreadable::Unreadable;

/// The schema of some events.
#[derive(Debug)]
pub(in super::super) struct EventSchema(Schema);

impl EventSchema {
    /// Reads a schema's JSON.
    pub(in super::super) fn parse(json: &str) -> Result<Self, Unreadable> {
        Schema::parse(json).map(Self)
    }

    /// The names of an event's fields; none where it is no record.
    pub(in super::super) fn names(&self) -> Vec<String> {
        let fields = self.0.fields().unwrap_or_default();
        fields.iter().map(|(name, _)| name.to_string()).collect()
    }

    /// The fields of an event. Its own id, which stands beside the payload, becomes `EventUuid`.
    pub(in super::super) fn to_json(&self, payload: &[u8], event_id: &str) -> Result<String, Unreadable> {
        const ID: &str = "EventUuid";
        let fields = self.0.fields().ok_or_else(|| Unreadable("its schema is not a record".to_owned()))?;
        let mut reader = Reader::new(&self.0, payload);
        reader.out.push('{');
        if !event_id.is_empty() && !fields.iter().any(|(name, _)| &**name == ID) {
            reader.text(ID);
            reader.out.push(':');
            reader.text(event_id);
            if !fields.is_empty() {
                reader.out.push(',');
            }
        }
        reader.fields(fields, 0)?;
        reader.out.push('}');
        match reader.rest().len() {
            0 => Ok(reader.out),
            left => Err(Unreadable(format!("{left} bytes left after its fields"))),
        }
    }
}
