//! The rep finder that works out of the box: chooses from a roster.
//!
//! Of the reps who may take the offer, the one with the most room comes first, and of those with equal
//! room the one with the least work. It knows the roster and the question, and nothing of requests.

use std::cmp::Ordering;

use crate::model::ids::RepId;
use crate::model::rep_query::RepQuery;
use crate::model::roster::{Rep, Roster};

/// The weight that an offer is taken to have while it is not known.
const ASSUMED_WEIGHT: f64 = 1.0;

/// The reps who can take it, the best first, at most as many as were asked for.
pub fn choose(roster: &Roster, query: &RepQuery) -> Vec<RepId> {
    let mut able: Vec<&Rep> = roster.reps.iter().filter(|rep| can_take(roster, rep, query)).collect();
    able.sort_by(|a, b| {
        let room = |rep: &Rep| rep.capacity - rep.capacity_used;
        descending(room(a), room(b)).then(descending(b.capacity_used, a.capacity_used)).then(a.id.cmp(&b.id))
    });
    able.into_iter().map(|rep| rep.id).take(query.limit).collect()
}

fn descending(a: f64, b: f64) -> Ordering {
    b.total_cmp(&a)
}

fn can_take(roster: &Roster, rep: &Rep, query: &RepQuery) -> bool {
    rep.messaging
        && rep.has_room(ASSUMED_WEIGHT)
        && !query.exclude.contains(&rep.id)
        && query.queue_id.is_none_or(|queue| roster.serves(rep, queue))
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
