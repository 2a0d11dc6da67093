//! From format 1, which 0.1.0 wrote, to format 2: facts and the states of an offer have the names that they have today.
//!
//! `fixtures/journals/1/shape.json` and `fixtures/journals/2/shape.json` show what differs. New fields and new
//! variants need nothing here: see the room's own documentation.

use serde_json::{Map, Value};

use super::step::Step;

pub(super) const STEP: Step = Step { facts, state, reason };

/// What a fact of a conversation was called, and is called.
const FACTS: &[(&str, &str)] = &[
    ("About", "OfRequest"),
    ("CancelHeard", "CancelReceived"),
    ("WorkPlaced", "OfferEventMatched"),
    ("WorkUnplaced", "OfferEventHeld"),
    ("WorkWasForeign", "ForeignOfferSeen"),
];

/// What a fact of a request was called, and is called.
const REQUEST_FACTS: &[(&str, &str)] = &[
    ("OfferContested", "OfferCancelRefused"),
    ("OfferNamed", "OfferIdLearned"),
    ("OfferNameless", "OfferIdUnknown"),
    ("OfferOrphaned", "OfferAbandoned"),
    ("OfferOver", "OfferEnded"),
    ("ReportWithheld", "ResultNotSent"),
    ("Reported", "ResultSent"),
    ("RouteLost", "RouteUnknown"),
];

/// What the state of an offer was called, and is called.
const OFFER_STATES: &[(&str, &str)] =
    &[("Contested", "CancelRefused"), ("Nameless", "IdUnknown"), ("Orphaned", "Abandoned")];

fn facts(facts: Vec<Value>) -> Vec<Value> {
    facts.into_iter().map(fact).collect()
}

fn fact(fact: Value) -> Value {
    let mut fact = renamed(fact, FACTS);
    // `[number, fact]`.
    if let Some(of_request) = fact.pointer_mut("/OfRequest/1") {
        *of_request = renamed(of_request.take(), REQUEST_FACTS);
    }
    fact
}

fn state(mut state: Value) -> Value {
    let requests = state.get_mut("requests").and_then(Value::as_array_mut);
    for request in requests.into_iter().flatten() {
        let all = request.get_mut("offers").and_then(Value::as_array_mut);
        for offer in all.into_iter().flatten() {
            if let Some(state) = offer.get_mut("state") {
                *state = renamed(state.take(), OFFER_STATES);
            }
        }
    }
    state
}

fn reason(reason: Value) -> Value {
    reason
}

/// A variant under its new name: one without fields is a string, any other an object of one key.
fn renamed(variant: Value, names: &[(&str, &str)]) -> Value {
    let new = |old: &str| names.iter().find(|(name, _)| *name == old).map(|(_, new)| (*new).to_owned());
    match variant {
        Value::String(name) => Value::String(new(&name).unwrap_or(name)),
        Value::Object(fields) => {
            let rename = |(name, value): (String, Value)| (new(&name).unwrap_or(name), value);
            Value::Object(fields.into_iter().map(rename).collect::<Map<_, _>>())
        }
        other => other,
    }
}
