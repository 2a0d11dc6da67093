//! `POST /conversation`: a conversation begins without a message.

use serde_json::{Value, json};

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use super::named::app_type;
use crate::model::ids::Subject;
use crate::model::time::Timestamp;
use crate::model::words::ParticipantRole;

impl Salesforce {
    /// Each call begins one: nothing tells a repeated one from the next.
    pub(super) fn begin_conversation(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        let name = body.required_text("channelAddressIdentifier")?;
        if name != self.settings.channel.address.as_str() {
            return Err(Refusal::new(10052, format!("the org has no channel address '{}'", shown(name))));
        }
        body.texts("routingAttributes")?;
        let end_user = match body.list("participants")?.unwrap_or_default() {
            [one] => read_end_user(one)?,
            _ => return Err(Refusal::new(10053, "'participants' must hold one participant")),
        };
        let (conversation, work_item) = self.begin_session(now, end_user);
        let answer = json!({
            "success": true,
            "conversationIdentifier": conversation,
            "messagingSessionId": work_item.to_18(),
        });
        Ok(ApiResponse::json(202, answer))
    }
}

fn read_end_user(value: &Value) -> Result<Subject, Refusal> {
    let fields = Fields::of(value).map_err(|_| Refusal::new(10053, "'participants' holds no object"))?;
    app_type(fields)?;
    let role = fields.required_text("role")?;
    if ParticipantRole::from_name(role) != Some(ParticipantRole::EndUser) {
        return Err(Refusal::new(10042, format!("role '{}' is not EndUser", shown(role))));
    }
    let subject = fields.text("subject")?.unwrap_or_default();
    Subject::parse(subject).map_err(|error| Refusal::new(10054, error.to_string()))
}
