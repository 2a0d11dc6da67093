//! `POST /conversation`: begins a conversation without a message.
//!
//! A lost answer: there may be a conversation. Nothing of ours goes along by which Salesforce could tell a repeated call
//! from the next, so that it is not repeated: whoever asked reads the far side first.

use serde_json::{Value, json};

use super::super::fields::{id, set};
use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation, Repeat};
use crate::model::call::{BeginConversation, Begun, Reply};
use crate::model::ids::{ConversationId, WorkItemId};
use crate::model::words::ParticipantRole;

impl ApiCall for BeginConversation {
    const OPERATION: Operation = Operation {
        name: "post-conversation",
        method: Method::Post,
        path: "/api/v1/conversation",
        headers: &[],
        form: Form::Json,
        priority: Priority::Later,
        effect: Effect::Adds { named_in: "conversationIdentifier", repeat: Repeat::Never },
    };

    type Reply = Begun;

    fn line(&self) -> Line {
        Line::EndUser(self.end_user.clone())
    }

    fn body(&self) -> Value {
        let participant =
            json!({"appType": "custom", "subject": self.end_user, "role": ParticipantRole::EndUser});
        let mut body = json!({"channelAddressIdentifier": self.channel, "participants": [participant]});
        set(&mut body, "routingAttributes", self.attributes.to_value());
        body
    }

    fn reply(yes: &Value) -> Reply {
        Reply::Begun(Begun {
            conversation: id(yes, "conversationIdentifier", ConversationId::parse),
            work_item: id(yes, "messagingSessionId", WorkItemId::parse),
        })
    }
}
