//! Whether a webhook works, as its last try has shown; told to the log, the numbers and the board of
//! notices at once.
//!
//! It is the partner's to mend, so the service counts as ready all the same: a load balancer that took it away
//! would take what still works with it, the reps' pages among it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::hook::Failure;
use crate::model::time::Clock;
use crate::notices::{Notice, Notices, Subject};

/// A webhook of which every other try fails is not told about in every other line.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Which webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Who can take this?
    RepFinder,
    /// Whom can a rep pick?
    Directory,
    /// Who joined, who left?
    EndUserNotifier,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::RepFinder, Self::Directory, Self::EndUserNotifier];

    /// The setting that says where it is; names it in numbers too.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::RepFinder => "rep_finder_url",
            Self::Directory => "directory_url",
            Self::EndUserNotifier => "end_user_notifier_url",
        }
    }

    /// What its notice is about.
    const fn subject(self) -> Subject {
        Subject::of_all(match self {
            Self::RepFinder => "rep-finder",
            Self::Directory => "directory",
            Self::EndUserNotifier => "end-user-notifier",
        })
    }

    /// What it means that it fails.
    const fn consequence(self) -> &'static str {
        match self {
            Self::RepFinder => "requests to queues, flows and skills wait, and fail when their time is over",
            Self::Directory => "reps see no contacts",
            Self::EndUserNotifier => "customers are not told who joins and who leaves",
        }
    }
}

/// A webhook that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// For how long.
    pub for_so_long: Duration,
    /// What was wrong with the last try.
    pub problem: String,
}

/// How one webhook is doing. A clone is the same one.
#[derive(Clone)]
pub struct Health {
    kind: Kind,
    state: Arc<Mutex<State>>,
    board: Arc<OnceLock<(Notices, Arc<dyn Clock>)>>,
}

#[derive(Debug, Default)]
struct State {
    failing: Option<(Instant, Failure)>,
    warned: Option<Instant>,
}

impl Health {
    pub(super) fn new(kind: Kind) -> Self {
        let health = Self { kind, state: Arc::default(), board: Arc::default() };
        health.show(false);
        health
    }

    /// From now on it is shown on this board when it fails.
    pub(super) fn report_to(&self, notices: &Notices, clock: &Arc<dyn Clock>) {
        self.board.set((notices.clone(), Arc::clone(clock))).ok();
    }

    /// Which webhook it is about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How it fails; none where its last try worked, or there was none.
    pub fn failing(&self) -> Option<Failing> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, failure) = state.failing.as_ref()?;
        Some(Failing { for_so_long: since.elapsed(), problem: failure.to_string() })
    }

    /// A try is over.
    pub(super) fn tried<T>(&self, tried: &Result<T, Failure>) {
        match tried {
            Ok(_) => self.works(),
            Err(failure) => self.fails(failure),
        }
    }

    fn works(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, _)) = state.failing.take() else { return };
        self.show(false);
        if let Some((notices, _)) = self.board.get() {
            notices.lower(&self.kind.subject());
        }
        if state.warned.is_some_and(|warned| warned >= since) {
            let webhook = self.kind.setting();
            tracing::info!(webhook, failed_for = ?since.elapsed(), "a webhook works again");
        }
    }

    fn fails(&self, failure: &Failure) {
        let webhook = self.kind.setting();
        metrics::counter!("byoc_webhook_failures_total", "hook" => webhook, "reason" => failure.reason())
            .increment(1);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = state.failing.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        let is_news = state.failing.as_ref().is_none_or(|(_, last)| last != failure);
        if is_news && state.warned.is_none_or(|warned| warned.elapsed() >= SAY_AGAIN_AFTER) {
            state.warned = Some(Instant::now());
            tracing::warn!(webhook, %failure, "a webhook fails");
        }
        state.failing = Some((since, failure.clone()));
        self.show(true);
        if let Some((notices, clock)) = self.board.get() {
            notices.raise(Notice {
                subject: self.kind.subject(),
                since: Some(clock.now()),
                problem: format!("webhooks.{webhook} fails: {failure}"),
                hint: Some(format!(
                    "Look at the partner's platform; until it answers, {}.",
                    self.kind.consequence()
                )),
            });
        }
    }

    fn show(&self, fails: bool) {
        metrics::gauge!("byoc_webhook_failing", "hook" => self.kind.setting())
            .set(f64::from(u8::from(fails)));
    }
}
