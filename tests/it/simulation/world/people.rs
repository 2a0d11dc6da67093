//! What people do, and what they see of it.

use byoc_connector::emulator::{Act, Done};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{ConversationId, EventId, RepId};

use super::{Deed, World};

impl World {
    pub(super) fn do_deed(&mut self, deed: Deed) {
        match deed {
            Deed::Ask(conversation, target) => drop(self.ask(&conversation, &target)),
            Deed::AskAndCancel(conversation, target, millis) => {
                if let Some(request) = self.ask(&conversation, &target) {
                    self.plan(millis, Deed::Cancel(request));
                }
            }
            Deed::Cancel(request) => {
                if self.pends(&request) && self.act(Act::CancelRequest { request: request.clone() }) {
                    self.trace.called_off.insert(request);
                }
            }
            Deed::EndUserLeaves(conversation) => {
                self.act(Act::EndUserLeaves { conversation });
            }
            Deed::EndSession(conversation) => {
                self.act(Act::EndSession { conversation });
            }
            Deed::SomebodyLeaves(conversation) => {
                let reps: Vec<RepId> =
                    self.salesforce.conversation(&conversation).map(|it| it.reps().collect()).unwrap();
                if !reps.is_empty() {
                    let rep = *self.dice.pick(&reps);
                    self.act(Act::RepLeaves { conversation, rep });
                }
            }
            Deed::Presence(rep, availability) => {
                self.act(Act::SetPresence { rep, availability });
            }
            Deed::Answer(work, true) => {
                self.act(Act::Accept { work });
            }
            Deed::Answer(work, false) => {
                self.act(Act::Decline { work });
            }
        }
    }

    pub(super) fn act(&mut self, act: Act) -> bool {
        let text = format!("{act:?}");
        let done = self.salesforce.act(self.now, act);
        self.say(|| format!("deed {text} -> {done:?}"));
        self.listen();
        done.is_ok()
    }

    /// A rep who waits for nobody asks. Salesforce lets a rep invite one at a time.
    pub(super) fn ask(&mut self, conversation: &ConversationId, target: &Target) -> Option<EventId> {
        let reps: Vec<RepId> = self
            .salesforce
            .conversation(conversation)?
            .reps()
            .filter(|rep| !self.waits(conversation, *rep))
            .collect();
        if reps.is_empty() {
            return None;
        }
        let requester = *self.dice.pick(&reps);
        if self.dice.chance(0.5) {
            let work_item = self.salesforce.conversation(conversation)?.work_item;
            if !self.down {
                self.engine.list_opened(self.now, work_item, requester);
            }
        }
        let (conversation, requester_of, target) = (conversation.clone(), Some(requester), target.clone());
        // By the time, so that the worlds of known seeds stay what they are but for this.
        let act = if self.habits.transfers && self.now.as_millis() % 4 == 0 {
            Act::RequestTransfer { conversation, requester: requester_of, target }
        } else {
            Act::RequestConference { conversation, requester: requester_of, target }
        };
        let asked = format!("{act:?}");
        let done = self.salesforce.act(self.now, act);
        self.say(|| format!("deed {requester} asks by {asked} -> {done:?}"));
        self.listen();
        match done {
            Ok(Done::Requested { request }) => Some(request),
            _ => None,
        }
    }

    pub(super) fn waits(&self, conversation: &ConversationId, rep: RepId) -> bool {
        let known = self.salesforce.conversation(conversation).unwrap();
        let asked = |event: &EventId| {
            self.salesforce.request(event).is_some_and(|request| request.requester == Some(rep))
        };
        known.requests.iter().any(|event| asked(event) && self.pends(event))
    }

    /// Whether a rep sees the request as going on. Salesforce is told of no end after a success that came
    /// to nothing, but its rep sees that nobody rings any more.
    pub(super) fn pends(&self, event: &EventId) -> bool {
        let Some(request) = self.salesforce.request(event) else { return false };
        let rings = || {
            self.salesforce.works().any(|it| it.correlation == *event && it.state.is_open())
                || self.salesforce.psrs().any(|psr| psr.correlation == *event)
        };
        request.is_open() && (request.answered.is_none() || rings())
    }
}
