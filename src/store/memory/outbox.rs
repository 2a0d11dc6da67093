//! What the partner of one channel is to be told, and what it did not take, in memory.

use std::collections::{HashMap, VecDeque};

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::dead_letter::{DeadLetter, DeadLetterCount, FellOff, GivenUp, NOT_TOLD_IN_TIME, Place};
use crate::store::plan::Cutoffs;
use crate::store::record::{Telling, TellingId};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    untold: Vec<Untold>,
    numbers: HashMap<ConversationId, Numbers>,
    dead: VecDeque<Dead>,
}

#[derive(Debug)]
struct Dead {
    letter: DeadLetter,
    /// When it was to be sent again, until that is over.
    resent: Option<Timestamp>,
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
        let resent = self.dead.iter().filter(|dead| dead.resent.is_some()).map(|dead| &dead.letter.telling);
        self.untold.iter().map(|untold| &untold.telling).chain(resent).cloned().collect()
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
        self.dead.retain(|dead| dead.resent.is_none() || !ids.contains(&dead.letter.telling.id));
    }

    pub(super) fn place(&self, id: TellingId) -> Option<Place> {
        let Some(untold) = self.untold.iter().find(|untold| untold.telling.id == id) else {
            let dead = self.dead.iter().find(|dead| dead.letter.telling.id == id)?;
            return Some(Place { sequence: dead.letter.sequence, after_gap: false, since: dead.resent? });
        };
        let Untold { telling, sequence, at } = untold;
        let gap = self.numbers.get(&telling.announcement.conversation).map_or(0, |numbers| numbers.gap);
        let after_gap = gap > 0 && gap.saturating_add(1) == *sequence;
        Some(Place { sequence: *sequence, after_gap, since: *at })
    }

    /// Moves one to the dead letters, of which no more than `most` are kept.
    pub(super) fn give_up(&mut self, GivenUp { id, at, why }: &GivenUp, most: usize) {
        let letter = match self.untold.iter().position(|untold| untold.telling.id == *id) {
            Some(position) => {
                let Untold { telling, sequence, at: happened } = self.untold.remove(position);
                if let Some(numbers) = self.numbers.get_mut(&telling.announcement.conversation) {
                    numbers.gap = numbers.gap.max(sequence);
                }
                Some(DeadLetter { telling, sequence, at: happened, given_up: *at, why: why.clone() })
            }
            None => self.take_dead(|dead| dead.letter.telling.id == *id && dead.resent.is_some()),
        };
        let Some(mut letter) = letter else { return };
        letter.telling.resent = false;
        (letter.given_up, letter.why) = (*at, why.clone());
        self.dead.push_back(Dead { letter, resent: None });
        let over = self.dead.len().saturating_sub(most);
        self.dead.drain(..over);
        FellOff::Count.tell(over, None);
    }

    fn take_dead(&mut self, which: impl Fn(&Dead) -> bool) -> Option<DeadLetter> {
        let position = self.dead.iter().position(which)?;
        self.dead.remove(position).map(|dead| dead.letter)
    }

    pub(super) fn resend(&mut self, id: TellingId, at: Timestamp) -> Option<Telling> {
        let dead = self.dead.iter_mut().find(|dead| dead.letter.telling.id == id)?;
        dead.resent = Some(at);
        dead.letter.telling.resent = true;
        Some(dead.letter.telling.clone())
    }

    pub(super) fn drop_dead(&mut self, id: TellingId) -> bool {
        self.take_dead(|dead| dead.letter.telling.id == id).is_some()
    }

    pub(super) fn count(&self) -> DeadLetterCount {
        let oldest = self.dead.iter().map(|dead| dead.letter.given_up).min();
        DeadLetterCount { count: self.dead.len(), oldest }
    }

    pub(super) fn dead_letters(&self, limit: usize) -> Vec<DeadLetter> {
        self.dead.iter().take(limit).map(|dead| dead.letter.clone()).collect()
    }

    /// Gives up what nobody has told in time, and drops what is older than it is kept.
    pub(super) fn drop_old(&mut self, now: Timestamp, old: &Cutoffs, most: usize) {
        let late: Vec<TellingId> =
            self.untold.iter().filter(|one| one.at < old.tellings).map(|one| one.telling.id).collect();
        for id in late {
            self.give_up(&GivenUp { id, at: now, why: NOT_TOLD_IN_TIME.to_owned() }, most);
        }
        let before = self.dead.len();
        self.dead.retain(|dead| dead.letter.given_up >= old.dead_letters);
        FellOff::Age.tell(before.saturating_sub(self.dead.len()), None);
        self.numbers.retain(|_, numbers| numbers.at >= old.numbers);
    }
}
