//! Who looks on while an engine works: logs, metrics, a replay's notes.

use super::output::CallId;
use crate::interaction::Rejection;
use crate::model::call::{Answer, Call};
use crate::model::event::Event;
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::routing::{Conversations, Fact, Remark};
use crate::store::Cause;

/// Looks on. Nothing depends on what it does.
pub trait Observer {
    /// The conversations are fed what arrived, named by its cause; behind it, nothing any more.
    fn working_on(&mut self, _cause: Option<&Cause>) {}

    /// Facts were decided; they are not durable yet.
    fn decided(&mut self, _at: Timestamp, _conversation: &ConversationId, _facts: &[Fact]) {}

    /// Something worth telling a person.
    fn remarked(&mut self, _at: Timestamp, _conversation: &ConversationId, _remark: &Remark) {}

    /// Something was delivered that had been processed before, and so changes nothing.
    fn came_again(&mut self, _events: &[Event]) {}

    /// A call is over, after so many tries that this engine saw to.
    fn answered(&mut self, _id: &CallId, _answer: &Answer, _tries: u32) {}

    /// A try of a call failed; the next is made then.
    fn failed(&mut self, _at: Timestamp, _id: &CallId, _call: &Call, _next: Timestamp, _said: &Rejection) {}

    /// A call is given up, for its time is over; what its last try came to.
    fn given_up(&mut self, _call: &Call, _tries: u32, _said: &Rejection) {}

    /// The conversations were taken up from the store, so many of them with times that had to be cut.
    fn resumed(&mut self, _conversations: &Conversations, _cut: usize) {}
}

/// Looks at nothing.
impl Observer for () {}
