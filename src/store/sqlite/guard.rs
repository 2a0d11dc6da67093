//! The file itself: its owner's alone, one process's alone, and known again while it is used.
//!
//! Two locks. The one on the database belongs to the file and not to its name, so that nothing which is removed
//! beside it lets a second process in. The one on `….lock` is taken first: it keeps releases apart that know no
//! other, and a second store of the same process, whose closing would let go of SQLite's own locks.
//!
//! Invariants
//! 1. While a guard is held, no other process has the file, whatever becomes of its name.
//! 2. A file that is not the one at its path any more is not written to.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::failure;
use crate::store::Error;

/// Holds a store's file. The system lets go of it when the process ends, however it does.
#[derive(Debug)]
pub(super) struct Guard {
    path: PathBuf,
    identity: Identity,
    /// Held, and let go of in this order: SQLite's connections must be closed by then.
    _file: File,
    _lock: File,
}

impl Guard {
    /// Makes the file where there is none, for its owner alone, and locks it.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let failed = |error: std::io::Error| failure::io(&error, &shown);
        let lock = private(OpenOptions::new().create(true).write(true).truncate(false))
            .open(beside(path, ".lock"))
            .map_err(failed)?;
        held(&lock, &shown)?;
        let file = private(OpenOptions::new().create(true).read(true).write(true).truncate(false))
            .open(path)
            .or_else(|_| File::open(path))
            .map_err(failed)?;
        if cfg!(unix) {
            held(&file, &shown)?;
        }
        let identity = Identity::of(&file.metadata().map_err(failed)?);
        Ok(Self { path: path.to_owned(), identity, _file: file, _lock: lock })
    }

    /// Takes the files from everybody but their owner. Only once it is certain that they are ours.
    pub(super) fn tighten(&self) {
        for ending in ["", "-wal", "-shm", ".lock"] {
            tighten(&beside(&self.path, ending));
        }
    }

    /// Whether the file at the path is still the one that was opened.
    pub(super) fn check(&self) -> Result<(), Error> {
        let shown = self.path.display();
        match fs::metadata(&self.path) {
            Ok(found) if Identity::of(&found) == self.identity => Ok(()),
            Ok(_) => Err(Error::Replaced(format!("{shown} is another file now"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::Replaced(format!("{shown} is gone")))
            }
            Err(error) => Err(failure::io(&error, &shown.to_string())),
        }
    }
}

/// The file, or one that SQLite keeps beside it.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes an empty file that is its owner's alone.
pub(super) fn make(path: &Path) -> Result<(), Error> {
    let made = private(OpenOptions::new().create_new(true).write(true)).open(path);
    made.map(drop).map_err(|error| failure::io(&error, &path.display().to_string()))
}

fn held(file: &File, shown: &str) -> Result<(), Error> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(shown.to_owned())),
        Err(TryLockError::Error(error)) => Err(failure::io(&error, shown)),
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Takes a file from everybody but its owner: it holds who spoke with whom. SQLite gives the files that it makes
/// the rights of the database.
#[cfg(unix)]
fn tighten(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(found) = fs::metadata(path) else { return };
    let mode = found.permissions().mode() & 0o777;
    let owners = mode & 0o700;
    if mode == owners {
        return;
    }
    let file = path.display();
    match fs::set_permissions(path, fs::Permissions::from_mode(owners)) {
        Ok(()) => tracing::warn!(%file, "others could read the store's file; now only its owner can"),
        Err(error) => tracing::warn!(%file, %error, "others can read the store's file: run chmod 600 on it"),
    }
}

#[cfg(not(unix))]
fn tighten(_: &Path) {}

/// What stays the same of a file whatever it is called.
#[derive(Debug, PartialEq, Eq)]
struct Identity(Option<(u64, u64)>);

impl Identity {
    #[cfg(unix)]
    fn of(found: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(Some((found.dev(), found.ino())))
    }

    #[cfg(not(unix))]
    fn of(_: &fs::Metadata) -> Self {
        Self(None)
    }
}
