//! What leads from one format to the next: pure functions on JSON.

use serde_json::Value;

/// What leads from one format to the next.
pub(super) struct Step {
    /// The facts of a turn, in order.
    pub(super) facts: fn(Vec<Value>) -> Vec<Value>,
    /// The state of a conversation.
    pub(super) state: fn(Value) -> Value,
    /// The reason of an ending.
    pub(super) reason: fn(Value) -> Value,
}
