//! The rows of the same turns, by statements that are prepared once and a loop that does nothing else: what SQLite
//! costs without a store around it.

use std::path::Path;
use std::time::{Duration, Instant};

use byoc_connector::routing::Ending;
use byoc_connector::store::Change;
use rusqlite::Connection;

use crate::NOW;
use crate::chat::Chat;

const SCHEMA: [&str; 2] =
    [include_str!("../../migrations/0001_begin.sql"), include_str!("../../migrations/0002_format.sql")];

/// How many conferences go on at once.
const CHATS: usize = 256;

/// A turn, encoded.
struct Row {
    conversation: i64,
    name: String,
    began: bool,
    facts: Option<String>,
    state: Option<String>,
    endings: Vec<(String, i64, &'static str, String)>,
    cause: Option<Vec<u8>>,
    at: i64,
}

/// How many turns a second are durable, in groups of so many.
pub(crate) fn rate(path: &Path, group: usize, span: Duration) -> f64 {
    let connection = Connection::open(path).expect("a file");
    let set = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;";
    connection.execute_batch(set).expect("settings");
    for sql in SCHEMA {
        connection.execute_batch(sql).expect("a schema");
    }
    connection.execute("INSERT INTO channel VALUES (1, 'org', 'chat', 1, 0)", []).expect("a channel");
    let mut chats: Vec<(i64, Chat)> = (0..CHATS).map(|number| (0, Chat::new(number, NOW))).collect();
    for ((id, _), number) in chats.iter_mut().zip(1..) {
        *id = number;
    }
    let (mut next, mut number, mut turn, mut turns) = (0, CHATS, 0, 0_usize);
    let (mut took, mut causes) = (Duration::ZERO, 0);
    while took < span {
        let rows: Vec<Row> = (0..group)
            .map(|_| {
                next = (next + 1) % CHATS;
                let (id, chat) = chats.get_mut(next).expect("one of them");
                if chat.is_over() {
                    number += 1;
                    (*id, *chat) = (i64::try_from(number).expect("few"), Chat::new(number, NOW));
                }
                causes += 1;
                encoded(*id, causes, chat)
            })
            .collect();
        let start = Instant::now();
        write(&connection, &rows, &mut turn).expect("it is written");
        took += start.elapsed();
        turns += group;
    }
    turns as f64 / took.as_secs_f64()
}

fn encoded(conversation: i64, cause: i64, chat: &mut Chat) -> Row {
    let (Change { conversation: name, began, facts, state, endings, .. }, event) = chat.change();
    let ending = |ending: &Ending| {
        let reason = serde_json::to_string(&ending.reason).expect("JSON");
        (ending.request.to_string(), ending.at.as_millis(), ending.outcome.as_str(), reason)
    };
    Row {
        conversation,
        name: name.to_string(),
        began,
        facts: (!facts.is_empty()).then(|| serde_json::to_string(&facts).expect("JSON")),
        state: state.map(|state| serde_json::to_string(&state).expect("JSON")),
        endings: endings.iter().map(ending).collect(),
        cause: event.then(|| [&b"r"[..], &cause.to_be_bytes()].concat()),
        at: NOW.as_millis(),
    }
}

/// One group, in one transaction.
fn write(connection: &Connection, rows: &[Row], turn: &mut i64) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut seen = connection.prepare_cached("INSERT INTO seen (channel, cause, at) VALUES (1, ?, ?)")?;
    let mut begin = connection.prepare_cached(
        "INSERT INTO conversation (id, channel, name, state, covered, heard, ended, idle, format) \
         VALUES (?, 1, ?, NULL, 0, ?, 0, 0, 2)",
    )?;
    let mut facts = connection.prepare_cached(
        "INSERT INTO turn (id, conversation, at, ended, facts, format) VALUES (?, ?, ?, 0, ?, 2)",
    )?;
    let mut state = connection
        .prepare_cached("UPDATE conversation SET state = ?, covered = ?, heard = ?, idle = 1 WHERE id = ?")?;
    let mut outcome = connection.prepare_cached(
        "INSERT INTO outcome (channel, conversation, request, at, outcome, reason, format) \
         VALUES (1, ?, ?, ?, ?, ?, 2)",
    )?;
    let mut last = None;
    for row in rows {
        if let Some(cause) = &row.cause {
            seen.execute((cause, row.at))?;
            last = Some(cause);
        }
        if row.began {
            begin.execute((row.conversation, &row.name, row.at))?;
        }
        if let Some(with) = &row.state {
            state.execute((with, *turn, row.at, row.conversation))?;
        } else if let Some(text) = &row.facts {
            *turn += 1;
            facts.execute((*turn, row.conversation, row.at, text))?;
        }
        for (request, at, how, reason) in &row.endings {
            outcome.execute((&row.name, request, at, how, reason))?;
        }
    }
    connection.prepare_cached("UPDATE channel SET next_turn = ? WHERE id = 1")?.execute([*turn])?;
    if let Some(place) = last {
        let sql = "INSERT OR REPLACE INTO position (channel, topic, replay_id, at) VALUES (1, '/event/Acme__e', ?, ?)";
        connection.prepare_cached(sql)?.execute((place, NOW.as_millis()))?;
    }
    // The store drops what is over; so this drops as many turns as come.
    connection
        .prepare_cached(
            "DELETE FROM turn WHERE id > ?1 AND id <= ?2 AND NOT EXISTS \
             (SELECT 1 FROM conversation c WHERE c.id = turn.conversation AND c.covered < turn.id)",
        )?
        .execute((*turn - 2 * i64::try_from(rows.len()).expect("few") - 2048, *turn - 2048))?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}
