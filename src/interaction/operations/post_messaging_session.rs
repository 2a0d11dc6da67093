//! `POST /messagingSession`: ends a session or makes it inactive. That there is none is no error.
//!
//! A lost answer: the session may be over, and ending it again does no harm where the call names it.

use serde_json::{Value, json};

use super::super::fields::set;
use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::{ChangeSession, SessionChange};
use crate::model::error_codes::ErrorCode;

impl ApiCall for ChangeSession {
    const OPERATION: Operation = Operation {
        name: "post-messaging-session",
        method: Method::Post,
        path: "/api/v1/messagingSession",
        headers: &[],
        form: Form::Json,
        // No rep rings and no 60 seconds run because of it.
        priority: Priority::Later,
        effect: Effect::TakesBack { none_there: &[ErrorCode::SESSION_NOT_FOUND] },
    };

    type Reply = ();

    fn line(&self) -> Line {
        Line::Conversation(self.conversation.clone())
    }

    fn body(&self) -> Value {
        let (operation, session) = match self.change {
            SessionChange::End(session) => ("End", session),
            SessionChange::Inactivate(session) => ("Inactivate", Some(session)),
        };
        let mut body = json!({
            "channelAddressIdentifier": self.channel,
            "conversationIdentifier": self.conversation,
            "endUserClientId": self.end_user,
            "operation": operation,
            "operationBy": self.by,
        });
        set(&mut body, "sessionId", session.map_or(Value::Null, |session| json!(session)));
        body
    }
}
