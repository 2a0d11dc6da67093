//! Brings a file's schema up to date. The migrations are part of the program, and the file's `user_version` says which
//! of them it has had.
//!
//! Releases before 0.2.0 noted that in a table of their own, `_sqlx_migrations`. It is read once, and dropped.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::failure::failure;
use crate::store::Error;
use crate::store::format::{CURRENT, RELEASE};

/// What marks a file as a store of ours: "byoc".
const APPLICATION_ID: i64 = 0x6279_6f63;

/// Every migration, oldest first, with the version that it leads to.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../../migrations/0001_begin.sql")),
    (2, include_str!("../../../migrations/0002_format.sql")),
    (3, include_str!("../../../migrations/0003_telling.sql")),
    (NEWEST, include_str!("../../../migrations/0004_dead_letter.sql")),
];

/// The newest version.
const NEWEST: i64 = 4;

/// Refuses a file that no store of ours is.
pub(super) fn is_ours(connection: &Connection) -> Result<(), Error> {
    if mark(connection)? == APPLICATION_ID {
        return Ok(());
    }
    Err(Error::Corrupt("it was not made by a connector".to_owned()))
}

fn mark(connection: &Connection) -> Result<i64, Error> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failure)
}

/// Whether rows say in which format they are. Those of the first release do not.
pub(super) fn has_formats(connection: &Connection) -> Result<bool, Error> {
    has_table(connection, "writer").map_err(failure)
}

/// Whether there is such a table: a file that an older release made may lack some.
pub(super) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?")?.exists([name])
}

/// Makes a new file ours. A database that is somebody else's is left as it is.
pub(super) fn claim(connection: &Connection) -> Result<(), Error> {
    if mark(connection)? == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failure)?;
    if tables > 0 {
        return Err(Error::Corrupt("it is an SQLite database of something else".to_owned()));
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(failure)
}

/// Refuses a file that a later release has opened: it may hold what this one would misread.
pub(super) fn refuse_newer(connection: &Connection) -> Result<(), Error> {
    if !has_formats(connection)? {
        return Ok(());
    }
    let newer: Option<(String, i64)> = connection
        .query_row(
            "SELECT release, format FROM writer WHERE format > ? OR migration > ? \
             ORDER BY format DESC, migration DESC, release DESC LIMIT 1",
            (CURRENT, NEWEST),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(failure)?;
    match newer {
        Some((release, found)) => Err(Error::Newer { release, found, known: CURRENT.into() }),
        None => Ok(()),
    }
}

/// Runs what has not been run yet, all or nothing, and notes which release writes here from now on.
pub(super) fn run(connection: &mut Connection) -> Result<(), Error> {
    let mut run = || -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let noted: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if noted < NEWEST {
            let last = if noted == 0 { by_sqlx(&transaction)? } else { noted };
            for (_, migration) in MIGRATIONS.iter().filter(|(to, _)| *to > last) {
                transaction.execute_batch(migration)?;
            }
            transaction.pragma_update(None, "user_version", NEWEST)?;
            transaction.execute_batch("DROP TABLE IF EXISTS _sqlx_migrations")?;
        }
        transaction.execute(
            "INSERT INTO writer (release, format, migration) VALUES (?, ?, ?) ON CONFLICT (release) DO UPDATE \
             SET format = excluded.format, migration = excluded.migration \
             WHERE format <> excluded.format OR migration <> excluded.migration",
            (RELEASE, CURRENT, NEWEST),
        )?;
        transaction.commit()
    };
    run().map_err(failure)
}

/// Which migration was run last, by the notes of the time before; 0 where there are none.
fn by_sqlx(connection: &Connection) -> rusqlite::Result<i64> {
    if !has_table(connection, "_sqlx_migrations")? {
        return Ok(0);
    }
    let last = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success";
    connection.query_row(last, [], |row| row.get(0))
}
