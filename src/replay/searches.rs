//! The recorded answers of the rep finder: which one belongs to which search.

use std::collections::VecDeque;

use crate::model::event::SkillRequirement;
use crate::model::ids::RepId;
use crate::model::rep_query::RepQuery;
use crate::recording::RepFinder;

/// What is open on both sides. A search and its recorded answer meet in either order.
#[derive(Debug, Default)]
pub(super) struct Searches {
    open: Vec<(u64, RepQuery)>,
    found: VecDeque<RepFinder>,
}

impl Searches {
    /// A search begins: who was found, if it has been read already.
    pub(super) fn on_search(&mut self, number: u64, query: &RepQuery) -> Option<Vec<RepId>> {
        let place = self.found.iter().position(|found| answers(found, query));
        let reps = place.and_then(|place| self.found.remove(place)).map(|found| found.reps);
        if reps.is_none() {
            self.open.push((number, query.clone()));
        }
        reps
    }

    /// An answer was read: the search that it answers, if it has begun already.
    pub(super) fn on_found(&mut self, found: RepFinder) -> Option<(u64, Vec<RepId>)> {
        match self.open.iter().position(|(_, query)| answers(&found, query)) {
            Some(place) => {
                let (number, _) = self.open.remove(place);
                Some((number, found.reps))
            }
            None => {
                self.found.push_back(found);
                None
            }
        }
    }

    /// A search is over.
    pub(super) fn close(&mut self, number: u64) {
        self.open.retain(|(open, _)| *open != number);
    }
}

/// Whether a recorded answer is one to this question. A recording may leave the place out.
fn answers(found: &RepFinder, query: &RepQuery) -> bool {
    let ids = |skills: &[SkillRequirement]| {
        let mut ids: Vec<_> = skills.iter().map(|skill| skill.id.clone()).collect();
        ids.sort_unstable();
        ids
    };
    (found.queue.is_none() || found.queue == query.queue_id)
        && (found.skills.is_empty() || ids(&found.skills) == ids(&query.skills))
}
