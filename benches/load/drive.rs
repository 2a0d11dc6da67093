//! Asks for conferences at a rate, and sees what the connector makes of it.

use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::org::{Ledger, Org};
use super::serve::{Serve, Used};

/// Calls of a queue conference: route, agentWork, routingResult.
pub(crate) const CALLS: f64 = 3.0;

/// How long after the last request its calls may take to come.
const DRAIN: Duration = Duration::from_secs(10);

/// A backlog that grows would make first calls later than this, and fewer of them than this share.
const KEEPING_UP: (Duration, f64) = (Duration::from_secs(1), 0.98);

/// Times, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Spread {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    /// Of times in order.
    pub(crate) fn of(sorted: &[Duration]) -> Self {
        let at = |percent: usize| {
            let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
            sorted.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
        };
        Self { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }

    /// How often this one has the other one in it, at the half and at p99.
    pub(crate) fn ratio(self, floor: Self) -> (f64, f64) {
        (self.p50 / floor.p50, self.p99 / floor.p99)
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { p50, p90, p99, max } = self;
        write!(f, "p50 {p50:.2} ms, p90 {p90:.2} ms, p99 {p99:.2} ms, most {max:.1} ms")
    }
}

/// The orgs, and how many requests were made in them.
pub(crate) struct Load {
    pub(crate) orgs: Arc<Vec<Org>>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) asked: usize,
}

/// What came of a rate that was held for a while.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Held {
    pub(crate) seconds: f64,
    pub(crate) calls_offered_a_second: f64,
    pub(crate) calls_made_a_second: f64,
    pub(crate) kept_up: bool,
    pub(crate) connector_cores: f64,
    pub(crate) orgs_cores: f64,
    pub(crate) megabytes: f64,
    pub(crate) first_call_milliseconds: Spread,
}

impl Load {
    pub(crate) fn new(orgs: Vec<Org>, ledger: Arc<Ledger>) -> Self {
        Self { orgs: Arc::new(orgs), ledger, asked: 0 }
    }

    /// Asks for so many conferences a second, as people do: at random moments. Gives their numbers.
    pub(crate) async fn ask(&mut self, a_second: f64, time: Duration) -> Range<usize> {
        let (orgs, first) = (Arc::clone(&self.orgs), self.asked);
        // A thread of its own, for the runtime's timers are no finer than a millisecond.
        let asked = tokio::task::spawn_blocking(move || at_random(&orgs, first, a_second, time));
        self.asked = asked.await.expect("no panic");
        first..self.asked
    }

    /// Offers a rate for a while, and waits until all of it is done.
    pub(crate) async fn hold(&mut self, serve: &Serve, calls_a_second: f64, time: Duration) -> Held {
        let before = (serve.used(), Used::here(), self.ledger.calls());
        let began = Instant::now();
        let numbers = self.ask(calls_a_second / CALLS, time).await;
        let seconds = began.elapsed().as_secs_f64();
        let after = (serve.used(), Used::here(), self.ledger.calls());
        let undone = self.undone(&numbers).await;
        let waits = self.ledger.waits(&numbers);
        let late = waits.last().is_none_or(|longest| *longest > KEEPING_UP.0);
        let offered = numbers.len() as f64 * CALLS / seconds;
        let made = (after.2 - before.2) as f64 / seconds;
        Held {
            seconds,
            calls_offered_a_second: offered,
            calls_made_a_second: made,
            kept_up: undone == 0 && !late && made > offered * KEEPING_UP.1,
            connector_cores: after.0.cores_since(before.0),
            orgs_cores: after.1.cores_since(before.1),
            megabytes: serve.megabytes().0,
            first_call_milliseconds: Spread::of(&waits),
        }
    }

    /// Waits until these requests have had all their calls, and gives how many have not.
    pub(crate) async fn undone(&self, numbers: &Range<usize>) -> usize {
        let began = Instant::now();
        loop {
            let undone = numbers.len() - self.ledger.done(numbers);
            if undone == 0 || began.elapsed() > DRAIN {
                return undone;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a rep has joined for every request that was ever made.
    pub(crate) async fn all_joined(&self) {
        let began = Instant::now();
        loop {
            let joined: usize = self.orgs.iter().map(Org::joined).sum();
            if joined == self.asked {
                return;
            }
            assert!(began.elapsed() < DRAIN, "{joined} of {} conferences were joined", self.asked);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Gives the number behind the last.
fn at_random(orgs: &[Org], first: usize, a_second: f64, time: Duration) -> usize {
    let mut draws = SeededRandom(first as u64 + 1);
    let began = Instant::now();
    let (mut number, mut next) = (first, Duration::ZERO);
    for org in orgs.iter().cycle() {
        next += Duration::try_from_secs_f64(draws.pause() / a_second).unwrap_or_default();
        if next > time {
            break;
        }
        thread::sleep(next.saturating_sub(began.elapsed()));
        org.ask(number);
        number += 1;
    }
    thread::sleep(time.saturating_sub(began.elapsed()));
    number
}

/// Numbers that are always the same.
struct SeededRandom(u64);

impl SeededRandom {
    /// A pause between two arrivals that know nothing of each other; 1 on average.
    fn pause(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        -(1.0 - unit).ln()
    }
}
