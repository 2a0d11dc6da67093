//! `AGENT_WORK_EVENT`: what the connector page in a rep's browser tells of an offer.

use smallvec::smallvec;

use super::{Decoded, Error, Ignored};
use crate::model::event::{Event, EventKind, WorkChanged};
use crate::model::ids::{AgentWorkId, RepId, WorkItemId};
use crate::model::words::WorkChange;

/// Reads a browser's agent work event (PROTOCOL: "What can happen after the offer").
///
/// It names no conversation; whoever takes it in finds that by the work item. `rep` is whose browser it
/// was, where that is known.
///
/// # Errors
/// Where `work_item_id` or `work_id` is not an id of its kind. A `work_event` that is not known here is
/// ignored.
pub fn agent_work_event(
    work_item_id: &str,
    work_id: &str,
    work_event: &str,
    rep: Option<RepId>,
) -> Result<Decoded, Error> {
    let at = |field: &str| {
        let field = format!("agentWork.{field}");
        move |source| Error::Id { field, source }
    };
    if let "PAUSED" | "UNPAUSED" = work_event {
        return Ok(Decoded::passed(Ignored::Unused("a rep's pause")));
    }
    let Some(change) = WorkChange::from_work_event(work_event) else {
        return Ok(Decoded::passed(Ignored::Value { field: "workEvent", value: work_event.into() }));
    };
    let work_item = Some(WorkItemId::parse(work_item_id).map_err(at("workItemId"))?);
    let work = AgentWorkId::parse(work_id).map_err(at("workId"))?;
    let what = EventKind::WorkChanged(WorkChanged { work, work_item, rep, change });
    Ok(Decoded { events: smallvec![Event { conversation: None, what }], ..Decoded::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "0MwD0000000ABcD";
    const WORK: &str = "0BzD0000000ABcD";

    #[test]
    fn an_offer_that_was_declined() {
        let decoded = agent_work_event(SESSION, WORK, "DECLINED", None).unwrap();
        let changed = WorkChanged {
            work: AgentWorkId::parse(WORK).unwrap(),
            work_item: WorkItemId::parse(SESSION).ok(),
            rep: None,
            change: WorkChange::Declined,
        };
        assert_eq!(decoded.events[..], [Event { conversation: None, what: EventKind::WorkChanged(changed) }]);
        assert_eq!(decoded.ignored, None);
    }

    #[test]
    fn every_work_event_of_the_package_is_known() {
        let change = |name: &str| {
            let decoded = agent_work_event(SESSION, WORK, name, None).unwrap();
            match decoded.events.first().map(|event| &event.what) {
                Some(EventKind::WorkChanged(changed)) => Ok(changed.change),
                _ => Err(decoded.ignored.unwrap().to_string()),
            }
        };
        for (name, known) in [
            ("ASSIGNED", WorkChange::Assigned),
            ("ACCEPTED", WorkChange::Accepted),
            ("DECLINED", WorkChange::Declined),
            ("COMPLETED", WorkChange::Closed),
            ("CLOSED", WorkChange::Closed),
        ] {
            assert_eq!(change(name), Ok(known), "{name}");
        }
        for name in ["PAUSED", "UNPAUSED"] {
            assert_eq!(change(name), Err("a rep's pause, not used for routing".to_owned()));
        }
    }

    #[test]
    fn a_work_event_of_tomorrow_is_ignored() {
        let decoded = agent_work_event(SESSION, WORK, "SNOOZED", None).unwrap();
        assert!(decoded.events.is_empty());
        assert_eq!(
            decoded.ignored.unwrap().to_string(),
            "workEvent SNOOZED, which this release does not know"
        );
    }

    #[test]
    fn an_id_of_another_kind_is_named_with_its_field() {
        let error = agent_work_event(SESSION, SESSION, "ASSIGNED", None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "agentWork.workId: '0MwD0000000ABcD' is not a valid agent work id: those start with 0Bz"
        );
    }
}
