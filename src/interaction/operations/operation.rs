//! What an operation of the Interaction Service is: the form that each file of this folder fills in.

use serde_json::Value;

use super::super::line::{Line, Priority};
use super::super::wire::{Form, Method};
use crate::model::call::{Call, Reply};
use crate::model::error_codes::ErrorCode;

/// What is the same for every call of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Salesforce's name of it (`operationId`): the label of metrics, logs and replays.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path below the host, e.g. `/api/v1/route`.
    pub path: &'static str,
    /// The headers that it takes beside those of every operation, names in small letters.
    pub headers: &'static [(&'static str, &'static str)],
    /// How its body is sent.
    pub form: Form,
    /// What comes first where calls wait for the org's limit.
    pub priority: Priority,
    /// What it does at Salesforce.
    pub effect: Effect,
}

/// What a call does at Salesforce, and so what it means that nobody can tell whether it was done.
///
/// A call whose answer is lost is made again while there is time, with the same `RequestId`, unless [`Repeat::Never`]
/// says otherwise. When its time is over, its
/// answer is [`Answer::Lost`](crate::model::call::Answer::Lost).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It makes something, and making it twice does harm that whoever asked clears up. What may have been made is
    /// counted as made until something else is known.
    Makes {
        /// The field of an answer that names it. A 2xx that names it is a yes, also without `success`.
        named_in: &'static str,
    },
    /// It adds something for good: nobody could tell a second one from what was meant.
    Adds {
        /// The field of an answer that names it. A 2xx that names it is a yes, also without `success`.
        named_in: &'static str,
        /// What keeps it from being added twice.
        repeat: Repeat,
    },
    /// It takes something back that may not be there. What does not work now is owed and comes again later, so a 2xx
    /// that nobody can read is asked for once more, and no more often.
    TakesBack {
        /// The codes that say that there is nothing: then it is done.
        none_there: &'static [ErrorCode],
    },
    /// It says how something is from now on; saying it again changes nothing.
    Sets,
    /// It answers Salesforce, which takes one answer: another changes nothing.
    Answers,
}

/// Whether a call that adds something is made again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Never: it carries no id of ours. Whoever asked reads the far side before they ask for another.
    Never,
    /// It carries an id of ours, the same in every try. A later try that is answered with this code has been done.
    DoneAt(ErrorCode),
}

impl Effect {
    /// Whether it takes something back.
    pub const fn undoes(self) -> bool {
        matches!(self, Self::TakesBack { .. })
    }
}

/// A call of one operation.
pub trait ApiCall: Into<Call> {
    /// Its operation.
    const OPERATION: Operation;

    /// What a carried-out call tells.
    type Reply: From<Reply>;

    /// The line at the limiter in which it stands.
    fn line(&self) -> Line;

    /// Its body, exactly as Salesforce's schema has it: only what is set, without nulls and empty objects. Record ids
    /// are sent in their 15-character form.
    fn body(&self) -> Value;

    /// Reads the body of a yes; what is not in it, or cannot be read, is left out.
    fn reply(_yes: &Value) -> Reply {
        Reply::Ok
    }
}
