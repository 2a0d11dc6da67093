//! `DELETE /route`: clears the conversation's PSR. That there is none is no error.

use serde_json::{Value, json};

use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::ClearRoute;
use crate::model::error_codes::ErrorCode;
use crate::model::words::CancelReason;

impl ApiCall for ClearRoute {
    const OPERATION: Operation = Operation {
        name: "delete-route",
        method: Method::Delete,
        path: "/api/v1/route",
        headers: &[],
        form: Form::Json,
        priority: Priority::First,
        // The session is gone, and its PSR with it.
        effect: Effect::TakesBack {
            none_there: &[
                ErrorCode::SESSION_NOT_FOUND,
                ErrorCode::WORK_ITEM_NOT_FOUND,
                ErrorCode::WORK_NOT_VALID,
            ],
        },
    };

    type Reply = ();

    fn line(&self) -> Line {
        Line::Conversation(self.conversation.clone())
    }

    fn body(&self) -> Value {
        json!({"conversationIdentifier": self.conversation, "cancelReason": sendable(self.reason)})
    }
}

/// The schema has no `EndUserEnded`: that word is only ever told to us.
const fn sendable(reason: CancelReason) -> CancelReason {
    match reason {
        CancelReason::EndUserEnded => CancelReason::Cancel,
        other => other,
    }
}
