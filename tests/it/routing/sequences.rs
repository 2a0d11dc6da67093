//! What is done one after the other, from the request to its result.

use byoc_connector::model::call::CreateAgentWork;

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
    let Order::Call(Call::CreateAgentWork(CreateAgentWork { correlation, work_item: item, .. })) =
        &command.order
    else {
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
    let Order::Call(Call::CreateAgentWork(CreateAgentWork { correlation, routing_type, .. })) = &offer.order
    else {
        panic!("{offer:?}")
    };
    assert_eq!(correlation.as_str(), "from-the-route");
    assert_eq!(*routing_type, RoutingType::Initial);
    chat.input(Input::Answered(offer.id, offered(1)));
    chat.when(accepted(1));
    chat.commands();
    assert_eq!(chat.outcomes(), [Outcome::Joined]);
}
