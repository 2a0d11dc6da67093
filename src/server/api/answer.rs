//! What is answered where something is taken in, and where it is not.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::events;
use crate::server::refused::Refused;
use crate::service::{Error, Processed};

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let problem = error.to_string();
        match error {
            Error::UnknownWorkItem(_) => {
                let hint = "send it again in a second: the event that announces it may not have arrived yet";
                Self::new(StatusCode::NOT_FOUND, problem, hint).field("workItemId")
            }
            Error::Event(error) => {
                let refused = Self::bad_request(problem, "openapi/connector.yaml has an example");
                match error {
                    events::Error::Malformed { field, .. }
                    | events::Error::Missing { field, .. }
                    | events::Error::Id { field, .. } => refused.field(field),
                }
            }
            Error::AnothersOffer(_) => {
                let hint = "a page may only report its own rep's offers";
                Self::forbidden(problem, hint).field("workId")
            }
            Error::AnothersWorkItem(_) => {
                let hint = "a page may only ask about its own rep's conversations; a rep who just joined asks again in \
                            a second, because the event may not have arrived yet";
                Self::forbidden(problem, hint).field("workItemId")
            }
            Error::SalesforceRefused(_) => {
                let hint = "docs/errors has each code; GET /v1/conversations/{id} shows what is known";
                Self::new(StatusCode::BAD_GATEWAY, problem, hint)
            }
            Error::SalesforceSilent(_) => {
                let hint = "send the same again, a message under the same Idempotency-Key: repeating is safe";
                Self::new(StatusCode::GATEWAY_TIMEOUT, problem, hint)
            }
            Error::EndUserUnknown(_) => {
                Self::bad_request(problem, "say who they are: the channel's own id of the end user")
                    .field("endUserClientId")
            }
            Error::SessionUnknown(_) => {
                Self::bad_request(problem, "say which: the id of the messaging session, 0Mw...")
                    .field("sessionId")
            }
            Error::LastRep(_) => {
                let hint = "the last rep ends the conversation: POST /v1/conversations/{id}/end";
                Self::new(StatusCode::CONFLICT, problem, hint).field("participant")
            }
            Error::Directory(_) => Self::unavailable(problem, "ask again in a second", 1),
            Error::Channel(_) => {
                let hint = "send the same again: repeating is safe; /readyz says what is wrong";
                Self::unavailable(problem, hint, 1)
            }
        }
    }
}

/// Something was taken in: 202, with the reason where it was of no use.
pub(super) fn accepted(taken: &Processed) -> (StatusCode, Json<Value>) {
    match taken {
        Processed::Stored => (StatusCode::ACCEPTED, Json(json!({}))),
        Processed::Ignored(reason) => ignored(&reason.to_string()),
    }
}

pub(super) fn ignored(reason: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::ACCEPTED, Json(json!({ "ignored": reason })))
}
