//! What the partner did not take, as values, and the word that is said when the list of it grows too long or too old.

use crate::model::time::Timestamp;

use super::record::{ChannelKey, Telling, TellingId};

/// Where something that is to be told stands among what is told of its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number: the first thing that was to be told of the conversation has 1, and each that follows one more.
    pub sequence: u64,
    /// Whether the one before was given up.
    pub after_gap: bool,
    /// Since when it is to be told: when it happened, or was to be sent again.
    pub since: Timestamp,
}

/// Something that the partner does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// What.
    pub id: TellingId,
    /// When it was given up.
    pub at: Timestamp,
    /// Why, in words.
    pub why: String,
}

/// Something that was to be told, and was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What was to be told, and whether it is being sent again.
    pub telling: Telling,
    /// Its number in its conversation.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// When it was given up.
    pub given_up: Timestamp,
    /// Why, in words.
    pub why: String,
}

/// How many dead letters a channel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeadLetterCount {
    /// How many.
    pub count: usize,
    /// When the oldest was given up.
    pub oldest: Option<Timestamp>,
}

/// Why something is given up that nobody has tried to tell: its channel does not run here any more.
pub(super) const NOT_TOLD_IN_TIME: &str = "it was not told in time";

/// Why dead letters are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FellOff {
    /// They have been there for longer than any is kept.
    Age,
    /// There are more of a channel than are kept.
    Count,
}

impl FellOff {
    /// Tells whoever is on call that so many are gone, and what they were to tell with them.
    pub(super) fn tell(self, count: usize, channel: Option<&ChannelKey>) {
        if count == 0 {
            return;
        }
        let reason = match self {
            Self::Age => "age",
            Self::Count => "count",
        };
        let channel = channel.map(|key| format!("{} {}", key.org, key.channel));
        tracing::error!(
            count,
            reason,
            channel,
            "dead letters were dropped; the partner was never told these"
        );
        metrics::counter!("byoc_dead_letters_dropped_total", "reason" => reason)
            .increment(u64::try_from(count).unwrap_or(u64::MAX));
    }
}
