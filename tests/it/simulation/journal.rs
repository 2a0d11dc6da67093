//! What a database would hold of a channel: a row a turn, as JSON, which survives a crash.
//!
//! The facts of a turn are stored together or not at all: that is the store's contract, for a half-told turn would
//! leave decisions behind that no later one repeats.

use std::collections::{BTreeMap, HashSet};

use byoc_connector::model::ids::{ConversationId, RepId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Announced, Conversation, Fact, SessionNews};
use byoc_connector::store::{Cause, Change, Loaded, StoredConversation, Telling};

/// One turn.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) conversation: ConversationId,
    pub(crate) facts: String,
    state: Option<String>,
    at: Timestamp,
    began: bool,
    ended: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) rows: Vec<Row>,
    /// What led to turns that are stored.
    pub(super) causes: HashSet<Cause>,
    /// What the partner was not told yet.
    pub(super) untold: Vec<Telling>,
    /// Which reps came and went, and what became of the session, as the facts have it, by conversation: what the partner must hear.
    pub(crate) moves: BTreeMap<ConversationId, Vec<Move>>,
}

/// A rep who came, or else went; or what became of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Rep(RepId, bool),
    Waits,
    Ended,
}

impl Move {
    pub(crate) const fn of(told: Announced) -> Self {
        match told {
            Announced::Rep { rep, joined } => Self::Rep(rep, joined),
            Announced::Session(SessionNews::Waiting) => Self::Waits,
            Announced::Session(SessionNews::Ended { .. }) => Self::Ended,
        }
    }
}

/// Whether a fact is one that the partner hears of. Read from the fact, whatever the engine says is to be told.
fn told_of(fact: &Fact) -> Option<Move> {
    match fact {
        Fact::ParticipantJoined(participant) => participant.as_rep().map(|rep| Move::Rep(rep, true)),
        Fact::ParticipantLeft(participant) => participant.as_rep().map(|rep| Move::Rep(rep, false)),
        Fact::SessionWaiting { .. } => Some(Move::Waits),
        Fact::SessionEnded => Some(Move::Ended),
        _ => None,
    }
}

impl Journal {
    pub(super) fn store(&mut self, at: Timestamp, change: &Change) {
        self.untold.extend(change.tellings.iter().cloned());
        let moves = self.moves.entry(change.conversation.clone()).or_default();
        moves.extend(change.facts.iter().filter_map(told_of));
        let state = change.state.as_ref();
        self.rows.push(Row {
            conversation: change.conversation.clone(),
            facts: serde_json::to_string(&change.facts).unwrap(),
            state: state.map(|state| serde_json::to_string(state).unwrap()),
            at,
            began: change.began,
            ended: change.ended,
        });
    }

    /// Everything that is known of the channel. A state is what the facts up to it make.
    pub(super) fn load(&self) -> Loaded {
        let conversations = fold(&self.rows).into_values().collect();
        Loaded { conversations, untold: self.untold.clone(), ..Loaded::nothing() }
    }

    pub(super) fn conversation(&self, id: &ConversationId) -> Option<Conversation> {
        let rows = self.rows.iter().filter(|row| row.conversation == *id);
        fold(rows).remove(id).map(|stored| stored.conversation)
    }
}

fn fold<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeMap<&'a ConversationId, StoredConversation> {
    let mut stored: BTreeMap<&ConversationId, StoredConversation> = BTreeMap::new();
    for Row { conversation: id, facts, state, at, began, ended } in rows {
        if *began {
            stored.remove(id);
        }
        let kept = stored.entry(id).or_insert_with(|| StoredConversation {
            conversation: Conversation::new(id.clone()),
            heard: *at,
            ended: *ended,
        });
        (kept.heard, kept.ended) = (*at, *ended);
        let facts: Vec<Fact> = serde_json::from_str(facts).unwrap();
        for fact in &facts {
            kept.conversation.apply(fact).unwrap();
        }
        if let Some(state) = state {
            let state: Conversation = serde_json::from_str(state).unwrap();
            assert_eq!(kept.conversation, state, "the facts give the state");
            kept.conversation = state;
        }
    }
    stored
}
