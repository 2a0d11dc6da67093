//! Reading: recovery, and what others want to know.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::failure::{bad, failure};
use super::order::Opened;
use super::outbox;
use crate::model::ids::{ConversationId, EventId, OrgId};
use crate::model::time::Timestamp;
use crate::routing::{Conversation, Ending, Outcome};
use crate::store::plan::TURN_BITS;
use crate::store::record::{
    Cause, ChannelKey, Loaded, OutcomeId, OutcomeRecord, Position, StoredConversation, Unreadable,
};
use crate::store::{Error, OpenIds, format};

/// Reads a channel: every state, then the facts after it, in one sweep each.
pub(super) fn load(connection: &Connection, opened: &Opened) -> Result<Loaded, Error> {
    let mut loaded = load_as(connection, opened, true)?;
    loaded.untold = outbox::untold(connection, opened.channel)?;
    Ok(loaded)
}

/// As [`load`], without what is to be told; `numbered` says whether rows say their format, or are from before there were
/// numbers.
pub(super) fn load_as(connection: &Connection, opened: &Opened, numbered: bool) -> Result<Loaded, Error> {
    let mut found = states(connection, opened.channel, numbered)?;
    apply_turns(connection, opened.channel, numbered, &mut found).map_err(failure)?;
    let mut conversations = Vec::with_capacity(found.len());
    let mut unreadable = Vec::new();
    for found in found.into_values() {
        match found.state {
            Ok(conversation) => {
                let Found { heard, ended, .. } = found;
                conversations.push(StoredConversation { conversation, heard, ended });
            }
            Err(wrong) => unreadable.push(wrong),
        }
    }
    let positions = positions(connection, opened.channel)?;
    Ok(Loaded { epoch: opened.epoch, conversations, positions, untold: Vec::new(), unreadable })
}

struct Found {
    state: Result<Conversation, Unreadable>,
    covered: i64,
    heard: Timestamp,
    ended: bool,
}

fn states(connection: &Connection, channel: i64, numbered: bool) -> Result<HashMap<i64, Found>, Error> {
    let mut found = HashMap::new();
    let select = if numbered {
        "SELECT id, name, state, covered, heard, ended, format FROM conversation WHERE channel = ?"
    } else {
        "SELECT id, name, state, covered, heard, ended, 1 FROM conversation WHERE channel = ?"
    };
    let mut statement = connection.prepare(select).map_err(failure)?;
    let mut rows = statement.query([channel]).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        let (id, one) = state(row).map_err(failure)?;
        found.insert(id, one);
    }
    Ok(found)
}

fn state(row: &Row<'_>) -> rusqlite::Result<(i64, Found)> {
    let name = ConversationId::parse(row.get_ref(1)?.as_str()?).map_err(|error| bad(1, error))?;
    let text = row.get_ref(2)?.as_str_or_null()?;
    let format: i64 = row.get(6)?;
    let state = match text.map(|text| format::state(format, text)) {
        None => Ok(Conversation::new(name)),
        Some(Ok(state)) if *state.id() == name => Ok(state),
        Some(Ok(other)) => Err(unreadable(name, format!("its state is that of {}", other.id()), text)),
        Some(Err(error)) => Err(unreadable(name, format!("its state: {error}"), text)),
    };
    let heard = Timestamp::from_millis(row.get(4)?);
    Ok((row.get(0)?, Found { state, covered: row.get(3)?, heard, ended: row.get(5)? }))
}

fn apply_turns(
    connection: &Connection,
    channel: i64,
    numbered: bool,
    found: &mut HashMap<i64, Found>,
) -> rusqlite::Result<()> {
    let select = if numbered {
        "SELECT id, conversation, at, ended, facts, format FROM turn WHERE id > ? AND id < ?"
    } else {
        "SELECT id, conversation, at, ended, facts, 1 FROM turn WHERE id > ? AND id < ?"
    };
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query((channel << TURN_BITS, channel.saturating_add(1) << TURN_BITS))?;
    while let Some(row) = rows.next()? {
        let (id, conversation): (i64, i64) = (row.get(0)?, row.get(1)?);
        // Turns of conversations that are gone, or in whose state they are, wait to be dropped.
        let Some(found) = found.get_mut(&conversation).filter(|found| found.covered < id) else { continue };
        found.heard = found.heard.max(Timestamp::from_millis(row.get(2)?));
        found.ended = row.get(3)?;
        apply(&mut found.state, row.get(5)?, row.get_ref(4)?.as_str()?);
    }
    Ok(())
}

fn unreadable(conversation: ConversationId, why: String, row: Option<&str>) -> Unreadable {
    let mut left = OpenIds::default();
    left.look(row.unwrap_or_default());
    Unreadable { conversation, why, left }
}

fn apply(state: &mut Result<Conversation, Unreadable>, format: i64, facts: &str) {
    let conversation = match state {
        Ok(conversation) => conversation,
        Err(lost) => return lost.left.look(facts),
    };
    let why = match format::facts(format, facts) {
        Ok(facts) => match facts.iter().try_for_each(|fact| conversation.apply(fact)) {
            Ok(()) => return,
            Err(illegal) => illegal.to_string(),
        },
        Err(error) => format!("its facts: {error}"),
    };
    let known = serde_json::to_string(conversation).unwrap_or_default();
    let mut lost = unreadable(conversation.id().clone(), why, Some(&known));
    lost.left.look(facts);
    *state = Err(lost);
}

/// The number of a channel, where it was ever loaded.
pub(super) fn channel_id(connection: &Connection, channel: &ChannelKey) -> Result<Option<i64>, Error> {
    channel_number(connection, channel).map_err(failure)
}

/// As [`channel_id`].
pub(super) fn channel_number(connection: &Connection, channel: &ChannelKey) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM channel WHERE org = ? AND name = ?")?
        .query_row((channel.org.as_str(), &*channel.channel), |row| row.get(0))
        .optional()
}

pub(super) fn positions(connection: &Connection, channel: i64) -> Result<Vec<Position>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT topic, replay_id FROM position WHERE channel = ? ORDER BY topic")
        .map_err(failure)?;
    let mut rows = statement.query([channel]).map_err(failure)?;
    let mut positions = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        let read = || Ok((row.get::<_, String>(0)?, row.get_ref(1)?.as_blob()?));
        let (topic, replay_id) = read().map_err(failure)?;
        positions.push(Position::new(topic, replay_id)?);
    }
    Ok(positions)
}

pub(super) fn seen(
    connection: &Connection,
    channel: &ChannelKey,
    causes: &[Cause],
) -> Result<Vec<bool>, Error> {
    let Some(channel) = channel_id(connection, channel)? else { return Ok(vec![false; causes.len()]) };
    let seen = || -> rusqlite::Result<Vec<bool>> {
        let mut statement =
            connection.prepare_cached("SELECT 1 FROM seen WHERE channel = ? AND cause = ?")?;
        causes.iter().map(|cause| statement.exists((channel, cause.bytes()))).collect()
    };
    seen().map_err(failure)
}

pub(super) fn outcomes(
    connection: &Connection,
    after: OutcomeId,
    limit: usize,
) -> Result<Vec<OutcomeRecord>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut last = after.0;
    let mut read = || {
        let mut statement = connection.prepare_cached(
            "SELECT o.id, c.org, c.name, o.conversation, o.request, o.at, o.outcome, o.reason, o.format \
             FROM outcome o JOIN channel c ON c.id = o.channel WHERE o.id > ? ORDER BY o.id LIMIT ?",
        )?;
        loop {
            let mut rows = statement.query((last, limit))?;
            let (mut readable, mut found) = (Vec::new(), false);
            while let Some(row) = rows.next()? {
                (found, last) = (true, row.get(0)?);
                // One that makes no sense keeps nobody from the others.
                match outcome(row) {
                    Ok(outcome) => readable.push(outcome),
                    Err(error) => tracing::warn!(id = last, %error, "an outcome cannot be read"),
                }
            }
            // Where none of them makes sense, those behind may.
            if !found || !readable.is_empty() {
                return Ok(readable);
            }
        }
    };
    read().map_err(failure)
}

pub(super) fn last_outcome(connection: &Connection) -> Result<OutcomeId, Error> {
    let last =
        connection.query_row("SELECT coalesce(max(id), 0) FROM outcome", [], |row| row.get(0).map(OutcomeId));
    last.map_err(failure)
}

fn outcome(row: &Row<'_>) -> rusqlite::Result<OutcomeRecord> {
    let name = row.get_ref(6)?.as_str()?;
    let outcome = Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.as_str() == name)
        .ok_or_else(|| bad(6, format!("there is no outcome '{name}'")))?;
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    Ok(OutcomeRecord {
        id: OutcomeId(row.get(0)?),
        channel: ChannelKey {
            org: OrgId::parse(text(1)?).map_err(|error| bad(1, error))?,
            channel: Arc::from(text(2)?),
        },
        conversation: ConversationId::parse(text(3)?).map_err(|error| bad(3, error))?,
        ending: Ending {
            request: EventId::parse(text(4)?).map_err(|error| bad(4, error))?,
            at: Timestamp::from_millis(row.get(5)?),
            outcome,
            reason: format::reason(row.get(8)?, text(7)?).map_err(|error| bad(7, error))?,
        },
    })
}
