//! `POST /interactions`: the end user writes. Texts alone are taken here.

use serde_json::json;

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::ledger::LedgerEvent;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use crate::model::ids::{ConversationId, Subject, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::SessionStatus;

impl Salesforce {
    pub(super) fn take_interaction(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        let to = body.text("to")?.unwrap_or_default();
        if to != self.settings.channel.address.as_str() {
            return Err(Refusal::new(10027, format!("the org has no channel address '{}'", shown(to))));
        }
        let from = body.text("from")?.unwrap_or_default();
        let end_user = Subject::parse(from).map_err(|error| Refusal::new(10028, error.to_string()))?;
        body.texts("routingAttributes")?;
        let interaction = match body.list("interactions")?.unwrap_or_default() {
            [one] => Fields::of(one).map_err(|_| Refusal::new(10029, "'interactions' holds no object"))?,
            _ => return Err(Refusal::new(10029, "'interactions' must hold one interaction")),
        };
        let entry = read_text(interaction)?.to_owned();
        if !self.messages.insert(entry.clone()) {
            return Err(Refusal::new(10073, format!("there is a message '{}' already", shown(&entry))));
        }
        let (conversation, work_item) = self.session_of(now, &end_user);
        let answer = json!({
            "success": true,
            "conversationIdentifier": conversation,
            "id": entry,
            "workItemIds": [work_item.to_18()],
        });
        self.books.add(now, LedgerEvent::MessageTaken { conversation, entry });
        Ok(ApiResponse::json(202, answer))
    }

    /// The session that a message of the end user's belongs to: the one that is not over, woken up where it rested;
    /// else a new one.
    fn session_of(&mut self, now: Timestamp, end_user: &Subject) -> (ConversationId, WorkItemId) {
        let running = self.conversations.values().filter(|it| it.end_user == *end_user && !it.is_over());
        let Some(newest) = running.max_by_key(|it| it.started) else {
            return self.begin_session(now, end_user.clone());
        };
        let (id, work_item) = (newest.id.clone(), newest.work_item);
        if newest.status == SessionStatus::Inactive {
            let has_rep = newest.reps().next().is_some();
            let status = if has_rep { SessionStatus::Active } else { SessionStatus::Waiting };
            self.set_session_status(now, &id, status, None);
        }
        (id, work_item)
    }
}

/// The id of a text, once everything about it is right.
fn read_text(interaction: Fields<'_>) -> Result<&str, Refusal> {
    if interaction.integer("timestamp")?.is_none() {
        return Err(Refusal::body("'timestamp' is missing"));
    }
    match interaction.required_text("interactionType")? {
        "EntryInteraction" => {}
        other => return Err(Refusal::body(format!("interactionType '{}' is not taken", shown(other)))),
    }
    let format = || Refusal::new(10045, "the entry is not a message with a text");
    let payload = interaction.object("payload")?.ok_or_else(format)?;
    if payload.text("entryType")? != Some("Message") {
        return Err(format());
    }
    let message = payload.object("abstractMessage")?.ok_or_else(format)?;
    let (entry, id) = (payload.text("id")?.unwrap_or_default(), message.text("id")?.unwrap_or_default());
    if entry.is_empty() || id.is_empty() {
        return Err(Refusal::new(10059, "entry and message need an id"));
    }
    if entry != id {
        return Err(Refusal::new(10060, "entry and message have different ids"));
    }
    if message.text("messageType")? != Some("StaticContentMessage") {
        return Err(Refusal::new(10062, "messageType is not StaticContentMessage"));
    }
    let content = message.object("staticContent")?.ok_or_else(format)?;
    if content.text("formatType")? != Some("Text") {
        return Err(Refusal::new(10049, "formatType is not Text"));
    }
    content.text("text")?.filter(|text| !text.is_empty()).ok_or_else(format)?;
    Ok(entry)
}
