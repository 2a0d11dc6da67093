//! When a webhook is asked again.

use std::future::Future;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use super::failure::Failure;

/// The wait after the first failure; the next ones double up to the second figure. Each is drawn out by up to
/// as much again, so that those who failed together do not come back together.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Tries once, and again until it has worked, it cannot work, or the next try would begin after `patience`.
pub(super) async fn until_taken<T, F: Future<Output = Result<T, Failure>>>(
    patience: Duration,
    seed: u64,
    mut one_try: impl FnMut() -> F,
) -> Result<T, Failure> {
    let (first, longest) = WAITS;
    let began = Instant::now();
    let waits = ExponentialBuilder::new().with_min_delay(first).with_max_delay(longest);
    let mut waits = waits.without_max_times().with_jitter().with_jitter_seed(seed).build();
    loop {
        let failure = match one_try().await {
            Ok(taken) => return Ok(taken),
            Err(failure) => failure,
        };
        let wait = waits.next().unwrap_or(longest).max(failure.retry_after());
        if !failure.may_pass() || began.elapsed().saturating_add(wait) >= patience {
            return Err(failure);
        }
        tracing::debug!(%failure, ?wait, "retrying webhook");
        sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const UNAVAILABLE: Failure = Failure::Status { status: 503, retry_after: None };

    /// How many tries there were, and how long they took, where each fails so.
    async fn all_fail(patience: Duration, failure: Failure) -> (u32, Duration) {
        let (tries, began) = (Cell::new(0), Instant::now());
        let told = until_taken::<(), _>(patience, 7, || {
            tries.set(tries.get() + 1);
            let failure = failure.clone();
            async { Err(failure) }
        });
        assert_eq!(told.await, Err(failure.clone()));
        (tries.get(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_until_patience_is_over_and_no_longer() {
        let minute = Duration::from_secs(60);
        let (tries, took) = all_fail(minute, UNAVAILABLE).await;
        assert!((15..60).contains(&tries), "{tries}");
        assert!((Duration::from_secs(55)..minute).contains(&took), "{took:?}");
        let (tries, took) = all_fail(Duration::ZERO, UNAVAILABLE).await;
        assert_eq!((tries, took), (1, Duration::ZERO), "one try is always made");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_pass_is_not_tried_again() {
        for failure in [
            Failure::Status { status: 404, retry_after: None },
            Failure::Status { status: 302, retry_after: None },
            Failure::TooLarge(1),
            Failure::Invalid("it is not JSON".to_owned()),
        ] {
            assert_eq!(all_fail(Duration::from_secs(60), failure).await, (1, Duration::ZERO));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_to_be_left_alone_is_honoured_within_patience() {
        let busy = |seconds| Failure::Status { status: 429, retry_after: Some(Duration::from_secs(seconds)) };
        let (tries, took) = all_fail(Duration::from_secs(60), busy(25)).await;
        assert_eq!((tries, took.as_secs()), (3, 50));
        assert_eq!(all_fail(Duration::from_secs(60), busy(3600)).await.0, 1);
    }
    /// `Duration + Duration` panics where it does not fit, which takes a second that has gone by.
    #[tokio::test(start_paused = true)]
    async fn a_wish_that_nobody_can_mean_is_no_wish() {
        for seconds in [u64::MAX, u64::MAX / 2, 1_000_000] {
            let busy = Failure::Status { status: 503, retry_after: Some(Duration::from_secs(seconds)) };
            let (tries, took) = all_fail(Duration::from_secs(60), busy).await;
            assert!((15..60).contains(&tries), "{tries} tries in {took:?} after {seconds}");
        }
    }
}
