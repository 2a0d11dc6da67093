//! A plan's rows in the file: the conditions first, in the write itself, then everything that holds on them.

use rusqlite::{Connection, OptionalExtension as _};

use super::encode::Encoded;
use super::order::QueuedTurn;
use super::outbox;
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::format::CURRENT;
use crate::store::plan::{Found, Head, Outline, Plan, Turn};

const IN_EPOCH: &str = "SELECT 1 FROM channel WHERE id = ? AND epoch = ?";
const NEXT_TURN: &str = "UPDATE channel SET next_turn = ? WHERE id = ? AND epoch = ?";
const CAUSE: &str =
    "INSERT INTO seen (channel, cause, at) VALUES (?, ?, ?) ON CONFLICT (channel, cause) DO NOTHING";
const BEGIN: &str = "DELETE FROM conversation WHERE channel = ? AND name = ?";
const CONVERSATION: &str = "INSERT INTO conversation (id, channel, name, state, covered, heard, ended, idle, format) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = coalesce(excluded.state, state), \
     format = CASE WHEN excluded.state IS NULL THEN format ELSE excluded.format END, \
     covered = max(excluded.covered, covered), heard = excluded.heard, ended = excluded.ended, idle = excluded.idle";
const TURN: &str = "INSERT INTO turn (id, conversation, at, ended, facts, format) VALUES (?, ?, ?, ?, ?, ?)";
const OUTCOME: &str = "INSERT INTO outcome (channel, conversation, request, at, outcome, reason, format) \
     VALUES (?, ?, ?, ?, ?, ?, ?)";
const POSITION: &str = "INSERT OR REPLACE INTO position (channel, topic, replay_id, at) VALUES (?, ?, ?, ?)";
const HEAD: &str = "SELECT id, idle, ended, heard FROM conversation WHERE channel = ? AND name = ?";

impl QueuedTurn {
    /// What the plan goes by.
    pub(super) fn outline(&self) -> Turn<'_> {
        let change = self.change.as_ref().map(|change| match change {
            Ok(change) => Ok(change.outline()),
            Err(error) => Err(error.clone()),
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

impl Encoded {
    fn outline(&self) -> Outline<'_> {
        Outline {
            conversation: &self.conversation,
            began: self.began,
            ended: self.ended,
            facts: self.facts.as_ref().map_or(0, |(_, count)| *count),
            state: self.state.as_ref().map(|(_, is_idle)| *is_idle),
            endings: self.endings.len(),
            tellings: self.tellings.len(),
        }
    }
}

/// What is stored of a conversation.
pub(super) fn head(
    connection: &Connection,
    channel: i64,
    name: &ConversationId,
) -> rusqlite::Result<Option<Head>> {
    let head = |row: &rusqlite::Row<'_>| {
        let heard = Timestamp::from_millis(row.get(3)?);
        Ok(Head { id: row.get(0)?, idle: row.get(1)?, ended: row.get(2)?, heard, facts: 0 })
    };
    connection.prepare_cached(HEAD)?.query_row((channel, name.as_str()), head).optional()
}

/// Writes a plan within a transaction. Where something is found to stand in its way, the transaction is to be taken
/// back.
pub(super) fn write(
    connection: &Connection,
    plan: &Plan<'_>,
    turns: &[QueuedTurn],
) -> rusqlite::Result<Found> {
    let found = conditions(connection, plan)?;
    if found.is_nothing() {
        conversations(connection, plan, turns)?;
        journal(connection, plan, turns)?;
    }
    Ok(found)
}

fn conditions(connection: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    for (id, row) in &plan.channels {
        let holds = match row.next_turn {
            Some(next) => connection.prepare_cached(NEXT_TURN)?.execute((next, id, row.epoch.0))? > 0,
            None => connection.prepare_cached(IN_EPOCH)?.exists((id, row.epoch.0))?,
        };
        if !holds {
            found.superseded.insert(*id);
        }
    }
    let mut insert = connection.prepare_cached(CAUSE)?;
    for row in &plan.causes {
        if insert.execute((row.channel, row.cause.bytes(), row.at.as_millis()))? == 0 {
            found.seen.insert((row.channel, row.cause.clone()));
        }
    }
    Ok(found)
}

fn conversations(connection: &Connection, plan: &Plan<'_>, turns: &[QueuedTurn]) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(BEGIN)?;
    for (channel, name) in &plan.begun {
        delete.execute((channel, name.as_str()))?;
    }
    let mut insert = connection.prepare_cached(CONVERSATION)?;
    for (id, row) in &plan.conversations {
        let state = row.state.and_then(|(from, covered)| {
            let (state, _) = change(turns, from)?.state.as_ref()?;
            Some((state.as_str(), covered))
        });
        let (state, covered) = state.unzip();
        insert.execute(rusqlite::params![
            id,
            row.channel,
            row.name.as_str(),
            state,
            covered.unwrap_or(0),
            row.heard.as_millis(),
            row.ended,
            row.idle,
            CURRENT
        ])?;
    }
    Ok(())
}

fn journal(connection: &Connection, plan: &Plan<'_>, turns: &[QueuedTurn]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(TURN)?;
    for row in &plan.turns {
        let Some((facts, _)) = change(turns, row.from).and_then(|change| change.facts.as_ref()) else {
            continue;
        };
        insert.execute((row.id, row.conversation, row.at.as_millis(), row.ended, facts, CURRENT))?;
    }
    let mut insert = connection.prepare_cached(OUTCOME)?;
    for row in &plan.outcomes {
        for ending in change(turns, row.from).into_iter().flat_map(|change| &change.endings) {
            let (channel, name, at) = (row.channel, row.conversation.as_str(), ending.at.as_millis());
            let (request, outcome, reason) = (&ending.request, ending.outcome, &ending.reason);
            insert.execute((channel, name, request, at, outcome, reason, CURRENT))?;
        }
    }
    for row in &plan.tellings {
        if let Some(change) = change(turns, row.from) {
            outbox::add(connection, row, change)?;
        }
    }
    let mut insert = connection.prepare_cached(POSITION)?;
    for ((channel, topic), (position, at)) in &plan.positions {
        insert.execute((channel, topic, position.replay_id(), at.as_millis()))?;
    }
    Ok(())
}

fn change(turns: &[QueuedTurn], from: usize) -> Option<&Encoded> {
    turns.get(from)?.change.as_ref()?.as_ref().ok()
}
