//! Takes a conversation up where a journal leaves it, and drives it to its end.

use std::collections::VecDeque;

use byoc_connector::model::call::{Answer, Call, Reply, Routed};
use byoc_connector::model::ids::{AgentWorkId, PsrId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Command, Conversation, Input, Order, Settings};

/// More turns than this, and it goes in circles.
const MOST_TURNS: u32 = 2_000;

/// How Salesforce answers from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answering {
    /// It does what it is asked.
    Always,
    /// The first three answers are lost.
    LateOn,
}

/// Drives a conversation on: what was given and not answered is given again, nobody accepts anything, time
/// passes. Says what was left open where it does not end.
pub(crate) fn end(mut conversation: Conversation, at: Timestamp, how: Answering) -> Result<(), String> {
    let settings = crate::support::scenario::settings();
    let mut now = at;
    let mut open: VecDeque<Command> = conversation.outstanding(&settings).into();
    for turn in 0..MOST_TURNS {
        let input = match open.pop_front() {
            Some(command) if how == Answering::LateOn && turn < 3 => lost(command),
            Some(command) => answer(command, turn),
            None if conversation.is_idle() => return Ok(()),
            None => match conversation.deadline(&settings) {
                Some(deadline) => {
                    now = now.max(deadline);
                    Input::DeadlineReached
                }
                None => return Err(format!("nothing will ever happen to it: {conversation:?}")),
            },
        };
        open.extend(fed(&mut conversation, &settings, now, input));
    }
    Err(format!("it does not end: {conversation:?}"))
}

fn fed(conversation: &mut Conversation, settings: &Settings, now: Timestamp, input: Input) -> Vec<Command> {
    conversation.handle(settings, now, input).commands
}

fn lost(command: Command) -> Input {
    match command.order {
        Order::Find(_) => Input::Found(command.id, Ok(Vec::new())),
        Order::Call(_) => Input::Answered(command.id, crate::support::scenario::lost()),
    }
}

fn answer(command: Command, turn: u32) -> Input {
    let reply = match command.order {
        Order::Find(_) => return Input::Found(command.id, Ok(Vec::new())),
        Order::Call(Call::Route(_)) => Reply::Routed(Routed {
            psr: Some(PsrId::parse(&format!("0JR{turn:012}")).unwrap()),
            ..Routed::default()
        }),
        Order::Call(Call::CreateAgentWork(_)) => {
            Reply::Offered(Some(AgentWorkId::parse(&format!("0BzZ{turn:011}")).unwrap()))
        }
        Order::Call(_) => Reply::Ok,
    };
    Input::Answered(command.id, Answer::Done(reply))
}
