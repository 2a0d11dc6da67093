//! The file itself: its owner's alone, one process's alone, and known again while it is used.
//!
//! Two locks. The one on the database belongs to the file and not to its name, so that nothing which is removed
//! beside it lets a second process in. The one on `….lock` is taken first: it keeps releases apart that know no
//! other, and a second store of the same process, whose closing would let go of SQLite's own locks.
//!
//! Invariants
//! 1. While a guard is held, no other process has the file, whatever becomes of its name.
//! 2. A file that is not the one at its path any more is not written to while a connection to it is open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::failure;
use crate::store::Error;

/// Holds a store's file. The system lets go of it when the process ends, however it does.
#[derive(Debug)]
pub(super) struct FileLock {
    path: PathBuf,
    held: Mutex<LockedFile>,
}

/// What is held, and let go of in this order: SQLite's connections must be closed by then.
#[derive(Debug)]
struct LockedFile {
    file: File,
    lock: File,
}

impl FileLock {
    /// Makes the file where there is none, for its owner alone, and locks it.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let failed = |error: io::Error| failure::io(&error, &shown);
        let lock = open_lock(path).map_err(failed)?;
        hold(&lock, &shown)?;
        let file = private(OpenOptions::new().create(true).read(true).write(true).truncate(false))
            .open(path)
            .or_else(|_| File::open(path))
            .map_err(failed)?;
        if cfg!(unix) {
            hold(&file, &shown)?;
        }
        Ok(Self { path: path.to_owned(), held: Mutex::new(LockedFile { file, lock }) })
    }

    /// Takes the file that is at the path now in the place of the one that was held, where no connection to that is
    /// open any more: its disk was taken away and came back, or somebody has put another in its place after it failed.
    pub(super) fn take_anew(&self) -> Result<(), Error> {
        let shown = self.path.display().to_string();
        let failed = |error: io::Error| failure::io(&error, &shown);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = open_lock(&self.path).map_err(failed)?;
        let same =
            Identity::of_file(&lock).map_err(failed)? == Identity::of_file(&held.lock).map_err(failed)?;
        if !same {
            hold(&lock, &shown)?;
        }
        let file = OpenOptions::new().read(true).write(true).open(&self.path).map_err(failed)?;
        if cfg!(unix) {
            hold(&file, &shown)?;
        }
        held.file = file;
        if !same {
            held.lock = lock;
        }
        Ok(())
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
            Ok(found) if Identity::of(&found) == self.identity()? => Ok(()),
            Ok(_) => Err(Error::Replaced(format!("{shown} is another file now"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::Replaced(format!("{shown} is gone")))
            }
            Err(error) => Err(failure::io(&error, &shown.to_string())),
        }
    }

    fn identity(&self) -> Result<Identity, Error> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Identity::of_file(&held.file).map_err(|error| failure::io(&error, &self.path.display().to_string()))
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().create(true).write(true).truncate(false)).open(beside(path, ".lock"))
}

/// The file, or one that SQLite keeps beside it.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether a process has the file; as far as this one may look.
pub(super) fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Makes an empty file that is its owner's alone.
pub(super) fn make(path: &Path) -> Result<(), Error> {
    let made = private(OpenOptions::new().create_new(true).write(true)).open(path);
    made.map(drop).map_err(|error| failure::io(&error, &path.display().to_string()))
}

fn hold(file: &File, shown: &str) -> Result<(), Error> {
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
    fn of_file(file: &File) -> io::Result<Self> {
        file.metadata().map(|found| Self::of(&found))
    }

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
