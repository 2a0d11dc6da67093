//! What the partner is to be told, in the file: the outbox, the numbers in it, and the dead letters.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::encode::Encoded;
use super::failure::{bad, failure};
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::dead_letter::{DeadLetter, DeadLetterCount, FellOff, GivenUp, NOT_TOLD_IN_TIME, Place};
use crate::store::format::{self, CURRENT};
use crate::store::plan::{Cutoffs, TURN_BITS, TellingRows};
use crate::store::record::{ChannelKey, Telling, TellingId};

const NUMBERS: &str = "SELECT last, gap FROM told WHERE channel = ? AND conversation = ?";
const NUMBERED: &str =
    "INSERT OR REPLACE INTO told (channel, conversation, last, gap, at) VALUES (?, ?, ?, ?, ?)";
const TELLING: &str = "INSERT INTO telling (id, channel, name, conversation, sequence, at, announcement, format) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const TAKE_OUT: &str = "DELETE FROM telling WHERE channel = ? AND name = ?";
const UNTOLD: &str =
    "SELECT name, announcement, format, FALSE FROM telling WHERE id > ? AND id < ? ORDER BY id";
const RESENT: &str = "SELECT name, announcement, format, TRUE FROM dead_letter \
     WHERE channel = ? AND resent IS NOT NULL ORDER BY id";
const RESENT_TOLD: &str = "DELETE FROM dead_letter WHERE channel = ? AND name = ? AND resent IS NOT NULL";
const RESENT_PLACE: &str =
    "SELECT sequence, resent FROM dead_letter WHERE channel = ? AND name = ? AND resent IS NOT NULL";
// It is given up as if for the first time, and so comes last.
const GIVEN_UP_AGAIN: &str = "UPDATE dead_letter SET id = (SELECT max(id) + 1 FROM dead_letter), given_up = ?, \
     why = ?, resent = NULL WHERE channel = ? AND name = ? AND resent IS NOT NULL";
const RESEND: &str = "UPDATE dead_letter SET resent = ? WHERE channel = ? AND name = ? \
     RETURNING name, announcement, format, TRUE";
const DROP: &str = "DELETE FROM dead_letter WHERE channel = ? AND name = ?";
const COUNT: &str = "SELECT count(*), min(given_up) FROM dead_letter WHERE channel = ?";
const PLACE: &str = "SELECT t.sequence, n.gap, t.at FROM telling t LEFT JOIN told n \
     ON n.channel = t.channel AND n.conversation = t.conversation WHERE t.channel = ? AND t.name = ?";
const BURY: &str = "INSERT INTO dead_letter (channel, name, conversation, sequence, at, given_up, why, announcement, format) \
     SELECT channel, name, conversation, sequence, at, ?, ?, announcement, format FROM telling \
     WHERE channel = ? AND name = ? RETURNING conversation, sequence";
const GAP: &str = "UPDATE told SET gap = max(gap, ?) WHERE channel = ? AND conversation = ?";
const LETTERS: &str = "SELECT name, announcement, format, resent IS NOT NULL, sequence, at, given_up, why \
     FROM dead_letter \
     WHERE channel = ? ORDER BY id LIMIT ?";
const TOO_MANY: &str = "DELETE FROM dead_letter WHERE channel = ?1 AND id <= \
     (SELECT id FROM dead_letter WHERE channel = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";

// There are few of these, unless the partner has been away for long.
const LATE: &str = "SELECT channel, name FROM telling WHERE at < ? ORDER BY id LIMIT ?";

// These tables grow at their end: the oldest rows are the first, and no index by time is needed.
const OLD_LETTERS: &str =
    "DELETE FROM dead_letter WHERE given_up < ? AND id IN (SELECT id FROM dead_letter ORDER BY id LIMIT ?)";
const OLD_NUMBERS: &str = "DELETE FROM told WHERE at < ? AND id IN (SELECT id FROM told ORDER BY id LIMIT ?)";

/// Writes what a turn tells, each with the next number of its conversation.
pub(super) fn add(connection: &Connection, row: &TellingRows, change: &Encoded) -> rusqlite::Result<()> {
    let (name, at) = (change.conversation.as_str(), row.at.as_millis());
    let numbers = connection.prepare_cached(NUMBERS)?;
    let (mut last, gap): (i64, i64) = { numbers }
        .query_row((row.channel, name), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or((0, 0));
    let mut insert = connection.prepare_cached(TELLING)?;
    for (id, (telling, announcement)) in (row.first..).zip(&change.tellings) {
        last = last.saturating_add(1);
        insert.execute((id, row.channel, telling, name, last, at, announcement, CURRENT))?;
    }
    connection.prepare_cached(NUMBERED)?.execute((row.channel, name, last, gap, at))?;
    Ok(())
}

/// Takes out what the partner was told.
pub(super) fn told(connection: &Connection, channel: i64, ids: &[TellingId]) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(TAKE_OUT)?;
    let mut dead = connection.prepare_cached(RESENT_TOLD)?;
    for id in ids {
        if delete.execute((channel, id.to_string()))? == 0 {
            dead.execute((channel, id.to_string()))?;
        }
    }
    Ok(())
}

/// Moves what the partner does not take to the dead letters.
pub(super) fn give_up(connection: &Connection, channel: i64, given_up: &GivenUp) -> rusqlite::Result<()> {
    let GivenUp { id, at, why } = given_up;
    bury(connection, channel, &id.to_string(), *at, why)
}

fn bury(connection: &Connection, channel: i64, name: &str, at: Timestamp, why: &str) -> rusqlite::Result<()> {
    let moved: Option<(String, i64)> = connection
        .prepare_cached(BURY)?
        .query_row((at.as_millis(), why, channel, name), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((conversation, sequence)) = moved {
        connection.prepare_cached(TAKE_OUT)?.execute((channel, name))?;
        connection.prepare_cached(GAP)?.execute((sequence, channel, conversation))?;
    } else {
        connection.prepare_cached(GIVEN_UP_AGAIN)?.execute((at.as_millis(), why, channel, name))?;
    }
    Ok(())
}

/// Drops the oldest dead letters of a channel above so many.
pub(super) fn bound(
    connection: &Connection,
    channel: i64,
    key: Option<&ChannelKey>,
    most: usize,
) -> rusqlite::Result<()> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let dropped = connection.prepare_cached(TOO_MANY)?.execute((channel, most))?;
    FellOff::Count.tell(dropped, key);
    Ok(())
}

/// Gives up what nobody has told in time, and drops what is older than it is kept: at most so many rows of each.
pub(super) fn drop_old(
    connection: &Connection,
    now: Timestamp,
    old: &Cutoffs,
    rows: i64,
    most: usize,
) -> rusqlite::Result<()> {
    let late = connection
        .prepare_cached(LATE)?
        .query_map((old.tellings.as_millis(), rows), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    for (channel, name) in late {
        bury(connection, channel, &name, now, NOT_TOLD_IN_TIME)?;
        bound(connection, channel, None, most)?;
    }
    let dropped = connection.prepare_cached(OLD_LETTERS)?.execute((old.dead_letters.as_millis(), rows))?;
    FellOff::Age.tell(dropped, None);
    connection.prepare_cached(OLD_NUMBERS)?.execute((old.numbers.as_millis(), rows))?;
    Ok(())
}

/// What is still to be told, in order.
pub(super) fn untold(connection: &Connection, channel: i64) -> Result<Vec<Telling>, Error> {
    let read = || {
        let mut statement = connection.prepare_cached(UNTOLD)?;
        let rows = statement.query((channel << TURN_BITS, channel.saturating_add(1) << TURN_BITS))?;
        let mut untold = readable(rows, telling)?;
        untold.extend(readable(connection.prepare_cached(RESENT)?.query([channel])?, telling)?);
        Ok(untold)
    };
    read().map_err(failure)
}

/// Where something that is to be told stands.
pub(super) fn place(connection: &Connection, channel: i64, id: TellingId) -> Result<Option<Place>, Error> {
    let place = |row: &Row<'_>| {
        let (sequence, gap): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
        let after_gap = gap.is_some_and(|gap| gap > 0 && gap.saturating_add(1) == sequence);
        let since = Timestamp::from_millis(row.get(2)?);
        Ok(Place { sequence: number(sequence), after_gap, since })
    };
    let resent = |row: &Row<'_>| {
        let since = Timestamp::from_millis(row.get(1)?);
        Ok(Place { sequence: number(row.get(0)?), after_gap: false, since })
    };
    let name = id.to_string();
    let read = || {
        let found = connection.prepare_cached(PLACE)?.query_row((channel, &name), place).optional()?;
        match found {
            Some(found) => Ok(Some(found)),
            None => connection.prepare_cached(RESENT_PLACE)?.query_row((channel, &name), resent).optional(),
        }
    };
    read().map_err(failure)
}

/// The dead letters that came first.
pub(super) fn dead_letters(
    connection: &Connection,
    channel: i64,
    limit: usize,
) -> Result<Vec<DeadLetter>, Error> {
    let read = || {
        let mut statement = connection.prepare_cached(LETTERS)?;
        readable(statement.query((channel, i64::try_from(limit).unwrap_or(i64::MAX)))?, letter)
    };
    read().map_err(failure)
}

/// How many dead letters there are.
pub(super) fn count(connection: &Connection, channel: i64) -> Result<DeadLetterCount, Error> {
    let count = |row: &Row<'_>| {
        let (count, oldest): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(DeadLetterCount { count, oldest: oldest.map(Timestamp::from_millis) })
    };
    let read = || connection.prepare_cached(COUNT)?.query_row([channel], count);
    read().map_err(failure)
}

/// Has a dead letter told again.
pub(super) fn resend(
    connection: &Connection,
    channel: i64,
    id: TellingId,
    at: Timestamp,
) -> rusqlite::Result<Option<Telling>> {
    let mut resend = connection.prepare_cached(RESEND)?;
    resend.query_row((at.as_millis(), channel, id.to_string()), telling).optional()
}

/// Drops a dead letter, and says whether it was there.
pub(super) fn drop_letter(connection: &Connection, channel: i64, id: TellingId) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached(DROP)?.execute((channel, id.to_string()))? > 0)
}

/// The rows that make sense; one that makes none keeps nobody from the others.
fn readable<T>(
    mut rows: rusqlite::Rows<'_>,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        match read(row) {
            Ok(one) => all.push(one),
            Err(error) => tracing::warn!(%error, "something that is to be told cannot be read"),
        }
    }
    Ok(all)
}

fn telling(row: &Row<'_>) -> rusqlite::Result<Telling> {
    let id = TellingId::parse(row.get_ref(0)?.as_str()?).map_err(|error| bad(0, error))?;
    let text = row.get_ref(1)?.as_str()?;
    let announcement = format::announcement(row.get(2)?, text).map_err(|error| bad(1, error))?;
    Ok(Telling { id, announcement, resent: row.get(3)? })
}

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        telling: telling(row)?,
        sequence: number(row.get(4)?),
        at: Timestamp::from_millis(row.get(5)?),
        given_up: Timestamp::from_millis(row.get(6)?),
        why: row.get(7)?,
    })
}

/// None is below zero.
fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
