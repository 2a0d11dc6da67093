//! Whose page last opened the list of contacts for which work item: a hint at who asked, for no event says it
//! (PROTOCOL: "RoutingRequested: what a rep asked for").
//!
//! In memory: what came of it is kept with the request.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::ids::{RepId, WorkItemId};
use crate::model::time::Timestamp;

/// Who opens the list and asks for nobody for so long did not open it for that request.
const RECENT: Duration = Duration::from_secs(600);

/// For how many work items it is remembered.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Lists(HashMap<WorkItemId, (RepId, Timestamp)>);

impl Lists {
    pub(super) fn opened(&mut self, now: Timestamp, work_item: WorkItemId, rep: RepId) {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&work_item) {
            self.0.retain(|_, (_, at)| now.since(*at) <= RECENT);
            if self.0.len() >= REMEMBERED {
                return;
            }
        }
        self.0.insert(work_item, (rep, now));
    }

    pub(super) fn last(&self, now: Timestamp, work_item: WorkItemId) -> Option<RepId> {
        self.0.get(&work_item).filter(|(_, at)| now.since(*at) <= RECENT).map(|(rep, _)| *rep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rep(number: usize) -> RepId {
        RepId::parse(&format!("005{number:012}")).unwrap()
    }

    fn item(number: usize) -> WorkItemId {
        WorkItemId::parse(&format!("0Mw{number:012}")).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn the_last_one_counts_for_ten_minutes() {
        let mut lists = Lists::default();
        lists.opened(at(0), item(1), rep(1));
        lists.opened(at(5), item(1), rep(2));
        assert_eq!(lists.last(at(605), item(1)), Some(rep(2)));
        assert_eq!(lists.last(at(606), item(1)), None);
        assert_eq!(lists.last(at(5), item(2)), None);
    }

    #[test]
    fn no_more_is_remembered_than_so_much_and_what_is_old_makes_room() {
        let mut lists = Lists::default();
        (0..2 * REMEMBERED).for_each(|number| lists.opened(at(0), item(number), rep(1)));
        assert_eq!(lists.0.len(), REMEMBERED);
        lists.opened(at(700), item(2 * REMEMBERED), rep(1));
        assert_eq!(lists.0.len(), 1);
    }
}
