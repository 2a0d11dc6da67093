//! What each type of conversation entry comes to.

use super::*;

/// What an entry comes to, and why it was ignored.
fn entry(entry_type: &str, entry: &Value, sender: &Value) -> (Vec<EventKind>, Option<String>) {
    let as_object = read(&interaction(entry_type, entry, sender)).unwrap();
    let as_text = read(&interaction(entry_type, &entry.to_string().into(), sender)).unwrap();
    assert_eq!(as_object, as_text, "an entryPayload reads the same as an object and as a string");
    for event in &as_object.events {
        assert_eq!(event.conversation.as_ref().map(AsRef::as_ref), Some(CONVERSATION));
    }
    let happenings = as_object.events.into_iter().map(|event| event.what).collect();
    (happenings, as_object.ignored.map(|reason| reason.to_string()))
}

#[test]
fn a_cancel_names_its_reason_and_who() {
    let cancel = |reason: &str| {
        json!({
            "cancelReason": reason, "failureType": "Cancelled", "routingType": "Conference", "recordId": SESSION,
            "pendingServiceRoutingId": PSR, "workOwnerId": REP, "errorMessages": [],
        })
    };
    for reason in CancelReason::ALL {
        let (happenings, ignored) = entry("RoutingResult", &cancel(reason.as_str()), &by_system());
        let [EventKind::RoutingCancelled(cancelled), EventKind::WorkItemSeen(seen)] = &happenings[..] else {
            panic!("{happenings:?}")
        };
        assert_eq!((cancelled.reason, ignored), (*reason, None));
        assert_eq!((cancelled.by, cancelled.psr), (RepId::parse(REP).ok(), PSR.parse().ok()));
        assert_eq!(cancelled.routing_type, Some(RoutingType::Conference));
        assert_eq!(seen.as_str(), SESSION);
    }
    let (_, ignored) = entry("RoutingResult", &cancel("Bored"), &by_system());
    assert_eq!(ignored.as_deref(), Some("cancelReason Bored, which this release does not know"));
}

#[test]
fn a_routing_result_without_a_reason_is_told_by_its_failure_type() {
    let result = |failure: Value| {
        let body = json!({"cancelReason": null, "failureType": failure, "recordId": SESSION,
            "pendingServiceRoutingId": PSR});
        entry("RoutingResult", &body, &by_system())
    };
    let started = EventKind::RoutingStarted { psr: PSR.parse().ok(), work_item: SESSION.parse().ok() };
    assert_eq!(result("None".into()), (vec![started.clone()], None));
    assert_eq!(result(Value::Null), (vec![started], None));
    let (happenings, _) = result("Cancelled".into());
    assert!(matches!(&happenings[0], EventKind::RoutingCancelled(c) if c.reason == CancelReason::Unknown));
    let (happenings, ignored) = result("RoutingError".into());
    assert_eq!(happenings, [EventKind::WorkItemSeen(SESSION.parse().unwrap())]);
    assert_eq!(ignored.as_deref(), Some("failureType RoutingError, which this release does not know"));
}

#[test]
fn a_work_result_tells_of_an_offer() {
    let result = |change: &str| {
        json!({"workId": WORK, "workTargetId": SESSION, "workType": change, "agentSessionId": REP,
            "errorMessages": [], "queueId": null, "botId": null})
    };
    for change in WorkChange::ALL {
        let (happenings, ignored) = entry("RoutingWorkResult", &result(change.as_str()), &by_system());
        let [EventKind::WorkChanged(changed)] = &happenings[..] else { panic!("{happenings:?}") };
        assert_eq!((changed.change, changed.rep), (*change, RepId::parse(REP).ok()));
        assert_eq!((changed.work.as_str(), changed.work_item), (WORK, SESSION.parse().ok()));
        assert_eq!(ignored, None);
    }
    let (happenings, ignored) = entry("RoutingWorkResult", &result("Snoozed"), &by_system());
    assert_eq!(happenings, [EventKind::WorkItemSeen(SESSION.parse().unwrap())]);
    assert_eq!(ignored.as_deref(), Some("workType Snoozed, which this release does not know"));
}

#[test]
fn a_session_change_is_named_by_its_entry() {
    let (happenings, _) = entry(
        "SessionStatusChanged",
        &json!({"id": "other", "sessionId": SESSION, "sessionStatus": "Waiting", "sessionStatusPrev": "Active", "sessionEndedByRole": "EndUser"}),
        &by_system(),
    );
    let expected = EventKind::SessionChanged {
        entry: EventId::parse("entry-1").unwrap(),
        work_item: SESSION.parse().unwrap(),
        status: SessionStatus::Waiting,
        previous: Some(SessionStatus::Active),
        ended_by: Some(ParticipantRole::EndUser),
    };
    assert_eq!(happenings, [expected]);
    let (happenings, ignored) = entry(
        "SessionStatusChanged",
        &json!({"sessionId": SESSION, "sessionStatus": "Dreaming", "sessionStatusPrev": null}),
        &by_system(),
    );
    assert_eq!(happenings, [EventKind::WorkItemSeen(SESSION.parse().unwrap())]);
    assert_eq!(ignored.as_deref(), Some("sessionStatus Dreaming, which this release does not know"));
}

#[test]
fn participants_come_and_go_and_updates_are_ignored() {
    let change = |operation: &str, role: &str, subject: &str| {
        json!({"operation": operation, "displayName": "x", "menuMetadata": null,
            "participant": {"appType": "agent", "subject": subject, "role": role}})
    };
    let rep_18 = RepId::parse(REP).unwrap().to_18();
    let (happenings, ignored) = entry(
        "ParticipantChanged",
        &json!({"entries": [
            change("add", "Agent", &rep_18), change("remove", "EndUser", "wharf-1"),
            change("update", "Agent", REP), change("add", "Ghost", "boo"),
        ]}),
        &by_rep(),
    );
    let [EventKind::ParticipantsChanged(changes)] = &happenings[..] else { panic!("{happenings:?}") };
    let told: Vec<_> =
        changes.iter().map(|c| (c.participant.role, c.participant.subject.as_str(), c.joined)).collect();
    assert_eq!(told, [(ParticipantRole::Agent, REP, true), (ParticipantRole::EndUser, "wharf-1", false)]);
    assert_eq!(ignored.as_deref(), Some("without a usable participant"));
    let (happenings, _) = entry("ParticipantChanged", &json!({"entries": null}), &by_system());
    assert_eq!(happenings, []);
}

#[test]
fn of_a_message_only_the_sender_is_read() {
    let broken = json!({"abstractMessage": 7, "cancelReason": []});
    let seen = EventKind::ParticipantSeen(Participant::rep(RepId::parse(REP).unwrap()).unwrap());
    let unused = Some("Message, not used for routing".to_owned());
    assert_eq!(entry("Message", &broken, &by_rep()), (vec![seen.clone()], unused.clone()));
    assert_eq!(entry("Message", &broken, &by_system()), (vec![], unused.clone()));
    assert_eq!(entry("Message", &broken, &Value::Null), (vec![], unused));
    let tomorrow = Some("entry type Hologram, which this release does not know".to_owned());
    assert_eq!(entry("Hologram", &broken, &by_rep()), (vec![seen], tomorrow));
}

#[test]
fn a_queue_position_shows_the_work_item() {
    let (happenings, _) =
        entry("QueuePosition", &json!({"workItemId": SESSION, "position": 2}), &by_system());
    assert_eq!(happenings, [EventKind::WorkItemSeen(SESSION.parse().unwrap())]);
}
