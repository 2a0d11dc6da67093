//! Brings a file's schema up to date. The migrations are part of the program.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr as _, SqliteConnection};

use super::failure::failure;
use crate::store::Error;

/// What marks a file as a store of ours: "byoc".
const APPLICATION_ID: i64 = 0x6279_6f63;

fn migrator() -> Migrator {
    let begin = include_str!("../../../migrations/0001_begin.sql");
    let simple = MigrationType::Simple;
    Migrator::with_migrations(vec![Migration::new(1, "begin".into(), simple, begin.into_sql_str(), false)])
}

/// Makes a new file ours. A database that is somebody else's is left as it is.
pub(super) async fn claim(connection: &mut SqliteConnection) -> Result<(), Error> {
    let failed = |error: sqlx::Error| failure(&error);
    let mark: i64 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(failed)?;
    if mark == APPLICATION_ID {
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

/// Runs what has not been run yet.
pub(super) async fn run(connection: &mut SqliteConnection) -> Result<(), Error> {
    let migrator = migrator();
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
    migrator.run(connection).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error)
        | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => failure(&error),
        sqlx::migrate::MigrateError::VersionMissing(found) => Error::Newer { found, known },
        other => Error::Corrupt(other.to_string()),
    })
}
