//! What Salesforce asks and is told when a rep opens the Transfer or the Start Conference list:
//! `getContacts(filter, workItemId)` and its `ContactsResult` (PROTOCOL: "getContacts: who can be
//! picked").
//!
//! Spelled as the npm package `scv-connector-base` 4.8.10 spells it. Who is listed, and in which of
//! the two lists, is `contacts`' business.

mod filter;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::{Availability, words};

pub use filter::ContactsFilter;

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
