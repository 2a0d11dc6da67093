//! The order of calls, by construction.

use super::*;
use crate::interaction::TryOutcome;
use crate::model::call::{
    ClearRoute, CreateAgentWork, RemoveParticipant, Reply, ReportResult, Route, RouteBy, RoutingOutcome,
    UpdateAgentWork,
};
use crate::model::ids::{AgentWorkId, EventId, QueueId, RepId, WorkItemId};
use crate::model::words::{CancelReason, RoutingType};

const GIVE_UP: Timestamp = Timestamp::from_millis(60_000);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn id(number: u16) -> CallId {
    CallId { conversation: chat(), command: command(number) }
}

fn command(number: u16) -> CommandId {
    CommandId { request: EventId::parse("0d8b7f6c-6a5f-4d1c-8f6e-1b2c3d4e5f60").unwrap(), number }
}

fn chat() -> ConversationId {
    ConversationId::parse("chat-1").unwrap()
}

/// A call of each kind.
fn each_kind() -> [Call; 6] {
    let (rep, work_item) =
        (RepId::parse("005000000000001").unwrap(), WorkItemId::parse("0Mw000000000001").unwrap());
    let routing_type = RoutingType::Conference;
    [
        Call::Route(Route {
            conversation: chat(),
            routing_type,
            by: RouteBy::Queue(QueueId::parse("00G000000000001").unwrap()),
        }),
        Call::CreateAgentWork(CreateAgentWork {
            rep,
            work_item,
            conversation: chat(),
            routing_type,
            correlation: command(0).request,
            capacity: None,
        }),
        Call::UpdateAgentWork(UpdateAgentWork::cancel(AgentWorkId::parse("0Bz000000000001").unwrap())),
        Call::ReportResult(ReportResult {
            conversation: chat(),
            work_item,
            routing_type,
            result: RoutingOutcome::Routed,
        }),
        Call::ClearRoute(ClearRoute { conversation: chat(), reason: CancelReason::Cancel }),
        Call::RemoveParticipant(RemoveParticipant::rep(chat(), rep)),
    ]
}

fn tried(outcome: TryOutcome) -> Tried {
    Tried { outcome, token: None }
}

fn done() -> Tried {
    tried(TryOutcome::Done(Reply::Ok))
}

/// These calls, commanded by one turn.
fn with(all: Vec<Call>) -> (Calls, Vec<Step>) {
    let (mut calls, mut steps) = (Calls::default(), Vec::new());
    calls.command(&chat(), numbered(0, all), false, &mut steps);
    (calls, steps)
}

fn numbered(from: u16, all: Vec<Call>) -> Vec<(CommandId, Call, Timestamp)> {
    (from..).zip(all).map(|(number, call)| (command(number), call, GIVE_UP)).collect()
}

/// The numbers of those that are to be sent, in order.
fn sent(steps: &[Step]) -> Vec<u16> {
    let due = |step: &Step| match step {
        Step::Due(due) => Some(due.id.command.number),
        _ => None,
    };
    steps.iter().filter_map(due).collect()
}

/// Answers what began first, and gives what was under way together before each answer.
fn together(all: Vec<Call>) -> Vec<Vec<u16>> {
    let (mut calls, mut steps) = with(all);
    let (mut open, mut seen) = (sent(&steps), Vec::new());
    while !open.is_empty() {
        seen.push(open.clone());
        let first = open.remove(0);
        steps.clear();
        calls.tried(at(0), &id(first), done(), &mut steps);
        open.extend(sent(&steps));
    }
    assert!(calls.open.is_empty() && calls.lines.is_empty(), "nothing is left behind");
    seen
}

#[test]
fn what_is_of_another_kind_waits_until_what_comes_before_is_over() {
    let kinds = each_kind();
    for first in &kinds {
        for second in kinds.iter().filter(|second| *second != first) {
            let calls = vec![first.clone(), second.clone()];
            assert_eq!(together(calls), [[0], [1]], "{second:?} waits for {first:?}");
        }
    }
}

#[test]
fn what_is_of_one_kind_goes_together_and_all_of_it_is_waited_for() {
    for (kind, next) in each_kind().into_iter().zip(each_kind().into_iter().cycle().skip(1)) {
        let calls = vec![kind.clone(), kind.clone(), kind, next];
        assert_eq!(together(calls), [vec![0, 1, 2], vec![1, 2], vec![2], vec![3]]);
    }
}

#[test]
fn a_cancel_waits_for_the_first_try_of_an_offer_and_not_for_its_further_ones() {
    let [_, offer, cancel, ..] = each_kind();
    let (mut calls, mut steps) = with(vec![offer, cancel]);
    assert_eq!(sent(&steps), [0]);
    steps.clear();
    calls.tried(at(10), &id(0), tried(TryOutcome::answer_lost("timeout")), &mut steps);
    assert_eq!(sent(&steps), [1], "the offer waits for its next try, the cancel goes");
    let again = calls.deadline().unwrap();
    steps.clear();
    calls.tick(again, &mut steps);
    assert_eq!(sent(&steps), [0]);
    steps.clear();
    calls.tried(again, &id(0), done(), &mut steps);
    assert!(matches!(&steps[..], [Step::Over(over)] if over.id == id(0)));
}

#[test]
fn another_token_is_part_of_the_first_try() {
    let [route, offer, ..] = each_kind();
    let (mut calls, mut steps) = with(vec![route, offer]);
    steps.clear();
    let rejection = Rejection { status: 401, code: None, message: "expired".into() };
    calls.tried(at(1), &id(0), tried(TryOutcome::Unauthorized(rejection)), &mut steps);
    assert_eq!(sent(&steps), [0], "at once, and nothing overtakes it");
}

#[test]
fn no_further_try_begins_when_its_caller_has_given_up() {
    let [route, ..] = each_kind();
    let (mut calls, mut steps) = with(vec![route]);
    steps.clear();
    calls.tried(GIVE_UP, &id(0), tried(TryOutcome::answer_lost("timeout")), &mut steps);
    assert!(matches!(&steps[..], [Step::Over(over)] if matches!(over.answer, Answer::Lost(_))), "{steps:?}");
    assert_eq!(calls.deadline(), None);
}

#[test]
fn what_a_later_turn_commands_begins_behind_what_an_earlier_one_did() {
    let [_, offer, cancel, result, ..] = each_kind();
    let (mut calls, mut steps) = with(vec![offer, result]);
    calls.command(&chat(), numbered(2, vec![cancel]), false, &mut steps);
    assert_eq!(
        sent(&steps),
        [0],
        "the result waits for the offer of its turn, and the cancel for the result"
    );
    steps.clear();
    calls.tried(at(1), &id(0), done(), &mut steps);
    assert_eq!(sent(&steps), [1, 2], "turns do not wait for each other's answers");
}

#[test]
fn an_answer_of_somebody_who_saw_to_all_tries_ends_a_call_once() {
    let [route, offer, ..] = each_kind();
    let (mut calls, mut steps) = with(vec![route, offer]);
    steps.clear();
    calls.answered(&id(0), Answer::Done(Reply::Ok), &mut steps);
    assert!(matches!(&steps[..], [Step::Over(_), Step::Due(_)]), "{steps:?}");
    steps.clear();
    calls.tried(at(6), &id(0), done(), &mut steps);
    assert!(steps.is_empty(), "it is over already");
}

#[test]
fn conversations_do_not_wait_for_each_other() {
    let [route, offer, ..] = each_kind();
    let (mut calls, mut steps) = with(vec![route]);
    let other = ConversationId::parse("chat-2").unwrap();
    calls.command(&other, numbered(7, vec![offer]), false, &mut steps);
    assert_eq!(sent(&steps), [0, 7]);
}

#[test]
fn what_has_not_begun_and_is_over_is_forgotten_and_what_waits_behind_it_begins() {
    let [route, _, cancel, result, _, _] = each_kind();
    let (mut calls, steps) = with(vec![route, cancel, result]);
    assert_eq!(sent(&steps), [0]);
    let mut steps = Vec::new();
    assert!(calls.has_unbegun());
    calls.forget_unbegun(|id| id.command.number != 1, &mut steps);
    assert!(steps.is_empty() && !calls.has(&id(1)), "the route's first try is not over");
    calls.tried(at(1), &id(0), done(), &mut steps);
    assert_eq!(sent(&steps), [2]);
    assert!(!calls.has_unbegun());
    calls.forget_unbegun(|_| false, &mut steps);
    assert!(calls.has(&id(2)), "what has begun is left to itself");
}
