//! The store for whoever does not need one: tests, and embedders who may lose everything with the process.
//!
//! Its tables hold values; what becomes of a turn is `plan`'s, as with every store, and nothing of it is durable.

mod outbox;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::dead_letter::{DeadLetter, DeadLetterCount, GivenUp, Place};
use super::plan::{Cutoffs, Found, Outline, Plan, Planner, Turn};
use super::record::{
    Appended, Cause, ChannelKey, Epoch, Health, Loaded, OutcomeId, OutcomeRecord, Pending, Position,
    Retention, StoredConversation, Telling, TellingId, TurnRecord, Unreadable,
};
use super::{Error, OpenIds, Store};
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::routing::{Conversation, Fact};
use outbox::Outbox;

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    retention: Retention,
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    planner: Planner,
    rows: Rows,
    health: Health,
    closed: bool,
    next_old: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Rows {
    numbers: HashMap<ChannelKey, i64>,
    channels: HashMap<i64, Channel>,
    outcomes: VecDeque<(Timestamp, OutcomeRecord)>,
    last_outcome: i64,
}

#[derive(Debug)]
struct Channel {
    epoch: Epoch,
    conversations: HashMap<ConversationId, Kept>,
    causes: HashMap<Cause, Timestamp>,
    positions: BTreeMap<String, Position>,
    outbox: Outbox,
}

#[derive(Debug)]
struct Kept {
    state: Result<Conversation, Unreadable>,
    heard: Timestamp,
    ended: bool,
    idle: bool,
}

/// How often old things are looked for.
const PAUSE: Duration = Duration::from_secs(60);

impl Memory {
    /// An empty one with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one that keeps things for so long.
    pub fn with_retention(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    fn lock(&self) -> Result<MutexGuard<'_, Tables>, Error> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if tables.closed { Err(Error::Closed) } else { Ok(tables) }
    }

    fn store(&self, turn: &TurnRecord) -> Result<Appended, Error> {
        let mut tables = self.lock()?;
        let Tables { planner, rows, .. } = &mut *tables;
        let Ok(plan) = planner.settle(&[turn.outline()], |plan| Ok::<_, Infallible>(rows.write(plan, turn)));
        let (adopted, answers) = plan.into_parts();
        planner.adopt(adopted);
        let answer = answers.into_iter().next().unwrap_or(Err(Error::Superseded));
        if answer.is_ok() {
            tables.drop_old(turn.at, &self.retention);
            let health = &mut tables.health;
            health.last_commit = Some(turn.at);
            health.turns = health.turns.saturating_add(1);
            health.commits = health.commits.saturating_add(1);
        }
        answer
    }
}

impl TurnRecord {
    fn outline(&self) -> Turn<'_> {
        let change = self.change.as_ref().map(|change| {
            Ok(Outline {
                conversation: &change.conversation,
                began: change.began,
                ended: change.ended,
                facts: change.facts.len(),
                state: change.state.as_ref().map(|state| state.is_idle()),
                endings: change.endings.len(),
                tellings: change.tellings.len(),
            })
        });
        Turn {
            channel: &self.channel,
            epoch: self.epoch,
            at: self.at,
            cause: self.cause.as_ref(),
            position: self.position.as_ref(),
            change,
        }
    }
}

impl Rows {
    /// Writes the plan of one turn, unless something is found to stand in its way.
    fn write(&mut self, plan: &Plan<'_>, turn: &TurnRecord) -> Found {
        let mut found = Found::default();
        let Some((id, channel)) = self.channel_mut(&turn.channel) else { return found };
        if plan.channels.values().any(|row| row.epoch != channel.epoch) {
            found.superseded.insert(id);
        }
        let seen = plan.causes.iter().filter(|row| channel.causes.contains_key(row.cause));
        found.seen.extend(seen.map(|row| (id, row.cause.clone())));
        if found.is_nothing() {
            channel.write(plan, turn);
            self.add_outcomes(plan, turn);
        }
        found
    }

    fn add_outcomes(&mut self, plan: &Plan<'_>, turn: &TurnRecord) {
        for row in &plan.outcomes {
            for ending in turn.change.iter().flat_map(|change| &change.endings) {
                self.last_outcome = self.last_outcome.saturating_add(1);
                let record = OutcomeRecord {
                    id: OutcomeId(self.last_outcome),
                    channel: turn.channel.clone(),
                    conversation: row.conversation.clone(),
                    ending: ending.clone(),
                };
                self.outcomes.push_back((turn.at, record));
            }
        }
    }

    fn channel(&self, key: &ChannelKey) -> Option<&Channel> {
        self.channels.get(self.numbers.get(key)?)
    }

    fn channel_mut(&mut self, key: &ChannelKey) -> Option<(i64, &mut Channel)> {
        let id = *self.numbers.get(key)?;
        Some((id, self.channels.get_mut(&id)?))
    }
}

impl Channel {
    fn write(&mut self, plan: &Plan<'_>, turn: &TurnRecord) {
        self.causes.extend(plan.causes.iter().map(|row| (row.cause.clone(), row.at)));
        let positions = plan.positions.iter();
        self.positions
            .extend(positions.map(|((_, topic), (place, _))| ((*topic).to_owned(), (*place).clone())));
        let Some(change) = &turn.change else { return };
        for row in &plan.tellings {
            change.tellings.iter().for_each(|telling| self.outbox.add(row.at, telling.clone()));
        }
        for (_, name) in &plan.begun {
            self.conversations.remove(*name);
        }
        for row in plan.conversations.values() {
            let kept = self.conversations.entry(row.name.clone()).or_insert_with(|| Kept {
                state: Ok(Conversation::new(row.name.clone())),
                heard: row.heard,
                ended: row.ended,
                idle: row.idle,
            });
            (kept.heard, kept.ended, kept.idle) = (row.heard, row.ended, row.idle);
            if let (Some(_), Some(state)) = (row.state, &change.state) {
                kept.state = Ok((**state).clone());
            }
        }
        if let (Some(kept), [_, ..]) = (self.conversations.get_mut(&change.conversation), &*plan.turns) {
            kept.apply(&change.conversation, &change.facts);
        }
    }
}

impl Tables {
    fn drop_old(&mut self, now: Timestamp, retention: &Retention) {
        if self.next_old.is_some_and(|next| now < next) {
            return;
        }
        self.next_old = Some(now + PAUSE);
        let Self { planner, rows: Rows { channels, outcomes, .. }, .. } = self;
        let old = Cutoffs::at(now, retention);
        for (id, channel) in channels {
            channel.outbox.drop_old(now, &old, retention.most_dead_letters);
            channel.causes.retain(|_, at| *at >= old.causes);
            channel.conversations.retain(|name, kept| {
                let keep = !kept.idle || kept.heard >= if kept.ended { old.ended } else { old.idle };
                if !keep {
                    planner.forget(*id, name);
                }
                keep
            });
        }
        while outcomes.front().is_some_and(|(stored, _)| *stored < old.outcomes) {
            outcomes.pop_front();
        }
    }
}

impl Kept {
    fn apply(&mut self, name: &ConversationId, facts: &[Fact]) {
        let Ok(conversation) = &mut self.state else { return };
        if let Err(illegal) = facts.iter().try_for_each(|fact| conversation.apply(fact)) {
            let mut left = OpenIds::default();
            left.look(&serde_json::to_string(&(&*conversation, facts)).unwrap_or_default());
            self.state = Err(Unreadable { conversation: name.clone(), why: illegal.to_string(), left });
        }
    }
}

#[async_trait]
impl Store for Memory {
    fn append(&self, turn: TurnRecord) -> Pending {
        let (answer, pending) = Pending::new();
        answer.send(self.store(&turn)).ok();
        pending
    }

    async fn load(&self, key: &ChannelKey) -> Result<Loaded, Error> {
        let mut tables = self.lock()?;
        let Tables { planner, rows: Rows { numbers, channels, .. }, .. } = &mut *tables;
        let next = i64::try_from(numbers.len()).unwrap_or(i64::MAX).saturating_add(1);
        let id = *numbers.entry(key.clone()).or_insert(next);
        let channel = channels.entry(id).or_insert_with(|| Channel {
            epoch: Epoch(0),
            conversations: HashMap::new(),
            causes: HashMap::new(),
            positions: BTreeMap::new(),
            outbox: Outbox::default(),
        });
        channel.epoch = Epoch(channel.epoch.0.saturating_add(1));
        planner.open(key, (id, channel.epoch), 0, 1);
        let (mut conversations, mut unreadable) = (Vec::new(), Vec::new());
        for kept in channel.conversations.values() {
            match &kept.state {
                Ok(conversation) => conversations.push(StoredConversation {
                    conversation: conversation.clone(),
                    heard: kept.heard,
                    ended: kept.ended,
                }),
                Err(wrong) => unreadable.push(wrong.clone()),
            }
        }
        let positions = channel.positions.values().cloned().collect();
        let untold = channel.outbox.untold();
        Ok(Loaded { epoch: channel.epoch, conversations, positions, untold, unreadable })
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, Error> {
        let tables = self.lock()?;
        let channel = tables.rows.channel(channel);
        let known = |cause| channel.is_some_and(|channel| channel.causes.contains_key(cause));
        Ok(causes.iter().map(known).collect())
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, Error> {
        let tables = self.lock()?;
        Ok(tables.rows.channel(channel).into_iter().flat_map(|c| c.positions.values().cloned()).collect())
    }

    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, Error> {
        Ok(self.lock()?.rows.channel(channel).map(|channel| channel.outbox.untold()).unwrap_or_default())
    }

    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), Error> {
        if let Some((_, channel)) = self.lock()?.rows.channel_mut(channel) {
            channel.outbox.told(ids);
        }
        Ok(())
    }

    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, Error> {
        Ok(self.lock()?.rows.channel(channel).and_then(|channel| channel.outbox.place(id)))
    }

    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), Error> {
        let most = self.retention.most_dead_letters;
        if let Some((_, channel)) = self.lock()?.rows.channel_mut(channel) {
            channel.outbox.give_up(&given_up, most);
        }
        Ok(())
    }

    async fn dead_letters(&self, channel: &ChannelKey, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let tables = self.lock()?;
        Ok(tables.rows.channel(channel).map(|one| one.outbox.dead_letters(limit)).unwrap_or_default())
    }

    async fn count_dead_letters(&self, channel: &ChannelKey) -> Result<DeadLetterCount, Error> {
        Ok(self.lock()?.rows.channel(channel).map(|one| one.outbox.count()).unwrap_or_default())
    }

    async fn resend(
        &self,
        channel: &ChannelKey,
        id: TellingId,
        at: Timestamp,
    ) -> Result<Option<Telling>, Error> {
        Ok(self.lock()?.rows.channel_mut(channel).and_then(|(_, one)| one.outbox.resend(id, at)))
    }

    async fn drop_dead_letter(&self, channel: &ChannelKey, id: TellingId) -> Result<bool, Error> {
        Ok(self.lock()?.rows.channel_mut(channel).is_some_and(|(_, one)| one.outbox.drop_dead(id)))
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, Error> {
        let tables = self.lock()?;
        let records = tables.rows.outcomes.iter().map(|(_, record)| record);
        Ok(records.filter(|record| record.id > after).take(limit).cloned().collect())
    }

    async fn last_outcome(&self) -> Result<OutcomeId, Error> {
        Ok(OutcomeId(self.lock()?.rows.last_outcome))
    }

    async fn forget(&self, key: &ChannelKey, conversation: &ConversationId) -> Result<(), Error> {
        let mut tables = self.lock()?;
        let Tables { planner, rows, .. } = &mut *tables;
        if let Some((id, channel)) = rows.channel_mut(key) {
            channel.conversations.remove(conversation);
            planner.forget(id, conversation);
        }
        Ok(())
    }

    fn health(&self) -> Health {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).health.clone()
    }

    async fn close(&self) -> Result<(), Error> {
        self.lock()?.closed = true;
        Ok(())
    }
}
