//! One turn: an input becomes facts, commands and what else follows from it.

use crate::model::ids::RepId;
use crate::model::time::Timestamp;

use super::command::{Announced, Announcement, CommandId, Effects, Input, Remark};
use super::conversation::Conversation;
use super::fact::{Fact, Intent, RequestFact};
use super::policy::Settings;
use super::progress::InFlight;

impl Conversation {
    /// Feeds one input. Never blocks, never reads a clock.
    pub fn handle(&mut self, settings: &Settings, now: Timestamp, input: Input) -> Effects {
        let mut decision = Decision { conversation: self, settings, now, effects: Effects::default() };
        match input {
            Input::Happened(happening) => decision.on_event(happening),
            Input::Answered(command, answer) => decision.on_answer(command, answer),
            Input::Found(command, found) => decision.on_found(command, found),
            Input::Ordered(order) => decision.on_operator(order),
            Input::RoomMayBeFree(rep) => decision.on_room(rep),
            Input::Resumed => decision.on_resumed(),
            Input::DeadlineReached => {}
        }
        decision.advance();
        decision.effects
    }
}

/// One turn: an input is being made into effects.
pub(super) struct Decision<'a> {
    pub(super) conversation: &'a mut Conversation,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
    pub(super) effects: Effects,
}

impl Decision<'_> {
    /// Records a fact and makes it part of the state. A fact that does not fit is a defect of ours: it
    /// is reported and changes nothing, for a conversation must not die of it.
    pub(super) fn fact(&mut self, fact: Fact) {
        match self.conversation.apply(&fact) {
            Ok(()) => self.effects.facts.push(fact),
            Err(illegal) => {
                debug_assert!(false, "{illegal}");
                self.effects.remarks.push(Remark::Broken(illegal));
            }
        }
    }

    /// Records a fact about a request.
    pub(super) fn about(&mut self, number: u32, fact: RequestFact) {
        let ending = match (&fact, self.conversation.request(number)) {
            (RequestFact::Closed, Some(request)) => {
                request.verdict.as_deref().map(|verdict| request.ending(verdict))
            }
            _ => None,
        };
        self.fact(Fact::OfRequest(number, fact));
        self.effects.endings.extend(ending);
    }

    /// Gives a command: first the fact that it was given, then the command itself.
    pub(super) fn command(&mut self, request: u32, intent: Intent, give_up_at: Timestamp) {
        let Some(state) = self.conversation.request(request) else { return };
        let call = InFlight { number: state.commands, give_up_at };
        let Some(command) = self.conversation.command(self.settings, state, call, &intent) else { return };
        self.about(request, RequestFact::Commanded { number: call.number, give_up_at, intent });
        self.effects.commands.push(command);
    }

    /// Tells the partner that a rep came or went.
    pub(super) fn announce(&mut self, rep: RepId, joined: bool) {
        self.tell(Announced::Rep { rep, joined });
    }

    /// Tells the partner what happened.
    pub(super) fn tell(&mut self, what: Announced) {
        let conversation = self.conversation.id.clone();
        self.effects.announcements.push(Announcement { conversation, what });
    }

    /// The number of the request that a command belongs to.
    pub(super) fn request_of(&self, command: &CommandId) -> Option<u32> {
        self.conversation
            .requests
            .iter()
            .find(|request| request.event == command.request)
            .map(|request| request.number)
    }

    pub(super) fn remark(&mut self, remark: Remark) {
        self.effects.remarks.push(remark);
    }
}
