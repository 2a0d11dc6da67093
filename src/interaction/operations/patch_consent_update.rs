//! `PATCH /consent`: says what the end user has agreed to, on a channel whose partner asks them.
//!
//! A lost answer: it is said again, which changes nothing.

use serde_json::{Value, json};

use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use super::operation::{ApiCall, Effect, Operation};
use crate::model::call::UpdateConsent;

impl ApiCall for UpdateConsent {
    const OPERATION: Operation = Operation {
        name: "patch-consent-update",
        method: Method::Patch,
        path: "/api/v1/consent",
        headers: &[],
        form: Form::Json,
        priority: Priority::Later,
        effect: Effect::Sets,
    };

    type Reply = ();

    fn line(&self) -> Line {
        Line::EndUser(self.end_user.clone())
    }

    fn body(&self) -> Value {
        json!({
            "channelAddressIdentifier": self.channel,
            "endUserClientId": self.end_user,
            "consentStatus": self.status,
        })
    }
}
