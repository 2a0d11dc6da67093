//! The platform event's Avro schema, and events encoded by it.

use apache_avro::Schema;
use apache_avro::types::Value as Avro;
use apache_avro::writer::datum::GenericDatumWriter;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::emulator::EventForm;

/// Encodes the events of one topic.
#[derive(Debug)]
pub(super) struct Encoder {
    name: String,
    fields: [String; 2],
    /// How often the schema has changed. Each change adds a field.
    changes: u32,
    schema: Option<Schema>,
    /// What is said to be the schema though events are not encoded by it, by its id.
    said: Vec<(String, String)>,
    /// Its id: every event has it, and it takes longer to work out than all else about one.
    id: String,
}

impl Encoder {
    pub(super) fn new(form: &EventForm) -> Self {
        let name = form.topic.rsplit('/').next().unwrap_or_default().to_owned();
        let fields = [form.type_field.clone(), form.payload_field.clone()];
        let mut encoder =
            Self { name, fields, changes: 0, schema: None, said: Vec::new(), id: String::new() };
        encoder.renew();
        encoder
    }

    /// The platform event gets another field, in front of the others: who reads by the old schema fails.
    pub(super) fn change(&mut self) {
        self.changes = self.changes.saturating_add(1);
        self.renew();
    }

    /// Events name a schema whose text that is, and are encoded as before.
    pub(super) fn say(&mut self, text: &str) {
        self.id = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string();
        self.said.push((self.id.clone(), text.to_owned()));
    }

    fn renew(&mut self) {
        self.schema = self.parsed();
        self.id = self.id_of(self.changes);
    }

    pub(super) fn schema_id(&self) -> String {
        self.id.clone()
    }

    pub(super) fn schema(&self, id: &str) -> Option<String> {
        let said = self.said.iter().find(|(said, _)| said == id).map(|(_, text)| text.clone());
        said.or_else(|| {
            (0..=self.changes).find(|changes| self.id_of(*changes) == id).map(|changes| self.json(changes))
        })
    }

    /// Like Salesforce's: a fingerprint that names the text for ever.
    fn id_of(&self, changes: u32) -> String {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, self.json(changes).as_bytes()).simple().to_string()
    }

    fn json(&self, changes: u32) -> String {
        let text = |name: &str| json!({ "name": name, "type": ["null", "string"], "default": null });
        let mut fields = vec![
            json!({ "name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime" }),
            json!({ "name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId" }),
        ];
        fields.extend((1..=changes).map(|n| text(&format!("Added{n}__c"))));
        fields.extend(self.fields.iter().map(|name| text(name)));
        let namespace = "com.sforce.eventbus";
        json!({ "type": "record", "name": self.name, "namespace": namespace, "fields": fields }).to_string()
    }

    fn parsed(&self) -> Option<Schema> {
        Schema::parse_str(&self.json(self.changes))
            .inspect_err(|error| tracing::error!(%error, "the channel's names make no Avro schema"))
            .ok()
    }

    /// An event's bytes; none where the channel's names are such that there is no schema.
    pub(super) fn encode(&self, event: &Value) -> Vec<u8> {
        let text = |name: &str| {
            let value = event.get(name)?;
            value.as_str().or_else(|| value.get("string")?.as_str()).map(str::to_owned)
        };
        let union = |name: &str| {
            let (branch, value) = text(name).map_or((0, Avro::Null), |text| (1, Avro::String(text)));
            (name.to_owned(), Avro::Union(branch, Box::new(value)))
        };
        let created = event.get("CreatedDate").and_then(Value::as_i64).unwrap_or_default();
        let by = text("CreatedById").unwrap_or_default();
        let mut record = vec![
            ("CreatedDate".to_owned(), Avro::Long(created)),
            ("CreatedById".to_owned(), Avro::String(by)),
        ];
        record.extend((1..=self.changes).map(|n| union(&format!("Added{n}__c"))));
        record.extend(self.fields.iter().map(|name| union(name)));
        self.schema
            .as_ref()
            .and_then(|schema| GenericDatumWriter::builder(schema).build().ok())
            .and_then(|writer| writer.write_value_to_vec(Avro::Record(record)).ok())
            .unwrap_or_default()
    }
}

/// An event's own id: the same for the same event.
pub(super) fn event_uuid(replay_id: &[u8]) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, replay_id).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_encoded_as_avro_says() {
        let form = EventForm {
            topic: "/event/A__e".to_owned(),
            type_field: "T__c".to_owned(),
            payload_field: "P__c".to_owned(),
            ..EventForm::default()
        };
        let mut encoder = Encoder::new(&form);
        let event =
            json!({ "CreatedDate": 7, "CreatedById": "005", "T__c": { "string": "x" }, "P__c": null });
        assert_eq!(encoder.encode(&event), b"\x0e\x06005\x02\x02x\x00");
        let old = encoder.schema_id();
        encoder.change();
        assert_eq!(encoder.encode(&event), b"\x0e\x06005\x00\x02\x02x\x00", "the added field is null");
        assert_ne!(encoder.schema_id(), old);
        assert!(!encoder.schema(&old).unwrap().contains("Added1__c"));
        assert!(encoder.schema(&encoder.schema_id()).unwrap().contains("Added1__c"));
        assert_eq!(encoder.schema("nothing"), None);
    }
}
