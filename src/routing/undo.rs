//! What must be undone, what is kept of each try that was in vain, and what an operator may order about it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::call::{Answer, Refusal};
use crate::model::ids::{EventId, RepId};
use crate::model::time::Timestamp;

/// What must be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Undo {
    /// The offer to this rep is to be taken back: their console may ring.
    Cancel(RepId),
    /// The PSR is to be cleared.
    Clear,
    /// This rep accepted too late and is to be taken out of the conversation.
    Remove(RepId),
}

/// One thing that is owed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Owed {
    pub(super) undo: Undo,
    /// When it was tried in vain for the first time.
    pub(super) since: Timestamp,
    /// How many commands for it have failed.
    pub(super) tries: u32,
    /// When it is to be tried again.
    pub(super) next: Timestamp,
    /// What Salesforce said last.
    #[serde(flatten)]
    pub(super) said: Said,
}

/// What Salesforce said to a try that was in vain, or what came in the place of that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Said {
    /// Its no; none where it did not answer.
    pub(super) answer: Option<Refusal>,
    /// What came where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unanswered: Option<Box<str>>,
}

impl Said {
    pub(super) fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Refused(refusal) => Self { answer: Some(refusal.clone()), unanswered: None },
            Answer::Lost(what) => Self { answer: None, unanswered: Some(what.clone()) },
            Answer::Done(_) => Self::default(),
        }
    }

    pub(super) fn in_words(&self) -> Option<String> {
        let answer = self.answer.as_ref().map(ToString::to_string);
        answer.or_else(|| self.unanswered.as_deref().map(str::to_owned))
    }
}

impl Owed {
    /// The next try comes at that moment at the latest.
    pub(super) fn cut(&mut self, latest: Timestamp) {
        self.next = self.next.min(latest);
    }
}

/// What an operator may order about a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorOrder {
    /// Try now what is owed under this id.
    TryNow(Uuid),
    /// Try it no more: it was seen to by hand.
    StrikeOut(Uuid),
    /// End this request, whatever it waits for.
    End(EventId),
}

impl Undo {
    /// Its name: `cancelOffer`, `clearRoute` or `removeRep`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cancel(_) => "cancelOffer",
            Self::Clear => "clearRoute",
            Self::Remove(_) => "removeRep",
        }
    }

    /// The rep whom it is about; none for a PSR.
    pub const fn rep(self) -> Option<RepId> {
        match self {
            Self::Cancel(rep) | Self::Remove(rep) => Some(rep),
            Self::Clear => None,
        }
    }
}
