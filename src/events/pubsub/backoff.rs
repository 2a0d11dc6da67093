//! How long to wait before the next try. Chance is an argument.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::model::time::jittered;

/// The waits between the tries to get a stream back.
#[derive(Debug)]
pub(super) struct Backoff {
    builder: ExponentialBuilder,
    waits: ExponentialBackoff,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        let builder =
            ExponentialBuilder::new().with_min_delay(first).with_max_delay(longest).without_max_times();
        Self { builder, waits: builder.build(), longest }
    }

    /// The stream has worked: the next cut is a new one.
    pub(super) fn reset(&mut self) {
        self.waits = self.builder.build();
    }

    /// The next wait. `jitter` is a number from 0 to 1: the wait lies between half and all of its backoff,
    /// so that subscribers who were cut together do not come back together.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        jittered(self.waits.next().unwrap_or(self.longest).min(self.longest), jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));
        let waits = |backoff: &mut Backoff, jitter| [(); 5].map(|()| backoff.next(jitter).as_millis());
        assert_eq!(waits(&mut backoff, 0.0), [100, 200, 400, 500, 500]);
        backoff.reset();
        assert_eq!(waits(&mut backoff, 1.0), [200, 400, 800, 1000, 1000]);
        for odd in [f64::NAN, f64::INFINITY, -3.0, 7.0] {
            backoff.reset();
            assert!((100..=200).contains(&backoff.next(odd).as_millis()), "{odd}");
        }
    }
}
