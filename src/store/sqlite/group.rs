//! Turns that are committed together: first what the file says about them is looked up, then each is decided
//! in order, then all rows are written, a statement for many rows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::encode::{Encoded, EncodedEnding};
use super::writer::{Heads, QueuedTurn};
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::format::CURRENT;
use crate::store::record::{Appended, ChannelKey, Epoch};
use crate::store::{Error, FACTS_BEFORE_STATE};

/// How stale the note may get of when an idle conversation was last heard of. Every message of a chat would
/// be a write otherwise; the retention has room for this.
const HEARD_WITHIN: Duration = Duration::from_secs(3600);

/// How many rows go into one statement of just that many. A statement is a change of threads and back, which
/// costs more than its rows, and a busy channel's groups are about this large.
const EXACTLY: usize = 16;

/// How many rows one statement of a larger group takes: few sizes, so that each is prepared once.
const ROWS: [usize; 4] = [128, 64, 32, EXACTLY];

/// What the writer knows without looking.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) channels: HashMap<ChannelKey, Channel>,
    pub(super) heads: Heads,
    pub(super) next_conversation: i64,
}

/// A channel that was loaded.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: i64,
    pub(super) epoch: Epoch,
    pub(super) broken: bool,
    pub(super) next_turn: i64,
}

/// What of a conversation decides how its next turn is written.
#[derive(Debug, Clone)]
pub(super) struct Head {
    id: i64,
    idle: bool,
    ended: bool,
    /// As the file has it.
    heard: Timestamp,
    /// How many facts were stored since its last state.
    facts: usize,
}

type CauseKey = (i64, Vec<u8>);

/// Looks up, decides and writes. The answers are worth nothing before the commit.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    known: &mut Known,
    turns: &[QueuedTurn],
) -> Result<Vec<Result<Appended, Error>>, sqlx::Error> {
    let mut seen = look_up_causes(connection, known, turns).await?;
    look_up_heads(connection, known, turns).await?;
    let mut rows = Rows::default();
    let answers = turns.iter().map(|turn| rows.decide(known, &mut seen, turn)).collect();
    rows.write(connection).await?;
    Ok(answers)
}

async fn look_up_causes(
    connection: &mut SqliteConnection,
    known: &Known,
    turns: &[QueuedTurn],
) -> Result<HashSet<CauseKey>, sqlx::Error> {
    let asked: Vec<(i64, &[u8])> = turns
        .iter()
        .filter_map(|turn| Some((known.channels.get(&turn.channel)?.id, turn.cause.as_ref()?.bytes())))
        .collect();
    let mut found = HashSet::new();
    for chunk in chunks(&asked) {
        let mut query = QueryBuilder::new("WITH asked (channel, cause) AS (");
        query.push_values(chunk, |mut row, (channel, cause)| {
            row.push_bind(*channel).push_bind(*cause);
        });
        query.push(
            ") SELECT seen.channel, seen.cause FROM asked CROSS JOIN seen \
             ON seen.channel = asked.channel AND seen.cause = asked.cause",
        );
        for row in query.build().fetch_all(&mut *connection).await? {
            found.insert((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(found)
}

async fn look_up_heads(
    connection: &mut SqliteConnection,
    known: &mut Known,
    turns: &[QueuedTurn],
) -> Result<(), sqlx::Error> {
    let mut asked = Vec::new();
    for turn in turns {
        let Some(channel) = known.channels.get(&turn.channel) else { continue };
        let Some(Ok(change)) = &turn.change else { continue };
        if !known.heads.contains_key(&(channel.id, change.conversation.clone())) {
            asked.push((channel.id, &change.conversation));
        }
    }
    for chunk in chunks(&asked) {
        let mut query = QueryBuilder::new("WITH asked (channel, name) AS (");
        query.push_values(chunk, |mut row, (channel, name)| {
            row.push_bind(*channel).push_bind(name.as_str());
        });
        query.push(
            ") SELECT c.channel, c.name, c.id, c.idle, c.ended, c.heard FROM asked CROSS JOIN conversation c \
             ON c.channel = asked.channel AND c.name = asked.name",
        );
        for row in query.build().fetch_all(&mut *connection).await? {
            let name: &str = row.try_get(1)?;
            let name = ConversationId::parse(name).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            let head = Head {
                id: row.try_get(2)?,
                idle: row.try_get(3)?,
                ended: row.try_get(4)?,
                heard: Timestamp::from_millis(row.try_get(5)?),
                facts: 0,
            };
            known.heads.insert((row.try_get(0)?, name), head);
        }
    }
    Ok(())
}

/// The rows of one group.
#[derive(Default)]
struct Rows<'t> {
    begun_anew: Vec<i64>,
    conversations: BTreeMap<i64, ConversationRow<'t>>,
    turns: Vec<TurnRow<'t>>,
    causes: Vec<(i64, &'t [u8], Timestamp)>,
    positions: BTreeMap<(i64, &'t str), (&'t [u8], Timestamp)>,
    outcomes: Vec<(i64, &'t ConversationId, &'t EncodedEnding)>,
    next_turns: BTreeMap<i64, i64>,
}

struct ConversationRow<'t> {
    channel: i64,
    name: &'t ConversationId,
    state: Option<(&'t str, i64)>,
    heard: Timestamp,
    ended: bool,
    idle: bool,
}

struct TurnRow<'t> {
    id: i64,
    conversation: i64,
    at: Timestamp,
    ended: bool,
    facts: &'t str,
}

impl<'t> Rows<'t> {
    /// Decides one turn, after those before it.
    fn decide(
        &mut self,
        known: &mut Known,
        seen: &mut HashSet<CauseKey>,
        turn: &'t QueuedTurn,
    ) -> Result<Appended, Error> {
        let Known { channels, heads, next_conversation } = known;
        let channel = channels
            .get_mut(&turn.channel)
            .filter(|channel| channel.epoch == turn.epoch && !channel.broken)
            .ok_or(Error::Superseded)?;
        let mut change = None;
        if let Some(encoded) = &turn.change {
            let key = encoded.as_ref().map(|change| (channel.id, change.conversation.clone()));
            match (encoded, key) {
                (Ok(new), Ok(key)) if new.began || heads.contains_key(&key) => change = Some((new, key)),
                (refused, _) => {
                    channel.broken = true;
                    return Err(refused.as_ref().err().cloned().unwrap_or(Error::Superseded));
                }
            }
        }
        if let Some(position) = &turn.position {
            self.positions.insert((channel.id, position.topic()), (position.replay_id(), turn.at));
        }
        let mut duplicate = false;
        if let Some(cause) = &turn.cause {
            duplicate = !seen.insert((channel.id, cause.bytes().to_vec()));
            if !duplicate {
                self.causes.push((channel.id, cause.bytes(), turn.at));
            }
        }
        let Some((change, key)) = change else {
            return Ok(if duplicate { Appended::Duplicate } else { Appended::Stored { wants_state: false } });
        };
        if duplicate && change.facts.is_some() {
            // The state machine is ahead of the store; what follows from that must not be stored.
            channel.broken = true;
            return Ok(Appended::Duplicate);
        }
        if change.began {
            if let Some(old) = heads.remove(&key) {
                self.conversations.remove(&old.id);
                self.begun_anew.push(old.id);
            }
            let head = Head {
                id: *next_conversation,
                idle: true,
                ended: change.ended,
                heard: Timestamp::from_millis(i64::MIN),
                facts: 0,
            };
            *next_conversation = next_conversation.saturating_add(1);
            heads.insert(key.clone(), head);
        }
        let Some(head) = heads.get_mut(&key) else { return Err(Error::Superseded) };
        let stored = self.change(channel, head, turn.at, change);
        Ok(if duplicate { Appended::Duplicate } else { stored })
    }

    fn change(
        &mut self,
        channel: &mut Channel,
        head: &mut Head,
        at: Timestamp,
        change: &'t Encoded,
    ) -> Appended {
        let state =
            change.state.as_ref().map(|(state, _)| (state.as_str(), channel.next_turn.saturating_sub(1)));
        let mut idle = head.idle;
        if let Some((_, is_idle)) = &change.state {
            idle = *is_idle;
            head.facts = 0;
        } else if let Some((facts, count)) = &change.facts {
            // Facts alone cannot tell; taking it for open keeps it.
            idle = false;
            head.facts = head.facts.saturating_add(*count);
            let id = channel.next_turn;
            channel.next_turn = channel.next_turn.saturating_add(1);
            self.next_turns.insert(channel.id, channel.next_turn);
            self.turns.push(TurnRow { id, conversation: head.id, at, ended: change.ended, facts });
        }
        let noted = head.idle == idle && head.ended == change.ended && at <= head.heard + HEARD_WITHIN;
        if state.is_some() || !noted {
            (head.idle, head.ended, head.heard) = (idle, change.ended, at);
            let row = self.conversations.entry(head.id).or_insert(ConversationRow {
                channel: channel.id,
                name: &change.conversation,
                state: None,
                heard: at,
                ended: change.ended,
                idle,
            });
            (row.heard, row.ended, row.idle) = (at, change.ended, idle);
            row.state = state.or(row.state);
        }
        let name = &change.conversation;
        self.outcomes.extend(change.endings.iter().map(|ending| (channel.id, name, ending)));
        Appended::Stored { wants_state: head.facts >= FACTS_BEFORE_STATE }
    }

    async fn write(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        insert(connection, "DELETE FROM conversation WHERE id IN (", ")", &self.begun_anew, |row, id| {
            row.push_bind(*id);
        })
        .await?;
        let rows: Vec<_> = self.conversations.into_iter().collect();
        insert(
            connection,
            "INSERT INTO conversation (id, channel, name, state, covered, heard, ended, idle, format) ",
            " ON CONFLICT (id) DO UPDATE SET state = coalesce(excluded.state, state), \
             format = CASE WHEN excluded.state IS NULL THEN format ELSE excluded.format END, covered = max(excluded.covered, covered), heard = excluded.heard, ended = excluded.ended, \
             idle = excluded.idle",
            &rows,
            |row, (id, new)| {
                row.push_bind(*id).push_bind(new.channel).push_bind(new.name.as_str());
                row.push_bind(new.state.map(|(state, _)| state)).push_bind(new.state.map_or(0, |(_, id)| id));
                row.push_bind(new.heard.as_millis()).push_bind(new.ended).push_bind(new.idle).push(CURRENT);
            },
        )
        .await?;
        let into = "INSERT INTO turn (id, conversation, at, ended, facts, format) ";
        insert(connection, into, "", &self.turns, |row, new| {
            row.push_bind(new.id).push_bind(new.conversation).push_bind(new.at.as_millis());
            row.push_bind(new.ended).push_bind(new.facts).push(CURRENT);
        })
        .await?;
        let into = "INSERT INTO seen (channel, cause, at) ";
        insert(connection, into, "", &self.causes, |row, (channel, cause, at)| {
            row.push_bind(*channel).push_bind(*cause).push_bind(at.as_millis());
        })
        .await?;
        let into = "INSERT INTO outcome (channel, conversation, request, at, outcome, reason, format) ";
        insert(connection, into, "", &self.outcomes, |row, (channel, name, ending)| {
            row.push_bind(*channel).push_bind(name.as_str()).push_bind(ending.request.as_str());
            row.push_bind(ending.at.as_millis()).push_bind(ending.outcome).push_bind(ending.reason.as_str());
            row.push(CURRENT);
        })
        .await?;
        let positions: Vec<_> = self.positions.into_iter().collect();
        let into = "INSERT OR REPLACE INTO position (channel, topic, replay_id, at) ";
        insert(connection, into, "", &positions, |row, ((channel, topic), (replay_id, at))| {
            row.push_bind(*channel).push_bind(*topic).push_bind(*replay_id).push_bind(at.as_millis());
        })
        .await?;
        for (channel, next) in self.next_turns {
            sqlx::query("UPDATE channel SET next_turn = ? WHERE id = ?")
                .bind(next)
                .bind(channel)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

/// Cuts rows into the sizes for which statements are prepared.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = match rows.len() {
            0 => return None,
            few @ ..=EXACTLY => few,
            many => ROWS.into_iter().find(|size| *size <= many)?,
        };
        let (chunk, rest) = rows.split_at_checked(size)?;
        rows = rest;
        Some(chunk)
    })
}

async fn insert<T>(
    connection: &mut SqliteConnection,
    start: &str,
    end: &str,
    rows: &[T],
    mut bind: impl FnMut(&mut Separated<'_, Sqlite, &'static str>, &T),
) -> Result<(), sqlx::Error> {
    for chunk in chunks(rows) {
        let mut query = QueryBuilder::new(start);
        query.push_values(chunk, |mut row, new| bind(&mut row, new));
        query.push(end);
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}
