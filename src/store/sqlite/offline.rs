//! A store's file, looked at by itself: for `byoc store`, and whoever is on call.
//!
//! Looking changes nothing, and may be done while a connector has the file. Bringing rows up to the current
//! format is done alone, in one transaction, after a copy has been made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};

use super::connect::Connect;
use super::failure::failure;
use super::guard::{self, FileLock, beside};
use super::order::Opened;
use super::{migrate, read};
use crate::model::ids::OrgId;
use crate::model::time::Timestamp;
use crate::store::format::{self, CURRENT};
use crate::store::record::{ChannelKey, Epoch, Loaded};
use crate::store::{Error, format::Error as FormatError};

/// The tables whose rows have a format, with the column that is in it.
const FORMATTED: [(&str, &str); 5] = [
    ("conversation", "state"),
    ("turn", "facts"),
    ("outcome", "reason"),
    ("telling", "announcement"),
    ("dead_letter", "announcement"),
];

/// How many rows are brought up at a time.
const CHUNK: i64 = 500;

/// A file that is being looked at.
#[derive(Debug)]
pub struct Offline {
    connection: Connection,
}

/// What is in a file, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// How many rows are in each format.
    pub formats: BTreeMap<i64, i64>,
    /// The releases that have opened it to write.
    pub releases: Vec<String>,
    /// How many conversations are remembered, and how many of them have something open.
    pub conversations: usize,
    /// Of them, those with something open.
    pub open: usize,
    /// What is wrong, a sentence each; none where all is well.
    pub problems: Vec<String>,
}

/// A turn as it is stored.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredTurn {
    /// When it was decided.
    #[serde(serialize_with = "crate::model::time::as_text")]
    pub at: Timestamp,
    /// The format of its facts.
    pub format: i64,
    /// Its facts as they are stored, or the text where that is no JSON.
    pub facts: serde_json::Value,
}

/// What bringing a file up came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgraded {
    /// How many rows were rewritten.
    pub rows: u64,
    /// The copy of the file as it was; none where nothing had to be rewritten.
    pub backup: Option<PathBuf>,
    /// Rows that could not be read, and were left as they are.
    pub problems: Vec<String>,
}

impl Offline {
    /// Opens a file to look at it. One that an older release made is looked at as it is.
    ///
    /// # Errors
    /// Where there is no such file, or it is no store.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let connect = Connect::new(path, None);
        match Self::ours(connect.read()) {
            Err(Error::ReadOnly(_) | Error::Unopenable(_)) => Self::open_unwritable(path, &connect),
            opened => opened,
        }
    }

    fn ours(opened: Result<Connection, Error>) -> Result<Self, Error> {
        let connection = opened?;
        migrate::is_ours(&connection)?;
        Ok(Self { connection })
    }

    /// Opens a file in a folder where nothing can be written: a backup, a disk that is mounted to be read. SQLite
    /// wants to make files of its own there, unless it is told that the file does not change.
    fn open_unwritable(path: &Path, connect: &Connect) -> Result<Self, Error> {
        // Where a connector has the file, what SQLite needs is there already.
        if let Ok(opened) = Self::ours(connect.read_unwritable()) {
            return Ok(opened);
        }
        let log = beside(path, "-wal");
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(Error::Unopenable(format!(
                "nothing can be written in its folder, and {} holds what was written last. Copy both files to a folder \
                 of yours and look at the copy, or do this as the user that byoc serve runs as",
                log.display()
            )));
        }
        if guard::is_held(path) {
            return Err(Error::InUse(path.display().to_string()));
        }
        Self::ours(connect.read_unchanging())
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// Where the file cannot be read at all.
    pub fn check(&self) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        let complaints: Vec<String> =
            all(&self.connection, "PRAGMA integrity_check(20)", (), |row| row.get(0)).map_err(failure)?;
        checked.problems.extend(complaints.into_iter().filter(|said| said != "ok"));
        if let Err(newer) = migrate::refuse_newer(&self.connection) {
            checked.problems.push(newer.to_string());
        }
        self.formats(&mut checked)?;
        for (key, loaded) in self.channels()? {
            let (whole, lost) = (loaded.conversations.len(), loaded.unreadable.len());
            checked.conversations = checked.conversations.saturating_add(whole).saturating_add(lost);
            let open = loaded.conversations.iter().filter(|kept| !kept.conversation.is_idle()).count();
            checked.open = checked.open.saturating_add(open);
            for lost in loaded.unreadable {
                let (org, channel, id) = (key.org, &key.channel, lost.conversation);
                checked
                    .problems
                    .push(format!("{org} {channel}: conversation {id} cannot be read: {}", lost.why));
            }
        }
        Ok(checked)
    }

    fn formats(&self, checked: &mut Checked) -> Result<(), Error> {
        let numbered = migrate::has_formats(&self.connection)?;
        for (table, column) in FORMATTED {
            if !migrate::has_table(&self.connection, table).map_err(failure)? {
                continue;
            }
            let format = if numbered { "format" } else { "1" };
            let sql =
                format!("SELECT {format} AS f, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY f");
            let rows: Vec<(i64, i64)> =
                all(&self.connection, &sql, (), |row| Ok((row.get(0)?, row.get(1)?))).map_err(failure)?;
            for (format, count) in rows {
                let rows = checked.formats.entry(format).or_default();
                *rows = rows.saturating_add(count);
            }
        }
        if numbered {
            let sql = "SELECT release FROM writer ORDER BY format, release";
            checked.releases = all(&self.connection, sql, (), |row| row.get(0)).map_err(failure)?;
        }
        Ok(())
    }

    /// Every channel, with its conversations.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn channels(&self) -> Result<Vec<(ChannelKey, Loaded)>, Error> {
        let sql = "SELECT id, org, name FROM channel ORDER BY org, name";
        let rows: Vec<(i64, String, String)> =
            all(&self.connection, sql, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .map_err(failure)?;
        let numbered = migrate::has_formats(&self.connection)?;
        let mut channels = Vec::with_capacity(rows.len());
        for (channel, org, name) in rows {
            let org = OrgId::parse(&org).map_err(|error| Error::Corrupt(error.to_string()))?;
            let opened = Opened { channel, epoch: Epoch(0) };
            let loaded = read::load_as(&self.connection, &opened, numbered)?;
            channels.push((ChannelKey { org, channel: name.into() }, loaded));
        }
        Ok(channels)
    }

    /// The turns of a conversation that its state does not cover yet, and the state, as they are stored.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn turns(&self, conversation: &str) -> Result<(Option<serde_json::Value>, Vec<StoredTurn>), Error> {
        let format = if migrate::has_formats(&self.connection)? { "t.format" } else { "1" };
        let sql = format!(
            "SELECT t.at, {format}, t.facts FROM turn t JOIN conversation c ON c.id = t.conversation \
             WHERE c.name = ? AND t.id > c.covered ORDER BY t.id"
        );
        let turns = all(&self.connection, &sql, [conversation], |row| {
            let at = Timestamp::from_millis(row.get(0)?);
            Ok(StoredTurn { at, format: row.get(1)?, facts: as_json(row.get_ref(2)?.as_str()?) })
        });
        let sql = "SELECT state FROM conversation WHERE name = ?";
        let state: rusqlite::Result<Option<Option<String>>> =
            self.connection.query_row(sql, [conversation], |row| row.get(0)).optional();
        let (turns, state) = (turns.map_err(failure)?, state.map_err(failure)?);
        Ok((state.flatten().map(|state| as_json(&state)), turns))
    }
}

/// All rows of an answer.
fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map(params, row)?.collect()
}

fn as_json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Brings every row up to the current format, in one transaction. A copy of the file stands beside it before
/// anything is changed.
///
/// # Errors
/// Where a connector has the file, a later release wrote it, or it cannot be written; it is then as it was.
pub fn upgrade(path: &Path) -> Result<Upgraded, Error> {
    if !path.exists() {
        return Err(Error::Unopenable(format!("{}: no such file", path.display())));
    }
    let guard = FileLock::take(path)?;
    let mut connection = Connect::new(path, None).alone()?;
    migrate::is_ours(&connection)?;
    migrate::refuse_newer(&connection)?;
    guard.tighten();
    let mut upgraded = Upgraded { rows: 0, backup: None, problems: Vec::new() };
    if oldest(&connection)?.is_some_and(|oldest| oldest < i64::from(CURRENT)) {
        upgraded.backup = Some(copy(&connection, path)?);
    }
    migrate::run(&mut connection)?;
    let mut rewritten = || -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (table, column) in FORMATTED {
            rewrite(&transaction, table, column, &mut upgraded)?;
        }
        transaction.commit()
    };
    rewritten().map_err(failure)?;
    connection.close().map_err(|(_, error)| failure(error))?;
    Ok(upgraded)
}

/// The oldest format that a row is in.
fn oldest(connection: &Connection) -> Result<Option<i64>, Error> {
    let mut checked = Checked::default();
    if !migrate::has_formats(connection)? {
        return Ok(Some(1));
    }
    for (table, column) in FORMATTED {
        if !migrate::has_table(connection, table).map_err(failure)? {
            continue;
        }
        let sql = format!("SELECT min(format) FROM {table} WHERE {column} IS NOT NULL");
        let found: Option<i64> = connection.query_row(&sql, [], |row| row.get(0)).map_err(failure)?;
        checked.formats.extend(found.map(|format| (format, 1)));
    }
    Ok(checked.formats.keys().next().copied())
}

fn copy(connection: &Connection, path: &Path) -> Result<PathBuf, Error> {
    let copy = beside(path, &format!(".before-format-{CURRENT}"));
    // Made here, so that it is the owner's alone; SQLite fills an empty file and refuses any other.
    super::guard::make(&copy)?;
    let named = copy.to_str().ok_or_else(|| Error::Unopenable(format!("{}: not UTF-8", copy.display())))?;
    connection.execute("VACUUM INTO ?", [named]).map_err(failure)?;
    Ok(copy)
}

fn rewrite(
    connection: &Connection,
    table: &str,
    column: &str,
    upgraded: &mut Upgraded,
) -> rusqlite::Result<()> {
    let select = format!(
        "SELECT id, format, {column} FROM {table} WHERE format < {CURRENT} AND {column} IS NOT NULL AND id > ? \
         ORDER BY id LIMIT {CHUNK}"
    );
    let update = format!("UPDATE {table} SET {column} = ?, format = {CURRENT} WHERE id = ?");
    let mut last = i64::MIN;
    loop {
        let rows: Vec<(i64, i64, String)> =
            all(connection, &select, [last], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let Some((newest, ..)) = rows.last() else { return Ok(()) };
        last = *newest;
        for (id, format, text) in rows {
            match brought_up(table, format, &text) {
                Ok(text) => {
                    connection.execute(&update, (text, id))?;
                    upgraded.rows = upgraded.rows.saturating_add(1);
                }
                Err(error) => upgraded.problems.push(format!("{table} {id} was left as it is: {error}")),
            }
        }
    }
}

fn brought_up(table: &str, format: i64, text: &str) -> Result<String, FormatError> {
    let written = match table {
        "conversation" => serde_json::to_string(&format::state(format, text)?),
        "turn" => serde_json::to_string(&format::facts(format, text)?),
        "telling" | "dead_letter" => serde_json::to_string(&format::announcement(format, text)?),
        _ => serde_json::to_string(&format::reason(format, text)?),
    };
    written.map_err(|error| FormatError::Unreadable(error.to_string()))
}
