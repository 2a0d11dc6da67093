//! What the bodies of several operations name: the channel, the conversation, its work item, its type of routing.

use super::super::body::Fields;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use super::super::state::Conversation;
use crate::model::ids::{ConversationId, WorkItemId};
use crate::model::words::RoutingType;

impl Salesforce {
    /// The channel that the body names: there is one.
    pub(super) fn known_channel(&self, body: Fields<'_>) -> Result<(), Refusal> {
        let name = body.required_text("channelAddressIdentifier")?;
        if name == self.settings.channel.address.as_str() {
            Ok(())
        } else {
            Err(Refusal::new(10017, format!("the org has no channel address '{}'", shown(name))))
        }
    }

    pub(super) fn known_conversation(&self, name: &str) -> Result<&Conversation, Refusal> {
        ConversationId::parse(name)
            .ok()
            .and_then(|id| self.conversations.get(&id))
            .ok_or_else(|| Refusal::new(10018, format!("the org has no conversation '{}'", shown(name))))
    }

    /// A conversation whose session is not over.
    pub(super) fn running_conversation(&self, name: &str) -> Result<&Conversation, Refusal> {
        let conversation = self.known_conversation(name)?;
        if conversation.is_over() {
            let text = format!("the session {} of the conversation has ended", conversation.work_item);
            return Err(Refusal::new(10071, text));
        }
        Ok(conversation)
    }

    pub(super) fn required_routing_type(&self, body: Fields<'_>) -> Result<RoutingType, Refusal> {
        let name = body.required_text("routingType")?;
        let routing_type = RoutingType::from_name(name)
            .ok_or_else(|| Refusal::body(format!("'routingType' may not be '{}'", shown(name))))?;
        if routing_type == RoutingType::Conference && !self.settings.channel.conference_supported {
            return Err(Refusal::new(10075, "the channel definition does not support conferences"));
        }
        Ok(routing_type)
    }

    /// The work item that the body names: 15 characters, and the org has it.
    pub(super) fn known_work_item(&self, body: Fields<'_>) -> Result<WorkItemId, Refusal> {
        let text = body.text("workItemId")?.unwrap_or_default();
        let wrong = |why: String| Refusal::new(15110, format!("workItemId: {why}"));
        if text.len() != 15 {
            return Err(wrong(format!("'{}' does not have 15 characters", shown(text))));
        }
        let id = WorkItemId::parse(text).map_err(|error| wrong(error.to_string()))?;
        if self.by_work_item.contains_key(&id) {
            Ok(id)
        } else {
            Err(Refusal::new(15111, format!("the org has no messaging session {id}")))
        }
    }
}

/// `AppType` of the schema.
const APP_TYPES: [&str; 6] = ["custom", "agent", "chatbot", "conversation", "live_message", "iamessage"];

/// Where a participant comes from, which is one of the schema's words.
pub(super) fn app_type(participant: Fields<'_>) -> Result<(), Refusal> {
    let name = participant.required_text("appType")?;
    if APP_TYPES.contains(&name) {
        Ok(())
    } else {
        Err(Refusal::new(10037, format!("appType '{}' is not known", shown(name))))
    }
}

pub(super) fn mismatch(work_item: WorkItemId, conversation: &str) -> Refusal {
    let text = format!("the conversation '{}' is not that of {work_item}", shown(conversation));
    Refusal::new(15107, text)
}
