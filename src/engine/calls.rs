//! The calls of a channel that are not over: whose turn it is, and what comes of each try.
//!
//! Invariants
//! 1. The calls of a conversation begin in the order in which they were commanded, cancels included.
//! 2. Of one turn, calls of one kind are independent, and go together; those of another kind begin when the first
//!    tries of those before are over. Further tries are not waited for: they may take a minute.
//! 3. No further try begins at or after the moment when its caller gives up.
//! 4. A call leaves with exactly one answer.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

use smallvec::SmallVec;

use super::output::CallId;
use crate::interaction::{CallAttempt, Line as TurnLine, Next, Rejection, Tried, Try};
use crate::model::call::{Answer, Call};
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::routing::CommandId;

/// A call's place in the order of its conversation.
#[derive(Debug)]
struct Place {
    id: CallId,
    /// The turn that commanded it.
    turn: u64,
    /// Its operation: what must not overtake what is of another kind.
    kind: Discriminant<Call>,
}

/// The order of one conversation.
#[derive(Debug, Default)]
struct Line {
    /// Those that have not begun, in the order in which they were commanded.
    waiting: VecDeque<Place>,
    /// Those whose first try is not over.
    first_tries: SmallVec<[Place; 2]>,
}

/// A try that is to be made now.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) id: CallId,
    pub(super) attempt: Try,
    pub(super) first: bool,
}

/// A call that is over.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) id: CallId,
    pub(super) answer: Answer,
    /// Its tries, where this engine saw to them.
    pub(super) attempt: Option<Box<CallAttempt>>,
}

/// What is to be done with calls.
#[derive(Debug)]
pub(super) enum Step {
    Due(Due),
    Over(Over),
    Failed { id: CallId, call: Arc<Call>, next: Timestamp, said: Rejection },
}

/// The calls of a channel that are not over.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: HashMap<CallId, CallAttempt>,
    lines: HashMap<ConversationId, Line>,
    again: BinaryHeap<Reverse<(Timestamp, CallId)>>,
    /// How many turns have commanded calls.
    turns: u64,
}

impl Calls {
    /// Whether a call of that name is not over.
    pub(super) fn has(&self, id: &CallId) -> bool {
        self.open.contains_key(id)
    }

    /// When the next try is due; none where none waits for a moment.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.again.peek().map(|Reverse((at, _))| *at)
    }

    /// A turn commands calls, in their order; `resumed` says that they may have been tried before a restart.
    pub(super) fn command(
        &mut self,
        conversation: &ConversationId,
        commanded: Vec<(CommandId, Call, Timestamp)>,
        resumed: bool,
        steps: &mut Vec<Step>,
    ) {
        if commanded.is_empty() {
            return;
        }
        self.turns = self.turns.wrapping_add(1);
        let line = self.lines.entry(conversation.clone()).or_default();
        for (command, call, give_up_at) in commanded {
            let (request_id, conversation) = (command.request_id(), conversation.clone());
            let id = CallId { conversation, command };
            let kind = discriminant(&call);
            line.waiting.push_back(Place { id: id.clone(), turn: self.turns, kind });
            let attempt = CallAttempt::new(request_id, Arc::new(call), give_up_at, resumed)
                .in_line(TurnLine::Conversation(id.conversation.clone()));
            self.open.insert(id, attempt);
        }
        self.begin(conversation, steps);
    }

    /// What may begin now in a conversation, in order.
    pub(super) fn begin(&mut self, conversation: &ConversationId, steps: &mut Vec<Step>) {
        let Some(line) = self.lines.get_mut(conversation) else { return };
        while let Some(Place { id, turn, kind }) = line.waiting.front() {
            if line.first_tries.iter().any(|other| other.turn == *turn && other.kind != *kind) {
                break;
            }
            if let Some(open) = self.open.get(id) {
                steps.push(Step::Due(due(id.clone(), open, true)));
            }
            line.first_tries.extend(line.waiting.pop_front());
        }
        if line.waiting.is_empty() && line.first_tries.is_empty() {
            self.lines.remove(conversation);
        }
    }

    /// Whether a call waits for its turn.
    pub(super) fn has_unbegun(&self) -> bool {
        self.lines.values().any(|line| !line.waiting.is_empty())
    }

    /// Forgets what has not begun and is not wanted any more: the store knew that it was over before this engine did.
    pub(super) fn forget_unbegun(&mut self, is_wanted: impl Fn(&CallId) -> bool, steps: &mut Vec<Step>) {
        let mut behind = Vec::new();
        for (conversation, line) in &mut self.lines {
            line.waiting.retain(|place| {
                let keep = is_wanted(&place.id);
                if !keep {
                    self.open.remove(&place.id);
                }
                keep
            });
            behind.push(conversation.clone());
        }
        behind.sort();
        for conversation in behind {
            self.begin(&conversation, steps);
        }
    }

    /// The tries whose moment has come.
    pub(super) fn tick(&mut self, now: Timestamp, steps: &mut Vec<Step>) {
        while let Some(Reverse((at, _))) = self.again.peek()
            && *at <= now
            && let Some(Reverse((_, id))) = self.again.pop()
        {
            if let Some(open) = self.open.get(&id) {
                steps.push(Step::Due(due(id, open, false)));
            }
        }
    }

    /// A try is over. What was given up or answered before changes nothing.
    pub(super) fn tried(&mut self, now: Timestamp, id: &CallId, tried: Tried, steps: &mut Vec<Step>) {
        if !self.has(id) {
            return;
        }
        match self.judge(now, id, tried) {
            // With another token it is the same try.
            Some(again @ Step::Due(_)) => return steps.push(again),
            over => steps.extend(over),
        }
        self.first_try_is_over(id, steps);
    }

    /// A call has its answer from somebody who saw to all of its tries.
    pub(super) fn answered(&mut self, id: &CallId, answer: Answer, steps: &mut Vec<Step>) {
        if self.open.remove(id).is_none() {
            return;
        }
        steps.push(Step::Over(Over { id: id.clone(), answer, attempt: None }));
        self.first_try_is_over(id, steps);
    }

    fn first_try_is_over(&mut self, id: &CallId, steps: &mut Vec<Step>) {
        if let Some(line) = self.lines.get_mut(&id.conversation) {
            line.first_tries.retain(|first| first.id != *id);
        }
        self.begin(&id.conversation, steps);
    }

    /// What follows from what a try came to.
    fn judge(&mut self, now: Timestamp, id: &CallId, tried: Tried) -> Option<Step> {
        let attempt = self.open.get_mut(id)?;
        match attempt.tried(tried, now) {
            Next::TryAgainAt(at) => {
                self.again.push(Reverse((at, id.clone())));
                let (call, said) = (Arc::clone(attempt.call()), attempt.said().cloned());
                said.map(|said| Step::Failed { id: id.clone(), call, next: at, said })
            }
            Next::RefreshTokenAndTryAgain => Some(Step::Due(due(id.clone(), attempt, false))),
            Next::Answer(answer) => {
                let attempt = self.open.remove(id).map(Box::new);
                Some(Step::Over(Over { id: id.clone(), answer, attempt }))
            }
        }
    }
}

fn due(id: CallId, attempt: &CallAttempt, first: bool) -> Due {
    Due { id, attempt: attempt.next_try(), first }
}

#[cfg(test)]
mod tests;
