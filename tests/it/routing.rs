//! The routing state machine, one rule of PROTOCOL a test.

use byoc_connector::model::call::{Answer, Call, Reply, Routed};
use byoc_connector::model::event::{Happening, RoutingCancelled, Target, WorkChanged};
use byoc_connector::model::ids::{EventId, Subject};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{CancelReason, RoutingType, SessionStatus, WorkChange};
use byoc_connector::routing::{Conversation, Fact, Input, Order, Outcome, Reason, Remark, RequestFact};

use crate::support::scenario::*;

mod owed;
mod refused_reps;
mod waiting;
mod who_left;
mod whom_a_cancel_means;
mod work_item_told_later;

mod sequences {
    use super::*;

    #[test]
    fn a_rep_is_offered_the_work_and_the_result_follows() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
        chat.answer("offer", offered(1));
        assert_eq!(chat.commands(), ["report yes"]);
        chat.answer("report", ok());
        chat.when(accepted(1));
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
        assert_eq!(chat.announced(), ["bo joined"]);
        assert!(chat.conversation.is_idle());
    }

    #[test]
    fn a_queue_is_routed_first_and_its_offers_have_no_capacity() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        assert_eq!(chat.commands(), ["route Conference by queue"]);
        chat.answer("route", routed());
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann]"]);
        chat.found(&["bo"]);
        assert_eq!(chat.commands(), ["offer bo (psr)"]);
        chat.answer("offer", offered(1));
        assert_eq!(chat.commands(), ["report yes"]);
    }

    #[test]
    fn a_flow_may_answer_with_a_rep() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Flow { flow: flow(), fallback: Some(queue()) }));
        assert_eq!(chat.commands(), ["route Conference by flow"]);
        let routed = Routed { psr: Some(psr(1)), rep: Some(rep("dee")), ..Routed::default() };
        chat.answer("route", Answer::Done(Reply::Routed(routed)));
        assert_eq!(chat.commands(), ["offer dee (psr)"]);
    }

    #[test]
    fn a_flow_may_answer_with_a_queue() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Flow { flow: flow(), fallback: Some(queue()) }));
        chat.commands();
        let routed = Routed { psr: Some(psr(1)), queue: Some(queue()), ..Routed::default() };
        chat.answer("route", Answer::Done(Reply::Routed(routed)));
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann]"]);
    }

    #[test]
    fn skills_are_searched_without_a_route_and_additional_ones_are_dropped() {
        let mut chat = Scenario::new();
        let skills = vec![skill("french", None), skill("mouse", Some(1)), skill("canada", Some(2))];
        chat.when(requested(1, Target::Skills(skills)));
        assert_eq!(chat.commands(), ["find 1 french+mouse+canada, not [ann]"]);
        chat.found(&[]);
        assert_eq!(chat.commands(), ["find 1 french+mouse, not [ann]"]);
        chat.found(&[]);
        assert_eq!(chat.commands(), ["find 1 french, not [ann]"]);
        chat.found(&["bo"]);
        assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
        chat.answer("offer", offered(1));
        chat.when(declined(1));
        assert_eq!(chat.commands(), ["report yes", "find 1 french+mouse+canada, not [ann bo]"]);
    }

    #[test]
    fn nobody_with_the_required_skills_ends_the_request() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Skills(vec![skill("french", None)])));
        chat.found(&[]);
        assert_eq!(chat.commands(), ["find 1 french, not [ann]", "report no"]);
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Failed]);
        assert_eq!(chat.endings[0].reason, Reason::NobodyAvailable);
    }

    #[test]
    fn offers_name_the_routing_event_and_keep_their_request_id() {
        let mut chat = Scenario::new();
        chat.when(requested(7, Target::Rep(rep("bo"))));
        let command = chat.open[0].clone();
        let Order::Call(Call::CreateAgentWork { correlation, work_item: item, .. }) = &command.order else {
            panic!("{command:?}")
        };
        assert_eq!(*correlation, event(7));
        assert_eq!(*item, work_item());
        assert_eq!(command.id.request_id(), command.id.clone().request_id());
        assert_ne!(
            command.id.request_id(),
            byoc_connector::routing::CommandId { number: command.id.number + 1, ..command.id }.request_id()
        );
    }

    #[test]
    fn the_result_waits_for_the_accept_where_the_partner_wants_it_so() {
        let mut chat = Scenario::report_accepted();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer", offered(1));
        assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
        chat.when(accepted(1));
        assert_eq!(chat.commands(), ["report yes"]);
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn a_session_back_in_waiting_is_routed_anew_once() {
        let mut chat = Scenario::new();
        let waiting = session(SessionStatus::Waiting, Some(SessionStatus::Active));
        chat.when(waiting.clone());
        chat.when(waiting);
        assert_eq!(chat.commands(), ["route Initial"]);
        let routed = Routed {
            psr: Some(psr(1)),
            queue: Some(queue()),
            correlation: Some(EventId::parse("from-the-route").unwrap()),
            ..Routed::default()
        };
        chat.answer("route", Answer::Done(Reply::Routed(routed)));
        chat.found(&["bo"]);
        let offer = chat.take("offer bo (psr)");
        let Order::Call(Call::CreateAgentWork { correlation, routing_type, .. }) = &offer.order else {
            panic!("{offer:?}")
        };
        assert_eq!(correlation.as_str(), "from-the-route");
        assert_eq!(*routing_type, RoutingType::Initial);
        chat.input(Input::Answered(offer.id, offered(1)));
        chat.when(accepted(1));
        chat.commands();
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }
}

mod refusals {
    use super::*;

    fn refused_with(mut chat: Scenario, target: Target) -> Reason {
        chat.commands();
        chat.when(requested(1, target));
        assert_eq!(chat.commands(), ["report no"]);
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Refused]);
        chat.endings[0].reason.clone()
    }

    #[test]
    fn a_target_that_cannot_join_is_refused_in_words() {
        let bot = Subject::parse("1JZ000000000001").unwrap();
        let outside = Subject::parse("+4930").unwrap();
        let flow = Target::Flow { flow: flow(), fallback: None };
        for (target, reason) in [
            (Target::Bot(bot), Reason::Bot),
            (Target::External(outside), Reason::OutsideContact),
            (Target::Unreadable, Reason::Unreadable),
            (Target::Rep(rep("ann")), Reason::AlreadyIn),
            (flow, Reason::NoFallbackQueue),
        ] {
            assert_eq!(refused_with(Scenario::new(), target), reason);
        }
    }

    #[test]
    fn a_channel_without_conferences_refuses_them() {
        let mut settings = settings();
        settings.conference_supported = false;
        let reason = refused_with(Scenario::with(settings), Target::Rep(rep("bo")));
        assert_eq!(reason.to_string(), "This channel does not support conferences.");
    }

    #[test]
    fn the_limit_counts_everybody_and_the_seats_that_are_promised() {
        let mut settings = settings();
        settings.participant_limit = Some(4);
        let mut chat = Scenario::with(settings.clone());
        chat.when(came("bo"));
        chat.when(came("cem"));
        assert_eq!(refused_with(chat, Target::Rep(rep("dee"))), Reason::Full(4));

        let mut chat = Scenario::with(settings.clone());
        chat.when(Happening::ParticipantSeen(bot()));
        chat.when(requested(2, Target::Queue(queue())));
        assert_eq!(refused_with(chat, Target::Rep(rep("dee"))), Reason::Full(4));

        let mut chat = Scenario::with(settings);
        chat.when(came("bo"));
        chat.when(came("cem"));
        chat.when(went("bo"));
        chat.when(requested(1, Target::Rep(rep("dee"))));
        assert_eq!(chat.commands(), ["offer dee (weight 1)"]);
    }

    #[test]
    fn a_rep_who_is_being_invited_is_not_invited_again() {
        let mut chat = Scenario::new();
        chat.when(requested(2, Target::Rep(rep("bo"))));
        assert_eq!(refused_with(chat, Target::Rep(rep("bo"))), Reason::AlreadyInvited);
    }

    #[test]
    fn a_route_may_tell_the_work_item() {
        let mut chat = Scenario::unknown(settings());
        chat.when(requested(1, Target::Queue(queue())));
        let routed = Routed { psr: Some(psr(1)), work_item: Some(work_item()), ..Routed::default() };
        chat.answer("route", Answer::Done(Reply::Routed(routed)));
        chat.found(&["bo"]);
        assert_eq!(
            chat.commands(),
            ["route Conference by queue", "find 1 in the queue, not []", "offer bo (psr)"]
        );
    }

    #[test]
    fn events_may_tell_the_work_item_after_the_route() {
        let mut chat = Scenario::unknown(settings());
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        assert_eq!(chat.commands(), ["route Conference by queue"]);
        chat.when(Happening::RoutingStarted { psr: None, work_item: Some(work_item()) });
        assert_eq!(chat.commands(), ["find 1 in the queue, not []"]);
    }

    #[test]
    fn a_request_of_yesterday_is_not_answered() {
        let mut chat = Scenario::new();
        chat.now = Timestamp::from_millis(60_000);
        chat.when(requested(1, Target::Rep(rep("bo"))));
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.outcomes(), [Outcome::Failed]);
        assert_eq!(chat.endings[0].reason, Reason::TooOld);
    }
}

mod after_the_offer {
    use super::*;

    #[test]
    fn a_decline_asks_the_next_rep_of_the_queue_without_the_one_who_declined() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(declined(1));
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
        chat.found(&["bo", "cem"]);
        assert_eq!(chat.commands(), ["offer cem (psr)"]);
        chat.answer("offer", offered(2));
        assert_eq!(chat.commands(), [""; 0], "the result was given already");
        chat.when(accepted(2));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
        assert_eq!(chat.endings[0].reason, Reason::Joined(rep("cem")));
    }

    #[test]
    fn when_nobody_is_left_the_psr_is_cleared() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(declined(1));
        chat.found(&[]);
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]", "clear Decline"]);
        assert_eq!(chat.outcomes(), [], "not before it is cleared");
        chat.answer("clear", ok());
        assert_eq!(chat.outcomes(), [Outcome::Declined]);
    }

    #[test]
    fn a_rep_who_was_asked_for_by_name_and_declines_ends_the_request() {
        let mut chat = Scenario::ringing_rep();
        chat.when(declined(1));
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.outcomes(), [Outcome::Declined]);
    }

    #[test]
    fn no_second_offer_before_the_first_is_cancelled() {
        let mut chat = Scenario::ringing_from_queue();
        chat.seconds(30);
        assert_eq!(chat.commands(), ["take back W1"]);
        chat.answer("take back", ok());
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
        chat.found(&[]);
        assert_eq!(chat.commands(), ["clear Unavailable"]);
        chat.answer("clear", ok());
        assert_eq!(chat.outcomes(), [Outcome::Unanswered]);
    }

    #[test]
    fn an_accept_that_beats_the_cancel_joins() {
        let mut chat = Scenario::ringing_from_queue();
        chat.seconds(30);
        chat.when(accepted(1));
        chat.answer("take back", refused(10085, false));
        assert_eq!(chat.commands(), ["take back W1"]);
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn a_cancel_that_salesforce_refuses_waits_for_the_word_of_the_rep() {
        let mut chat = Scenario::ringing_from_queue();
        chat.seconds(30);
        chat.answer("take back", refused(10085, false));
        assert_eq!(chat.commands(), ["take back W1"], "nobody else is asked meanwhile");
        chat.when(accepted(1));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn a_cancel_that_stays_unexplained_gives_up_rather_than_invite_two() {
        let mut chat = Scenario::ringing_from_queue();
        chat.seconds(30);
        chat.answer("take back", Answer::Lost);
        chat.seconds(10);
        assert_eq!(chat.commands(), ["take back W1", "take back W1", "clear Unknown"]);
        chat.answer("clear", ok());
        chat.answer("take back", ok());
        assert_eq!(chat.endings[0].reason, Reason::OfferUnclear);
    }

    #[test]
    fn a_cancel_while_the_offer_is_being_made_waits_for_its_id() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.commands();
        chat.when(requester_cancelled());
        assert_eq!(chat.commands(), [""; 0]);
        chat.answer("offer", offered(1));
        assert_eq!(chat.commands(), ["take back W1"]);
        chat.answer("take back", ok());
        assert_eq!(chat.commands(), [""; 0], "no routing result: Salesforce knows");
        assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    }

    #[test]
    fn a_cancel_while_it_rings_takes_the_offer_back_and_then_clears_the_psr() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(requester_cancelled());
        assert_eq!(chat.commands(), ["take back W1"]);
        chat.answer("take back", ok());
        assert_eq!(chat.commands(), ["clear Cancel"]);
        chat.answer("clear", ok());
        assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    }

    #[test]
    fn a_cancel_while_the_route_is_made_waits_for_it_and_clears_it() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.when(requester_cancelled());
        assert_eq!(chat.commands(), ["route Conference by queue"]);
        chat.answer("route", routed());
        assert_eq!(chat.commands(), ["clear Cancel"]);
        chat.answer("clear", ok());
        assert_eq!(chat.outcomes(), [Outcome::Cancelled]);
    }

    #[test]
    fn a_cancel_after_the_join_is_too_late() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer", offered(1));
        chat.when(accepted(1));
        chat.when(requester_cancelled());
        assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
        assert_eq!(chat.remarks, [Remark::TooLateToCancel(event(1))]);
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn a_cancel_names_its_request_by_the_psr_where_it_can() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.when(requested(2, Target::Rep(rep("dee"))));
        chat.commands();
        chat.when(Happening::RoutingCancelled(RoutingCancelled {
            entry: None,
            reason: CancelReason::Cancel,
            routing_type: Some(RoutingType::Conference),
            psr: Some(psr(1)),
            work: None,
            initiator: None,
            by: None,
        }));
        assert_eq!(chat.commands(), ["clear Cancel"]);
    }

    #[test]
    fn a_cancel_without_a_name_means_the_newest_request() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer bo", offered(1));
        chat.when(requested(2, Target::Rep(rep("dee"))));
        chat.answer("offer dee", offered(2));
        chat.commands();
        chat.when(requester_cancelled());
        assert_eq!(chat.commands(), ["take back W2"]);
    }

    #[test]
    fn an_accept_that_beats_the_requesters_cancel_joins() {
        let mut chat = Scenario::ringing_rep();
        chat.when(requester_cancelled());
        chat.when(accepted(1));
        chat.answer("take back", refused(10085, false));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn the_end_user_who_leaves_and_the_session_that_ends_call_everything_off() {
        for end in [cancelled(CancelReason::EndUserEnded), session(SessionStatus::Ended, None)] {
            let mut chat = Scenario::ringing_from_queue();
            chat.when(requested(2, Target::Rep(rep("dee"))));
            chat.commands();
            chat.when(end);
            assert_eq!(chat.commands(), ["take back W1"]);
            chat.answer("take back", ok());
            chat.answer("offer dee", offered(2));
            chat.answer("take back W2", ok());
            chat.answer("clear Cancel", ok());
            assert_eq!(chat.outcomes(), [Outcome::Cancelled, Outcome::Cancelled]);
        }
    }

    #[test]
    fn the_end_of_a_session_of_the_past_ends_nothing() {
        let mut chat = Scenario::ringing_rep();
        chat.when(Happening::SessionChanged {
            entry: EventId::parse("old").unwrap(),
            work_item: byoc_connector::model::ids::WorkItemId::parse("0Mw000000000999").unwrap(),
            status: SessionStatus::Ended,
            previous: None,
        });
        assert_eq!(chat.commands(), [""; 0]);
    }

    #[test]
    fn salesforces_echo_of_our_own_clearing_changes_nothing() {
        let mut chat = Scenario::ringing_from_queue();
        for reason in [CancelReason::Decline, CancelReason::Unavailable, CancelReason::Unknown] {
            chat.when(cancelled(reason));
        }
        assert_eq!(chat.commands(), [""; 0]);
        chat.when(accepted(1));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn joining_confirms_an_accept_that_was_never_told() {
        let mut chat = Scenario::ringing_rep();
        chat.when(came("bo"));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
        chat.when(accepted(1));
        assert_eq!(chat.announced(), ["bo joined"], "told once");
    }

    #[test]
    fn a_rep_who_leaves_is_announced_once() {
        let mut chat = Scenario::new();
        chat.when(came("bo"));
        chat.when(went("bo"));
        chat.when(went("bo"));
        assert_eq!(chat.announced(), ["bo joined", "bo left"]);
    }

    #[test]
    fn an_accept_before_the_answer_of_its_offer_joins() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.when(accepted(1));
        assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
        chat.answer("offer", offered(1));
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn a_decline_before_the_answer_of_its_offer_counts() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.when(declined(1));
        assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
        chat.answer("offer", offered(1));
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Declined]);
    }

    #[test]
    fn the_same_event_twice_changes_nothing() {
        let mut chat = Scenario::ringing_from_queue();
        let before = chat.conversation.clone();
        chat.when(requested(1, Target::Queue(queue())));
        assert_eq!(chat.conversation, before);
        chat.when(accepted(1));
        let after = chat.conversation.clone();
        chat.when(accepted(1));
        chat.when(requested(1, Target::Queue(queue())));
        assert_eq!(chat.conversation, after);
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn an_offer_of_somebody_else_is_nobodys_accept() {
        let mut chat = Scenario::new();
        chat.when(accepted(9));
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.when(accepted(9));
        assert_eq!(chat.commands(), ["offer bo (weight 1)"]);
        assert_eq!(chat.outcomes(), []);
    }
}

mod two_requests {
    use super::*;

    #[test]
    fn a_clear_is_held_back_while_another_request_needs_its_psr() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(requested(2, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["dee"]);
        chat.answer("offer dee", offered(2));
        chat.answer("report", ok());
        chat.commands();
        chat.when(declined(1));
        chat.found(&[]);
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo dee]"]);
        chat.when(accepted(2));
        assert_eq!(chat.commands(), ["clear Decline"]);
        chat.answer("clear", ok());
        assert_eq!(chat.outcomes(), [Outcome::Joined, Outcome::Declined]);
    }

    #[test]
    fn a_held_back_clear_does_not_hold_back_the_result() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(requested(2, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.commands();
        chat.found(&[]);
        assert_eq!(chat.commands(), ["report no"]);
    }

    #[test]
    fn a_route_waits_for_a_clear_that_is_under_way() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(requester_cancelled());
        chat.answer("take back", ok());
        chat.when(requested(2, Target::Queue(queue())));
        assert_eq!(chat.commands(), ["take back W1", "clear Cancel"]);
        chat.answer("clear", ok());
        assert_eq!(chat.commands(), ["route Conference by queue"]);
    }

    #[test]
    fn nobody_is_offered_the_same_conversation_twice() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(requested(2, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["bo", "ann", "cem"]);
        assert_eq!(chat.commands().last().unwrap(), "offer cem (psr)");
    }
}

mod ring_all {
    use super::*;

    #[test]
    fn everybody_rings_and_the_losers_are_taken_back() {
        let mut chat = Scenario::ring_all(None);
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        assert_eq!(chat.commands().last().unwrap(), "find 20 in the queue, not [ann]");
        chat.found(&["bo", "cem", "dee"]);
        assert_eq!(chat.commands(), ["offer bo (psr)", "offer cem (psr)", "offer dee (psr)"]);
        chat.answer("offer bo", offered(1));
        chat.answer("offer cem", offered(2));
        chat.answer("offer dee", offered(3));
        chat.commands();
        chat.when(accepted(2));
        assert_eq!(chat.commands(), ["take back W1", "take back W3"]);
        chat.answer("report", ok());
        chat.answer("take back W1", ok());
        assert_eq!(chat.outcomes(), []);
        chat.answer("take back W3", ok());
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn of_two_who_accept_the_second_is_removed() {
        let mut chat = Scenario::ring_all(None);
        chat.when(requested(1, Target::Skills(vec![skill("french", None)])));
        chat.found(&["bo", "cem"]);
        chat.answer("offer bo", offered(1));
        chat.answer("offer cem", offered(2));
        chat.answer("report", ok());
        chat.commands();
        chat.when(accepted(1));
        chat.when(accepted(2));
        assert_eq!(chat.commands(), ["take back W2", "remove cem"]);
        chat.answer("remove", ok());
        assert_eq!(chat.announced(), ["bo joined", "cem joined", "cem left"]);
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn word_of_an_accept_that_comes_after_the_removal_changes_nothing() {
        let mut chat = Scenario::ring_all(None);
        chat.when(requested(1, Target::Skills(vec![skill("french", None)])));
        chat.found(&["bo", "cem", "dee"]);
        chat.answer("offer bo", offered(1));
        chat.answer("offer cem", offered(2));
        chat.answer("offer dee", offered(3));
        chat.answer("report", ok());
        chat.when(accepted(1));
        chat.when(came("cem"));
        chat.answer("remove cem", ok());
        chat.commands();
        chat.when(accepted(2));
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.announced(), ["bo joined", "cem joined", "cem left"]);
    }

    #[test]
    fn the_id_of_an_offer_whose_rep_was_removed_is_no_second_offer() {
        let mut chat = Scenario::ring_all(None);
        chat.when(requested(1, Target::Skills(vec![skill("french", None)])));
        chat.found(&["bo", "cem"]);
        chat.answer("offer bo", offered(1));
        chat.when(accepted(1));
        chat.when(came("cem"));
        chat.answer("remove cem", ok());
        chat.commands();
        chat.when(accepted(2));
        chat.answer("offer cem", offered(2));
        assert_eq!(chat.commands(), [""; 0]);
    }

    #[test]
    fn no_more_ring_than_there_are_seats() {
        let mut chat = Scenario::ring_all(Some(4));
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        assert_eq!(chat.commands().last().unwrap(), "find 2 in the queue, not [ann]");
        chat.found(&["bo", "cem", "dee"]);
        assert_eq!(chat.commands(), ["offer bo (psr)", "offer cem (psr)"]);
        chat.answer("offer bo", offered(1));
        chat.answer("report", ok());
        chat.commands();
        chat.when(declined(1));
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo cem]"]);
    }

    #[test]
    fn an_accept_of_an_unknown_offer_waits_until_the_answers_tell_whose_it_is() {
        let mut chat = Scenario::ring_all(None);
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["bo", "cem"]);
        chat.when(accepted(2));
        chat.answer("offer bo", offered(1));
        assert_eq!(chat.announced(), [""; 0]);
        chat.answer("offer cem", offered(2));
        assert_eq!(chat.announced(), ["cem joined"]);
    }

    #[test]
    fn an_event_that_names_the_rep_is_placed_at_once() {
        let mut chat = Scenario::ring_all(None);
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["bo", "cem"]);
        chat.when(Happening::WorkChanged(WorkChanged {
            work: work(2),
            work_item: None,
            rep: Some(rep("cem")),
            change: WorkChange::Accepted,
        }));
        assert_eq!(chat.announced(), ["cem joined"]);
    }
}

mod failures {
    use super::*;

    #[test]
    fn a_refused_route_needs_no_clearing() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", refused(10032, false));
        assert_eq!(chat.commands(), ["route Conference by queue", "report no"]);
        chat.answer("report", ok());
        assert_eq!(chat.outcomes(), [Outcome::Failed]);
    }

    #[test]
    fn a_route_that_may_have_been_made_is_cleared() {
        for answer in [Answer::Lost, refused(10032, true)] {
            let mut chat = Scenario::new();
            chat.when(requested(1, Target::Queue(queue())));
            chat.answer("route", answer);
            assert_eq!(chat.commands(), ["route Conference by queue", "clear Unknown"]);
            chat.answer("clear", ok());
            assert_eq!(chat.commands(), ["report no"]);
        }
    }

    #[test]
    fn an_offer_that_exists_already_after_a_lost_answer_is_ours() {
        let mut chat = Scenario::ringing_from_queue();
        chat.when(declined(1));
        chat.found(&["cem"]);
        chat.answer("offer cem", refused(15109, true));
        chat.commands();
        chat.when(changed(2, WorkChange::Assigned));
        chat.when(accepted(2));
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn an_offer_that_exists_already_and_is_not_ours_ends_the_request() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer", refused(15109, false));
        assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
    }

    #[test]
    fn an_offer_that_exists_already_is_ours_where_its_assignment_was_seen() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.when(changed(1, WorkChange::Assigned));
        chat.answer("offer", refused(15109, false));
        assert_eq!(chat.commands(), ["offer bo (weight 1)", "report yes"]);
        chat.seconds(30);
        assert_eq!(chat.commands(), ["take back W1"]);
    }

    #[test]
    fn an_offer_of_unknown_id_blocks_the_next_until_it_can_be_taken_back() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["bo"]);
        chat.answer("offer", Answer::Lost);
        chat.commands();
        chat.seconds(20);
        chat.when(changed(5, WorkChange::Assigned));
        assert_eq!(chat.commands(), ["report yes"]);
        chat.seconds(30);
        assert_eq!(chat.commands(), ["take back W5"]);
    }

    #[test]
    fn an_offer_whose_id_never_comes_ends_the_request_and_is_still_taken_back_later() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer", Answer::Lost);
        chat.commands();
        chat.seconds(40);
        assert_eq!(chat.commands(), ["report no"]);
        chat.answer("report", ok());
        chat.seconds(60);
        chat.when(changed(5, WorkChange::Assigned));
        assert_eq!(chat.commands(), ["take back W5"]);
        chat.answer("take back", ok());
        assert_eq!(chat.outcomes(), [Outcome::Failed]);
    }

    #[test]
    fn a_rep_who_accepts_after_the_no_is_taken_out_again() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer", Answer::Lost);
        chat.seconds(40);
        chat.answer("report no", ok());
        chat.commands();
        chat.when(accepted(5));
        assert_eq!(chat.commands(), ["remove bo"]);
        chat.answer("remove", ok());
        assert_eq!(chat.outcomes(), [Outcome::Failed]);
    }

    #[test]
    fn an_offer_that_salesforce_takes_back_is_not_left_ringing() {
        let mut chat = Scenario::ringing_rep();
        chat.when(changed(1, WorkChange::Cancelled));
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.endings[0].reason, Reason::OfferWithdrawn);
    }

    #[test]
    fn a_late_answer_changes_nothing() {
        let mut chat = Scenario::ringing_rep();
        let late = byoc_connector::routing::CommandId { request: event(1), number: 0 };
        let before = chat.conversation.clone();
        chat.input(Input::Answered(late.clone(), Answer::Lost));
        assert_eq!(chat.conversation, before);
        assert_eq!(chat.remarks, [Remark::LateAnswer(late)]);
    }
}

mod sixty_seconds {
    use super::*;

    #[test]
    fn a_result_that_would_come_too_late_is_sent_before_the_offer() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.commands();
        chat.seconds(51);
        assert_eq!(chat.commands(), [""; 0]);
        chat.seconds(1);
        assert_eq!(chat.commands(), ["report yes"]);
        chat.answer("report", ok());
        chat.seconds(20);
        chat.found(&["bo"]);
        assert_eq!(chat.commands(), ["offer bo (psr)"]);
    }

    #[test]
    fn with_report_accepted_the_result_is_not_later_than_the_margin() {
        let mut chat = Scenario::report_accepted();
        chat.settings.policy.ring_seconds = 300;
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer", offered(1));
        chat.commands();
        chat.seconds(52);
        assert_eq!(chat.commands(), ["report yes"]);
    }

    #[test]
    fn a_route_without_an_answer_gives_up_in_time() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        assert_eq!(chat.open[0].give_up_at, Timestamp::from_millis(52_000));
        chat.commands();
        chat.seconds(52);
        assert_eq!(chat.commands(), ["report no"]);
        chat.answer("report", ok());
        chat.answer("route", Answer::Lost);
        assert_eq!(chat.commands(), ["clear Unknown"]);
        chat.answer("clear", ok());
        assert_eq!(chat.endings[0].reason, Reason::OutOfTime);
    }

    #[test]
    fn a_request_that_comes_late_is_promised_first() {
        let mut chat = Scenario::new();
        chat.now = Timestamp::from_millis(55_000);
        chat.when(requested(1, Target::Rep(rep("bo"))));
        assert_eq!(chat.commands(), ["report yes", "offer bo (weight 1)"]);
    }

    #[test]
    fn a_router_that_keeps_silent_is_not_waited_for_for_ever() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.seconds(52);
        chat.answer("report", ok());
        chat.commands();
        chat.seconds(68);
        assert_eq!(chat.commands(), ["clear Unavailable"]);
        chat.answer("clear", ok());
        assert_eq!(chat.endings[0].reason, Reason::RouterSilent);
    }

    #[test]
    fn a_no_is_sent_in_time_even_where_the_clearing_hangs() {
        let mut chat = Scenario::new();
        chat.now = Timestamp::from_millis(50_000);
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&[]);
        assert_eq!(
            chat.commands(),
            ["route Conference by queue", "find 1 in the queue, not [ann]", "clear Unavailable"]
        );
        chat.seconds(2);
        assert_eq!(chat.commands(), ["report no"]);
    }
}

mod journal {
    use super::*;

    #[test]
    fn the_facts_give_the_state_back_and_the_open_commands_with_their_ids() {
        let mut chat = Scenario::ringing_from_queue();
        chat.seconds(30);
        let mut again = Conversation::new(chat.conversation.id().clone());
        for fact in &chat.facts {
            let stored = serde_json::to_string(fact).unwrap();
            again.apply(&serde_json::from_str(&stored).unwrap()).unwrap();
        }
        assert_eq!(again, chat.conversation);
        assert_eq!(again.outstanding(&chat.settings), chat.open);
    }

    #[test]
    fn a_fact_that_does_not_fit_is_refused_and_named() {
        let chat = Scenario::ringing_from_queue();
        let mut conversation = chat.conversation.clone();
        let made = |fact: &&Fact| matches!(fact, Fact::About(_, RequestFact::RouteMade { .. }));
        let again = chat.facts.iter().find(made).unwrap();
        let error = conversation.apply(again).unwrap_err();
        assert!(error.to_string().contains("does not fit"), "{error}");
        assert_eq!(conversation, chat.conversation);
    }

    #[test]
    fn the_state_is_a_plain_value() {
        let chat = Scenario::ringing_from_queue();
        let stored = serde_json::to_string(&chat.conversation).unwrap();
        assert_eq!(serde_json::from_str::<Conversation>(&stored).unwrap(), chat.conversation);
    }
}

mod repeated_offers {
    use super::*;

    /// A queue conference in which the answer to `bo`'s offer is lost and an event tells of it as W1.
    fn making_with_lost_answer() -> Scenario {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Queue(queue())));
        chat.answer("route", routed());
        chat.found(&["bo"]);
        chat.when(changed(1, WorkChange::Assigned));
        chat.commands();
        chat
    }

    #[test]
    fn a_try_that_rings_a_rep_who_has_declined_is_taken_back() {
        let mut chat = making_with_lost_answer();
        chat.when(declined(1));
        chat.answer("offer bo", offered(2));
        assert_eq!(chat.commands(), ["take back W2", "report yes"]);
        chat.answer("take back W2", ok());
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
    }

    #[test]
    fn nobody_else_is_asked_while_a_try_may_ring_the_rep_again() {
        let mut chat = making_with_lost_answer();
        chat.when(declined(1));
        assert_eq!(chat.commands(), [""; 0]);
        chat.answer("offer bo", Answer::Lost);
        assert_eq!(chat.commands(), [""; 0]);
        chat.seconds(10);
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
    }

    #[test]
    fn a_second_offer_that_an_event_tells_of_is_taken_back() {
        let mut chat = making_with_lost_answer();
        chat.when(declined(1));
        chat.when(changed(2, WorkChange::Assigned));
        assert_eq!(chat.commands(), ["take back W2", "report yes"]);
        chat.when(declined(1));
        chat.answer("offer bo", offered(2));
        chat.answer("take back W2", ok());
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
    }

    #[test]
    fn the_answer_that_names_the_offer_again_ends_the_wait() {
        let mut chat = making_with_lost_answer();
        chat.when(declined(1));
        chat.answer("offer bo", offered(1));
        assert_eq!(chat.commands(), ["find 1 in the queue, not [ann bo]"]);
    }

    #[test]
    fn a_rep_who_may_ring_again_is_not_found_for_another_request() {
        let mut chat = making_with_lost_answer();
        chat.when(declined(1));
        chat.when(requested(2, Target::Queue(queue())));
        chat.answer("route", routed());
        assert_eq!(chat.commands().last().unwrap(), "find 1 in the queue, not [ann bo]");
        chat.found(&["bo", "cem"]);
        assert_eq!(chat.commands(), ["offer cem (psr)"]);
    }

    #[test]
    fn the_second_offer_of_an_answer_without_id_is_taken_back() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer bo", Answer::Done(Reply::Offered(None)));
        chat.when(changed(1, WorkChange::Assigned));
        chat.when(declined(1));
        chat.commands();
        chat.when(changed(2, WorkChange::Assigned));
        assert_eq!(chat.commands(), ["take back W2"]);
    }

    #[test]
    fn a_rep_whose_offer_may_be_made_again_is_not_asked_for_another_request() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.when(changed(1, WorkChange::Assigned));
        chat.when(declined(1));
        chat.when(requested(2, Target::Rep(rep("bo"))));
        chat.answer("report no", ok());
        chat.answer("report no", ok());
        assert_eq!(chat.endings.last().map(|ending| &ending.reason), Some(&Reason::AlreadyInvited));
        chat.answer("offer bo", Answer::Lost);
        let commands = chat.commands();
        assert_eq!(commands, ["offer bo (weight 1)", "report no", "report no"], "one offer");
    }

    #[test]
    fn the_end_of_a_work_that_is_told_first_does_not_make_it_foreign() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.when(changed(1, WorkChange::Closed));
        chat.when(changed(1, WorkChange::Assigned));
        chat.when(accepted(1));
        chat.answer("offer bo", offered(1));
        chat.answer("report yes", ok());
        assert_eq!(chat.outcomes(), [Outcome::Joined]);
    }

    #[test]
    fn an_offer_that_was_answered_is_not_made_again_after_a_restart() {
        let mut chat = making_with_lost_answer();
        chat.when(declined(1));
        let [offer] = &chat.conversation.outstanding(&chat.settings)[..] else { panic!() };
        assert!(offer.give_up_at <= chat.now, "its time is over: {offer:?}");
    }

    #[test]
    fn an_offer_that_an_event_told_of_outlives_a_refusal_after_a_lost_try() {
        let mut chat = making_with_lost_answer();
        chat.answer("offer bo", refused(15112, true));
        assert_eq!(chat.outcomes(), []);
        assert_eq!(chat.commands(), ["report yes"]);
        chat.seconds(30);
        assert_eq!(chat.commands(), ["take back W1"]);
    }

    #[test]
    fn a_refusal_after_a_lost_try_leaves_time_for_the_offer_to_show_up() {
        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer bo", refused(10071, true));
        assert_eq!(chat.commands(), ["offer bo (weight 1)"], "no \"no\" yet");
        chat.when(accepted(1));
        chat.answer("take back W1", refused(10085, false));
        chat.answer("report yes", ok());
        chat.seconds(10);
        assert_eq!(chat.outcomes(), [Outcome::Joined]);

        let mut chat = Scenario::new();
        chat.when(requested(1, Target::Rep(rep("bo"))));
        chat.answer("offer bo", refused(15112, true));
        chat.seconds(10);
        assert_eq!(chat.commands(), ["offer bo (weight 1)", "report no"]);
        chat.answer("report no", ok());
        assert!(matches!(chat.endings[0].reason, Reason::SalesforceRefused(..)));
    }
}

mod cancels {
    use super::*;

    fn cancel(entry: &str, by: &str) -> Happening {
        Happening::RoutingCancelled(RoutingCancelled {
            entry: EventId::parse(entry).ok(),
            reason: CancelReason::Cancel,
            routing_type: Some(RoutingType::Conference),
            psr: None,
            work: None,
            initiator: None,
            by: Some(rep(by)),
        })
    }

    fn requested_by(number: u32, who: &str, target: Target) -> Happening {
        let Happening::RoutingRequested(mut request) = requested(number, target) else { panic!() };
        request.requester = Some(rep(who));
        Happening::RoutingRequested(request)
    }

    #[test]
    fn a_cancel_that_comes_again_does_not_mean_the_next_request() {
        let mut chat = Scenario::new();
        chat.when(requested_by(1, "ann", Target::Rep(rep("bo"))));
        chat.answer("offer bo", offered(1));
        chat.when(cancel("c-1", "ann"));
        chat.answer("take back W1", ok());
        chat.when(requested_by(2, "ann", Target::Rep(rep("dee"))));
        chat.commands();
        chat.when(cancel("c-1", "ann"));
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.remarks.last(), Some(&Remark::SeenBefore(EventId::parse("c-1").unwrap())));
        chat.answer("offer dee", offered(2));
        assert_eq!(chat.commands(), ["report yes"]);
        chat.when(cancel("c-2", "ann"));
        assert_eq!(chat.commands(), ["take back W2"]);
    }

    #[test]
    fn a_cancel_never_means_the_request_of_another_rep() {
        let mut chat = Scenario::new();
        chat.when(came("cem"));
        chat.when(requested_by(1, "ann", Target::Rep(rep("bo"))));
        chat.answer("offer bo", offered(1));
        chat.commands();
        chat.when(cancel("c-1", "cem"));
        assert_eq!(chat.commands(), [""; 0]);
        assert_eq!(chat.remarks.last(), Some(&Remark::NothingToCancel));
    }
}
