//! A store's file, looked at by itself: for `byoc store`, and whoever is on call.
//!
//! Looking changes nothing, and may be done while a connector has the file. Bringing rows up to the current
//! format is done alone, in one transaction, after a copy has been made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::failure::failure;
use super::guard::{self, FileLock, beside};
use super::writer::Opened;
use super::{LOCK_WAIT, migrate, read};
use crate::model::ids::OrgId;
use crate::model::time::Timestamp;
use crate::store::format::{self, CURRENT};
use crate::store::record::{ChannelKey, Epoch, Loaded};
use crate::store::{Error, format::Error as FormatError};

/// The tables whose rows have a format, with the column that is in it.
const FORMATTED: [(&str, &str); 3] = [("conversation", "state"), ("turn", "facts"), ("outcome", "reason")];

/// How many rows are brought up at a time.
const CHUNK: i64 = 500;

/// A file that is being looked at.
#[derive(Debug)]
pub struct Offline {
    connection: SqliteConnection,
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

#[allow(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn failed(error: sqlx::Error) -> Error {
    failure(&error)
}

impl Offline {
    /// Opens a file to look at it. One that an older release made is looked at as it is.
    ///
    /// # Errors
    /// Where there is no such file, or it is no store.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options =
            SqliteConnectOptions::new().filename(path).busy_timeout(LOCK_WAIT).pragma("query_only", "on");
        match Self::connect(&options).await {
            Err(Error::ReadOnly(_) | Error::Unopenable(_)) => Self::open_unwritable(path, options).await,
            opened => opened,
        }
    }

    async fn connect(options: &SqliteConnectOptions) -> Result<Self, Error> {
        let mut connection = SqliteConnection::connect_with(options).await.map_err(failed)?;
        migrate::is_ours(&mut connection).await?;
        Ok(Self { connection })
    }

    /// Opens a file in a folder where nothing can be written: a backup, a disk that is mounted to be read. SQLite
    /// wants to make files of its own there, unless it is told that the file does not change.
    async fn open_unwritable(path: &Path, options: SqliteConnectOptions) -> Result<Self, Error> {
        let options = options.read_only(true);
        // Where a connector has the file, what SQLite needs is there already.
        if let Ok(opened) = Self::connect(&options).await {
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
        Self::connect(&options.immutable(true)).await
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// Where the file cannot be read at all.
    pub async fn check(&mut self) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        let complaints: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        checked.problems.extend(complaints.into_iter().filter(|said| said != "ok"));
        if let Err(newer) = migrate::refuse_newer(&mut self.connection).await {
            checked.problems.push(newer.to_string());
        }
        self.formats(&mut checked).await?;
        for (key, loaded) in self.channels().await? {
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

    async fn formats(&mut self, checked: &mut Checked) -> Result<(), Error> {
        let numbered = migrate::has_formats(&mut self.connection).await?;
        for (table, column) in FORMATTED {
            let format = if numbered { "format" } else { "1" };
            let sql =
                format!("SELECT {format} AS f, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY f");
            let rows: Vec<(i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .fetch_all(&mut self.connection)
                .await
                .map_err(failed)?;
            for (format, count) in rows {
                let rows = checked.formats.entry(format).or_default();
                *rows = rows.saturating_add(count);
            }
        }
        if numbered {
            checked.releases = sqlx::query_scalar("SELECT release FROM writer ORDER BY format, release")
                .fetch_all(&mut self.connection)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Every channel, with its conversations.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub async fn channels(&mut self) -> Result<Vec<(ChannelKey, Loaded)>, Error> {
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT id, org, name FROM channel ORDER BY org, name")
                .fetch_all(&mut self.connection)
                .await
                .map_err(failed)?;
        let numbered = migrate::has_formats(&mut self.connection).await?;
        let mut channels = Vec::with_capacity(rows.len());
        for (channel, org, name) in rows {
            let org = OrgId::parse(&org).map_err(|error| Error::Corrupt(error.to_string()))?;
            let opened = Opened { channel, epoch: Epoch(0) };
            let loaded = read::load_as(&mut self.connection, &opened, numbered).await?;
            channels.push((ChannelKey { org, channel: name.into() }, loaded));
        }
        Ok(channels)
    }

    /// The turns of a conversation that its state does not cover yet, and the state, as they are stored.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub async fn turns(
        &mut self,
        conversation: &str,
    ) -> Result<(Option<serde_json::Value>, Vec<StoredTurn>), Error> {
        let format = if migrate::has_formats(&mut self.connection).await? { "t.format" } else { "1" };
        let sql = format!(
            "SELECT t.at, {format}, t.facts FROM turn t JOIN conversation c ON c.id = t.conversation \
             WHERE c.name = ? AND t.id > c.covered ORDER BY t.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(conversation)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let turn = |row: &sqlx::sqlite::SqliteRow| {
            let at = Timestamp::from_millis(row.try_get(0)?);
            Ok(StoredTurn { at, format: row.try_get(1)?, facts: as_json(row.try_get(2)?) })
        };
        let turns = rows.iter().map(turn).collect::<Result<_, sqlx::Error>>().map_err(failed)?;
        let state: Option<Option<String>> =
            sqlx::query_scalar("SELECT state FROM conversation WHERE name = ?")
                .bind(conversation)
                .fetch_optional(&mut self.connection)
                .await
                .map_err(failed)?;
        Ok((state.flatten().map(|state| as_json(&state)), turns))
    }
}

fn as_json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Brings every row up to the current format, in one transaction. A copy of the file stands beside it before
/// anything is changed.
///
/// # Errors
/// Where a connector has the file, a later release wrote it, or it cannot be written; it is then as it was.
pub async fn upgrade(path: &Path) -> Result<Upgraded, Error> {
    if !path.exists() {
        return Err(Error::Unopenable(format!("{}: there is no such file", path.display())));
    }
    let guard = FileLock::take(path)?;
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(LOCK_WAIT);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    migrate::is_ours(&mut connection).await?;
    migrate::refuse_newer(&mut connection).await?;
    guard.tighten();
    let mut upgraded = Upgraded { rows: 0, backup: None, problems: Vec::new() };
    if oldest(&mut connection).await?.is_some_and(|oldest| oldest < i64::from(CURRENT)) {
        upgraded.backup = Some(copy(&mut connection, path).await?);
    }
    migrate::run(&mut connection).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    for (table, column) in FORMATTED {
        rewrite(&mut transaction, table, column, &mut upgraded).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(upgraded)
}

/// The oldest format that a row is in.
async fn oldest(connection: &mut SqliteConnection) -> Result<Option<i64>, Error> {
    let mut checked = Checked::default();
    if !migrate::has_formats(connection).await? {
        return Ok(Some(1));
    }
    for (table, column) in FORMATTED {
        let sql = format!("SELECT min(format) FROM {table} WHERE {column} IS NOT NULL");
        let found: Option<i64> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut *connection).await.map_err(failed)?;
        checked.formats.extend(found.map(|format| (format, 1)));
    }
    Ok(checked.formats.keys().next().copied())
}

async fn copy(connection: &mut SqliteConnection, path: &Path) -> Result<PathBuf, Error> {
    let copy = beside(path, &format!(".before-format-{CURRENT}"));
    // Made here, so that it is the owner's alone; SQLite fills an empty file and refuses any other.
    super::guard::make(&copy)?;
    let named = copy.to_str().ok_or_else(|| Error::Unopenable(format!("{}: not UTF-8", copy.display())))?;
    sqlx::query("VACUUM INTO ?").bind(named).execute(connection).await.map_err(failed)?;
    Ok(copy)
}

async fn rewrite(
    connection: &mut SqliteConnection,
    table: &str,
    column: &str,
    upgraded: &mut Upgraded,
) -> Result<(), sqlx::Error> {
    let select = format!(
        "SELECT id, format, {column} FROM {table} WHERE format < {CURRENT} AND {column} IS NOT NULL AND id > ? \
         ORDER BY id LIMIT {CHUNK}"
    );
    let update = format!("UPDATE {table} SET {column} = ?, format = {CURRENT} WHERE id = ?");
    let mut last = i64::MIN;
    loop {
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(select.clone()))
            .bind(last)
            .fetch_all(&mut *connection)
            .await?;
        let Some((newest, ..)) = rows.last() else { return Ok(()) };
        last = *newest;
        for (id, format, text) in rows {
            match brought_up(table, format, &text) {
                Ok(text) => {
                    let update = sqlx::query(sqlx::AssertSqlSafe(update.clone()));
                    update.bind(text).bind(id).execute(&mut *connection).await?;
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
        _ => serde_json::to_string(&format::reason(format, text)?),
    };
    written.map_err(|error| FormatError::Unreadable(error.to_string()))
}
