//! Which conversations wait for which rep to have room, and which of them are to try now.
//!
//! In memory: what waits is in the conversations, and a restart loses no more than one hint.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::model::event::{EventKind, Participant};
use crate::model::ids::{ConversationId, RepId};
use crate::model::words::WorkChange;

use super::conversation::Conversation;
use super::phase::SessionPhase;

#[derive(Debug, Default)]
pub(super) struct RoomIndex {
    waiting: BTreeMap<RepId, BTreeSet<ConversationId>>,
    reps_of: HashMap<ConversationId, Vec<RepId>>,
    due: VecDeque<(ConversationId, RepId)>,
}

impl RoomIndex {
    /// The reps for whom a conversation waits now.
    pub(super) fn set(&mut self, id: &ConversationId, conversation: &Conversation) {
        let now: Vec<RepId> = conversation.awaited_reps().collect();
        let before = self.reps_of.get(id);
        if before.map_or(now.is_empty(), |before| *before == now) {
            return;
        }
        for rep in self.reps_of.remove(id).unwrap_or_default() {
            if let Some(waiting) = self.waiting.get_mut(&rep) {
                waiting.remove(id);
                if waiting.is_empty() {
                    self.waiting.remove(&rep);
                }
            }
        }
        for rep in &now {
            self.waiting.entry(*rep).or_default().insert(id.clone());
        }
        if !now.is_empty() {
            self.reps_of.insert(id.clone(), now);
        }
    }

    /// Notes whom an event frees; the conversation is the one that it is about, as far as that is known.
    pub(super) fn note(&mut self, what: &EventKind, conversation: Option<&Conversation>) {
        if self.waiting.is_empty() {
            return;
        }
        for rep in freed_by(what, conversation) {
            let waiting = self.waiting.get(&rep).into_iter().flatten();
            self.due.extend(waiting.map(|id| (id.clone(), rep)));
        }
    }

    /// Whether a conversation is to try now.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// The next that is to try now, and for whom.
    pub(super) fn next(&mut self) -> Option<(ConversationId, RepId)> {
        self.due.pop_front()
    }
}

/// The reps who may have more room after an event than before.
fn freed_by(what: &EventKind, conversation: Option<&Conversation>) -> Vec<RepId> {
    let inside = || {
        let participants = conversation.map(Conversation::participants).unwrap_or_default();
        participants.iter().filter_map(Participant::as_rep).collect()
    };
    match what {
        EventKind::WorkChanged(change) => match change.change {
            WorkChange::Assigned | WorkChange::Accepted => Vec::new(),
            _ => change.rep.map_or_else(inside, |rep| vec![rep]),
        },
        EventKind::ParticipantsChanged(changes) => {
            let left = changes.iter().filter(|change| !change.joined);
            left.filter_map(|change| change.participant.as_rep()).collect()
        }
        EventKind::SessionChanged { status, .. } if SessionPhase::of(*status) == SessionPhase::Over => {
            inside()
        }
        _ => Vec::new(),
    }
}
