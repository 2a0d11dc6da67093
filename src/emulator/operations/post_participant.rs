//! `POST /participant` with operation `Remove`: a participant is taken out of a conversation.

use serde_json::{Value, json};

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use super::named::app_type;
use crate::model::event::Participant;
use crate::model::ids::{RepId, Subject};
use crate::model::time::Timestamp;
use crate::model::words::{ParticipantRole, WorkChange};

impl Salesforce {
    pub(super) fn change_participant(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        match body.text("operation")? {
            Some("Remove") => {}
            other => {
                let text = format!("operation '{}' is not Remove", shown(other.unwrap_or_default()));
                return Err(Refusal::new(10097, text));
            }
        }
        let participant = match body.list("participants")?.unwrap_or_default() {
            [] => return Err(Refusal::new(10039, "'participants' is empty")),
            [one] => read_participant(one)?,
            _ => return Err(Refusal::body("'participants' may hold one participant only")),
        };
        let conversation = self.running_conversation(body.required_text("conversationIdentifier")?)?;
        if !conversation.participants.contains(&participant) {
            let text = format!("'{}' is not in the conversation", shown(participant.subject.as_str()));
            return Err(Refusal::new(10036, text));
        }
        if participant.as_rep().is_some() && conversation.reps().count() == 1 {
            return Err(Refusal::new(10097, "the last rep can only end the conversation"));
        }
        let id = conversation.id.clone();
        match participant.as_rep() {
            Some(rep) => self.take_rep_out(now, &id, rep, WorkChange::Closed),
            None => self.remove_participant(now, &id, &participant),
        }
        Ok(ApiResponse::json(200, json!({ "success": true })))
    }
}

fn read_participant(value: &Value) -> Result<Participant, Refusal> {
    let fields = Fields::of(value).map_err(|_| Refusal::body("'participants' holds no object"))?;
    app_type(fields)?;
    let name = fields.required_text("role")?;
    let role = ParticipantRole::from_name(name)
        .filter(|role| matches!(role, ParticipantRole::Agent | ParticipantRole::Chatbot))
        .ok_or_else(|| Refusal::new(10038, format!("role '{}' cannot be removed", shown(name))))?;
    let subject = fields.required_text("subject")?;
    let unknown = || Refusal::new(10036, format!("'{}' is nobody's subject", shown(subject)));
    if role == ParticipantRole::Agent {
        let rep = RepId::parse(subject).map_err(|_| unknown())?;
        return Participant::rep(rep).ok_or_else(unknown);
    }
    let subject = Subject::parse(subject).map_err(|_| unknown())?;
    Ok(Participant { role, subject })
}
