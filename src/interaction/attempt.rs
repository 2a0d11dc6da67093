//! One call from its first try to its answer, without sending anything: what to send next, and what follows from what
//! came of it.
//!
//! Must never know a socket, a clock or a task. Whoever sends is told what to send by [`CallAttempt::next_try`].
//!
//! Invariants
//! 1. Every try carries the same `RequestId`.
//! 2. What adds something and carries no id of ours is not tried again after a try that may have worked.
//! 3. A token that Salesforce did not take is named with every try until another one was used.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::auth::AccessToken;
use super::line::Line;
use super::operations::{Effect, Operation, Repeat, reply};
use super::tries::{Next, Tries, jitter};
use super::try_outcome::{Rejection, TryOutcome};
use crate::model::call::{Answer, Call};
use crate::model::error_codes::ErrorCode;
use crate::model::time::Timestamp;

/// A token that Salesforce did not take, and what it said.
#[derive(Debug, Clone)]
pub struct RejectedToken {
    /// The token.
    pub token: AccessToken,
    /// What Salesforce said.
    pub what: Rejection,
}

/// One try, as it is to be made.
#[derive(Debug, Clone)]
pub struct Try {
    /// The `RequestId`.
    pub request_id: Uuid,
    /// What to call.
    pub call: Arc<Call>,
    /// It must not begin at or after this moment, and is lost where no answer has come by then.
    pub give_up_at: Timestamp,
    /// Where it takes its turn: behind what its conversation asked for before.
    pub line: Line,
    /// Whether it may have been tried before a restart.
    pub resumed: bool,
    /// The token that is not to be used again.
    pub rejected: Option<RejectedToken>,
}

/// What came of a try.
#[derive(Debug, Clone)]
pub struct Tried {
    /// What it means for the call.
    pub outcome: TryOutcome,
    /// The token that was used; none where nothing was sent.
    pub token: Option<AccessToken>,
}

/// One call that is not over.
#[derive(Debug)]
pub struct CallAttempt {
    next: Try,
    tries: Tries,
    said: Option<Rejection>,
}

impl CallAttempt {
    /// A call that nobody has tried; `resumed` says that somebody may have, before a restart.
    pub fn new(request_id: Uuid, call: Arc<Call>, give_up_at: Timestamp, resumed: bool) -> Self {
        let tries = if resumed { Tries::resumed() } else { Tries::new() };
        let line = Line::of(&call);
        Self { next: Try { request_id, call, give_up_at, line, resumed, rejected: None }, tries, said: None }
    }

    /// The same, taking its turns in that line: a cancel names its offer alone, and its caller may know more.
    #[must_use]
    pub fn in_line(mut self, line: Line) -> Self {
        self.next.line = line;
        self
    }

    /// What its caller is told without a try. A call that was given before a restart may have been made; where another
    /// would add another, nobody makes it.
    pub fn untried(&self) -> Option<Answer> {
        let never =
            matches!(Operation::of(&self.next.call).effect, Effect::Adds { repeat: Repeat::Never, .. });
        (self.next.resumed && never && self.made() == 0)
            .then(|| Answer::Lost("it may have been made before a restart".into()))
    }

    /// The call.
    pub const fn call(&self) -> &Arc<Call> {
        &self.next.call
    }

    /// When its caller gives up.
    pub const fn give_up_at(&self) -> Timestamp {
        self.next.give_up_at
    }

    /// How many tries have been made.
    pub const fn made(&self) -> u32 {
        self.tries.made()
    }

    /// What the last try came to, where it left the call open.
    pub const fn said(&self) -> Option<&Rejection> {
        self.said.as_ref()
    }

    /// The next try.
    pub fn next_try(&self) -> Try {
        self.next.clone()
    }

    /// What follows from a try.
    pub fn tried(&mut self, tried: Tried, now: Timestamp) -> Next {
        let Tried { outcome, token } = tried;
        if let Some(token) = token {
            self.next.rejected = match &outcome {
                TryOutcome::Unauthorized(what) => Some(RejectedToken { token, what: what.clone() }),
                _ => None,
            };
        }
        self.said = match &outcome {
            TryOutcome::Retry { what, .. } | TryOutcome::Unclear(what) => Some(what.clone()),
            _ => None,
        };
        match (Operation::of(&self.next.call).effect, &outcome) {
            // What was lost may be there: another try would add another.
            (Effect::Adds { repeat: Repeat::Never, .. }, TryOutcome::Unclear(what))
            | (
                Effect::Adds { repeat: Repeat::Never, .. },
                TryOutcome::Retry { may_have_happened: true, what, .. },
            ) => return Next::Answer(Answer::Lost(what.in_short())),
            (Effect::Adds { repeat: Repeat::DoneAt(done), .. }, TryOutcome::Refused(what))
                if self.tries.may_have_happened() && what.code.map(ErrorCode) == Some(done) =>
            {
                return Next::Answer(Answer::Done(reply(&self.next.call, &Value::Null)));
            }
            _ => {}
        }
        // Chance follows from the call's identity, so it waits in a replay as it did when it was live.
        let chance = jitter(self.next.request_id, self.tries.made());
        self.tries.next(outcome, now, self.next.give_up_at, chance)
    }
}
