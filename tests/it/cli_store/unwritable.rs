//! A store in a folder that cannot be written: a backup, a disk that is mounted to be read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use byoc_connector::store::{Options, Sqlite, Store as _};

use rusqlite::Connection;

use crate::support::replaying::command::{stderr, stdout};

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Looks at a file as somebody who can read it, and write nothing in its folder.
fn check(folder: &Path, file: &str) -> (Option<i32>, String, String) {
    for it in fs::read_dir(folder).unwrap() {
        mode(&it.unwrap().path(), 0o444);
    }
    mode(folder, 0o555);
    let mut command = Command::new(env!("CARGO_BIN_EXE_byoc"));
    command.args(["store", "check"]).arg(folder.join(file));
    // Who may do everything writes there nevertheless.
    if fs::write(folder.join("probe"), "").is_ok() {
        fs::remove_file(folder.join("probe")).unwrap();
        command.uid(NOBODY);
    }
    let output = command.output().unwrap();
    mode(folder, 0o755);
    (output.status.code(), stdout(&output), stderr(&output))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_store_that_was_closed_is_looked_at_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(Options::new(folder.path().join("byoc.db"))).await.unwrap();
    store.close().await.unwrap();
    let before = names(folder.path());
    let (code, said, wrong) = check(folder.path(), "byoc.db");
    assert_eq!((code, wrong.as_str()), (Some(0), ""), "{said}");
    assert!(said.ends_with("All is well.\n"), "{said}");
    assert_eq!(names(folder.path()), before, "looking leaves nothing behind");
}

#[tokio::test]
async fn a_store_whose_newest_turns_are_beside_it_is_not_half_read() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("byoc.db");
    Sqlite::open(Options::new(&file)).await.unwrap().close().await.unwrap();
    let writing = Connection::open(&file).unwrap();
    writing.execute("UPDATE writer SET release = 'another'", []).unwrap();
    for name in ["byoc.db", "byoc.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    writing.close().unwrap();
    assert!(copy.path().join("byoc.db-wal").metadata().unwrap().len() > 0);
    let (code, said, wrong) = check(copy.path(), "byoc.db");
    assert_eq!((code, said.as_str()), (Some(2), ""), "{wrong}");
    for words in ["nothing can be written in its folder", "byoc.db-wal", "Copy both files"] {
        assert!(wrong.contains(words), "{words} is not in: {wrong}");
    }
}
