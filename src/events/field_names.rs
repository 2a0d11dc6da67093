//! The two fields of a platform event that matter, and what they are called.

use serde::Deserialize;

use super::json::{Text, UnionText};

/// What the channel definition calls the two fields that matter (`CustomEventTypeField`,
/// `CustomEventPayloadField`).
///
/// Names are kept without the object in front of them: `Conference__e.EventType__c` is `EventType__c`.
/// An event's field fits also where it has a namespace that the name lacks: `devorg__EventType__c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldNames {
    event_type: Box<str>,
    payload: Box<str>,
}

impl FieldNames {
    /// From the names as a channel definition gives them.
    pub fn new(event_type: &str, payload: &str) -> Self {
        let bare = |name: &str| name.rsplit('.').next().unwrap_or(name).trim().into();
        Self { event_type: bare(event_type), payload: bare(payload) }
    }

    /// From a channel definition's JSON, where it names both fields.
    pub fn of_definition(definition: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Definition<'a> {
            #[serde(borrow, default, alias = "customEventTypeField")]
            custom_event_type_field: Option<Text<'a>>,
            #[serde(borrow, default, alias = "customEventPayloadField")]
            custom_event_payload_field: Option<Text<'a>>,
        }
        let definition: Definition<'_> = serde_json::from_str(definition).ok()?;
        let names = Self::new(&definition.custom_event_type_field?, &definition.custom_event_payload_field?);
        (!names.event_type.is_empty() && !names.payload.is_empty()).then_some(names)
    }

    /// From an event itself, where no definition is at hand: the type field is the one that says
    /// `Interaction` or `RoutingRequested`, the payload field the one whose text is a JSON object.
    pub fn detect(event: &str) -> Option<Self> {
        let fields: std::collections::BTreeMap<Text<'_>, &serde_json::value::RawValue> =
            serde_json::from_str(event).ok()?;
        let (mut event_type, mut payload) = (None, None);
        for (key, value) in &fields {
            let Ok(UnionText(Some(text))) = serde_json::from_str::<UnionText<'_>>(value.get()) else {
                continue;
            };
            if matches!(&*text, "Interaction" | "RoutingRequested") {
                event_type = event_type.or(Some(key));
            } else if text.trim_ascii_start().starts_with('{') {
                payload = payload.or(Some(key));
            }
        }
        Some(Self { event_type: (&**event_type?).into(), payload: (&**payload?).into() })
    }

    /// The event type field's name.
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// The payload field's name.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    pub(crate) fn is_event_type(&self, key: &str) -> bool {
        fits(key, &self.event_type)
    }

    pub(crate) fn is_payload(&self, key: &str) -> bool {
        fits(key, &self.payload)
    }
}

fn fits(key: &str, name: &str) -> bool {
    key == name
        || key.strip_suffix(name).is_some_and(|namespace| namespace.len() > 2 && namespace.ends_with("__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_with_and_without_object_and_namespace() {
        let names = FieldNames::new("devorg__Conference__e.devorg__EventType__c", "Payload__c");
        assert_eq!(names.event_type(), "devorg__EventType__c");
        assert!(names.is_event_type("devorg__EventType__c"));
        assert!(!names.is_event_type("EventType__c"));
        assert!(names.is_payload("Payload__c") && names.is_payload("devorg__Payload__c"));
        assert!(!names.is_payload("devorg__OtherPayload__c") && !names.is_payload("__Payload__c"));
    }

    #[test]
    fn names_are_detected_in_both_spellings() {
        for event in [
            r#"{"CreatedById":"005","ns__T__c":"Interaction","ns__P__c":"{\"a\":1}","x":null}"#,
            r#"{"ns__P__c":{"string":" {}"},"n":1,"ns__T__c":{"string":"RoutingRequested"}}"#,
        ] {
            assert_eq!(FieldNames::detect(event), Some(FieldNames::new("ns__T__c", "ns__P__c")), "{event}");
        }
        assert_eq!(FieldNames::detect(r#"{"ns__T__c":"Somethingelse","ns__P__c":"{}"}"#), None);
        assert_eq!(FieldNames::detect("[]"), None);
    }

    #[test]
    fn a_definition_without_names_has_none() {
        let whole = r#"{"CustomEventTypeField":"E__e.T__c","CustomEventPayloadField":"E__e.P__c","X":1}"#;
        assert_eq!(FieldNames::of_definition(whole), Some(FieldNames::new("T__c", "P__c")));
        assert_eq!(FieldNames::of_definition(r#"{"CustomEventTypeField":null}"#), None);
    }
}
