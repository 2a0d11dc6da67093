//! Keeps an org's calls under Salesforce's limit, and decides whose turn it is
//! (PROTOCOL: "Failures of a call").
//!
//! Salesforce answers 429 past 2,000 requests a second of an org, and a 429 on a cancel leaves a rep
//! ringing. So we stay under it ourselves, one limiter for each org, and every try takes a turn.
//!
//! Invariants
//! 1. No more than rate plus burst turns in any second.
//! 2. The calls of one conversation take their turns in the order in which they asked.
//! 3. A conversation with a cancel, a clear or a result to send comes before those with offers only;
//!    among equals, conversations take turns, however many calls one of them has.
//!
//! Elsewhere: the order of turns without any waiting is in `queue`; which line and priority a call has is in
//! `operations`.

mod queue;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock as RateClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::oneshot;

use self::queue::Queue;
use super::line::{Line, Priority};

/// Gives out turns. A clone shares them.
#[derive(Clone)]
pub struct Limiter {
    shared: Arc<Shared>,
}

struct Shared {
    rate: RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Duration>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    queue: Queue<Line, oneshot::Sender<()>>,
    served: bool,
}

impl Limiter {
    /// Turns a second that an org's limiter gives by default.
    ///
    /// With [`Self::ORG_BURST`] that is at most 1,950 in any second: under Salesforce's 2,000, with room
    /// for what else calls the same org.
    pub const ORG_RATE: NonZeroU32 = NonZeroU32::new(1_900).unwrap();

    /// Turns that may be taken at once after a quiet moment, by default.
    pub const ORG_BURST: NonZeroU32 = NonZeroU32::new(50).unwrap();

    /// At most `burst` turns at once, and `per_second` more in every second.
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let rate = RateLimiter::direct_with_clock(quota, Time { start: tokio::time::Instant::now() });
        Self { shared: Arc::new(Shared { rate, waiting: Mutex::default() }) }
    }

    /// What one org takes.
    pub fn for_org() -> Self {
        Self::new(Self::ORG_RATE, Self::ORG_BURST)
    }

    /// Waits for a turn. Dropping the future gives the place up.
    ///
    /// Must be called within a Tokio runtime.
    pub async fn turn(&self, line: Line, priority: Priority) {
        loop {
            let Some(turn) = self.shared.take_or_queue(&line, priority) else { return };
            if turn.await.is_ok() {
                return;
            }
            // Whoever gave out turns went away with its runtime: stand in line again.
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds the lock can leave the queue half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_or_queue(self: &Arc<Self>, line: &Line, priority: Priority) -> Option<oneshot::Receiver<()>> {
        let mut waiting = self.waiting();
        if waiting.queue.is_empty() && self.rate.check().is_ok() {
            return None;
        }
        let (give, take) = oneshot::channel();
        waiting.queue.push(line.clone(), priority, give);
        if !waiting.served {
            waiting.served = true;
            let serving = Serving { limiter: Arc::clone(self), done: false };
            tokio::spawn(async move { serving.run().await });
        }
        Some(take)
    }

    /// Gives the next turn. `None` where nobody waits any more, else how long until the next turn.
    fn serve(&self) -> Option<Duration> {
        let mut waiting = self.waiting();
        loop {
            if waiting.queue.is_empty() {
                waiting.served = false;
                return None;
            }
            if let Err(not_until) = self.rate.check() {
                return Some(not_until.wait_time_from(self.rate.clock().now()));
            }
            // A turn that its taker no longer wants goes to the next.
            while waiting.queue.pop().is_some_and(|give| give.send(()).is_err()) {}
        }
    }
}

/// The one task that gives out turns while anybody waits.
struct Serving {
    limiter: Arc<Shared>,
    done: bool,
}

impl Serving {
    async fn run(mut self) {
        while let Some(wait) = self.limiter.serve() {
            tokio::time::sleep(wait).await;
        }
        self.done = true;
    }
}

impl Drop for Serving {
    /// Where the task was dropped with its runtime, those who wait are sent back to stand in line
    /// again, which starts another.
    fn drop(&mut self) {
        if !self.done {
            *self.limiter.waiting() = Waiting::default();
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("waiting", &self.shared.waiting().queue.len()).finish_non_exhaustive()
    }
}

/// Tokio's time, so that tests may pause it.
struct Time {
    start: tokio::time::Instant,
}

impl RateClock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::model::ids::ConversationId;

    fn line(name: &str) -> Line {
        Line::Conversation(ConversationId::parse(name).unwrap())
    }

    fn limiter(per_second: u32, burst: u32) -> Limiter {
        Limiter::new(NonZeroU32::new(per_second).unwrap(), NonZeroU32::new(burst).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_then_the_rate_holds() {
        let limiter = limiter(10, 5);
        let start = Instant::now();
        for turn in 0..25 {
            limiter.turn(line("c"), Priority::Later).await;
            if turn < 5 {
                assert_eq!(start.elapsed(), Duration::ZERO, "turn {turn}");
            }
        }
        let took = start.elapsed();
        assert!((Duration::from_millis(1_990)..Duration::from_millis(2_050)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancel_overtakes_offers_that_came_before_it() {
        let limiter = limiter(10, 1);
        limiter.turn(line("busy"), Priority::Later).await;
        let (order, mut done) = tokio::sync::mpsc::unbounded_channel();
        for (name, priority) in
            [("offer 1", Priority::Later), ("offer 2", Priority::Later), ("cancel", Priority::First)]
        {
            let (limiter, order) = (limiter.clone(), order.clone());
            tokio::spawn(async move {
                limiter.turn(line(name), priority).await;
                order.send(name).unwrap();
            });
            tokio::task::yield_now().await;
        }
        drop(order);
        let mut names = Vec::new();
        while let Some(name) = done.recv().await {
            names.push(name);
        }
        assert_eq!(names, ["cancel", "offer 1", "offer 2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_given_up_costs_nobody_a_turn() {
        let limiter = limiter(1, 1);
        limiter.turn(line("a"), Priority::Later).await;
        let start = Instant::now();
        let gone = tokio::time::timeout(Duration::from_millis(10), limiter.turn(line("b"), Priority::Later));
        assert!(gone.await.is_err());
        limiter.turn(line("c"), Priority::Later).await;
        assert!(start.elapsed() <= Duration::from_millis(1_010), "{:?}", start.elapsed());
    }

    #[test]
    fn turns_go_on_after_the_runtime_that_gave_them_is_gone() {
        let limiter = limiter(1_000, 1);
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let first = runtime();
        first.block_on(async {
            limiter.turn(line("a"), Priority::Later).await;
            let other = limiter.clone();
            tokio::spawn(async move { other.turn(line("b"), Priority::Later).await });
            tokio::task::yield_now().await;
        });
        drop(first);
        runtime().block_on(limiter.turn(line("c"), Priority::Later));
    }
}
