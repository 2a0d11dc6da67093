//! What somebody should look at although the service works: a webhook that fails, a thing that is owed for
//! long, declines that will not be heard.
//!
//! A board: whoever knows of something raises a notice and lowers it again; `/readyz` shows what stands on it.
//! It must never know who raises what, and nothing is decided by it.
//!
//! Invariants
//! 1. One notice a subject: raising it again keeps since when it stands.
//! 2. The board is bounded: of more subjects than `MOST` the later ones are not kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::model::ids::OrgId;
use crate::model::time::{self, Timestamp};

/// How many notices are kept at most. Subjects are parts of the service, so there are few.
const MOST: usize = 1000;

/// What a notice is about. One stands on the board at a time for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Which kind of thing: a few words with hyphens, the same for ever, e.g. `rep-finder`.
    pub what: &'static str,
    /// Whose: the org; none where it concerns all.
    pub org: Option<OrgId>,
    /// Whose: the channel; none where it concerns all.
    pub channel: Option<String>,
}

impl Subject {
    /// What concerns the whole service.
    pub const fn of_all(what: &'static str) -> Self {
        Self { what, org: None, channel: None }
    }

    /// What concerns one channel.
    pub fn of_channel(what: &'static str, org: OrgId, channel: &str) -> Self {
        Self { what, org: Some(org), channel: Some(channel.to_owned()) }
    }
}

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// Since when.
    #[serde(serialize_with = "time::as_text_or_null")]
    pub since: Option<Timestamp>,
    /// What is wrong, in a sentence.
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The board. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct Notices(Arc<Mutex<BTreeMap<Subject, Notice>>>);

impl Notices {
    /// Puts a notice on the board, in the place of an earlier one about the same subject. Returns whether
    /// there was none.
    pub fn raise(&self, mut notice: Notice) -> bool {
        let mut all = self.lock();
        if let Some(known) = all.get(&notice.subject) {
            notice.since = known.since.or(notice.since);
        } else if all.len() >= MOST {
            return false;
        }
        all.insert(notice.subject.clone(), notice).is_none()
    }

    /// Takes the notice about a subject off the board. Returns whether there was one.
    pub fn lower(&self, subject: &Subject) -> bool {
        self.lock().remove(subject).is_some()
    }

    /// Takes all notices about an org off the board, when what they were about does not run any more.
    pub fn lower_of(&self, org: OrgId) {
        self.lock().retain(|subject, _| subject.org != Some(org));
    }

    /// All that stand on the board.
    pub fn all(&self) -> Vec<Notice> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Subject, Notice>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(what: &'static str, second: i64, problem: &str) -> Notice {
        let since = Some(Timestamp::from_millis(second * 1_000));
        Notice { subject: Subject::of_all(what), since, problem: problem.to_owned(), hint: None }
    }

    #[test]
    fn a_notice_raised_again_keeps_since_when_it_stands_and_says_the_latest() {
        let board = Notices::default();
        assert!(board.raise(notice("owed", 1, "one")));
        assert!(!board.raise(notice("owed", 9, "two")));
        assert_eq!(board.all(), [notice("owed", 1, "two")]);
        assert!(board.lower(&Subject::of_all("owed")) && !board.lower(&Subject::of_all("owed")));
        assert_eq!(board.all(), []);
    }
}
