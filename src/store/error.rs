//! What can go wrong with a store, by what can be done about it.

use super::format::RELEASE;

/// Why something was not stored, or not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No room on the disk, or the file has reached the size that it may have.
    #[error("the store cannot grow: the disk is full, or its largest size is reached ({0}). Make room.")]
    DiskFull(String),
    /// The file, its folder or its disk may not be written to.
    #[error(
        "the store may not be written to ({0}). Check the rights on the file and its folder, and whether the disk is read-only."
    )]
    ReadOnly(String),
    /// The disk failed.
    #[error("the store's disk failed ({0})")]
    Io(String),
    /// Somebody else holds the file for longer than is waited for.
    #[error("the store is held by somebody else ({0})")]
    Locked(String),
    /// Another process has the store open.
    #[error("the store {0} is in use by another process; one store has one connector")]
    InUse(String),
    /// The file was deleted, moved or replaced while it was in use.
    #[error(
        "the store's file was changed behind the connector's back ({0}). Put it back, or stop and start again."
    )]
    Replaced(String),
    /// There is no such folder, or no right to look into it.
    #[error("the store cannot be opened ({0})")]
    Unopenable(String),
    /// The file is not a store of ours, or is damaged.
    #[error("the store is damaged, or is no store ({0}). Restore it from a copy, or move it away.")]
    Corrupt(String),
    /// The file was written by a later release.
    #[error(
        "the store was written by release {release}, in format {found}; this is release {RELEASE}, which knows \
         formats up to {known}. Use {release} or a later one."
    )]
    Newer {
        /// The release that wrote it.
        release: String,
        /// The newest format in it.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The turn was decided from a state that the store does not have: a turn before it was not stored, or
    /// the channel has been loaded again since.
    #[error("the turn does not follow from what is stored; load the channel again")]
    Superseded,
    /// One turn is larger than anything that routing can bring about.
    #[error("{what} has {bytes} bytes; at most {limit} can be stored")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The largest that is stored.
        limit: usize,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else.
    #[error("the store failed ({0})")]
    Other(String),
}

impl Error {
    /// Whether trying again can help without anybody changing the file: room may be made, a disk may come
    /// back.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::DiskFull(_) | Self::ReadOnly(_) | Self::Io(_) | Self::Locked(_) | Self::Superseded
        )
    }
}
