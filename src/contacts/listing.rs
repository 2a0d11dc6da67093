//! How a rep, a queue, a flow and somebody outside look in a list.

use crate::model::contact::{Contact, ContactType};
use crate::model::roster::{Flow, OutsideContact, Queue, Rep};
use crate::model::words::Availability;

/// How many messaging requests must have been accepted in a queue in the last 10 minutes before its
/// estimated wait is worth showing (PROTOCOL: "getContacts: who can be picked").
const ACCEPTED_FOR_A_WAIT: u32 = 10;

/// Whether a rep is listed at all: online with a Messaging presence status, and permitted.
pub(super) fn is_listed(rep: &Rep) -> bool {
    rep.messaging && rep.availability != Availability::Offline
}

/// A rep's availability as others see it: who has no room left is busy, whatever their status says.
pub(super) fn availability(rep: &Rep) -> Availability {
    match rep.availability {
        Availability::Available if rep.capacity_used >= rep.capacity => Availability::Busy,
        shown => shown,
    }
}

/// The type of somebody outside: what can be dialled is a phone number, the rest a directory's entry.
pub(super) fn outside_type(contact: &OutsideContact) -> ContactType {
    match &contact.phone_number {
        Some(number) if !number.trim().is_empty() => ContactType::PhoneNumber,
        _ => ContactType::PhoneBook,
    }
}

/// A name, or the id of what has none: a line without a text cannot be picked.
pub(super) fn shown_name<'a>(name: &'a str, id: &'a str) -> &'a str {
    if name.trim().is_empty() { id } else { name }
}

/// A rep's line; below the name stands how much of their capacity is taken.
pub(super) fn rep(rep: &Rep) -> Contact {
    let id = rep.id.as_str();
    Contact {
        availability: Some(availability(rep)),
        record_id: Some(id.to_owned()),
        description: Some(format!("{} of {} used", units(rep.capacity_used), units(rep.capacity))),
        ..Contact::new(ContactType::Agent, id, shown_name(&rep.name, id))
    }
}

/// A queue's line, with its wait where that is worth showing.
pub(super) fn queue(queue: &Queue) -> Contact {
    let id = queue.id.as_str();
    let wait = queue.wait_seconds.filter(|_| queue.accepted_last_10_minutes >= ACCEPTED_FOR_A_WAIT);
    Contact {
        queue: Some(id.to_owned()),
        record_id: Some(id.to_owned()),
        queue_wait_time: wait.map(|seconds| seconds.to_string()),
        ..Contact::new(ContactType::Queue, id, shown_name(&queue.name, id))
    }
}

/// A flow's line.
pub(super) fn flow(flow: &Flow) -> Contact {
    let id = flow.id.as_str();
    Contact {
        record_id: Some(id.to_owned()),
        ..Contact::new(ContactType::Flow, id, shown_name(&flow.name, id))
    }
}

/// The line of somebody outside.
pub(super) fn outside(contact: &OutsideContact) -> Contact {
    Contact {
        phone_number: contact.phone_number.clone(),
        description: contact.description.clone(),
        ..Contact::new(outside_type(contact), &contact.id, shown_name(&contact.name, &contact.id))
    }
}

/// Capacity units without the tail that adding fractions leaves.
fn units(units: f64) -> f64 {
    (units * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn rep_with(mut fields: serde_json::Value) -> Rep {
        let mut all = json!({"id": "005000000000001", "name": "Bo"});
        all.as_object_mut().unwrap().append(fields.as_object_mut().unwrap());
        from_value(all).unwrap()
    }

    #[test]
    fn only_reps_who_are_online_for_messaging_are_listed() {
        assert!(is_listed(&rep_with(json!({}))));
        assert!(is_listed(&rep_with(json!({"availability": "BUSY"}))));
        assert!(!is_listed(&rep_with(json!({"availability": "OFFLINE"}))));
        assert!(!is_listed(&rep_with(json!({"messaging": false}))));
    }

    #[test]
    fn a_rep_shows_how_much_is_taken_and_is_busy_when_all_is() {
        let contact = rep(&rep_with(json!({"capacity": 10, "capacityUsed": 3})));
        assert_eq!(contact.description.as_deref(), Some("3 of 10 used"));
        assert_eq!(contact.availability, Some(Availability::Available));
        let contact = rep(&rep_with(json!({"capacity": 2.5, "capacityUsed": 2.5})));
        assert_eq!(contact.description.as_deref(), Some("2.5 of 2.5 used"));
        assert_eq!(contact.availability, Some(Availability::Busy));
        let contact = rep(&rep_with(json!({"capacity": 1, "capacityUsed": 0.1 + 0.2})));
        assert_eq!(contact.description.as_deref(), Some("0.3 of 1 used"));
    }

    #[test]
    fn a_wait_is_shown_from_ten_accepted_requests_on() {
        for (accepted, shown) in [(0, None), (9, None), (10, Some("95")), (400, Some("95"))] {
            let shape =
                json!({"id": "00G000000000001", "waitSeconds": 95, "acceptedLast10Minutes": accepted});
            let contact = queue(&from_value(shape).unwrap());
            assert_eq!(contact.queue_wait_time.as_deref(), shown, "{accepted} accepted");
        }
    }

    #[test]
    fn what_has_no_name_shows_its_id() {
        let contact = flow(&from_value(json!({"id": "300000000000001", "name": " "})).unwrap());
        assert_eq!(contact.name, "300000000000001");
    }
}
