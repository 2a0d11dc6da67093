//! The link between the two: how long things take, and what goes wrong on the way.
//!
//! A try reaches Salesforce before its caller gives it up, or never: a request that outlives its
//! connection is beyond what anybody could answer for.

use byoc_connector::emulator::{Fault, FaultKind, Operation, SeededRandom};

/// Chances, drawn from a seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(SeededRandom);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    pub(crate) fn unit(&mut self) -> f64 {
        self.0.next_unit()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.next_u64() % (high - low + 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// What becomes of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    /// Carried out, and the connection breaks.
    AnswerLost,
    /// Carried out, and answered with a 503.
    DoneAnd503,
    /// Carried out, and answered with a body that nobody can read.
    DoneAndGarbled,
    NotConnected,
    RateLimited(Option<u32>),
    ServerError(u16),
}

impl Fate {
    /// The emulator's own fault, where it has it.
    pub(crate) fn fault(self, operation: Operation) -> Option<Fault> {
        let kind = match self {
            Self::Fine | Self::DoneAnd503 | Self::DoneAndGarbled => return None,
            Self::AnswerLost => FaultKind::AnswerLost { after_milliseconds: 0 },
            Self::NotConnected => FaultKind::ConnectionRefused,
            Self::RateLimited(retry_after_seconds) => FaultKind::RateLimited { retry_after_seconds },
            Self::ServerError(status) => FaultKind::ServerError { status },
        };
        Some(Fault::once(operation, kind))
    }
}

/// How good the link is.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// How often a try fails.
    pub(crate) trouble: f64,
    /// From when to when nothing gets through.
    pub(crate) outage: Option<(i64, i64)>,
    /// The slowest way there, and back, in milliseconds.
    pub(crate) slow: u64,
    /// How often an answer takes seconds.
    pub(crate) stalls: f64,
    /// The latest that an event comes, in milliseconds.
    pub(crate) event_delay: u64,
    /// How often events come again.
    pub(crate) again: f64,
    /// Whether a rep's browser tells of offers.
    pub(crate) browser: bool,
}

/// How often in a row a clean-up call fails at most, outages apart.
const CLEAN_UP_FAILURES: u32 = 3;

impl Link {
    /// Nothing goes wrong and nothing is late.
    pub(crate) const fn clean() -> Self {
        Self { trouble: 0.0, outage: None, slow: 50, stalls: 0.0, event_delay: 50, again: 0.0, browser: true }
    }

    pub(crate) fn drawn(dice: &mut Dice, start: i64) -> Self {
        let mut link = Self {
            slow: dice.between(20, 400),
            event_delay: *dice.pick(&[100, 800, 2_500, 8_000]),
            again: *dice.pick(&[0.0, 0.05, 0.3]),
            browser: dice.chance(0.8),
            ..Self::clean()
        };
        link.trouble = *dice.pick(&[0.0, 0.0, 0.05, 0.2, 0.5]);
        link.stalls = if link.trouble > 0.0 { 0.05 } else { 0.0 };
        if dice.chance(0.2) {
            let from = start + i64::try_from(dice.between(0, 90_000)).unwrap();
            // The longest outlives every clean-up that is tried for a minute, so that it is owed.
            let longest = *dice.pick(&[20_000, 20_000, 180_000]);
            link.outage = Some((from, from + i64::try_from(dice.between(500, longest)).unwrap()));
        }
        link
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.trouble == 0.0 && self.outage.is_none()
    }

    pub(crate) fn fate(&self, dice: &mut Dice, now: i64, clean_up: bool, failures: u32) -> Fate {
        let outage = self.outage.is_some_and(|(from, to)| (from..to).contains(&now));
        let spared = clean_up && failures >= CLEAN_UP_FAILURES;
        if !outage && (spared || !dice.chance(self.trouble)) {
            return Fate::Fine;
        }
        // In every other outage nothing is carried out at all; what is to be undone then is owed.
        let deaf = outage && self.outage.is_some_and(|(from, _)| from % 2 == 0);
        match dice.below(7) {
            0..=2 if deaf => Fate::NotConnected,
            0 | 1 => Fate::AnswerLost,
            2 => Fate::DoneAnd503,
            3 => Fate::NotConnected,
            4 => Fate::RateLimited(dice.chance(0.5).then(|| u32::try_from(dice.between(0, 5)).unwrap())),
            5 if !clean_up && !outage => Fate::DoneAndGarbled,
            _ => Fate::ServerError(*dice.pick(&[500, 502, 503, 504])),
        }
    }

    /// How long a way takes.
    pub(crate) fn way(&self, dice: &mut Dice) -> u64 {
        dice.between(1, self.slow)
    }

    /// How long an answer takes.
    pub(crate) fn way_back(&self, dice: &mut Dice) -> u64 {
        if dice.chance(self.stalls) { dice.between(1_000, 12_000) } else { self.way(dice) }
    }

    /// How late an event comes. Most are quick.
    pub(crate) fn lateness(&self, dice: &mut Dice) -> u64 {
        if dice.chance(0.7) { dice.between(1, 100) } else { dice.between(1, self.event_delay) }
    }
}
