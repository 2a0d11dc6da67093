//! How connections to the file are opened.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::failure::failure;
use crate::store::Error;

/// How long a connection waits for another one's lock. Only a foreign tool, looking into the file, holds one.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How many pages the log may have before it is worked into the file: 16 MiB. Each time costs a sync or two,
/// so it should not come with every few commits.
const CHECKPOINT_PAGES: i64 = 4000;

/// How many statements a connection keeps prepared: more than there are.
const STATEMENTS: usize = 64;

/// SQLite's page size, in bytes.
const PAGE: u64 = 4096;

/// A file, and how large it may get.
#[derive(Debug, Clone)]
pub(super) struct Connect {
    path: PathBuf,
    max_bytes: Option<u64>,
}

impl Connect {
    pub(super) fn new(path: &Path, max_bytes: Option<u64>) -> Self {
        Self { path: path.to_owned(), max_bytes }
    }

    /// Makes the file where there is none. Nothing is set that the file would keep: it may be somebody else's.
    pub(super) fn claim(&self) -> Result<Connection, Error> {
        self.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// For writing what is durable when it is committed.
    pub(super) fn write(&self) -> Result<Connection, Error> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let set = || {
            if let Some(bytes) = self.max_bytes {
                let pages = i64::try_from((bytes / PAGE).max(1)).unwrap_or(i64::MAX);
                connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
            }
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))
        };
        set().map_err(failure)?;
        Ok(connection)
    }

    /// For whoever has the file to themselves, and leaves its settings as they are.
    pub(super) fn alone(&self) -> Result<Connection, Error> {
        self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// For questions.
    pub(super) fn read(&self) -> Result<Connection, Error> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "query_only", true).map_err(failure)?;
        Ok(connection)
    }

    /// For questions, of a file or a folder that this process may not write to.
    pub(super) fn read_unwritable(&self) -> Result<Connection, Error> {
        self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// For questions, of a file that nobody changes meanwhile.
    pub(super) fn read_unchanging(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        prepared(Connection::open_with_flags(uri(&self.path), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX))
    }

    fn open(&self, flags: OpenFlags) -> Result<Connection, Error> {
        prepared(Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX))
    }
}

fn prepared(opened: rusqlite::Result<Connection>) -> Result<Connection, Error> {
    let connection = opened.map_err(failure)?;
    connection.busy_timeout(LOCK_WAIT).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// The file's address, with which SQLite is told that it does not change.
fn uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            // Writing to a text cannot fail.
            byte => write!(uri, "%{byte:02X}").unwrap_or_default(),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_query() {
        assert_eq!(uri(Path::new("/a b/x?y#z%.db")), "file:/a%20b/x%3Fy%23z%25.db?immutable=1");
    }
}
