//! What a replay tells of itself, in the order in which it began.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::model::call::Answer;
use crate::model::event::{EventKind, SkillRequirement};
use crate::model::ids::{ConversationId, EventId, QueueId, RepId};
use crate::model::roster::Roster;
use crate::model::time::Timestamp;
use crate::recording::Exchange;
use crate::routing::{Conversations, Outcome, OwedView, Reason, Remark, SearchFailure};

use super::difference::Difference;

/// One thing worth telling.
#[derive(Debug, Clone)]
pub struct Note {
    /// When it began.
    pub at: Timestamp,
    /// In which conversation.
    pub conversation: ConversationId,
    /// What.
    pub what: What,
}

/// What there is to tell.
#[derive(Debug, Clone)]
pub enum What {
    /// Something happened at Salesforce.
    Event(Box<EventKind>),
    /// The rep finder was asked.
    Search(Box<Search>),
    /// A call was made and is over.
    Call(Box<CallNote>),
    /// A rep came or went, and the partner tells the end user.
    Announced {
        /// Who.
        rep: RepId,
        /// Whether they joined.
        joined: bool,
    },
    /// A request ended, and its result was sent.
    Ended {
        /// Which.
        request: EventId,
        /// When the outcome was decided.
        at: Timestamp,
        /// How.
        outcome: Outcome,
        /// Why.
        reason: Reason,
        /// How long after its event that was.
        after: Duration,
    },
    /// Something that must be undone and still is not when the recording is over.
    Owed(Box<OwedView>),
    /// Something that changes nothing.
    Remark(Remark),
    /// The recording says otherwise.
    Difference(Box<Difference>),
}

/// A question to the rep finder, and its answer.
#[derive(Debug, Clone)]
pub struct Search {
    /// For which request.
    pub request: EventId,
    /// In which queue.
    pub queue: Option<QueueId>,
    /// With which skills.
    pub skills: Vec<SkillRequirement>,
    /// Who was found, or why nobody said.
    pub found: Result<Vec<RepId>, SearchFailure>,
    /// How long it took.
    pub took: Duration,
}

/// A call, with all its tries.
#[derive(Debug, Clone)]
pub struct CallNote {
    /// Which request it was made for.
    pub request: EventId,
    /// Salesforce's operation id.
    pub operation: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path.
    pub path: &'static str,
    /// What was sent.
    pub body: Value,
    /// The status of the last answer; `None` where none came.
    pub status: Option<u16>,
    /// The body of the last answer.
    pub response: Option<Value>,
    /// What it came to.
    pub answer: Answer,
    /// How often it was tried.
    pub tries: u32,
    /// From the first try to the last answer.
    pub took: Duration,
}

/// What a replay found in the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Which recording.
    pub file: Arc<str>,
    /// How many lines it has.
    pub lines: u64,
    /// How many of them are events.
    pub events: u64,
    /// How many calls were made.
    pub calls: u64,
    /// How many requests ended, by outcome, in the order of [`Outcome::ALL`].
    pub endings: [u64; 6],
    /// Whether calls were compared with recorded ones; a live side compares nothing.
    pub compared: bool,
    /// How many differences there are.
    pub differences: u64,
    /// What was ignored, and how often.
    pub ignored: std::collections::BTreeMap<String, u64>,
    /// What was recorded as having failed, in words; against a live side it does not fail again.
    pub recorded_failures: Vec<String>,
}

impl Summary {
    /// How many requests ended that way.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        let place = Outcome::ALL.iter().position(|known| *known == outcome);
        place.and_then(|place| self.endings.get(place)).copied().unwrap_or_default()
    }

    /// How many requests ended.
    pub fn requests(&self) -> u64 {
        self.endings.iter().sum()
    }

    pub(super) fn count_ending(&mut self, outcome: Outcome) {
        let place = Outcome::ALL.iter().position(|known| *known == outcome);
        if let Some(count) = place.and_then(|place| self.endings.get_mut(place)) {
            *count = count.saturating_add(1);
        }
    }

    /// Notes an exchange that failed when it was recorded.
    pub(super) fn note_recorded_failure(&mut self, line: u64, exchange: &Exchange) {
        let what = match &exchange.response {
            Some(response) if (200..300).contains(&response.status) => return,
            Some(response) => format!("was answered {}", response.status),
            None => "was not answered".to_owned(),
        };
        self.recorded_failures.push(format!("line {line}: {} {} {what}", exchange.method, exchange.path));
    }

    /// Counts something that was ignored. Names come from outside, so only so many are kept apart.
    pub(super) fn count_passed(&mut self, what: &impl std::fmt::Display) {
        const KEPT_APART: usize = 64;
        let name = what.to_string();
        let full = self.ignored.len() >= KEPT_APART && !self.ignored.contains_key(&name);
        let name = if full { "other things".to_owned() } else { name };
        let count = self.ignored.entry(name).or_default();
        *count = count.saturating_add(1);
    }
}

/// What a replay leaves behind.
#[derive(Debug)]
pub struct Replayed {
    /// The figures.
    pub summary: Summary,
    /// The conversations as they stand at the end.
    pub conversations: Conversations,
    /// The people and places of the recording.
    pub roster: Roster,
}
