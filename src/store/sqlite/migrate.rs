//! Brings a file's schema up to date. The migrations are part of the program.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr as _, SqliteConnection};

use super::failure::failure;
use crate::store::Error;
use crate::store::format::{CURRENT, RELEASE};

/// What marks a file as a store of ours: "byoc".
const APPLICATION_ID: i64 = 0x6279_6f63;

/// The newest migration.
const NEWEST: i64 = 2;

fn migrator() -> Migrator {
    let begin = include_str!("../../../migrations/0001_begin.sql").into_sql_str();
    let format = include_str!("../../../migrations/0002_format.sql").into_sql_str();
    let simple = MigrationType::Simple;
    Migrator::with_migrations(vec![
        Migration::new(1, "begin".into(), simple, begin, false),
        Migration::new(NEWEST, "format".into(), simple, format, false),
    ])
}

/// Refuses a file that no store of ours is.
pub(super) async fn is_ours(connection: &mut SqliteConnection) -> Result<(), Error> {
    if mark(connection).await? == APPLICATION_ID {
        return Ok(());
    }
    Err(Error::Corrupt("it was not made by a connector".to_owned()))
}

async fn mark(connection: &mut SqliteConnection) -> Result<i64, Error> {
    let mark = sqlx::query_scalar("PRAGMA application_id").fetch_one(connection).await;
    mark.map_err(|error| failure(&error))
}

/// Whether rows say in which format they are. Those of the first release do not.
pub(super) async fn has_formats(connection: &mut SqliteConnection) -> Result<bool, Error> {
    let tables = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'writer'");
    let tables: i64 = tables.fetch_one(connection).await.map_err(|error| failure(&error))?;
    Ok(tables > 0)
}

/// Makes a new file ours. A database that is somebody else's is left as it is.
pub(super) async fn claim(connection: &mut SqliteConnection) -> Result<(), Error> {
    let failed = |error: sqlx::Error| failure(&error);
    if mark(connection).await? == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if tables > 0 {
        return Err(Error::Corrupt("it is an SQLite database of something else".to_owned()));
    }
    sqlx::query("PRAGMA application_id = 1652125539").execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Refuses a file that a later release has opened: it may hold what this one would misread.
pub(super) async fn refuse_newer(connection: &mut SqliteConnection) -> Result<(), Error> {
    let failed = |error: sqlx::Error| failure(&error);
    if !has_formats(connection).await? {
        return Ok(());
    }
    let newer: Option<(String, i64)> = sqlx::query_as(
        "SELECT release, format FROM writer WHERE format > ? OR migration > ? \
         ORDER BY format DESC, migration DESC, release DESC LIMIT 1",
    )
    .bind(CURRENT)
    .bind(NEWEST)
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    match newer {
        Some((release, found)) => Err(Error::Newer { release, found, known: CURRENT.into() }),
        None => Ok(()),
    }
}

/// Runs what has not been run yet, and notes which release writes here from now on.
pub(super) async fn run(connection: &mut SqliteConnection) -> Result<(), Error> {
    migrator().run(&mut *connection).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error)
        | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => failure(&error),
        other => Error::Corrupt(other.to_string()),
    })?;
    sqlx::query(
        "INSERT INTO writer (release, format, migration) VALUES (?, ?, ?) ON CONFLICT (release) DO UPDATE \
         SET format = excluded.format, migration = excluded.migration \
         WHERE format <> excluded.format OR migration <> excluded.migration",
    )
    .bind(RELEASE)
    .bind(CURRENT)
    .bind(NEWEST)
    .execute(connection)
    .await
    .map_err(|error| failure(&error))?;
    Ok(())
}
