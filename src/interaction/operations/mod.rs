//! The operations of the Interaction Service that we call: one file each, named as Salesforce names the operation, and
//! the list of them.
//!
//! A file has all that is particular to its operation: name, method, path and headers; its place at the limiter; body
//! and reply; and what it means that nobody can tell whether it was done. Who traces, counts, records or replays a call
//! reads that from here.
//!
//! Elsewhere: what each call says is in `model::call`; what a response means, whichever call it answers, is in
//! `try_outcome`; docs/recipes.md adds an operation step by step.

mod delete_route;
mod operation;
mod patch_agent_work;
mod patch_consent_update;
mod post_agent_work;
mod post_conversation;
mod post_interaction;
mod post_messaging_session;
mod post_participant;
mod post_route;
mod post_routing_result;

use serde_json::Value;

pub use self::operation::{ApiCall, Effect, Operation, Repeat};
use super::line::{Line, Priority};
use super::wire::WireRequest;
use crate::model::call::{
    BeginConversation, Call, ChangeSession, ClearRoute, CreateAgentWork, RemoveParticipant, Reply,
    ReportResult, Route, SendText, UpdateAgentWork, UpdateConsent,
};

/// Makes the list: whatever is asked of a call is asked of its operation's file.
macro_rules! operations {
    ($($call:ident),* $(,)?) => {
        impl Operation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$($call::OPERATION),*];

            /// The operation of a call.
            pub const fn of(call: &Call) -> &'static Self {
                match call { $(Call::$call(_) => const { &$call::OPERATION }),* }
            }
        }

        impl Line {
            /// The line that a call stands in.
            pub fn of(call: &Call) -> Self {
                match call { $(Call::$call(it) => it.line()),* }
            }
        }

        $(impl From<$call> for Call {
            fn from(call: $call) -> Self {
                Self::$call(call)
            }
        })*

        fn body(call: &Call) -> Value {
            match call { $(Call::$call(it) => it.body()),* }
        }

        /// What a yes to a call tells.
        pub(super) fn reply(call: &Call, yes: &Value) -> Reply {
            match call { $(Call::$call(_) => $call::reply(yes)),* }
        }
    };
}

operations![
    Route,
    ClearRoute,
    CreateAgentWork,
    UpdateAgentWork,
    ReportResult,
    RemoveParticipant,
    ChangeSession,
    UpdateConsent,
    BeginConversation,
    SendText,
];

impl Priority {
    /// The priority that a call has by its operation.
    pub const fn of(call: &Call) -> Self {
        Operation::of(call).priority
    }
}

/// What a call is on the wire.
pub fn encode(call: &Call) -> WireRequest {
    let &Operation { method, path, headers, form, .. } = Operation::of(call);
    WireRequest { method, path, headers, body: body(call), form }
}

#[cfg(test)]
mod tests;
