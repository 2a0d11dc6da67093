//! SQLite's result codes and the system's errors, in our words.

use std::io;

use rusqlite::types::Type;

use crate::store::Error;

/// What an error of the library means.
#[allow(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
pub(super) fn failure(error: rusqlite::Error) -> Error {
    use rusqlite::Error as E;
    match &error {
        E::SqliteFailure(code, _) | E::SqlInputError { error: code, .. } => {
            of_code(code.extended_code, format!("SQLite {}: {error}", code.extended_code))
        }
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..)
        | E::QueryReturnedNoRows => Error::Corrupt(error.to_string()),
        E::InvalidPath(_) | E::NulError(_) => Error::Unopenable(error.to_string()),
        _ => Error::Other(error.to_string()),
    }
}

/// A value that cannot be what a store wrote.
pub(super) fn bad(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

/// What one of SQLite's (extended) result codes means.
fn of_code(code: i32, words: String) -> Error {
    const NO_SPACE: i32 = 13;
    match code & 0xff {
        5 | 6 => Error::Locked(words),
        8 => Error::ReadOnly(words),
        10 => Error::Io(words),
        11 | 26 => Error::Corrupt(words),
        NO_SPACE => Error::DiskFull(words),
        3 | 14 | 23 => Error::Unopenable(words),
        _ => Error::Other(words),
    }
}

/// What an error of the system means.
pub(super) fn io(error: &io::Error, what: &str) -> Error {
    let words = format!("{what}: {error}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::DiskFull(words)
        }
        io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly(words),
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => {
            Error::Unopenable(words)
        }
        _ => Error::Io(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_code_means_what_its_family_means() {
        let of = |code| of_code(code, "words".to_owned());
        let words = || "words".to_owned();
        assert_eq!(of(13), Error::DiskFull(words()));
        assert_eq!(of(8), Error::ReadOnly(words()));
        // SQLITE_READONLY_DBMOVED, SQLITE_IOERR_FSYNC, SQLITE_CORRUPT_INDEX, SQLITE_BUSY_SNAPSHOT
        assert_eq!(of(1032), Error::ReadOnly(words()));
        assert_eq!(of(1034), Error::Io(words()));
        assert_eq!(of(779), Error::Corrupt(words()));
        assert_eq!(of(517), Error::Locked(words()));
        assert_eq!(of(26), Error::Corrupt(words()));
        assert_eq!(of(1), Error::Other(words()));
    }
}
