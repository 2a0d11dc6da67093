//! How each of Salesforce's eight statuses of a session is read.

use super::*;

/// What a status does to a conversation whose conference rings.
fn ringing_conference_sees(status: SessionStatus) -> Scenario {
    let mut chat = Scenario::ringing_rep();
    chat.commands();
    chat.when(session(status, None));
    chat
}

/// A session that waits and whose route is being made, once it has that status.
fn waiting_session_sees(status: SessionStatus) -> Scenario {
    let mut chat = Scenario::unknown(settings());
    chat.when(session(SessionStatus::Waiting, None));
    assert_eq!(chat.commands(), ["route Initial"]);
    let entry = byoc_connector::model::ids::EventId::parse("later").unwrap();
    chat.when(EventKind::SessionChanged {
        entry,
        work_item: work_item(),
        status,
        previous: None,
        ended_by: None,
    });
    chat
}

#[test]
fn each_status_does_what_its_phase_says() {
    assert_eq!(SessionStatus::ALL.len(), 8);
    for &status in SessionStatus::ALL {
        let phase = SessionPhase::of(status);
        let mut conference = ringing_conference_sees(status);
        let waiting = waiting_session_sees(status);
        let taken_back = conference.commands() == ["take back W1"];
        assert_eq!(taken_back, phase == SessionPhase::Over, "{status}: only an end calls off what rings");
        let waits = waiting.conversation.waits_for_a_rep();
        assert_eq!(waits, phase == SessionPhase::Waiting, "{status}: anything else ends the wait");
        let remarks: Vec<&str> = conference.remarks.iter().map(Remark::reason).collect();
        let expected: &[&str] = if phase == SessionPhase::Waiting { &["waits_already"] } else { &[] };
        assert_eq!(remarks, expected, "{status}");
    }
}
