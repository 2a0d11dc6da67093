//! What a group of turns comes to: the rows to write, and the conditions on which they hold.
//!
//! Every rule of the port about turns stands here, once. A store hands the turns that have queued up to its
//! [`Planner`], writes the [`Plan`]'s rows together, checks the conditions in that very write, and then either
//! commits and has the plan adopted, or writes nothing, says what it [`Found`], and plans again. As long as the
//! conditions hold, which they nearly always do, that is one round trip.
//!
//! Knows turns and the numbers of rows. It must never know how rows are kept or encoded, and it looks nothing up.
//!
//! Conditions
//! 1. The channel's epoch is the one that the turn was decided in.
//! 2. A cause was not stored before. If it was, nothing of the turn is stored but its position.
//!
//! A position has no condition of its own. Replay ids are opaque, and after a gap an earlier one is right: that it does
//! not fall behind follows from the epoch and the order of the turns.
//!
//! Rules
//! 3. A turn that is not stored, or whose memory is ahead of the store, breaks its channel: what follows is refused
//!    until the channel is loaded again.
//! 4. A turn changes only a conversation that is stored, unless it begins it; then all that was stored of it goes.
//! 5. When an idle conversation was last heard of is noted at most once an hour.

mod known;
mod planner;
mod turn;

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use known::Head;
#[cfg(feature = "store-sqlite")]
pub(super) use known::TURN_BITS;
pub(super) use planner::Planner;
pub(super) use turn::{Found, Outline, Turn};

use super::FACTS_BEFORE_STATE;
use super::error::Error;
use super::record::{Appended, Cause, Epoch, Position, Retention};
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use known::{Adopted, Channel};

/// How stale the note may get of when an idle conversation was last heard of. Every message of a chat would
/// be a write otherwise; the retention has room for this.
const HEARD_WITHIN: Duration = Duration::from_secs(3600);

/// The rows of a group, in the order in which they may be written, and the answers once they are.
#[derive(Debug, Default)]
pub(super) struct Plan<'t> {
    /// The answer to each turn.
    pub(super) answers: Vec<Result<Appended, Error>>,
    /// Condition 1, with the number of the channel's next turn where that changes.
    pub(super) channels: BTreeMap<i64, ChannelRow>,
    /// Condition 2: new causes.
    pub(super) causes: Vec<CauseRow<'t>>,
    /// Conversations of which everything goes, by channel and name, before `conversations` are written.
    pub(super) begun: Vec<(i64, &'t ConversationId)>,
    /// New and changed ones, by number.
    pub(super) conversations: BTreeMap<i64, ConversationRow<'t>>,
    pub(super) turns: Vec<TurnRow>,
    pub(super) positions: BTreeMap<(i64, &'t str), (&'t Position, Timestamp)>,
    pub(super) outcomes: Vec<OutcomeRows<'t>>,
    pub(super) tellings: Vec<TellingRows>,
    adopted: Adopted<'t>,
}

/// A channel in whose newest epoch the plan was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChannelRow {
    pub(super) epoch: Epoch,
    pub(super) next_turn: Option<i64>,
}

/// A cause that has come for the first time.
#[derive(Debug, Clone, Copy)]
pub(super) struct CauseRow<'t> {
    pub(super) channel: i64,
    pub(super) cause: &'t Cause,
    pub(super) at: Timestamp,
}

/// A conversation as it is after the group.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConversationRow<'t> {
    pub(super) channel: i64,
    pub(super) name: &'t ConversationId,
    /// Which turn of the group brings its state, and the number of the last turn that this covers.
    pub(super) state: Option<(usize, i64)>,
    pub(super) heard: Timestamp,
    pub(super) ended: bool,
    pub(super) idle: bool,
}

/// Facts that no state covers yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct TurnRow {
    pub(super) id: i64,
    pub(super) conversation: i64,
    pub(super) at: Timestamp,
    pub(super) ended: bool,
    /// Which turn of the group has them.
    pub(super) from: usize,
}

/// The endings of a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutcomeRows<'t> {
    pub(super) channel: i64,
    pub(super) conversation: &'t ConversationId,
    /// Which turn of the group has them.
    pub(super) from: usize,
}

/// What the partner is to be told of a turn, in the order of turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct TellingRows {
    pub(super) channel: i64,
    /// The number of the first; the others follow.
    pub(super) first: i64,
    /// When the turn was decided.
    pub(super) at: Timestamp,
    /// Which turn of the group has them.
    pub(super) from: usize,
}

impl Planner {
    /// Plans a group and has it written; where `write` found a condition that does not hold, and so wrote nothing,
    /// plans again with what it found.
    ///
    /// # Errors
    /// Those of `write`.
    pub(super) fn settle<'t, E>(
        &self,
        turns: &[Turn<'t>],
        mut write: impl FnMut(&Plan<'t>) -> Result<Found, E>,
    ) -> Result<Plan<'t>, E> {
        let mut found = Found::default();
        loop {
            let plan = self.plan(turns, &found);
            let met = write(&plan)?;
            if met.is_nothing() {
                return Ok(plan);
            }
            found.seen.extend(met.seen);
            found.superseded.extend(met.superseded);
        }
    }

    /// Plans a group, after everything that was adopted.
    fn plan<'t>(&self, turns: &[Turn<'t>], found: &Found) -> Plan<'t> {
        let mut plan = Plan::default();
        plan.adopted.next_conversation = self.next_conversation;
        for (from, turn) in turns.iter().enumerate() {
            let answer = plan.add(self, found, from, turn);
            plan.answers.push(answer);
        }
        plan
    }
}

impl<'t> Plan<'t> {
    /// What the planner is to know once this is committed, and the answers.
    pub(super) fn into_parts(self) -> (Adopted<'t>, Vec<Result<Appended, Error>>) {
        (self.adopted, self.answers)
    }

    /// Plans one turn, after those before it.
    fn add(
        &mut self,
        planner: &Planner,
        found: &Found,
        from: usize,
        turn: &Turn<'t>,
    ) -> Result<Appended, Error> {
        let known = self.adopted.channels.get(turn.channel).or_else(|| planner.channels.get(turn.channel));
        let Some(mut channel) = known.copied().filter(|channel| {
            channel.epoch == turn.epoch && !channel.broken && !found.superseded.contains(&channel.id)
        }) else {
            return Err(Error::Superseded);
        };
        let next_turn = channel.next_turn;
        let answer = self.add_to(&mut channel, planner, found, from, turn);
        if answer.is_ok() {
            let row =
                self.channels.entry(channel.id).or_insert(ChannelRow { epoch: turn.epoch, next_turn: None });
            if channel.next_turn != next_turn {
                row.next_turn = Some(channel.next_turn);
            }
        }
        self.adopted.channels.insert(turn.channel, channel);
        answer
    }

    fn add_to(
        &mut self,
        channel: &mut Channel,
        planner: &Planner,
        found: &Found,
        from: usize,
        turn: &Turn<'t>,
    ) -> Result<Appended, Error> {
        let change = match &turn.change {
            None => None,
            Some(Ok(change))
                if change.began || self.head(planner, channel.id, change.conversation).is_some() =>
            {
                Some(change)
            }
            Some(refused) => {
                channel.broken = true;
                return Err(refused.as_ref().err().cloned().unwrap_or(Error::Superseded));
            }
        };
        if let Some(position) = turn.position {
            self.positions.insert((channel.id, position.topic()), (position, turn.at));
        }
        if let Some(cause) = turn.cause {
            let seen = !found.seen.is_empty() && found.seen.contains(&(channel.id, cause.clone()));
            if seen || !self.adopted.new_causes.insert((channel.id, cause)) {
                channel.broken = change.is_some_and(|change| change.facts > 0 || change.began);
                return Ok(Appended::Duplicate);
            }
            self.causes.push(CauseRow { channel: channel.id, cause, at: turn.at });
        }
        let Some(change) = change else { return Ok(Appended::Stored { wants_state: false }) };
        if change.began {
            self.begin(channel.id, change);
        }
        let Some(head) = self.head(planner, channel.id, change.conversation) else {
            return Err(Error::Superseded);
        };
        let head = self.change(channel, head, from, turn.at, change);
        self.adopted.heads.insert((channel.id, change.conversation), head);
        Ok(Appended::Stored { wants_state: head.facts >= FACTS_BEFORE_STATE })
    }

    /// What is known of a conversation after the turns before.
    fn head(&self, planner: &Planner, channel: i64, name: &'t ConversationId) -> Option<Head> {
        self.adopted.heads.get(&(channel, name)).copied().or_else(|| planner.head(channel, name))
    }

    fn begin(&mut self, channel: i64, change: &Outline<'t>) {
        let id = self.adopted.next_conversation;
        self.adopted.next_conversation = id.saturating_add(1);
        let new =
            Head { id, idle: true, ended: change.ended, heard: Timestamp::from_millis(i64::MIN), facts: 0 };
        if let Some(old) = self.adopted.heads.insert((channel, change.conversation), new) {
            self.conversations.remove(&old.id);
        }
        self.begun.push((channel, change.conversation));
    }

    fn change(
        &mut self,
        channel: &mut Channel,
        mut head: Head,
        from: usize,
        at: Timestamp,
        change: &Outline<'t>,
    ) -> Head {
        let name = change.conversation;
        let state = change.state.map(|_| (from, channel.next_turn.saturating_sub(1)));
        let mut idle = head.idle;
        if let Some(is_idle) = change.state {
            idle = is_idle;
            head.facts = 0;
        } else if change.facts > 0 {
            // Facts alone cannot tell; taking it for open keeps it.
            idle = false;
            head.facts = head.facts.saturating_add(change.facts);
            let id = channel.next_turn;
            channel.next_turn = id.saturating_add(1);
            self.turns.push(TurnRow { id, conversation: head.id, at, ended: change.ended, from });
        }
        let noted = head.idle == idle && head.ended == change.ended && at <= head.heard + HEARD_WITHIN;
        if state.is_some() || !noted {
            (head.idle, head.ended, head.heard) = (idle, change.ended, at);
            let (channel, ended) = (channel.id, change.ended);
            let row = self.conversations.entry(head.id).or_insert(ConversationRow {
                channel,
                name,
                state: None,
                heard: at,
                ended,
                idle,
            });
            (row.heard, row.ended, row.idle) = (at, ended, idle);
            row.state = state.or(row.state);
        }
        if change.endings > 0 {
            self.outcomes.push(OutcomeRows { channel: channel.id, conversation: name, from });
        }
        if change.tellings > 0 {
            let first = channel.next_turn;
            channel.next_turn = first.saturating_add(i64::try_from(change.tellings).unwrap_or(i64::MAX));
            self.tellings.push(TellingRows { channel: channel.id, first, at, from });
        }
        head
    }
}

/// What is older than this is not kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cutoffs {
    pub(super) outcomes: Timestamp,
    pub(super) causes: Timestamp,
    /// Of idle conversations: those whose session has ended, by when they were last heard of.
    pub(super) ended: Timestamp,
    /// And the others.
    pub(super) idle: Timestamp,
    pub(super) tellings: Timestamp,
    pub(super) dead_letters: Timestamp,
    pub(super) numbers: Timestamp,
}

impl Cutoffs {
    /// As of the newest turn.
    pub(super) fn at(now: Timestamp, retention: &Retention) -> Self {
        Self {
            outcomes: now - retention.outcomes,
            causes: now - retention.causes,
            ended: now - retention.ended,
            idle: now - retention.idle,
            tellings: now - retention.tellings,
            dead_letters: now - retention.dead_letters,
            numbers: now - retention.numbers,
        }
    }
}

#[cfg(test)]
mod tests;
