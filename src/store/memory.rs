//! The store for whoever does not need one: tests, and embedders who may lose everything with the process.
//!
//! It keeps the port's rules (order, epochs, causes that come twice), and nothing of it is durable.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::record::{
    Appended, Cause, Change, ChannelKey, Epoch, Health, Loaded, OutcomeId, OutcomeRecord, Pending, Position,
    Retention, StoredConversation, TurnRecord, Unreadable,
};
use super::{Error, OpenIds, Store};
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::routing::Conversation;

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    retention: Retention,
    kept: Mutex<MemoryRow>,
}

#[derive(Debug, Default)]
struct MemoryRow {
    channels: HashMap<ChannelKey, Channel>,
    outcomes: VecDeque<(Timestamp, OutcomeRecord)>,
    last_outcome: i64,
    health: Health,
    closed: bool,
}

#[derive(Debug)]
struct Channel {
    epoch: Epoch,
    broken: bool,
    conversations: HashMap<ConversationId, Result<StoredConversation, Unreadable>>,
    causes: HashMap<Cause, Timestamp>,
    positions: BTreeMap<String, Position>,
    next_old: Timestamp,
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

    fn lock(&self) -> Result<MutexGuard<'_, MemoryRow>, Error> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.closed { Err(Error::Closed) } else { Ok(kept) }
    }

    fn store(&self, turn: TurnRecord) -> Result<Appended, Error> {
        let mut kept = self.lock()?;
        let kept = &mut *kept;
        let key = turn.channel.clone();
        let at = turn.at;
        let channel = kept
            .channels
            .get_mut(&key)
            .filter(|channel| channel.epoch == turn.epoch && !channel.broken)
            .ok_or(Error::Superseded)?;
        let endings =
            turn.change.as_ref().map(|change| (change.conversation.clone(), change.endings.clone()));
        let appended = channel.append(turn)?;
        if let (Appended::Stored { .. }, Some((conversation, endings))) = (appended, endings) {
            for ending in endings {
                kept.last_outcome = kept.last_outcome.saturating_add(1);
                let (id, channel) = (OutcomeId(kept.last_outcome), key.clone());
                let record = OutcomeRecord { id, channel, conversation: conversation.clone(), ending };
                kept.outcomes.push_back((at, record));
            }
        }
        channel.drop_old(at, &self.retention);
        while kept.outcomes.front().is_some_and(|(stored, _)| *stored < at - self.retention.outcomes) {
            kept.outcomes.pop_front();
        }
        kept.health.last_commit = Some(at);
        kept.health.turns = kept.health.turns.saturating_add(1);
        kept.health.commits = kept.health.commits.saturating_add(1);
        Ok(appended)
    }
}

impl Channel {
    fn append(&mut self, turn: TurnRecord) -> Result<Appended, Error> {
        let follows = turn
            .change
            .as_ref()
            .is_none_or(|change| change.began || self.conversations.contains_key(&change.conversation));
        if !follows {
            self.broken = true;
            return Err(Error::Superseded);
        }
        if let Some(position) = turn.position {
            self.positions.insert(position.topic().to_owned(), position);
        }
        let duplicate = match turn.cause {
            Some(cause) if self.causes.contains_key(&cause) => true,
            Some(cause) => {
                self.causes.insert(cause, turn.at);
                false
            }
            None => false,
        };
        match turn.change {
            Some(change) if duplicate && !change.facts.is_empty() => self.broken = true,
            Some(change) => self.change(change, turn.at),
            None => {}
        }
        Ok(if duplicate { Appended::Duplicate } else { Appended::Stored { wants_state: false } })
    }

    fn change(&mut self, change: Change, at: Timestamp) {
        let Change { conversation: id, began, ended, facts, state, .. } = change;
        if began {
            let conversation = Conversation::new(id.clone());
            self.conversations.insert(id.clone(), Ok(StoredConversation { conversation, heard: at, ended }));
        }
        let Some(kept) = self.conversations.get_mut(&id) else { return };
        if let Some(state) = state {
            *kept = Ok(StoredConversation { conversation: *state, heard: at, ended });
            return;
        }
        let Ok(remembered) = kept else { return };
        (remembered.heard, remembered.ended) = (at, ended);
        if let Err(illegal) = facts.iter().try_for_each(|fact| remembered.conversation.apply(fact)) {
            let mut left = OpenIds::default();
            left.look(&serde_json::to_string(&(&remembered.conversation, &facts)).unwrap_or_default());
            *kept = Err(Unreadable { conversation: id, why: illegal.to_string(), left });
        }
    }

    fn drop_old(&mut self, now: Timestamp, retention: &Retention) {
        if now < self.next_old {
            return;
        }
        self.next_old = now + PAUSE;
        self.causes.retain(|_, at| *at >= now - retention.causes);
        self.conversations.retain(|_, kept| {
            kept.as_ref().map_or(true, |kept| {
                let keep = if kept.ended { retention.ended } else { retention.idle };
                !kept.conversation.is_idle() || kept.heard >= now - keep
            })
        });
    }
}

#[async_trait]
impl Store for Memory {
    fn append(&self, turn: TurnRecord) -> Pending {
        let (answer, pending) = Pending::new();
        answer.send(self.store(turn)).ok();
        pending
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, Error> {
        let mut kept = self.lock()?;
        let channel = kept.channels.entry(channel.clone()).or_insert_with(|| Channel {
            epoch: Epoch(0),
            broken: false,
            conversations: HashMap::new(),
            causes: HashMap::new(),
            positions: BTreeMap::new(),
            next_old: Timestamp::from_millis(i64::MIN),
        });
        channel.epoch = Epoch(channel.epoch.0.saturating_add(1));
        channel.broken = false;
        let (mut conversations, mut unreadable) = (Vec::new(), Vec::new());
        for kept in channel.conversations.values() {
            match kept {
                Ok(kept) => conversations.push(kept.clone()),
                Err(wrong) => unreadable.push(wrong.clone()),
            }
        }
        let positions = channel.positions.values().cloned().collect();
        Ok(Loaded { epoch: channel.epoch, conversations, positions, unreadable })
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, Error> {
        let kept = self.lock()?;
        let channel = kept.channels.get(channel);
        let known = |cause| channel.is_some_and(|channel| channel.causes.contains_key(cause));
        Ok(causes.iter().map(known).collect())
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, Error> {
        let kept = self.lock()?;
        Ok(kept.channels.get(channel).into_iter().flat_map(|c| c.positions.values().cloned()).collect())
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, Error> {
        let kept = self.lock()?;
        let records = kept.outcomes.iter().map(|(_, record)| record);
        Ok(records.filter(|record| record.id > after).take(limit).cloned().collect())
    }

    async fn last_outcome(&self) -> Result<OutcomeId, Error> {
        Ok(OutcomeId(self.lock()?.last_outcome))
    }

    async fn forget(&self, channel: &ChannelKey, conversation: &ConversationId) -> Result<(), Error> {
        if let Some(channel) = self.lock()?.channels.get_mut(channel) {
            channel.conversations.remove(conversation);
        }
        Ok(())
    }

    fn health(&self) -> Health {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).health.clone()
    }

    async fn close(&self) -> Result<(), Error> {
        self.lock()?.closed = true;
        Ok(())
    }
}
