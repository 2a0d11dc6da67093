//! `POST /messagingSession`: the partner ends a session, or makes it inactive.

use serde_json::json;

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use super::super::state::Conversation;
use crate::model::ids::WorkItemId;
use crate::model::time::Timestamp;
use crate::model::words::{OperationBy, ParticipantRole, SessionStatus};

impl Salesforce {
    pub(super) fn change_session(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        let operation = body.text("operation")?.unwrap_or_default();
        if !matches!(operation, "End" | "Inactivate") {
            let text = format!("operation '{}' is neither End nor Inactivate", shown(operation));
            return Err(Refusal::new(10102, text));
        }
        let by = operation_by(body)?;
        self.known_channel(body)?;
        let conversation = self.known_conversation(body.required_text("conversationIdentifier")?)?;
        let end_user = body.required_text("endUserClientId")?;
        if conversation.end_user.as_str() != end_user {
            let text = format!("'{}' is not the conversation's end user", shown(end_user));
            return Err(Refusal::new(10105, text));
        }
        named_session(body, operation, conversation)?;
        let id = self.running_conversation(conversation.id.as_str())?.id.clone();
        match (operation, by) {
            ("Inactivate", _) => self.set_session_status(now, &id, SessionStatus::Inactive, None),
            (_, OperationBy::EndUser) => self.end_user_ends(now, &id),
            (_, OperationBy::System) => self.end_session(now, &id, ParticipantRole::System),
        }
        Ok(ApiResponse::json(200, json!({ "success": true })))
    }
}

/// Where it is left out, nobody but the partner's system can have asked.
fn operation_by(body: Fields<'_>) -> Result<OperationBy, Refusal> {
    let Some(name) = body.text("operationBy")? else { return Ok(OperationBy::System) };
    OperationBy::from_name(name).ok_or_else(|| {
        Refusal::new(10103, format!("operationBy '{}' is neither EndUser nor System", shown(name)))
    })
}

/// The session may be left out, but for `Inactivate`; where it is named, it is the conversation's.
fn named_session(body: Fields<'_>, operation: &str, conversation: &Conversation) -> Result<(), Refusal> {
    let Some(text) = body.text("sessionId")?.filter(|text| !text.is_empty()) else {
        return if operation == "Inactivate" {
            Err(Refusal::new(10106, "Inactivate needs 'sessionId'"))
        } else {
            Ok(())
        };
    };
    let session =
        WorkItemId::parse(text).map_err(|error| Refusal::new(10072, format!("sessionId: {error}")))?;
    if session == conversation.work_item {
        Ok(())
    } else {
        Err(Refusal::new(10071, format!("the conversation has no messaging session {session}")))
    }
}
