//! An event's Avro bytes as JSON text, its unions written plainly.

use std::fmt;
use std::io::{self, Read};

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use serde_json::Value;

/// The schema of some events.
#[derive(Debug)]
pub(super) struct EventSchema(Schema);

/// What is wrong with an event or its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl EventSchema {
    /// Reads a schema's JSON.
    pub(super) fn parse(json: &str) -> Result<Self, Unreadable> {
        Schema::parse_str(json).map(Self).map_err(|error| Unreadable(format!("its schema: {error}")))
    }

    /// The names of an event's fields; none where it is no record.
    pub(super) fn names(&self) -> Vec<String> {
        match &self.0 {
            Schema::Record(record) => record.fields.iter().map(|field| field.name.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// The fields of an event. Its own id, which stands beside the payload, becomes `EventUuid`.
    pub(super) fn to_json(&self, payload: &[u8], event_id: &str) -> Result<String, Unreadable> {
        let wrong = |error: apache_avro::Error| Unreadable(error.to_string());
        let reader = GenericDatumReader::builder(&self.0).build().map_err(wrong)?;
        let mut payload = Payload { rest: payload, ran_out: false };
        let value = reader.read_value(&mut payload).map_err(wrong)?;
        if payload.ran_out {
            return Err(Unreadable("it ends in the middle of its fields".to_owned()));
        }
        if !payload.rest.is_empty() {
            return Err(Unreadable(format!("{} bytes are left over behind its fields", payload.rest.len())));
        }
        let mut value = Value::try_from(value).map_err(wrong)?;
        match value.as_object_mut() {
            Some(fields) if !event_id.is_empty() => {
                fields.entry("EventUuid").or_insert_with(|| event_id.into());
            }
            Some(_) => {}
            None => return Err(Unreadable("its schema is not a record".to_owned())),
        }
        Ok(value.to_string())
    }
}

/// Bytes that remember whether more was wanted than they hold: the Avro reader takes a text that breaks off
/// for null, which would lose it without a word.
struct Payload<'a> {
    rest: &'a [u8],
    ran_out: bool,
}

impl Read for Payload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ran_out |= buffer.len() > self.rest.len();
        self.rest.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCHEMA: &str = r#"{"type":"record","name":"Chat__e","namespace":"com.sforce.eventbus","fields":[
        {"name":"CreatedDate","type":"long","doc":"CreatedDate:DateTime"},
        {"name":"CreatedById","type":"string","doc":"CreatedBy:EntityId"},
        {"name":"EventType__c","type":["null","string"],"default":null},
        {"name":"Payload__c","type":["null","string"],"default":null}]}"#;

    /// Zigzag 7 is 14; a string is its length and its bytes; a union's branch is its number.
    const EVENT: &[u8] = b"\x0e\x06005\x02\x16Interaction\x00";

    #[test]
    fn unions_are_written_plainly_and_the_id_becomes_a_field() {
        let schema = EventSchema::parse(SCHEMA).unwrap();
        assert_eq!(
            schema.to_json(EVENT, "e58d").unwrap(),
            r#"{"CreatedById":"005","CreatedDate":7,"EventType__c":"Interaction","EventUuid":"e58d","Payload__c":null}"#
        );
        assert!(!schema.to_json(EVENT, "").unwrap().contains("EventUuid"));
    }

    #[test]
    fn bytes_that_are_not_what_the_schema_says_are_named_so() {
        let schema = EventSchema::parse(SCHEMA).unwrap();
        for cut in 0..EVENT.len() {
            assert!(schema.to_json(&EVENT[..cut], "").is_err(), "cut after {cut} bytes");
        }
        let long = [EVENT, b"\x00"].concat();
        assert_eq!(
            schema.to_json(&long, "").unwrap_err().to_string(),
            "1 bytes are left over behind its fields"
        );
        let plain = EventSchema::parse(r#""string""#).unwrap();
        assert_eq!(plain.to_json(b"\x02a", "").unwrap_err().to_string(), "its schema is not a record");
        assert!(EventSchema::parse("{}").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let schema = EventSchema::parse(SCHEMA).unwrap();
            drop(schema.to_json(&bytes, ""));
        }
    }
}
