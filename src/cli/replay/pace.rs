//! Real time for those who want it, and progress for those who wait.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::printable;
use crate::model::time::Timestamp;

/// Makes virtual time pass like real time, times a factor.
#[derive(Debug)]
pub(super) struct Pace {
    speed: f64,
    began: Option<(Timestamp, Instant)>,
}

impl Pace {
    pub(super) const fn new(speed: f64) -> Self {
        Self { speed, began: None }
    }

    /// Sleeps until the real time of a virtual moment.
    pub(super) fn wait_for(&mut self, to: Timestamp) {
        let (start, began) = *self.began.get_or_insert_with(|| (to, Instant::now()));
        thread::sleep(real_time(to.since(start), self.speed).saturating_sub(began.elapsed()));
    }
}

/// How long a stretch of virtual time takes. Nearly no speed at all means for ever.
fn real_time(virtual_time: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(virtual_time.as_secs_f64() / speed).unwrap_or(Duration::MAX)
}

/// A line on stderr that says how far it is; only on a terminal, and only where the timeline does not
/// scroll through the same terminal.
#[derive(Debug, Default)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn tick(&mut self, lines: u64) {
        if std::io::stdout().is_terminal() || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} lines, {per_sec}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        bar.set_position(lines);
    }

    /// Says something on stderr without disturbing the bar.
    pub(super) fn complain(&self, what: &dyn Display) {
        let what = what.to_string();
        let say = || writeln!(std::io::stderr(), "differs: {}", printable(&what)).ok();
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        };
    }

    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_as_many_times_as_fast_as_was_asked_for() {
        let hour = Duration::from_secs(3600);
        for (speed, real) in [(1.0, 3_600_000), (10.0, 360_000), (0.5, 7_200_000), (1e12, 0)] {
            assert_eq!(real_time(hour, speed).as_millis(), real, "{speed}");
        }
    }

    #[test]
    fn no_speed_is_too_slow_to_wait() {
        assert_eq!(real_time(Duration::from_millis(1), f64::MIN_POSITIVE), Duration::MAX);
        assert_eq!(real_time(Duration::MAX, 1e-9), Duration::MAX);
        assert_eq!(real_time(Duration::ZERO, f64::MIN_POSITIVE), Duration::ZERO);
    }
}
