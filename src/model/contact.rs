//! What Salesforce asks and is told when a rep opens the Transfer or the Start Conference list:
//! `getContacts(filter, workItemId)` and its `ContactsResult` (PROTOCOL: "getContacts: who can be
//! picked").
//!
//! Spelled as the npm package `scv-connector-base` 4.8.10 spells it. Who is listed, and in which of
//! the two lists, is `contacts`' business.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::{Availability, words};

words!(
    /// What a contact is; it decides under which tab a rep finds it.
    ContactType {
        /// An entry of the partner's own directory.
        PhoneBook = "PhoneBook",
        /// A queue.
        Queue = "Queue",
        /// Somebody outside with a phone number.
        PhoneNumber = "PhoneNumber",
        /// A rep.
        Agent = "Agent",
        /// A flow.
        Flow = "Flow",
    }
);

words!(
    /// In which of a rep's two lists a contact may appear.
    ListType {
        /// Only where a conversation is handed over.
        Transfer = "Transfer",
        /// Only where somebody is asked to join.
        Conference = "Conference",
        /// In both.
        All = "All",
    }
);

words!(
    /// What a rep narrows their search to.
    FilterType {
        /// Reps.
        Agent = "AGENT",
        /// Queues.
        Queue = "QUEUE",
        /// People outside.
        Contact = "CONTACT",
        /// People outside, as entries of a directory.
        Directory = "DIRECTORY",
        /// Flows.
        Flow = "FLOW",
        /// Only those reps who are available.
        Available = "AVAILABLE",
    }
);

/// What a rep searches for. Everything may be left out, or be null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactsFilter {
    /// A part of the name or of the phone number.
    pub contains: Option<String>,
    /// How many contacts are wanted; never more than [`Self::MAX_LIMIT`] are given.
    pub limit: usize,
    /// How many are passed over first.
    pub offset: usize,
    /// What is wanted; nothing here and nothing in `unknown_types` means everything.
    pub types: Vec<FilterType>,
    /// Types that are not known here, as they came. Nothing is of such a type.
    pub unknown_types: Vec<String>,
}

impl ContactsFilter {
    /// How many contacts a page has where the filter does not say.
    pub const DEFAULT_LIMIT: usize = 50;
    /// How many contacts a page has at most, whatever the filter says. Who wants more turns the page.
    pub const MAX_LIMIT: usize = 500;
    /// How many unknown types are kept: enough to name them.
    const MAX_UNKNOWN: usize = 8;
    /// How many characters of each are kept.
    const UNKNOWN_SHOWN: usize = 40;

    /// Sorts the names of types into known and unknown ones.
    fn take_types<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            if let Some(known) = FilterType::from_name(name) {
                if !self.types.contains(&known) {
                    self.types.push(known);
                }
            } else if self.unknown_types.len() < Self::MAX_UNKNOWN {
                self.unknown_types.push(name.chars().take(Self::UNKNOWN_SHOWN).collect());
            }
        }
    }
}

impl Default for ContactsFilter {
    fn default() -> Self {
        Self {
            contains: None,
            limit: Self::DEFAULT_LIMIT,
            offset: 0,
            types: Vec::new(),
            unknown_types: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
struct FilterWire {
    #[serde(default)]
    contains: Option<String>,
    #[serde(default)]
    limit: Option<u64>,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    types: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for ContactsFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = FilterWire::deserialize(deserializer)?;
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let mut filter = Self {
            contains: wire.contains,
            limit: wire.limit.map_or(Self::DEFAULT_LIMIT, count),
            offset: wire.offset.map_or(0, count),
            ..Self::default()
        };
        filter.take_types(wire.types.iter().flatten().map(String::as_str));
        Ok(filter)
    }
}

impl Serialize for ContactsFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            contains: Option<&'a str>,
            limit: usize,
            offset: usize,
            types: Vec<&'a str>,
        }
        let known = self.types.iter().map(|known| known.as_str());
        let types = known.chain(self.unknown_types.iter().map(String::as_str)).collect();
        let wire = Wire { contains: self.contains.as_deref(), limit: self.limit, offset: self.offset, types };
        wire.serialize(serializer)
    }
}

/// Somebody or something that a rep can pick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Salesforce's record id, or the partner's own id for somebody outside.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// What the rep reads.
    pub name: String,
    /// In which lists it may appear.
    pub list_type: ListType,
    /// The phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// What is dialled before the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What is dialled after the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// The vendor's address for it.
    #[serde(default, rename = "endpointARN", skip_serializing_if = "Option::is_none")]
    pub endpoint_arn: Option<String>,
    /// The queue's id, where it is a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Whether it can be reached; only a rep has this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// The Salesforce record behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<String>,
    /// A line below the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The estimated wait in seconds, as text: the package refuses a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_wait_time: Option<String>,
}

impl Contact {
    /// A contact of which no more is known than what it is called.
    pub fn new(contact_type: ContactType, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            contact_type,
            name: name.into(),
            list_type: ListType::Transfer,
            phone_number: None,
            prefix: None,
            extension: None,
            endpoint_arn: None,
            queue: None,
            availability: None,
            record_id: None,
            description: None,
            queue_wait_time: None,
        }
    }
}

/// The answer to `getContacts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactsResult {
    /// One page.
    pub contacts: Vec<Contact>,
    /// Which tabs the rep sees; none means all.
    pub contact_types: Vec<ContactType>,
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn what_the_filter_leaves_out_has_its_default() {
        for empty in [json!({}), json!({"contains": null, "limit": null, "offset": null, "types": null})] {
            assert_eq!(from_value::<ContactsFilter>(empty).unwrap(), ContactsFilter::default());
        }
        assert_eq!(ContactsFilter::default().limit, 50);
    }

    #[test]
    fn unknown_types_are_kept_and_passed_by() {
        let asked = json!({"contains": "jo", "limit": 5, "offset": 10, "types": ["AGENT", "SWARM", "AGENT"]});
        let filter: ContactsFilter = from_value(asked).unwrap();
        assert_eq!(filter.types, [FilterType::Agent]);
        assert_eq!(filter.unknown_types, ["SWARM"]);
        let told = json!({"contains": "jo", "limit": 5, "offset": 10, "types": ["AGENT", "SWARM"]});
        assert_eq!(to_value(filter).unwrap(), told);
    }

    #[test]
    fn a_count_that_is_no_count_is_refused() {
        assert!(from_value::<ContactsFilter>(json!({"limit": -1})).is_err());
        assert!(from_value::<ContactsFilter>(json!({"offset": "ten"})).is_err());
    }

    #[test]
    fn a_contact_is_spelled_as_the_package_spells_it() {
        let contact = Contact {
            list_type: ListType::All,
            phone_number: Some("+1".into()),
            prefix: Some("0".into()),
            extension: Some("9".into()),
            endpoint_arn: Some("arn".into()),
            queue: Some("00G000000000001".into()),
            availability: Some(Availability::Busy),
            record_id: Some("00G000000000001".into()),
            description: Some("d".into()),
            queue_wait_time: Some("40".into()),
            ..Contact::new(ContactType::Queue, "00G000000000001", "Billing")
        };
        let spelled = json!({
            "id": "00G000000000001", "type": "Queue", "name": "Billing", "listType": "All",
            "phoneNumber": "+1", "prefix": "0", "extension": "9", "endpointARN": "arn",
            "queue": "00G000000000001", "availability": "BUSY", "recordId": "00G000000000001",
            "description": "d", "queueWaitTime": "40",
        });
        assert_eq!(to_value(&contact).unwrap(), spelled);
        assert_eq!(from_value::<Contact>(spelled).unwrap(), contact);
    }
}
