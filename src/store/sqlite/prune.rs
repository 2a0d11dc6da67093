//! Drops what is not needed any more, a few rows with every few turns: never a pause, and never a pile.

use std::time::Duration;

use rusqlite::Connection;

use super::outbox;
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::plan::Cutoffs;
use crate::store::record::{ChannelKey, Retention};

/// For how long nothing is looked for after nothing was found.
const PAUSE: Duration = Duration::from_secs(60);

/// How many rows are looked at at least. With less than half as many turns it is not worth the statements, which
/// cost a commit of one turn more than the turn does.
const FEW: usize = 64;

/// How long turns that are too few may wait for more of them.
const WAITS: Duration = Duration::from_secs(1);

// These tables grow at their end: the oldest rows are the first, and no index by time is needed.
const OLD_CAUSES: &str = "DELETE FROM seen WHERE at < ? AND id IN (SELECT id FROM seen ORDER BY id LIMIT ?)";
const OLD_OUTCOMES: &str =
    "DELETE FROM outcome WHERE at < ? AND id IN (SELECT id FROM outcome ORDER BY id LIMIT ?)";

/// Where the dropping stands.
#[derive(Debug)]
pub(super) struct Pruner {
    retention: Retention,
    /// Turns up to here have been looked at in this round.
    looked_at: i64,
    next_old: Timestamp,
    /// How many turns came since something was looked at, and when it is looked again even if these are few.
    turns: usize,
    next: Timestamp,
}

impl Pruner {
    pub(super) fn new(retention: Retention) -> Self {
        let now = Timestamp::from_millis(i64::MIN);
        Self { retention, looked_at: 0, next_old: now, turns: 0, next: now }
    }

    /// Drops a little more than came since it last did, a commit of so many turns included, and says which
    /// conversations are gone.
    pub(super) fn prune(
        &mut self,
        connection: &Connection,
        now: Timestamp,
        turns: usize,
    ) -> rusqlite::Result<Vec<(i64, ConversationId)>> {
        self.turns = self.turns.saturating_add(turns);
        if self.turns.saturating_mul(2) < FEW && now < self.next {
            return Ok(Vec::new());
        }
        self.next = now + WAITS;
        let turns = std::mem::take(&mut self.turns);
        let rows = i64::try_from(turns.saturating_mul(2).max(FEW)).unwrap_or(i64::MAX);
        self.covered_turns(connection, rows)?;
        if now < self.next_old {
            return Ok(Vec::new());
        }
        let old = Cutoffs::at(now, &self.retention);
        let mut dropped = 0;
        for (drop, before) in [(OLD_CAUSES, old.causes), (OLD_OUTCOMES, old.outcomes)] {
            let count = connection.prepare_cached(drop)?.execute((before.as_millis(), rows))?;
            dropped = dropped.max(count);
        }
        outbox::drop_old(connection, now, &old, rows, self.retention.most_dead_letters)?;
        let mut forgotten = Vec::new();
        for (ended, before) in [(false, old.idle), (true, old.ended)] {
            idle_conversations(connection, ended, before, rows, &mut forgotten)?;
        }
        if dropped == 0 && forgotten.is_empty() {
            self.next_old = now + PAUSE;
        }
        Ok(forgotten)
    }

    /// Drops the oldest dead letters of a channel where there are too many.
    pub(super) fn bound_dead_letters(
        &self,
        connection: &Connection,
        (channel, key): (i64, &ChannelKey),
    ) -> rusqlite::Result<()> {
        outbox::bound(connection, channel, Some(key), self.retention.most_dead_letters)
    }

    /// Drops turns whose facts are in their conversation's state, or whose conversation is gone, going round
    /// and round the journal. Looking at twice what comes in keeps it at some two times what is needed.
    fn covered_turns(&mut self, connection: &Connection, rows: i64) -> rusqlite::Result<()> {
        let (up_to, found): (Option<i64>, i64) = connection
            .prepare_cached(
                "SELECT max(id), count(*) FROM (SELECT id FROM turn WHERE id > ? ORDER BY id LIMIT ?)",
            )?
            .query_row((self.looked_at, rows), |row| Ok((row.get(0)?, row.get(1)?)))?;
        connection
            .prepare_cached(
                "DELETE FROM turn WHERE id > ?1 AND id <= ?2 AND NOT EXISTS \
                 (SELECT 1 FROM conversation c WHERE c.id = turn.conversation AND c.covered < turn.id)",
            )?
            .execute((self.looked_at, up_to))?;
        // Where the end was reached, the next round begins, whatever else comes in meanwhile.
        self.looked_at = if found < rows { 0 } else { up_to.unwrap_or(0) };
        Ok(())
    }
}

fn idle_conversations(
    connection: &Connection,
    ended: bool,
    before: Timestamp,
    limit: i64,
    forgotten: &mut Vec<(i64, ConversationId)>,
) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM conversation WHERE id IN (SELECT id FROM conversation \
         WHERE idle = 1 AND ended = ? AND heard < ? LIMIT ?) RETURNING channel, name",
    )?;
    let mut rows = delete.query((ended, before.as_millis(), limit))?;
    while let Some(row) = rows.next()? {
        // A name that does not read was never known by heart.
        if let Ok(name) = ConversationId::parse(row.get_ref(1)?.as_str()?) {
            forgotten.push((row.get(0)?, name));
        }
    }
    Ok(())
}
