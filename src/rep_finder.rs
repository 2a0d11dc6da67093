//! The rep finder that works out of the box: which of a roster's reps may take an offer, and who is the best.
//!
//! It knows the roster and the question, and nothing of requests. Who was found before, and what has changed
//! since the roster was read, is the business of `people`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::model::ids::RepId;
use crate::model::rep_query::RepQuery;
use crate::model::roster::{Rep, Roster};

/// The weight that an offer is taken to have while it is not known.
const ASSUMED_WEIGHT: f64 = 1.0;

/// Who of those who may take an offer is the best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The one with the most room, and of those with equal room the one with the least work.
    #[default]
    MostAvailable,
    /// The one with the least work, and of those with equal work the one with the most room.
    LeastActive,
}

/// How good a rep is for an offer; the least is the best.
#[derive(Debug, Clone, Copy)]
pub struct Rank([f64; 2]);

impl Choice {
    /// Where a rep stands among those who may take an offer.
    pub fn rank(self, rep: &Rep) -> Rank {
        let (used, room) = (rep.capacity_used, rep.capacity - rep.capacity_used);
        Rank(match self {
            Self::MostAvailable => [-room, used],
            Self::LeastActive => [used, -room],
        })
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let [first, second] = self.0;
        first.total_cmp(&other.0[0]).then(second.total_cmp(&other.0[1]))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rank {}

/// The reps of a roster who can take it, the one with the most room first, at most as many as were asked for.
pub fn choose(roster: &Roster, query: &RepQuery) -> Vec<RepId> {
    let serves = |rep: &&Rep| query.queue_id.is_none_or(|queue| roster.serves(rep, queue));
    let able = roster.reps.iter().filter(|rep| can_take(rep, query)).filter(serves);
    let mut able: Vec<(Rank, RepId)> = able.map(|rep| (Choice::MostAvailable.rank(rep), rep.id)).collect();
    able.sort_unstable();
    able.into_iter().map(|(_, rep)| rep).take(query.limit).collect()
}

/// Whether a rep can take it, whichever queue it is for.
pub fn can_take(rep: &Rep, query: &RepQuery) -> bool {
    rep.messaging
        && rep.has_room(ASSUMED_WEIGHT)
        && !query.exclude.contains(&rep.id)
        && query.skills.iter().all(|skill| rep.has_skill(&skill.id, skill.level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::SkillRequirement;
    use crate::model::ids::{QueueId, SkillId};

    fn roster() -> Roster {
        serde_json::from_str(
            r#"{"reps": [
                {"id": "005000000000001", "capacityUsed": 4, "queues": ["00G000000000001"], "skills": ["french"]},
                {"id": "005000000000002", "capacityUsed": 1, "queues": ["00G000000000001"], "skills": [{"id": "french", "level": 3}]},
                {"id": "005000000000003", "availability": "OFFLINE", "queues": ["00G000000000001"]},
                {"id": "005000000000004", "messaging": false, "queues": ["00G000000000001"]},
                {"id": "005000000000005", "capacityUsed": 10, "queues": ["00G000000000001"]},
                {"id": "005000000000006", "capacity": 20, "capacityUsed": 11, "queues": ["00G000000000001"]},
                {"id": "005000000000007"}
            ]}"#,
        )
        .unwrap()
    }

    fn found(query: &RepQuery) -> Vec<String> {
        choose(&roster(), query)
            .iter()
            .map(|rep| rep.as_str().trim_start_matches("0050").trim_start_matches('0').to_owned())
            .collect()
    }

    fn queue() -> Option<QueueId> {
        QueueId::parse("00G000000000001").ok()
    }

    #[test]
    fn the_most_room_comes_first_and_then_the_least_work() {
        assert_eq!(found(&RepQuery { queue_id: queue(), limit: 9, ..RepQuery::default() }), ["2", "6", "1"]);
        assert_eq!(found(&RepQuery { queue_id: queue(), limit: 1, ..RepQuery::default() }), ["2"]);
    }

    #[test]
    fn the_least_work_comes_first_where_that_is_the_choice() {
        let rank = |capacity, capacity_used| {
            let rep = Rep { capacity, capacity_used, ..Rep::named(RepId::parse("005000000000001").unwrap()) };
            Choice::LeastActive.rank(&rep)
        };
        assert!(rank(2.0, 1.0) < rank(20.0, 2.0), "less work");
        assert!(rank(20.0, 2.0) < rank(10.0, 2.0), "equal work, more room");
        assert_eq!(serde_json::to_string(&Choice::LeastActive).unwrap(), r#""least-active""#);
    }

    #[test]
    fn a_queue_may_name_its_reps_itself_and_presence_is_read_in_any_words() {
        let roster: Roster = serde_json::from_str(
            r#"{"reps": [{"id": "005000000000001", "presence": "Online"}, {"id": "005000000000002", "presence": "away"}],
                "queues": [{"id": "00G000000000001", "reps": ["005000000000001", "005000000000002"]}]}"#,
        )
        .unwrap();
        let query = RepQuery { queue_id: queue(), limit: 9, ..RepQuery::default() };
        assert_eq!(choose(&roster, &query), [RepId::parse("005000000000001").unwrap()]);
    }

    #[test]
    fn who_is_excluded_or_lacks_a_skill_is_not_found() {
        let exclude = vec![RepId::parse("005000000000002").unwrap()];
        assert_eq!(found(&RepQuery { queue_id: queue(), exclude, limit: 1, ..RepQuery::default() }), ["6"]);
        let skill = |level| SkillRequirement {
            id: SkillId::parse("french").unwrap(),
            level,
            priority: None,
            additional: false,
        };
        let skilled = |level| RepQuery { skills: vec![skill(level)], limit: 9, ..RepQuery::default() };
        assert_eq!(found(&skilled(None)), ["2", "1"]);
        assert_eq!(found(&skilled(Some(5))), ["1"]);
    }
}
