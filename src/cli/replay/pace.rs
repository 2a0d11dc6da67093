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
        let seconds = to.since(start).as_secs_f64() / self.speed;
        // Nearly no speed at all means waiting for ever.
        let real = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        thread::sleep(real.saturating_sub(began.elapsed()));
    }
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
