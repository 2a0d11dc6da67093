//! From format 1, which 0.1.0 wrote, to format 2.
//!
//! `fixtures/journals/1/shape.json` and `fixtures/journals/2/shape.json` show what differs. New fields and new
//! variants need nothing here: see the room's own documentation.

use serde_json::Value;

use super::Step;

pub(super) const STEP: Step = Step { facts, state, reason };

fn facts(facts: Vec<Value>) -> Vec<Value> {
    facts
}

fn state(state: Value) -> Value {
    state
}

fn reason(reason: Value) -> Value {
    reason
}
