//! Whether this machine's clock can be trusted: held against Salesforce's, and against the time since the start.
//!
//! A wrong clock makes every request "too old" or keeps one open for too long, and nothing else would say why.
//! It changes nothing by itself: what runs goes by the time at its start and what has gone by since.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::running::RunningChannel;
use crate::interaction::WrongClock;
use crate::model::ids::OrgId;
use crate::model::time::Clock;
use crate::notices::{Notice, Notices, Subject};

/// How often it is looked whether the machine's clock was set.
const LOOKS: Duration = Duration::from_secs(10);

/// By how many milliseconds the machine's clock may move without being set: what keeps it right moves it by
/// little.
const TOLERANCE: u64 = 2_000;

/// What concerns all of the machine.
const SET: Subject = Subject::of_all("clock-set");

/// Puts it on the board when the machine's clock was set, until the service stops.
pub(super) async fn watch(clock: Arc<dyn Clock>, notices: Notices, mut stopping: watch::Receiver<bool>) {
    loop {
        look(&*clock, &notices);
        tokio::select! {
            () = tokio::time::sleep(LOOKS) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

fn look(clock: &dyn Clock, notices: &Notices) {
    let ahead = clock.machine_ahead();
    if ahead.unsigned_abs() <= TOLERANCE {
        if notices.lower(&SET) {
            tracing::info!("this machine's clock is correct again");
        }
        return;
    }
    let problem =
        format!("this machine's clock was set {} since the start", direction(ahead, "forward", "back"));
    let hint = "Deadlines do not change. If the clock is right now and was wrong at the start, restart the \
                connector: it uses the time from its start.";
    let notice = Notice {
        subject: SET,
        since: Some(clock.now()),
        problem: problem.clone(),
        hint: Some(hint.to_owned()),
    };
    if notices.raise(notice) {
        tracing::warn!("{problem}; deadlines do not change");
    }
}

/// The orgs whose clock is not ours, one notice each.
pub(super) fn notices(channels: &[RunningChannel]) -> Vec<Notice> {
    let mut found: Vec<(OrgId, WrongClock)> = Vec::new();
    for running in channels {
        let org = running.key().org;
        if let Some(wrong) = running.skew().wrong()
            && !found.iter().any(|(known, _)| *known == org)
        {
            found.push((org, wrong));
        }
    }
    found.into_iter().map(|(org, wrong)| notice(org, wrong)).collect()
}

fn notice(org: OrgId, wrong: WrongClock) -> Notice {
    // Salesforce ahead of us is us behind Salesforce.
    let off = direction(wrong.ahead_millis.saturating_neg(), "ahead of", "behind");
    Notice {
        subject: Subject { what: "clock", org: Some(org), channel: None },
        since: Some(wrong.since),
        problem: format!("this machine's clock is {off} Salesforce's"),
        hint: Some(
            "Requests may be treated as too old, or kept too long. Set the machine's clock (NTP), then restart \
             the connector: it uses the time from its start."
                .to_owned(),
        ),
    }
}

/// `by 3600 s` and which way.
fn direction(millis: i64, forward: &str, back: &str) -> String {
    let seconds = millis.unsigned_abs() / 1000;
    if millis >= 0 { format!("{seconds} s {forward}") } else { format!("{seconds} s {back}") }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::model::time::Timestamp;

    struct SetBy(AtomicI64);

    impl Clock for SetBy {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_000)
        }

        fn machine_ahead(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_clock_that_was_set_is_on_the_board_until_it_is_back() {
        let (clock, board) = (SetBy(AtomicI64::new(1_999)), Notices::default());
        let problems = |board: &Notices| board.all().into_iter().map(|one| one.problem).collect::<Vec<_>>();
        look(&clock, &board);
        assert_eq!(problems(&board), [""; 0], "that is no jump");
        clock.0.store(-3_600_000, Ordering::SeqCst);
        look(&clock, &board);
        assert_eq!(problems(&board), ["this machine's clock was set 3600 s back since the start"]);
        clock.0.store(3_600_000, Ordering::SeqCst);
        look(&clock, &board);
        assert_eq!(problems(&board), ["this machine's clock was set 3600 s forward since the start"]);
        clock.0.store(0, Ordering::SeqCst);
        look(&clock, &board);
        assert_eq!(problems(&board), [""; 0]);
    }

    #[test]
    fn a_notice_says_which_of_the_two_clocks_is_ahead() {
        let says = |ahead_millis| {
            let wrong = WrongClock { since: Timestamp::from_millis(5), ahead_millis };
            notice("00DHs0000000001".parse().unwrap(), wrong).problem
        };
        assert_eq!(says(90_000), "this machine's clock is 90 s behind Salesforce's");
        assert_eq!(says(-90_000), "this machine's clock is 90 s ahead of Salesforce's");
    }
}
