//! Whether a webhook works, as its last try has shown; told to the log, the numbers and the board of
//! notices at once.
//!
//! It is the partner's to mend, so the service counts as ready all the same: a load balancer that took it away
//! would take what still works with it, the reps' pages among it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Context;
use super::failure::Failure;
use crate::model::time::Clock;
use crate::notices::{Notice, Notices, Subject};

/// A webhook of which every other try fails is not told about in every other line of the log.
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
    fn subject(self, whose: &Context) -> Subject {
        let what = match self {
            Self::RepFinder => "rep-finder",
            Self::Directory => "directory",
            Self::EndUserNotifier => "end-user-notifier",
        };
        Subject::of_channel(what, whose.org, &whose.channel)
    }

    /// What it means that it fails.
    const fn consequence(self) -> &'static str {
        match self {
            Self::RepFinder => "requests to queues, flows and skills wait, and fail when their time runs out",
            Self::Directory => "reps see no contacts",
            Self::EndUserNotifier => "customers are not told who joins or leaves",
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
    down: Option<Down>,
    warned: Option<Instant>,
}

/// What has gone wrong since it worked the last time.
#[derive(Debug)]
struct Down {
    since: Instant,
    last: Failure,
    /// Whether the log has told of it.
    is_told: bool,
    tries: u64,
    requests: u64,
    /// The channels whose tries have failed.
    whose: BTreeSet<Context>,
}

impl Down {
    fn since_now(failure: &Failure) -> Self {
        let (last, whose) = (failure.clone(), BTreeSet::new());
        Self { since: Instant::now(), last, is_told: false, tries: 0, requests: 0, whose }
    }
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
        let down = state.down.as_ref()?;
        Some(Failing { for_so_long: down.since.elapsed(), problem: down.last.to_string() })
    }

    /// A try on somebody's behalf is over.
    pub(super) fn tried<T>(&self, whose: &Context, tried: &Result<T, Failure>) {
        match tried {
            Ok(_) => self.works(),
            Err(failure) => self.fails(whose, failure),
        }
    }

    /// A request is over, with all its tries.
    pub(super) fn ended<T>(&self, ended: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(failure) = &ended {
            tracing::debug!(webhook = self.kind.setting(), %failure, "webhook request failed");
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(down) = &mut state.down {
                down.requests = down.requests.saturating_add(1);
            }
        }
        ended
    }

    fn works(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(down) = state.down.take() else { return };
        self.show(false);
        if let Some((notices, _)) = self.board.get() {
            for whose in &down.whose {
                notices.lower(&self.kind.subject(whose));
            }
        }
        if down.is_told {
            let (webhook, failed_for) = (self.kind.setting(), down.since.elapsed());
            let (failed_requests, failed_tries) = (down.requests, down.tries);
            tracing::info!(webhook, ?failed_for, failed_requests, failed_tries, "webhook works again");
        }
    }

    fn fails(&self, whose: &Context, failure: &Failure) {
        let webhook = self.kind.setting();
        metrics::counter!("byoc_webhook_failures_total", "hook" => webhook, "reason" => failure.reason())
            .increment(1);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { down, warned } = &mut *state;
        let down = down.get_or_insert_with(|| Down::since_now(failure));
        down.tries = down.tries.saturating_add(1);
        down.last = failure.clone();
        down.whose.insert(whose.clone());
        if !down.is_told && warned.is_none_or(|warned| warned.elapsed() >= SAY_AGAIN_AFTER) {
            (down.is_told, *warned) = (true, Some(Instant::now()));
            tracing::warn!(webhook, %failure, "webhook failing; a log line follows when it works again");
        }
        self.show(true);
        if let Some((notices, clock)) = self.board.get() {
            notices.raise(Notice {
                subject: self.kind.subject(whose),
                since: Some(clock.now()),
                problem: format!("webhooks.{webhook} is failing: {failure}"),
                hint: Some(format!(
                    "Check the partner's platform. Until it answers, {}.",
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
