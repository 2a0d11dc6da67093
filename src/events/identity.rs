//! An event's identity: what names it, so that the same one twice is one, whichever way it came.
//!
//! Knows what an event says. Must never know a stream's replay id: that changes where an org has moved, and an
//! event by HTTP has none.
//!
//! Invariant: names are stored, and never change.

use serde::Deserialize;
use uuid::Uuid;

use crate::model::ids::{AgentWorkId, RepId};

/// Names a platform event by its own id, and where it has none by what it says.
pub fn of_platform_event(json: &str) -> String {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6279_6f63_2d65_7665_8e74_2d62_6f64_7931);
    let own = serde_json::from_str::<Named>(json).ok().and_then(|named| named.id);
    let id = own.unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, json.as_bytes()));
    format!("event {id}")
}

/// Names what a rep's page says of an offer. What one rep says is no repetition of what another did.
pub fn of_agent_work(work: AgentWorkId, work_event: &str, rep: Option<RepId>) -> String {
    let speaker = rep.map(|rep| format!(" {rep}")).unwrap_or_default();
    format!("agent work {work} {work_event}{speaker}")
}

/// The id that a platform event has, whatever else it says.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "EventUuid")]
    id: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_by_its_own_id_or_by_what_it_says() {
        let cause = of_platform_event;
        let id = "d1f4a5ce-0a8c-4b5b-8f0f-0c5d1f2e3a4b";
        let named = |more: &str| format!(r#"{{"EventUuid": "{id}"{more}}}"#);
        assert_eq!(cause(&named("")), cause(&named(r#", "x": 1"#)), "its own id is enough");
        assert_ne!(cause(&named("")), cause(r#"{"EventUuid": "d1f4a5ce-0a8c-4b5b-8f0f-0c5d1f2e3a4c"}"#));
        assert_eq!(cause(r#"{"x": 1}"#), cause(r#"{"x": 1}"#));
        assert_ne!(cause(r#"{"x": 1}"#), cause(r#"{"x": 2}"#));
        assert_ne!(cause(r#"{"EventUuid": null, "x": 1}"#), cause(r#"{"EventUuid": null, "x": 2}"#));
    }

    #[test]
    fn what_one_rep_says_of_an_offer_is_no_repetition_of_what_another_said() {
        let work = AgentWorkId::parse("0Bz000000000001").unwrap();
        let reps = ["005000000000001", "005000000000002"].map(|id| Some(RepId::parse(id).unwrap()));
        let named = |event: &str, rep| of_agent_work(work, event, rep);
        assert_eq!(named("DECLINED", reps[0]), named("DECLINED", reps[0]));
        assert_ne!(named("DECLINED", reps[0]), named("DECLINED", reps[1]));
        assert_ne!(named("DECLINED", reps[0]), named("DECLINED", None));
        assert_ne!(named("DECLINED", reps[0]), named("ACCEPTED", reps[0]));
    }
}
