//! Waiting for a moment of a clock.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::time::{Clock, Timestamp};

/// Returns when that moment has come. A timer of the runtime stands still while the machine is suspended, so
/// the clock is looked at each second, and each half minute where the moment is more than a minute away.
pub async fn sleep_until(clock: &dyn Clock, moment: Timestamp) {
    const MINUTE: Duration = Duration::from_secs(60);
    const HALF_A_MINUTE: Duration = Duration::from_secs(30);
    loop {
        let left = moment.since(clock.now());
        if left.is_zero() {
            return;
        }
        let look_again = if left > MINUTE { HALF_A_MINUTE } else { Duration::from_secs(1) };
        tokio::time::sleep(left.min(look_again)).await;
    }
}

/// Waits between two tries. Tests bring one that does not.
#[async_trait]
pub trait Sleeper: Send + Sync {
    /// Returns when it is that time.
    async fn until(&self, at: Timestamp);
}

/// Sleeps as Tokio does, by a clock.
pub struct ClockSleeper(pub Arc<dyn Clock>);

#[async_trait]
impl Sleeper for ClockSleeper {
    async fn until(&self, at: Timestamp) {
        sleep_until(&*self.0, at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Timers stand still while a machine sleeps: here they say that a second has gone by, and the clock says
    /// that it was an hour.
    #[tokio::test(start_paused = true)]
    async fn who_waits_looks_at_the_clock_again_after_a_suspension() {
        struct SuspendTimer(tokio::time::Instant);
        impl Clock for SuspendTimer {
            fn now(&self) -> Timestamp {
                let awake = self.0.elapsed();
                let slept = if awake >= Duration::from_secs(1) { 3_600_000 } else { 0 };
                Timestamp::from_millis(slept) + awake
            }
        }
        let began = tokio::time::Instant::now();
        sleep_until(&SuspendTimer(began), Timestamp::from_millis(1_800_000)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(30), "half a minute at most after it woke");
        let began = tokio::time::Instant::now();
        sleep_until(&SuspendTimer(began), Timestamp::from_millis(40_000)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        let began = tokio::time::Instant::now();
        sleep_until(&SuspendTimer(began), Timestamp::from_millis(400)).await;
        assert_eq!(began.elapsed(), Duration::from_millis(400));
    }
}
