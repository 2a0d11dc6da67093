//! The partner's directory of contacts.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::Failure;
use super::hook::Hook;
use super::{Context, answer, lenient};
use crate::contacts::{ConversationView, Directory, Error, Query};
use crate::model::contact::{Contact, ContactType, ContactsFilter, ContactsResult, ListType};
use crate::model::ids::{FlowId, MAX_TEXT_ID, QueueId, RepId, WorkItemId};
use crate::model::words::Availability;

/// How long a rep who has opened a list is kept waiting.
const PATIENCE: Duration = Duration::from_secs(6);

/// How large an answer may be: the largest page, with long texts.
const LARGEST: usize = 4 * 1024 * 1024;

/// How many characters of a name or a description are shown.
const SHOWN: usize = 255;

/// A [`Directory`] behind a URL.
#[derive(Debug, Clone)]
pub struct Contacts {
    hook: Hook,
    context: Context,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    #[serde(flatten)]
    context: &'a Context,
    filter: &'a ContactsFilter,
    list: ListType,
    conversation: Conversation<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    work_item_id: Option<WorkItemId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conversation<'a> {
    conference_supported: bool,
    full: bool,
    present: Vec<&'a RepId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    contacts: Vec<Value>,
    #[serde(default, deserialize_with = "lenient::texts")]
    contact_types: Vec<String>,
}

/// What an answer has, and how many contacts it named.
struct Read {
    contacts: Vec<Named>,
    named: usize,
    contact_types: Vec<String>,
}

/// A contact as the partner has it. Its `listType` is not read: it follows from the conversation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    #[serde(deserialize_with = "lenient::text")]
    id: String,
    #[serde(rename = "type")]
    contact_type: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(default, deserialize_with = "lenient::text_or_none")]
    phone_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::text_or_none")]
    prefix: Option<String>,
    #[serde(default, deserialize_with = "lenient::text_or_none")]
    extension: Option<String>,
    #[serde(rename = "endpointARN", default, deserialize_with = "lenient::text_or_none")]
    endpoint_arn: Option<String>,
    #[serde(default, deserialize_with = "lenient::text_or_none")]
    queue: Option<String>,
    availability: Option<Value>,
    #[serde(default, deserialize_with = "lenient::text_or_none")]
    record_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text_or_none")]
    description: Option<String>,
    queue_wait_time: Option<Value>,
}

/// Reads an answer: a contact that is none is left out, and an answer in which all are is none.
fn read(body: &[u8]) -> Result<Read, Failure> {
    let Answer { contacts, contact_types } = answer::read(body)?;
    let named = contacts.len();
    let (mut read, mut wrong) = (Vec::new(), None);
    for (n, contact) in contacts.into_iter().enumerate() {
        match answer::item(contact, &format!("contacts[{n}]")) {
            Ok(contact) => read.push(contact),
            Err(failure) => wrong = wrong.or(Some(failure)),
        }
    }
    match wrong {
        Some(failure) if read.is_empty() => Err(failure),
        _ => Ok(Read { contacts: read, named, contact_types }),
    }
}

impl Contacts {
    pub(super) fn new(hook: Hook, context: Context) -> Self {
        Self { hook, context }
    }
}

#[async_trait]
impl Directory for Contacts {
    async fn contacts(&self, query: &Query) -> Result<ContactsResult, Error> {
        let ConversationView { conference_supported, full, present, .. } = &query.conversation;
        let limit = query.filter.limit.min(ContactsFilter::MAX_LIMIT);
        let question = Question {
            context: &self.context,
            filter: &ContactsFilter { limit, ..query.filter.clone() },
            list: query.list,
            conversation: Conversation {
                conference_supported: *conference_supported,
                full: *full,
                present: present.iter().collect(),
            },
            work_item_id: query.work_item,
        };
        let Read { contacts, named, contact_types } = self
            .hook
            .ask(&self.context, &question, PATIENCE, LARGEST, read)
            .await
            .map_err(|failure| Error::Unreachable(Box::new(failure)))?;
        let contacts = contacts.into_iter().filter_map(|contact| contact.read(&query.conversation));
        let contacts: Vec<Contact> = contacts
            .filter(|contact| query.list.shows(contact.list_type))
            .filter(once())
            .take(limit)
            .collect();
        if contacts.len() < named {
            let left_out = named.saturating_sub(contacts.len());
            tracing::info!(left_out, "the directory webhook returned contacts that cannot be shown");
        }
        let known =
            |name: &String| ContactType::from_name(name).filter(|&kind| query.conversation.has_tab(kind));
        Ok(ContactsResult { contacts, contact_types: contact_types.iter().filter_map(known).collect() })
    }
}

/// Whether a contact has not been named yet: the rep's page would show it twice.
fn once() -> impl FnMut(&Contact) -> bool {
    let mut seen = HashSet::new();
    move |contact| seen.insert((contact.contact_type, contact.id.clone()))
}

impl Named {
    /// The contact, where it is one that can be shown.
    fn read(self, conversation: &ConversationView) -> Option<Contact> {
        let contact_type = ContactType::from_name(&self.contact_type)?;
        let rep = match contact_type {
            ContactType::Agent => Some(RepId::parse(&self.id).ok()?),
            _ => None,
        };
        let id = match contact_type {
            ContactType::Agent => rep?.as_str().to_owned(),
            ContactType::Queue => QueueId::parse(&self.id).ok()?.as_str().to_owned(),
            ContactType::Flow => FlowId::parse(&self.id).ok()?.as_str().to_owned(),
            ContactType::PhoneBook | ContactType::PhoneNumber => short(self.id)?,
        };
        let availability = match (rep, self.availability) {
            (Some(_), Some(said)) => Some(Availability::from_name(said.as_str()?)?),
            (Some(_), None) => Some(Availability::Available),
            (None, _) => None,
        };
        if availability == Some(Availability::Offline) {
            return None;
        }
        let short = |text: Option<String>| text.and_then(short);
        Some(Contact {
            list_type: conversation.list_type(contact_type, rep.as_ref())?,
            phone_number: short(self.phone_number),
            prefix: short(self.prefix),
            extension: short(self.extension),
            endpoint_arn: short(self.endpoint_arn),
            queue: short(self.queue),
            availability,
            record_id: short(self.record_id),
            description: self.description.map(|text| shown(&text)),
            queue_wait_time: self.queue_wait_time.as_ref().and_then(seconds),
            ..Contact::new(contact_type, id, shown(&self.name))
        })
    }
}

/// A text that is used as it is, or not at all.
fn short(text: String) -> Option<String> {
    let fits = (1..=MAX_TEXT_ID).contains(&text.len()) && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// As much of a text as is shown, on one line.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Seconds as text: the package in the browser refuses a number.
fn seconds(said: &Value) -> Option<String> {
    let seconds = match said {
        Value::String(text) => text.trim().parse::<u32>().ok()?,
        other => u32::try_from(other.as_u64()?).ok()?,
    };
    Some(seconds.to_string())
}
