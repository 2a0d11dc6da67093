//! `POST /participant` with operation `Remove`: takes a rep or a bot out of the conversation. That they are not in it is
//! no error.

use serde_json::{Value, json};

use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::{Removable, RemoveParticipant};
use crate::model::error_codes::ErrorCode;
use crate::model::words::ParticipantRole;

impl ApiCall for RemoveParticipant {
    const OPERATION: Operation = Operation {
        name: "post-participant",
        method: Method::Post,
        path: "/api/v1/participant",
        headers: &[],
        form: Form::Json,
        priority: Priority::First,
        effect: Effect::TakesBack {
            none_there: &[
                ErrorCode::SESSION_NOT_FOUND,
                ErrorCode::WORK_ITEM_NOT_FOUND,
                ErrorCode::WORK_NOT_VALID,
                ErrorCode::PARTICIPANT_NOT_FOUND,
            ],
        },
    };

    type Reply = ();

    fn line(&self) -> Line {
        Line::Conversation(self.conversation.clone())
    }

    fn body(&self) -> Value {
        let participant = match &self.who {
            Removable::Rep(rep) => {
                json!({"appType": "agent", "subject": rep, "role": ParticipantRole::Agent})
            }
            Removable::Bot(bot) => {
                json!({"appType": "chatbot", "subject": bot, "role": ParticipantRole::Chatbot})
            }
        };
        json!({
            "conversationIdentifier": self.conversation,
            "operation": "Remove",
            "participants": [participant],
        })
    }
}
