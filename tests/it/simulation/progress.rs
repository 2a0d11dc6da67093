//! How far a run of seeds is, and what happened in its worlds. Knows nothing of what is looked for.
#![expect(clippy::print_stderr, reason = "whoever runs a million seeds wants to know how far they are")]

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::seeds::Run;

/// How often the progress is told, in seconds.
const PROGRESS: u64 = 10;

/// What happened in some worlds.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) worlds: usize,
    pub(super) requests: usize,
    pub(super) calls: usize,
    pub(super) facts: usize,
}

impl Sums {
    pub(super) fn add(&mut self, run: &Run) {
        *self = self.with(&Self { worlds: 1, requests: run.requests, calls: run.calls, facts: run.facts });
    }

    pub(super) fn with(&self, other: &Self) -> Self {
        Self {
            worlds: self.worlds + other.worlds,
            requests: self.requests + other.requests,
            calls: self.calls + other.calls,
            facts: self.facts + other.facts,
        }
    }
}

/// Tells how far a run is.
pub(super) struct Progress {
    seeds: Range<u64>,
    /// One of so many seeds is run.
    ways: u64,
    begun: Instant,
    /// How many times it was told.
    told: AtomicU64,
}

impl Progress {
    pub(super) fn begin(seeds: &Range<u64>, ways: u64) -> Self {
        Self { seeds: seeds.clone(), ways, begun: Instant::now(), told: AtomicU64::new(0) }
    }

    pub(super) fn tell(&self, seed: u64) {
        let seconds = self.begun.elapsed().as_secs();
        let due = seconds / PROGRESS;
        if self.told.fetch_max(due, Ordering::Relaxed) < due {
            let (done, all) = (seed - self.seeds.start, self.seeds.end - self.seeds.start);
            eprintln!("{:3} % of {} seeds in {seconds} s", done * 100 / all, all / self.ways);
        }
    }

    pub(super) fn tell_end(&self, worlds: usize) {
        let milliseconds = self.begun.elapsed().as_millis().max(1);
        eprintln!(
            "{worlds} seeds in {} s, {} a second",
            milliseconds / 1_000,
            worlds as u128 * 1_000 / milliseconds
        );
    }
}
