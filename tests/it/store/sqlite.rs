//! What only the store in a file can be asked: disks that fill up, files that are not what they should be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use byoc_connector::store::format::{CURRENT, RELEASE};
use byoc_connector::store::{Error, Options, Position, Sqlite, Store as _, TurnRecord};
use rusqlite::Connection;

use super::{STORED, caused};
use crate::support::turns::*;

pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("byoc.db")
}

pub(super) async fn open(folder: &Path) -> Result<Sqlite, Error> {
    Sqlite::open(Options::new(file(folder))).await
}

fn number(folder: &Path, query: &str) -> i64 {
    Connection::open(file(folder)).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn turns_that_wait_are_committed_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let channel = channel("chat");
    let loaded = store.load(&channel).await.unwrap();
    let mut actor = Actor::new(channel, loaded, 1, 0);
    let before = store.health();
    let under_way: Vec<_> = (0..400).map(|_| store.append(actor.turn())).collect();
    for pending in under_way {
        pending.await.unwrap();
    }
    let after = store.health();
    assert_eq!(after.turns - before.turns, 400);
    assert!(after.commits - before.commits <= 20, "{} commits", after.commits - before.commits);
    assert_eq!((after.queued, after.failing), (0, None));
}

#[tokio::test]
async fn the_journal_does_not_grow_with_what_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let channel = channel("chat");
    let loaded = store.load(&channel).await.unwrap();
    let mut actor = Actor::new(channel, loaded, 2, 0);
    let mut most = 0;
    for _ in 0..60 {
        let mut under_way = Vec::new();
        for _ in 0..100 {
            let turn = actor.turn();
            under_way.push((of(&turn), store.append(turn)));
        }
        for (conversation, pending) in under_way {
            actor.noted(conversation, pending.await.unwrap());
        }
        most = most.max(number(folder.path(), "SELECT count(*) FROM turn"));
    }
    assert!(most < 800, "{most} of 6000 turns were kept");
}

#[tokio::test]
async fn a_store_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let second = open(folder.path()).await.unwrap_err();
    assert!(matches!(second, Error::InUse(_)), "{second}");
    store.close().await.unwrap();
    drop(store);
    open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).await.unwrap().close().await.unwrap();
    let insert =
        "INSERT INTO writer (release, format, migration) VALUES ('7.1.0', 99, 98), ('7.0.0', 98, 98)";
    Connection::open(file(folder.path())).unwrap().execute(insert, []).unwrap();
    let error = open(folder.path()).await.unwrap_err();
    assert_eq!(error, Error::Newer { release: "7.1.0".to_owned(), found: 99, known: CURRENT.into() });
    let said = error.to_string();
    assert!(said.contains("release 7.1.0, in format 99") && said.contains(RELEASE), "{said}");
}

#[tokio::test]
async fn a_file_that_is_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(file(folder.path()), "id,name\n1,Ann\n".repeat(400)).unwrap();
    let error = open(folder.path()).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error}");
    assert!(fs::read_to_string(file(folder.path())).unwrap().starts_with("id,name"));

    fs::remove_file(file(folder.path())).unwrap();
    let other = Connection::open(file(folder.path())).unwrap();
    other.execute_batch("CREATE TABLE customers (id INTEGER)").unwrap();
    other.close().unwrap();
    let before = fs::read(file(folder.path())).unwrap();
    let error = open(folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("an SQLite database of something else"), "{error}");
    assert_eq!(fs::read(file(folder.path())).unwrap(), before);

    let nowhere = Sqlite::open(Options::new(folder.path().join("none/byoc.db"))).await.unwrap_err();
    assert!(matches!(nowhere, Error::Unopenable(_)), "{nowhere}");
}

#[tokio::test]
async fn a_damaged_file_gives_errors_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let channel = channel("chat");
    let loaded = store.load(&channel).await.unwrap();
    let mut actor = Actor::new(channel.clone(), loaded, 3, 0);
    actor.crowd = 200;
    for pending in (0..1500).map(|_| store.append(actor.turn())).collect::<Vec<_>>() {
        pending.await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    let whole = fs::read(file(folder.path())).unwrap();
    let mut dice = Dice::new(7);
    let mut found_out = 0;
    for round in 0..40 {
        let mut damaged = whole.clone();
        match round % 4 {
            0 => damaged.truncate(dice.below(whole.len())),
            1 => damaged[dice.below(100)] ^= 0x55,
            _ => {
                let start = dice.below(whole.len() - 4096);
                damaged[start..start + 4096].iter_mut().for_each(|byte| *byte ^= 0xa5);
            }
        }
        fs::write(file(folder.path()), damaged).unwrap();
        for extra in ["-wal", "-shm"] {
            fs::remove_file(folder.path().join(format!("byoc.db{extra}"))).ok();
        }
        found_out += usize::from(use_damaged(folder.path(), &mut actor).await);
    }
    assert!(found_out >= 20, "damage was found out {found_out} times of 40");
}

/// Whether anything was noticed. Every answer is an answer; none is a panic.
async fn use_damaged(folder: &Path, actor: &mut Actor) -> bool {
    let Ok(store) = open(folder).await else { return true };
    let Ok(loaded) = store.load(&actor.channel).await else { return true };
    actor.epoch = loaded.epoch;
    let mut noticed = !loaded.unreadable.is_empty();
    for pending in (0..50).map(|_| store.append(actor.turn())).collect::<Vec<_>>() {
        noticed |= pending.await.is_err();
    }
    noticed |= store.close().await.is_err();
    noticed
}

/// Appends until it is refused, and says why, and what is certain by then.
async fn fill(store: &Sqlite, actor: &mut Actor) -> (Error, usize) {
    for stored in 0..20_000 {
        let before = actor.conversations.clone();
        let next = actor.turn();
        if let Err(error) = store.append(next).await {
            actor.conversations = before;
            return (error, stored);
        }
    }
    panic!("it was never full");
}

#[tokio::test]
async fn a_store_that_may_not_grow_says_so_and_goes_on_when_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let small = Options { max_bytes: Some(200 * 1024), ..Options::new(file(folder.path())) };
    let store = Sqlite::open(small).await.unwrap();
    let channel = channel("chat");
    let mut actor = Actor::new(channel.clone(), store.load(&channel).await.unwrap(), 4, 0);
    actor.crowd = 5000;
    let (error, stored) = fill(&store, &mut actor).await;
    assert!(matches!(error, Error::DiskFull(_)), "{error}");
    assert!(error.may_pass() && stored > 50);
    let health = store.health();
    assert_eq!(health.failing, Some(error));
    assert!(health.failing_since.is_some());
    let moved = TurnRecord { change: None, ..record(&channel, actor.epoch, "x") };
    assert_eq!(store.append(moved).await, Err(Error::Superseded), "what follows a failure is refused");
    store.close().await.unwrap();
    drop(store);

    let store = open(folder.path()).await.unwrap();
    let loaded = store.load(&channel).await.unwrap();
    assert_eq!(by_id(&loaded), actor.conversations, "what was answered is there, what was refused is not");
    actor.epoch = loaded.epoch;
    store.append(caused(record(&channel, actor.epoch, "another"), 1)).await.unwrap();
    assert_eq!(store.health().failing, None);
}

/// A small disk of its own, where the machine lets us have one.
struct Disk(tempfile::TempDir);

impl Disk {
    #[expect(clippy::print_stderr, reason = "says what was not tested")]
    fn of_kilobytes(size: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}k"), "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: no disk can be mounted here");
        }
        mounted.then_some(Self(folder))
    }

    fn remount(&self, how: &str) {
        let done = Command::new("mount").args(["-o", how]).arg(self.0.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.0.path()).output().ok();
    }
}

#[tokio::test]
async fn a_full_disk_is_named_and_nothing_is_lost_when_there_is_room_again() {
    let Some(disk) = Disk::of_kilobytes(3000) else { return };
    let folder = disk.0.path();
    let store = open(folder).await.unwrap();
    let channel = channel("chat");
    let mut actor = Actor::new(channel.clone(), store.load(&channel).await.unwrap(), 5, 0);
    for _ in 0..100 {
        store.append(actor.turn()).await.unwrap();
    }
    for round in 0..3 {
        let others = folder.join("others");
        fs::write(&others, vec![0; 4 << 20]).unwrap_err();
        let (error, _) = fill(&store, &mut actor).await;
        assert!(matches!(error, Error::DiskFull(_)), "round {round}: {error}");
        let while_full = store.load(&channel).await.unwrap_err();
        assert!(matches!(while_full, Error::DiskFull(_)), "round {round}: {while_full}");
        assert!(store.health().failing.is_some());

        fs::remove_file(&others).unwrap();
        let loaded = store.load(&channel).await.unwrap();
        assert_eq!(by_id(&loaded), actor.conversations, "round {round}");
        actor = Actor::new(channel.clone(), loaded, 6 + round, 100_000 * (1 + u32::try_from(round).unwrap()));
        for _ in 0..20 {
            store.append(actor.turn()).await.unwrap();
        }
        assert_eq!(store.health().failing, None);
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_may_only_be_read_is_named() {
    let Some(disk) = Disk::of_kilobytes(3000) else { return };
    let folder = disk.0.path();
    let store = open(folder).await.unwrap();
    let channel = channel("chat");
    let epoch = store.load(&channel).await.unwrap().epoch;
    let mut turn = record(&channel, epoch, "a");
    turn.position = Some(Position::new("/event/E__e", &[1]).unwrap());
    assert_eq!(store.append(turn).await, STORED);
    store.close().await.unwrap();
    drop(store);

    disk.remount("remount,ro");
    let error = open(folder).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly(_)), "{error}");
    assert!(error.may_pass());
    disk.remount("remount,rw");
    let store = open(folder).await.unwrap();
    assert_eq!(names(&store.load(&channel).await.unwrap()), ["a"]);
    store.close().await.unwrap();
}
