//! The rules that a partner may choose, and those that a channel brings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::call::Capacity;

/// How long Salesforce waits for the answer to a routing request (PROTOCOL: "The sequences").
pub const ANSWER_WINDOW: Duration = Duration::from_secs(60);

/// How long a clean-up call (cancel, clear, remove) is tried.
///
/// Longer than any other call: a rep's console that keeps ringing is worse than a late "sorry".
pub(super) const CLEAN_UP_WINDOW: Duration = Duration::from_secs(60);

/// How long an offer may be tried once Salesforce has been told that a rep will follow.
pub(super) const LATER_OFFER_WINDOW: Duration = Duration::from_secs(30);

/// How long an event may take to tell what a refused cancel means: that the rep was quicker.
pub(super) const SETTLE_WINDOW: Duration = Duration::from_secs(10);

/// How long a request stays behind for the id of an offer that Salesforce may have made without
/// telling us, so that it can still be taken back.
pub(super) const ORPHAN_WINDOW: Duration = Duration::from_secs(600);

/// How long a router that has failed is left alone; doubles up to the second figure.
const SEARCH_WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));

/// How long a router is left alone that has failed that often in a row before.
pub(super) fn search_wait(failed: u16) -> Duration {
    let (first, longest) = SEARCH_WAITS;
    first.saturating_mul(2_u32.saturating_pow(failed.into())).min(longest)
}

/// How many reps one request may try. A partner's router that never runs out of reps must not keep
/// a conversation busy for ever.
pub(super) const MOST_OFFERS: usize = 64;

/// Whether reps are asked one after another, or all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Ring {
    /// The next rep is asked when the one before has declined or not answered.
    #[default]
    #[serde(rename = "one at a time", alias = "one-at-a-time", alias = "one_at_a_time")]
    OneAtATime,
    /// All reps are asked, as many as there are seats; whoever accepts first joins.
    #[serde(rename = "all")]
    All,
}

/// When Salesforce is told that the request has been routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Report {
    /// As soon as an offer has been made: the documented order.
    #[default]
    Offered,
    /// When a rep has accepted, or just before the 60 seconds are over.
    Accepted,
}

/// What a partner may choose. All of it has a default that works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// One rep after another, or all at once.
    pub ring: Ring,
    /// When the routing result is sent.
    pub report: Report,
    /// How long an offer rings, in seconds.
    pub ring_seconds: u32,
    /// How much of the 60 seconds is kept back for the last word, in seconds.
    pub margin_seconds: u32,
    /// How long the partner's router may look for a rep, in seconds from the request.
    pub search_seconds: u32,
    /// Whether a session that becomes `Waiting` is routed; not for who routes first contacts themselves.
    pub route_waiting: bool,
    /// How long a transfer to a rep who has no room stays open, in seconds; then the customer is routed by the
    /// channel's own setting.
    pub transfer_wait_seconds: u32,
    /// How many reps are rung at once at most, in ring `all`.
    pub ring_all_at_most: usize,
    /// From which age on what is owed (a cancel, a clear or a removal that could not be made) is named in
    /// `/readyz`, in seconds.
    pub owed_alert_seconds: u32,
    /// `capacityWeight` of an offer without PSR.
    pub capacity_weight: f64,
    /// `capacityPercentage` of an offer without PSR, instead of a weight.
    pub capacity_percentage: Option<f64>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ring: Ring::OneAtATime,
            report: Report::Offered,
            ring_seconds: 30,
            margin_seconds: 8,
            search_seconds: 120,
            route_waiting: true,
            transfer_wait_seconds: 600,
            ring_all_at_most: 20,
            owed_alert_seconds: 60,
            capacity_weight: 1.0,
            capacity_percentage: None,
        }
    }
}

impl Policy {
    /// What an offer takes of a rep's capacity where no PSR says it.
    pub fn capacity(&self) -> Capacity {
        match self.capacity_percentage {
            Some(percentage) => Capacity::Percentage(percentage),
            None => Capacity::Weight(self.capacity_weight),
        }
    }

    pub(super) fn ring_for(&self) -> Duration {
        Duration::from_secs(self.ring_seconds.into())
    }

    pub(super) fn margin(&self) -> Duration {
        Duration::from_secs(self.margin_seconds.into()).min(ANSWER_WINDOW)
    }

    pub(super) fn search_for(&self) -> Duration {
        Duration::from_secs(self.search_seconds.into())
    }

    pub(super) fn transfer_wait(&self) -> Duration {
        Duration::from_secs(self.transfer_wait_seconds.into())
    }

    /// What is wrong with the choices, one sentence each; empty where all is well.
    pub fn mistakes(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut check = |fine: bool, sentence: &str| {
            if !fine {
                found.push(sentence.to_owned());
            }
        };
        check((1..=3600).contains(&self.ring_seconds), "ring_seconds must be 1 to 3600");
        check(
            (1..=50).contains(&self.margin_seconds),
            "margin_seconds must be 1 to 50: it is taken from Salesforce's 60",
        );
        check((1..=3600).contains(&self.search_seconds), "search_seconds must be 1 to 3600");
        check(
            (60..=86_400).contains(&self.transfer_wait_seconds),
            "transfer_wait_seconds must be 60 to 86400",
        );
        check((0..=86_400).contains(&self.owed_alert_seconds), "owed_alert_seconds must be 0 to 86400");
        check((1..=MOST_OFFERS).contains(&self.ring_all_at_most), "ring_all_at_most must be 1 to 64");
        check(
            self.capacity_weight.is_finite() && self.capacity_weight >= 0.0,
            "capacity_weight must be 0 or more",
        );
        check(
            self.capacity_percentage.is_none_or(|p| (0.0..=100.0).contains(&p)),
            "capacity_percentage must be 0 to 100",
        );
        found
    }
}

/// What holds for all conversations of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whether the channel allows conferences.
    pub conference_supported: bool,
    /// How many may be in a conversation, the end user included; `None` where nobody has said.
    pub participant_limit: Option<u32>,
    /// The partner's choices.
    pub policy: Policy,
}
