//! `POST /interactions` with a text: what the end user writes. Begins conversation and session where there is none.
//!
//! A lost answer: the message may be there. Its id is ours and the same in every try, so that a later try is answered
//! 10073 where it is.

use serde_json::{Value, json};

use super::super::fields::{id, set};
use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation, Repeat};
use crate::model::call::{Reply, SendText, Sent};
use crate::model::error_codes::ErrorCode;
use crate::model::ids::{ConversationId, WorkItemId};

impl ApiCall for SendText {
    const OPERATION: Operation = Operation {
        name: "post-interaction",
        method: Method::Post,
        path: "/api/v1/interactions",
        headers: &[],
        form: Form::Multipart,
        priority: Priority::Later,
        effect: Effect::Adds {
            named_in: "conversationIdentifier",
            repeat: Repeat::DoneAt(ErrorCode::MESSAGE_EXISTS),
        },
    };

    type Reply = Sent;

    fn line(&self) -> Line {
        Line::EndUser(self.end_user.clone())
    }

    fn body(&self) -> Value {
        // Entry and message have one id: Salesforce refuses two that do not match (10060).
        let interaction = json!({
            "interactionType": "EntryInteraction",
            "timestamp": self.at.as_millis(),
            "payload": {
                "entryType": "Message",
                "id": self.entry,
                "abstractMessage": {
                    "messageType": "StaticContentMessage",
                    "id": self.entry,
                    "staticContent": {"formatType": "Text", "text": self.text.as_str()},
                },
            },
        });
        let mut body = json!({"to": self.channel, "from": self.end_user, "interactions": [interaction]});
        set(&mut body, "routingAttributes", self.attributes.to_value());
        body
    }

    fn reply(yes: &Value) -> Reply {
        let work_items = yes.get("workItemIds").and_then(Value::as_array);
        let read = |item: &Value| WorkItemId::parse(item.as_str()?).ok();
        Reply::Sent(Sent {
            conversation: id(yes, "conversationIdentifier", ConversationId::parse),
            work_items: work_items.into_iter().flatten().filter_map(read).collect(),
        })
    }
}
