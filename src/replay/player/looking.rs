//! What a replay sees of its engine beside what it is told to do.

use crate::engine::{CallId, Observer};
use crate::model::call::Answer;
use crate::model::ids::{ConversationId, EventId};
use crate::model::time::Timestamp;
use crate::routing::{Fact, Remark};

/// Something that was seen.
pub(super) enum Seen {
    Requested { request: EventId, created: Timestamp },
    Remark(ConversationId, Remark),
    Answered { id: CallId, answer: Answer, tries: u32 },
}

/// Keeps what it sees until it is asked.
#[derive(Default)]
pub(super) struct Looking(Vec<Seen>);

impl Looking {
    pub(super) fn take(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.0)
    }
}

impl Observer for Looking {
    fn decided(&mut self, _at: Timestamp, _conversation: &ConversationId, facts: &[Fact]) {
        for fact in facts {
            if let Fact::Requested(requested) = fact {
                self.0.push(Seen::Requested { request: requested.event.clone(), created: requested.created });
            }
        }
    }

    fn remarked(&mut self, _at: Timestamp, conversation: &ConversationId, remark: &Remark) {
        self.0.push(Seen::Remark(conversation.clone(), remark.clone()));
    }

    fn answered(&mut self, id: &CallId, answer: &Answer, tries: u32) {
        self.0.push(Seen::Answered { id: id.clone(), answer: answer.clone(), tries });
    }
}
