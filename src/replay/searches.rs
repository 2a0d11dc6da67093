//! The recorded answers of the rep finder: which one belongs to which search.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::event::SkillRequirement;
use crate::model::ids::RepId;
use crate::model::rep_query::RepQuery;
use crate::model::time::Timestamp;
use crate::recording::RepFinder;

/// How long an answer waits for a search that begins later than it did when it was recorded. An answer to a
/// question that is not asked any more must not be taken for one to a question of much later.
const ANSWER_WAITS: Duration = Duration::from_secs(600);

/// What is open on both sides. A search and its recorded answer meet in either order.
#[derive(Debug, Default)]
pub(super) struct Searches {
    open: Vec<(u64, RepQuery)>,
    found: VecDeque<(Timestamp, RepFinder)>,
}

impl Searches {
    /// A search begins: who was found, if it has been read already.
    pub(super) fn on_search(&mut self, now: Timestamp, number: u64, query: &RepQuery) -> Option<Vec<RepId>> {
        self.forget_old(now);
        let place = best(&self.found.iter().map(|(_, found)| (found, query)));
        let reps = place.and_then(|place| self.found.remove(place)).map(|(_, found)| found.reps);
        if reps.is_none() {
            self.open.push((number, query.clone()));
        }
        reps
    }

    /// An answer was read: the search that it answers, if it has begun already.
    pub(super) fn on_found(&mut self, now: Timestamp, found: RepFinder) -> Option<(u64, Vec<RepId>)> {
        self.forget_old(now);
        match best(&self.open.iter().map(|(_, query)| (&found, query))) {
            Some(place) => {
                let (number, _) = self.open.remove(place);
                Some((number, found.reps))
            }
            None => {
                self.found.push_back((now, found));
                None
            }
        }
    }

    /// A search is over.
    pub(super) fn close(&mut self, number: u64) {
        self.open.retain(|(open, _)| *open != number);
    }

    fn forget_old(&mut self, now: Timestamp) {
        while self.found.front().is_some_and(|(read, _)| *read + ANSWER_WAITS <= now) {
            self.found.pop_front();
        }
    }
}

/// The pair that belongs together: the first whose answer leaves out the same reps, as two conversations
/// may ask for the same queue at the same time; else the first that could be.
fn best<'a>(pairs: &(impl Iterator<Item = (&'a RepFinder, &'a RepQuery)> + Clone)) -> Option<usize> {
    let same = |one: &[RepId], other: &[RepId]| {
        one.len() == other.len() && one.iter().all(|rep| other.contains(rep))
    };
    let exact = |(found, query): (&RepFinder, &RepQuery)| {
        answers(found, query) && same(&found.exclude, &query.exclude)
    };
    pairs.clone().position(exact).or_else(|| pairs.clone().position(|(found, query)| answers(found, query)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{QueueId, SkillId};

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn rep(name: &str) -> RepId {
        RepId::parse(&format!("005{name:0>12}")).unwrap()
    }

    fn queue(name: &str) -> QueueId {
        QueueId::parse(&format!("00G{name:0>12}")).unwrap()
    }

    fn skills(names: &[&str]) -> Vec<SkillRequirement> {
        let skill = |name: &&str| SkillRequirement {
            id: SkillId::parse(name).unwrap(),
            level: None,
            priority: None,
            additional: false,
        };
        names.iter().map(skill).collect()
    }

    fn asks(place: &str, without: &[&str]) -> RepQuery {
        let exclude = without.iter().map(|name| rep(name)).collect();
        RepQuery { queue_id: Some(queue(place)), skills: Vec::new(), exclude, limit: 1 }
    }

    fn found(place: Option<&str>, without: &[&str], who: &[&str]) -> RepFinder {
        let reps = |names: &[&str]| names.iter().map(|name| rep(name)).collect();
        let queue = place.map(queue);
        RepFinder { queue, skills: Vec::new(), exclude: reps(without), reps: reps(who) }
    }

    #[test]
    fn a_search_and_its_answer_meet_in_either_order_and_once() {
        let mut searches = Searches::default();
        assert_eq!(searches.on_search(NOW, 1, &asks("a", &[])), None);
        assert_eq!(searches.on_found(NOW, found(Some("a"), &[], &["bo"])), Some((1, vec![rep("bo")])));
        assert_eq!(searches.on_found(NOW, found(Some("a"), &[], &["cem"])), None, "nobody asks any more");
        assert_eq!(searches.on_search(NOW, 2, &asks("a", &[])), Some(vec![rep("cem")]));
        assert_eq!(searches.on_search(NOW, 3, &asks("a", &[])), None);
    }

    #[test]
    fn an_answer_is_for_the_place_that_was_asked_about() {
        let mut searches = Searches::default();
        searches.on_search(NOW, 1, &asks("a", &[]));
        searches.on_search(NOW, 2, &asks("b", &[]));
        assert_eq!(searches.on_found(NOW, found(Some("c"), &[], &["bo"])), None);
        assert_eq!(searches.on_found(NOW, found(Some("b"), &[], &["cem"])), Some((2, vec![rep("cem")])));
        let anywhere = found(None, &[], &[]);
        assert_eq!(searches.on_found(NOW, anywhere), Some((1, vec![])), "nobody is an answer as well");
    }

    #[test]
    fn skills_may_be_written_in_any_order() {
        let mut searches = Searches::default();
        let query = RepQuery { skills: skills(&["german", "boats"]), ..RepQuery::default() };
        searches.on_search(NOW, 1, &query);
        let answer = |names: &[&str]| RepFinder { skills: skills(names), ..RepFinder::default() };
        assert_eq!(searches.on_found(NOW, answer(&["german"])), None);
        assert_eq!(searches.on_found(NOW, answer(&["boats", "german"])), Some((1, vec![])));
    }

    #[test]
    fn of_two_searches_in_one_queue_each_gets_its_own_answer() {
        let mut searches = Searches::default();
        searches.on_search(NOW, 1, &asks("a", &["ann", "dee"]));
        searches.on_search(NOW, 2, &asks("a", &["eli"]));
        let second = searches.on_found(NOW, found(Some("a"), &["eli"], &["bo"]));
        assert_eq!(second, Some((2, vec![rep("bo")])));
        let first = searches.on_found(NOW, found(Some("a"), &["dee", "ann"], &["cem"]));
        assert_eq!(first, Some((1, vec![rep("cem")])));

        searches.on_found(NOW, found(Some("a"), &["eli"], &["bo"]));
        searches.on_found(NOW, found(Some("a"), &["ann"], &["cem"]));
        assert_eq!(searches.on_search(NOW, 3, &asks("a", &["ann"])), Some(vec![rep("cem")]));
        let other = searches.on_search(NOW, 4, &asks("a", &["fay"]));
        assert_eq!(other, Some(vec![rep("bo")]), "a list that is another is better than none");
    }

    #[test]
    fn an_answer_that_nobody_asked_for_does_not_wait_for_ever() {
        let mut searches = Searches::default();
        searches.on_found(NOW, found(Some("a"), &[], &["bo"]));
        searches.on_found(NOW + Duration::from_secs(300), found(Some("a"), &[], &["cem"]));
        let later = NOW + Duration::from_secs(600);
        assert_eq!(searches.on_search(later, 1, &asks("a", &[])), Some(vec![rep("cem")]));
        assert_eq!(searches.on_search(later, 2, &asks("a", &[])), None);
    }

    #[test]
    fn a_search_that_is_over_is_not_answered() {
        let mut searches = Searches::default();
        searches.on_search(NOW, 1, &asks("a", &[]));
        searches.close(1);
        assert_eq!(searches.on_found(NOW, found(Some("a"), &[], &["bo"])), None);
    }
}
