//! Reading: recovery, and what others want to know.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, SqliteConnection};

use super::failure::failure;
use super::writer::{Opened, TURN_BITS};
use crate::model::ids::{ConversationId, EventId, OrgId};
use crate::model::time::Timestamp;
use crate::routing::{Conversation, Ending, Outcome};
use crate::store::record::{
    Cause, ChannelKey, Loaded, OutcomeId, OutcomeRecord, Position, StoredConversation, Unreadable,
};
use crate::store::{Error, OpenIds, format};

/// Reads a channel: every state, then the facts after it, in one sweep each.
pub(super) async fn load(connection: &mut SqliteConnection, opened: &Opened) -> Result<Loaded, Error> {
    load_as(connection, opened, true).await
}

/// As [`load`]; `numbered` says whether rows say their format, or are from before there were numbers.
pub(super) async fn load_as(
    connection: &mut SqliteConnection,
    opened: &Opened,
    numbered: bool,
) -> Result<Loaded, Error> {
    let mut found = states(connection, opened.channel, numbered).await?;
    apply_turns(connection, opened.channel, numbered, &mut found).await?;
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
    let positions = positions(connection, opened.channel).await?;
    Ok(Loaded { epoch: opened.epoch, conversations, positions, unreadable })
}

struct Found {
    state: Result<Conversation, Unreadable>,
    covered: i64,
    heard: Timestamp,
    ended: bool,
}

async fn states(
    connection: &mut SqliteConnection,
    channel: i64,
    numbered: bool,
) -> Result<HashMap<i64, Found>, Error> {
    let mut found = HashMap::new();
    let select = if numbered {
        "SELECT id, name, state, covered, heard, ended, format FROM conversation WHERE channel = ?"
    } else {
        "SELECT id, name, state, covered, heard, ended, 1 FROM conversation WHERE channel = ?"
    };
    let mut rows = sqlx::query(select).bind(channel).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(|error| failure(&error))? {
        let (id, one) = state(&row).map_err(|error| failure(&error))?;
        found.insert(id, one);
        tokio::task::consume_budget().await;
    }
    Ok(found)
}

fn state(row: &SqliteRow) -> Result<(i64, Found), sqlx::Error> {
    let name: &str = row.try_get(1)?;
    let name = ConversationId::parse(name).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    let text: Option<&str> = row.try_get(2)?;
    let format: i64 = row.try_get(6)?;
    let state = match text.map(|text| format::state(format, text)) {
        None => Ok(Conversation::new(name)),
        Some(Ok(state)) if *state.id() == name => Ok(state),
        Some(Ok(other)) => Err(unreadable(name, format!("its state is that of {}", other.id()), text)),
        Some(Err(error)) => Err(unreadable(name, format!("its state: {error}"), text)),
    };
    let heard = Timestamp::from_millis(row.try_get(4)?);
    Ok((row.try_get(0)?, Found { state, covered: row.try_get(3)?, heard, ended: row.try_get(5)? }))
}

async fn apply_turns(
    connection: &mut SqliteConnection,
    channel: i64,
    numbered: bool,
    found: &mut HashMap<i64, Found>,
) -> Result<(), Error> {
    let select = if numbered {
        "SELECT id, conversation, at, ended, facts, format FROM turn WHERE id > ? AND id < ?"
    } else {
        "SELECT id, conversation, at, ended, facts, 1 FROM turn WHERE id > ? AND id < ?"
    };
    let mut rows = sqlx::query(select)
        .bind(channel << TURN_BITS)
        .bind(channel.saturating_add(1) << TURN_BITS)
        .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(|error| failure(&error))? {
        let decode = || -> Result<_, sqlx::Error> {
            Ok((
                row.try_get(0)?,
                row.try_get(1)?,
                row.try_get(2)?,
                row.try_get(3)?,
                row.try_get::<&str, _>(4)?,
                row.try_get(5)?,
            ))
        };
        let (id, conversation, at, ended, facts, format): (i64, i64, i64, bool, &str, i64) =
            decode().map_err(|error| failure(&error))?;
        // Turns of conversations that are gone, or in whose state they are, wait to be dropped.
        let Some(found) = found.get_mut(&conversation).filter(|found| found.covered < id) else { continue };
        found.heard = found.heard.max(Timestamp::from_millis(at));
        found.ended = ended;
        apply(&mut found.state, format, facts);
        // Of a large channel there is more to read than others should wait for.
        tokio::task::consume_budget().await;
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
pub(super) async fn channel_id(
    connection: &mut SqliteConnection,
    channel: &ChannelKey,
) -> Result<Option<i64>, Error> {
    sqlx::query_scalar("SELECT id FROM channel WHERE org = ? AND name = ?")
        .bind(channel.org.as_str())
        .bind(&*channel.channel)
        .fetch_optional(connection)
        .await
        .map_err(|error| failure(&error))
}

pub(super) async fn positions(
    connection: &mut SqliteConnection,
    channel: i64,
) -> Result<Vec<Position>, Error> {
    let rows = sqlx::query("SELECT topic, replay_id FROM position WHERE channel = ? ORDER BY topic")
        .bind(channel)
        .fetch_all(connection)
        .await
        .map_err(|error| failure(&error))?;
    rows.iter()
        .map(|row| {
            let topic: &str = row.try_get(0).map_err(|error| failure(&error))?;
            let replay_id: &[u8] = row.try_get(1).map_err(|error| failure(&error))?;
            Position::new(topic, replay_id)
        })
        .collect()
}

pub(super) async fn seen(
    connection: &mut SqliteConnection,
    channel: &ChannelKey,
    causes: &[Cause],
) -> Result<Vec<bool>, Error> {
    const AT_ONCE: usize = 128;
    let mut known = BTreeSet::new();
    for chunk in causes.chunks(AT_ONCE) {
        let mut query =
            QueryBuilder::new("SELECT cause FROM seen WHERE channel = (SELECT id FROM channel WHERE org = ");
        query.push_bind(channel.org.as_str()).push(" AND name = ").push_bind(&*channel.channel);
        query.push(") AND cause IN (");
        query.push_values(chunk, |mut row, cause| {
            row.push_bind(cause.bytes());
        });
        query.push(")");
        let rows = query.build_query_scalar::<Vec<u8>>().fetch_all(&mut *connection).await;
        known.extend(rows.map_err(|error| failure(&error))?);
    }
    Ok(causes.iter().map(|cause| known.contains(cause.bytes())).collect())
}

pub(super) async fn outcomes(
    connection: &mut SqliteConnection,
    after: OutcomeId,
    limit: usize,
) -> Result<Vec<OutcomeRecord>, Error> {
    let mut last = after.0;
    loop {
        let rows = sqlx::query(
            "SELECT o.id, c.org, c.name, o.conversation, o.request, o.at, o.outcome, o.reason, o.format \
             FROM outcome o JOIN channel c ON c.id = o.channel WHERE o.id > ? ORDER BY o.id LIMIT ?",
        )
        .bind(last)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| failure(&error))?;
        let readable: Vec<OutcomeRecord> = rows.iter().filter_map(read_outcome).collect();
        let Some(newest) = rows.last().filter(|_| readable.is_empty()) else { return Ok(readable) };
        // None of them makes sense; those behind may.
        last = newest.try_get(0).map_err(|error| failure(&error))?;
    }
}

/// One that makes no sense keeps nobody from the others.
fn read_outcome(row: &SqliteRow) -> Option<OutcomeRecord> {
    let outcome = outcome(row);
    if let Err(error) = &outcome {
        tracing::warn!(id = row.try_get::<i64, _>(0).unwrap_or_default(), %error, "an outcome cannot be read");
    }
    outcome.ok()
}

pub(super) async fn last_outcome(connection: &mut SqliteConnection) -> Result<OutcomeId, Error> {
    let last = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM outcome").fetch_one(connection).await;
    last.map(OutcomeId).map_err(|error| failure(&error))
}

fn outcome(row: &SqliteRow) -> Result<OutcomeRecord, sqlx::Error> {
    fn bad<E: std::error::Error + Send + Sync + 'static>(error: E) -> sqlx::Error {
        sqlx::Error::Decode(Box::new(error))
    }
    let name: &str = row.try_get(6)?;
    let outcome = Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.as_str() == name)
        .ok_or_else(|| sqlx::Error::Decode(format!("there is no outcome '{name}'").into()))?;
    Ok(OutcomeRecord {
        id: OutcomeId(row.try_get(0)?),
        channel: ChannelKey {
            org: OrgId::parse(row.try_get(1)?).map_err(bad)?,
            channel: Arc::from(row.try_get::<&str, _>(2)?),
        },
        conversation: ConversationId::parse(row.try_get(3)?).map_err(bad)?,
        ending: Ending {
            request: EventId::parse(row.try_get(4)?).map_err(bad)?,
            at: Timestamp::from_millis(row.try_get(5)?),
            outcome,
            reason: format::reason(row.try_get(8)?, row.try_get(7)?).map_err(bad)?,
        },
    })
}
