//! The connector's side: the state machines as they are, or with a journal that survives a crash.

use std::collections::BTreeMap;

use byoc_connector::model::call::Answer;
use byoc_connector::model::event::{Event, EventKind};
use byoc_connector::model::ids::{ConversationId, RepId, WorkItemId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{
    Command, CommandId, Conversation, Conversations, Fact, Input, SearchFailure, Settings, Turn,
};

/// What the world needs of a connector.
pub(crate) trait Core {
    fn on_event(&mut self, now: Timestamp, event: Event) -> Option<Turn>;
    fn on_answer(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        id: CommandId,
        answer: Answer,
    ) -> Option<Turn>;
    fn on_found(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        id: CommandId,
        found: Result<Vec<RepId>, SearchFailure>,
    ) -> Option<Turn>;
    fn on_deadline(&mut self, now: Timestamp) -> Option<Turn>;
    /// A rep's page opened the list of contacts.
    fn list_opened(&mut self, _now: Timestamp, _work_item: WorkItemId, _rep: RepId) {}
    /// When something is due; `None` while nothing is open.
    fn deadline(&self) -> Option<Timestamp>;
    fn is_idle(&self) -> bool;
    fn conversation(&self, id: &ConversationId) -> Option<&Conversation>;
    /// Forgets everything but the journal, and says what was given and not answered.
    fn restart(&mut self) -> Vec<(ConversationId, Command)>;
}

impl Core for Conversations {
    fn on_event(&mut self, now: Timestamp, event: Event) -> Option<Turn> {
        Self::on_event(self, now, event)
    }

    fn on_answer(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        id: CommandId,
        answer: Answer,
    ) -> Option<Turn> {
        Self::on_answer(self, now, conversation, id, answer)
    }

    fn on_found(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        id: CommandId,
        found: Result<Vec<RepId>, SearchFailure>,
    ) -> Option<Turn> {
        Self::on_found(self, now, conversation, id, found)
    }

    fn on_deadline(&mut self, now: Timestamp) -> Option<Turn> {
        Self::on_deadline(self, now)
    }

    fn list_opened(&mut self, now: Timestamp, work_item: WorkItemId, rep: RepId) {
        Self::list_opened(self, now, work_item, rep);
    }

    fn deadline(&self) -> Option<Timestamp> {
        Self::deadline(self)
    }

    fn is_idle(&self) -> bool {
        self.open() == 0
    }

    fn conversation(&self, id: &ConversationId) -> Option<&Conversation> {
        self.get(id)
    }

    fn restart(&mut self) -> Vec<(ConversationId, Command)> {
        unreachable!("what is only in memory does not come back from a crash")
    }
}

/// Conversations whose facts are stored. The facts of a turn are stored together or not at all: that is
/// the journal's contract, for a half-told turn would leave decisions behind that no later one repeats.
#[derive(Debug)]
pub(crate) struct Journaled {
    settings: Settings,
    conversations: BTreeMap<ConversationId, Conversation>,
    /// One JSON text a turn, as a database would hold it.
    pub(crate) journal: Vec<(ConversationId, String)>,
}

impl Journaled {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, conversations: BTreeMap::new(), journal: Vec::new() }
    }

    fn turn(&mut self, now: Timestamp, id: ConversationId, input: Input) -> Turn {
        let conversation =
            self.conversations.entry(id.clone()).or_insert_with(|| Conversation::new(id.clone()));
        let effects = conversation.handle(&self.settings, now, input);
        if !effects.facts.is_empty() {
            self.journal.push((id.clone(), serde_json::to_string(&effects.facts).unwrap()));
        }
        Turn { conversation: id, began: false, effects }
    }
}

impl Core for Journaled {
    fn on_event(&mut self, now: Timestamp, event: Event) -> Option<Turn> {
        let id = match (event.conversation, &event.what) {
            (Some(id), _) => id,
            (None, EventKind::WorkChanged(change)) => {
                let of_item = |it: &&Conversation| it.work_item() == change.work_item;
                self.conversations.values().find(of_item)?.id().clone()
            }
            (None, _) => return None,
        };
        Some(self.turn(now, id, Input::Happened(event.what)))
    }

    fn on_answer(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        id: CommandId,
        answer: Answer,
    ) -> Option<Turn> {
        Some(self.turn(now, conversation, Input::Answered(id, answer)))
    }

    fn on_found(
        &mut self,
        now: Timestamp,
        conversation: ConversationId,
        id: CommandId,
        found: Result<Vec<RepId>, SearchFailure>,
    ) -> Option<Turn> {
        Some(self.turn(now, conversation, Input::Found(id, found)))
    }

    fn on_deadline(&mut self, now: Timestamp) -> Option<Turn> {
        let due = |it: &&Conversation| it.deadline(&self.settings).is_some_and(|at| at <= now);
        let id = self.conversations.values().find(due)?.id().clone();
        let turn = self.turn(now, id.clone(), Input::DeadlineReached);
        let next = self.conversations[&id].deadline(&self.settings);
        assert!(next.is_none_or(|at| at > now), "a deadline that has passed comes again: {next:?}");
        Some(turn)
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.conversations.values().filter_map(|it| it.deadline(&self.settings)).min()
    }

    fn is_idle(&self) -> bool {
        self.conversations.values().all(Conversation::is_idle)
    }

    fn conversation(&self, id: &ConversationId) -> Option<&Conversation> {
        self.conversations.get(id)
    }

    fn restart(&mut self) -> Vec<(ConversationId, Command)> {
        let before = std::mem::take(&mut self.conversations);
        for (id, facts) in &self.journal {
            let conversation =
                self.conversations.entry(id.clone()).or_insert_with(|| Conversation::new(id.clone()));
            let facts: Vec<Fact> = serde_json::from_str(facts).unwrap();
            for fact in &facts {
                conversation.apply(fact).unwrap();
            }
        }
        for (id, conversation) in &self.conversations {
            assert_eq!(before.get(id), Some(conversation), "the journal gives the state back");
        }
        let outstanding = |it: &Conversation| {
            let id = it.id().clone();
            it.outstanding(&self.settings).into_iter().map(move |command| (id.clone(), command))
        };
        self.conversations.values().flat_map(outstanding).collect()
    }
}
