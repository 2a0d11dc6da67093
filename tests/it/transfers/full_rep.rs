//! A direct transfer to a rep who has no room stays open (PROTOCOL §7, §12).

use byoc_connector::model::event::WorkChanged;
use byoc_connector::routing::{Conversations, Input};

use super::*;

/// What Salesforce says of a rep who has no room: no published code means it.
fn no_room() -> Answer {
    Answer::Refused(Refusal {
        status: 202,
        code: None,
        message: "The agent is at capacity".into(),
        after_lost_try: false,
    })
}

/// A transfer to `bo`, who has no room; Salesforce was told that a rep will follow.
fn waiting_for_room() -> Scenario {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", no_room());
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
    chat.answer("report yes", ok());
    chat
}

#[test]
fn it_is_tried_again_after_growing_waits() {
    let mut chat = waiting_for_room();
    for wait in [2, 4, 8, 16, 30, 30] {
        chat.seconds(wait - 1);
        assert_eq!(chat.commands(), [""; 0], "{wait}");
        chat.seconds(1);
        assert_eq!(chat.commands(), ["offer bo (weight 1)"], "{wait}");
        chat.answer("offer bo", no_room());
    }
    chat.seconds(30);
    chat.answer("offer bo", offered(1));
    chat.when(accepted(1));
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}

#[test]
fn it_is_tried_at_once_when_the_rep_is_done_with_other_work() {
    let mut chat = waiting_for_room();
    chat.input(Input::RoomMayBeFree(rep("cem")));
    assert_eq!(chat.commands(), [""; 0]);
    chat.input(Input::RoomMayBeFree(rep("bo")));
    assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
}

#[test]
fn after_the_wait_the_customer_is_routed_by_the_channels_own_setting() {
    let mut chat = waiting_for_room();
    chat.when(went("ann"));
    chat.when(session(SessionStatus::Waiting, None));
    assert_eq!(chat.commands(), [""; 0], "the transfer is still open");
    let end = chat.now + Duration::from_secs(600);
    while chat.now < end && chat.outcomes().is_empty() {
        chat.seconds(1);
        if !chat.open.is_empty() && chat.outcomes().is_empty() {
            chat.answer("offer bo", no_room());
        }
    }
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
    assert_eq!(chat.endings[0].reason, Reason::NoRoom);
    assert_eq!(chat.now.since(chat.endings[0].at), Duration::ZERO);
    assert_eq!(chat.commands().last().unwrap(), "route Initial");
}

#[test]
fn one_who_waits_no_longer_is_routed_even_where_others_route_first_contacts() {
    let mut settings = settings();
    settings.policy.route_waiting = false;
    let mut chat = Scenario::with(settings);
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", offered(1));
    chat.answer("report yes", ok());
    chat.when(went("ann"));
    chat.commands();
    chat.when(changed(1, WorkChange::Cancelled));
    assert_eq!(chat.outcomes(), [Outcome::Failed]);
    assert_eq!(chat.commands(), ["route Initial"], "a rep handed them over, and nobody has them");
}

#[test]
fn a_refusal_that_is_not_for_room_ends_it_and_the_requester_keeps_the_conversation() {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    chat.answer("offer bo", refused(15112, false));
    assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
    chat.answer("report no", ok());
    assert_eq!(chat.outcomes(), [Outcome::Refused]);
    assert!(!chat.conversation.waits_for_a_rep());
}

#[test]
fn an_end_of_other_work_wakes_the_transfers_to_its_rep() {
    use byoc_connector::model::event::Event;
    use byoc_connector::model::ids::ConversationId;
    let id = |name: &str| ConversationId::parse(name).unwrap();
    let now = Scenario::new().now;
    let mut all = Conversations::new(settings());
    let tell = |all: &mut Conversations, name: &str, what: EventKind| {
        let event = Event { conversation: Some(id(name)), what };
        all.on_event(now, event).map(|turn| turn.effects.commands).unwrap_or_default()
    };
    tell(&mut all, "handed-over", session(SessionStatus::Active, None));
    let offer = tell(&mut all, "handed-over", transfer(1, Target::Rep(rep("bo")))).remove(0);
    let _ = all.on_answer(now, id("handed-over"), offer.id, no_room());
    assert!(all.deadline().unwrap() > now);
    let closed = |who| {
        let change = WorkChange::Closed;
        EventKind::WorkChanged(WorkChanged { work: work(9), work_item: None, rep: Some(rep(who)), change })
    };
    tell(&mut all, "other", closed("cem"));
    assert!(all.on_deadline(now).is_none(), "of another rep");
    tell(&mut all, "other", closed("bo"));
    assert!(all.deadline().unwrap() <= now);
    let again = all.on_deadline(now).unwrap();
    assert_eq!(again.conversation, id("handed-over"));
    assert_eq!(sentence(&again.effects.commands[0].order), "offer bo (weight 1)");
    assert!(all.on_deadline(now).is_none(), "once");
}

#[test]
fn it_waits_too_where_an_event_told_of_an_offer_that_was_another_s() {
    let mut chat = Scenario::new();
    chat.when(transfer(1, Target::Rep(rep("bo"))));
    chat.when(changed(9, WorkChange::Assigned));
    chat.answer("offer bo", no_room());
    chat.answer("report yes", ok());
    chat.commands();
    chat.seconds(60);
    assert!(chat.commands().contains(&"offer bo (weight 1)".to_owned()));
}
