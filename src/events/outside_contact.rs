//! Somebody outside of Salesforce, as a routing request or its `channelData` names them.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Text;
use crate::model::ids::Subject;

/// The fields that name somebody outside of Salesforce. Salesforce's schema has none of them, so their
/// shape is not certain: an id, a phone number, or an object that holds one.
pub(super) struct OutsideContactFields<'a> {
    pub(super) contact_id: Option<&'a RawValue>,
    pub(super) external_contact_id: Option<&'a RawValue>,
    pub(super) external_contact: Option<&'a RawValue>,
    pub(super) phone_number: Option<&'a RawValue>,
}

impl OutsideContactFields<'_> {
    pub(super) fn subject(&self) -> Option<Subject> {
        [self.contact_id, self.external_contact_id, self.external_contact, self.phone_number]
            .into_iter()
            .flatten()
            .find_map(|raw| outside_subject(raw.get()))
    }
}

fn outside_subject(json: &str) -> Option<Subject> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Person<'a> {
        #[serde(borrow, default)]
        id: Option<Text<'a>>,
        #[serde(borrow, default)]
        phone_number: Option<Text<'a>>,
        #[serde(borrow, default)]
        name: Option<Text<'a>>,
    }
    if let Ok(text) = serde_json::from_str::<Text<'_>>(json) {
        return Subject::parse(&text).ok();
    }
    let person: Person<'_> = serde_json::from_str(json).ok()?;
    person.id.or(person.phone_number).or(person.name).and_then(|text| Subject::parse(&text).ok())
}
