//! Every way into the file says when it fails: reading, writing, and that it is still the same file. Nobody else
//! gets in, and nobody else can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use byoc_connector::store::{Cause, Error, OutcomeId, Store as _};

use super::sqlite::{file, open};
use super::{STORED, learned};
use crate::support::turns::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn beside(folder: &Path, ending: &str) -> std::path::PathBuf {
    folder.join(format!("byoc.db{ending}"))
}

#[tokio::test]
async fn a_reader_that_fails_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let channel = channel("chat");
    let loaded = store.load(&channel).await.unwrap();
    let mut actor = Actor::new(channel.clone(), loaded, 5, 0);
    for _ in 0..200 {
        store.append(actor.turn()).await.unwrap();
    }
    assert_eq!(store.health().failing, None);
    fs::File::options().write(true).open(beside(folder.path(), "-wal")).unwrap().set_len(0).unwrap();
    let cause = Cause::replay_id(&1_u32.to_be_bytes()).unwrap();
    let failed = store.seen(&channel, &[cause]).await.unwrap_err();
    assert_eq!(store.health().failing, Some(failed));
    assert!(store.health().failing_since.is_some());
}

#[tokio::test]
async fn a_question_that_is_answered_ends_what_a_question_began() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let channel = channel("chat");
    store.load(&channel).await.unwrap();
    let away = folder.path().join("away.db");
    fs::rename(file(folder.path()), &away).unwrap();
    let gone = store.health().failing;
    assert!(matches!(&gone, Some(Error::Replaced(why)) if why.ends_with("is gone")), "{gone:?}");
    let failed = store.last_outcome().await.unwrap_err();
    assert!(matches!(failed, Error::Replaced(_)), "{failed}");
    fs::rename(&away, file(folder.path())).unwrap();
    assert_eq!(store.last_outcome().await, Ok(OutcomeId::START));
    assert_eq!(store.health().failing, None);
}

#[tokio::test]
async fn a_file_that_is_not_the_one_that_was_opened_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let channel = channel("chat");
    let loaded = store.load(&channel).await.unwrap();
    assert_eq!(store.append(learned(record(&channel, loaded.epoch, "one"))).await, STORED);
    fs::copy(file(folder.path()), folder.path().join("copy.db")).unwrap();
    fs::rename(folder.path().join("copy.db"), file(folder.path())).unwrap();
    let refused = store.append(learned(record(&channel, loaded.epoch, "two"))).await.unwrap_err();
    assert!(matches!(&refused, Error::Replaced(why) if why.ends_with("is another file now")), "{refused}");
    assert_eq!(store.health().failing, Some(refused));
}

#[tokio::test]
async fn a_lock_file_that_is_removed_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    fs::remove_file(beside(folder.path(), ".lock")).unwrap();
    let second = open(folder.path()).await.unwrap_err();
    assert!(matches!(second, Error::InUse(_)), "{second}");
    // Nor does another name for the file.
    fs::hard_link(file(folder.path()), folder.path().join("other.db")).unwrap();
    let other = byoc_connector::store::Options::new(folder.path().join("other.db"));
    let third = byoc_connector::store::Sqlite::open(other).await.unwrap_err();
    assert!(matches!(third, Error::InUse(_)), "{third}");
    store.close().await.unwrap();
    open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn the_files_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let endings = ["", "-wal", "-shm", ".lock"];
    let store = open(folder.path()).await.unwrap();
    let channel = channel("chat");
    store.load(&channel).await.unwrap();
    for ending in endings {
        assert_eq!(mode(&beside(folder.path(), ending)), 0o600, "byoc.db{ending}");
    }
    store.close().await.unwrap();
    // One that was made by an earlier release is taken from the others.
    fs::set_permissions(file(folder.path()), fs::Permissions::from_mode(0o664)).unwrap();
    let store = open(folder.path()).await.unwrap();
    store.load(&channel).await.unwrap();
    for ending in endings {
        assert_eq!(mode(&beside(folder.path(), ending)), 0o600, "byoc.db{ending}");
    }
}
