//! What the partner of one channel is to be told, and what it did not take, in memory.

use std::collections::{HashMap, VecDeque};

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::dead_letter::{DeadLetter, FellOff, GivenUp, NOT_TOLD_IN_TIME, Place};
use crate::store::plan::Cutoffs;
use crate::store::record::{Telling, TellingId};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    untold: Vec<Untold>,
    numbers: HashMap<ConversationId, Numbers>,
    dead: VecDeque<DeadLetter>,
}

#[derive(Debug)]
struct Untold {
    telling: Telling,
    sequence: u64,
    at: Timestamp,
}

/// How many things of a conversation were to be told.
#[derive(Debug)]
struct Numbers {
    last: u64,
    /// The last one that was given up.
    gap: u64,
    at: Timestamp,
}

impl Outbox {
    pub(super) fn untold(&self) -> Vec<Telling> {
        self.untold.iter().map(|untold| untold.telling.clone()).collect()
    }

    pub(super) fn add(&mut self, at: Timestamp, telling: Telling) {
        let conversation = telling.announcement.conversation.clone();
        let numbers = self.numbers.entry(conversation).or_insert(Numbers { last: 0, gap: 0, at });
        numbers.last = numbers.last.saturating_add(1);
        numbers.at = at;
        self.untold.push(Untold { telling, sequence: numbers.last, at });
    }

    pub(super) fn told(&mut self, ids: &[TellingId]) {
        self.untold.retain(|untold| !ids.contains(&untold.telling.id));
    }

    pub(super) fn place(&self, id: TellingId) -> Option<Place> {
        let Untold { telling, sequence, at } = self.untold.iter().find(|untold| untold.telling.id == id)?;
        let gap = self.numbers.get(&telling.announcement.conversation).map_or(0, |numbers| numbers.gap);
        let after_gap = gap > 0 && gap.saturating_add(1) == *sequence;
        Some(Place { sequence: *sequence, after_gap, at: *at })
    }

    /// Moves one to the dead letters, of which no more than `most` are kept.
    pub(super) fn give_up(&mut self, given_up: &GivenUp, most: usize) {
        let Some(position) = self.untold.iter().position(|untold| untold.telling.id == given_up.id) else {
            return;
        };
        let Untold { telling, sequence, at } = self.untold.remove(position);
        if let Some(numbers) = self.numbers.get_mut(&telling.announcement.conversation) {
            numbers.gap = numbers.gap.max(sequence);
        }
        let why = given_up.why.clone();
        self.dead.push_back(DeadLetter { telling, sequence, at, given_up: given_up.at, why });
        let over = self.dead.len().saturating_sub(most);
        self.dead.drain(..over);
        FellOff::Count.tell(over, None);
    }

    pub(super) fn dead_letters(&self, limit: usize) -> Vec<DeadLetter> {
        self.dead.iter().take(limit).cloned().collect()
    }

    /// Gives up what nobody has told in time, and drops what is older than it is kept.
    pub(super) fn drop_old(&mut self, now: Timestamp, old: &Cutoffs, most: usize) {
        let late: Vec<TellingId> =
            self.untold.iter().filter(|one| one.at < old.tellings).map(|one| one.telling.id).collect();
        for id in late {
            self.give_up(&GivenUp { id, at: now, why: NOT_TOLD_IN_TIME.to_owned() }, most);
        }
        let before = self.dead.len();
        self.dead.retain(|letter| letter.given_up >= old.dead_letters);
        FellOff::Age.tell(before.saturating_sub(self.dead.len()), None);
        self.numbers.retain(|_, numbers| numbers.at >= old.numbers);
    }
}
