//! A file that sqlx made goes on as it is: `fixtures/store/by-sqlx.sql` is one, with both migrations noted by sqlx. So
//! does what waits to be told in a file that knew no numbers.

use std::fs;
use std::path::Path;

use byoc_connector::store::offline::Offline;
use byoc_connector::store::{Cause, OutcomeId, Store as _, TellingId};
use rusqlite::Connection;

use super::sqlite::{file, open};
use super::{STORED, caused, learned};
use crate::support::turns::*;

fn made_by_sqlx(folder: &Path) {
    let sql = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store/by-sqlx.sql");
    let made = Connection::open(file(folder)).unwrap();
    made.execute_batch(&fs::read_to_string(sql).unwrap()).unwrap();
    assert_eq!(version(folder), (0, true));
}

/// Which schema the file has, and whether sqlx's notes are there.
fn version(folder: &Path) -> (i64, bool) {
    let connection = Connection::open(file(folder)).unwrap();
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let notes = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    (version, connection.query_row(notes, [], |row| row.get(0)).unwrap())
}

#[tokio::test]
async fn a_file_that_sqlx_made_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    made_by_sqlx(folder.path());
    let channel = channel("chat");
    for round in 0..2_u8 {
        let store = open(folder.path()).await.unwrap();
        let loaded = store.load(&channel).await.unwrap();
        assert_eq!(loaded.unreadable, []);
        assert_eq!(loaded.conversations.len(), 2 + usize::from(round));
        assert_eq!(loaded.conversations.iter().filter(|one| !one.conversation.is_idle()).count(), 1);
        let causes = [0x01, 0x1a, 0x70 + round].map(|id| Cause::replay_id(&[id]).unwrap());
        assert_eq!(store.seen(&channel, &causes).await.unwrap(), [true, true, false]);
        assert_eq!(store.outcomes(OutcomeId::START, 10).await.unwrap().len(), 1);
        let new = record(&channel, loaded.epoch, &format!("new-{round}"));
        assert_eq!(store.append(caused(learned(new), 0x70 + round)).await, STORED);
        store.close().await.unwrap();
        assert!(!version(folder.path()).1, "sqlx's notes are gone");
        assert_eq!(version(folder.path()).0, 4);
    }
    let checked = Offline::open(&file(folder.path())).unwrap().check().unwrap();
    assert_eq!((checked.problems, checked.conversations), (Vec::new(), 4));
}

#[test]
fn looking_at_a_file_that_sqlx_made_leaves_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    made_by_sqlx(folder.path());
    let before = fs::read(file(folder.path())).unwrap();
    let checked = Offline::open(&file(folder.path())).unwrap().check().unwrap();
    assert_eq!((checked.problems, checked.open), (Vec::new(), 1));
    assert_eq!(fs::read(file(folder.path())).unwrap(), before);
}

#[tokio::test]
async fn what_waits_to_be_told_gets_its_number_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let made = Connection::open(file(folder.path())).unwrap();
    for migration in ["0001_begin", "0002_format", "0003_telling"] {
        let path = format!("{}/migrations/{migration}.sql", env!("CARGO_MANIFEST_DIR"));
        made.execute_batch(&fs::read_to_string(path).unwrap()).unwrap();
    }
    made.pragma_update(None, "application_id", 0x6279_6f63).unwrap();
    made.pragma_update(None, "user_version", 3).unwrap();
    let channel = channel("chat");
    let insert = "INSERT INTO channel (id, org, name, epoch, next_turn) VALUES (1, ?, ?, 1, 0)";
    made.execute(insert, (channel.org.as_str(), &*channel.channel)).unwrap();
    let insert =
        "INSERT INTO telling (id, channel, name, at, announcement, format) VALUES (?, 1, ?, 7, ?, 2)";
    let ids = [1, 2, 3_u8].map(|id| format!("00000000-0000-0000-0000-00000000000{id}"));
    for (row, (id, conversation)) in ids.iter().zip(["a", "b", "a"]).enumerate() {
        let told = format!(r#"{{"conversation":"{conversation}","rep":"005000000000001AAA","joined":true}}"#);
        made.execute(insert, ((1_i64 << 43) + i64::try_from(row).unwrap() + 1, id, told)).unwrap();
    }
    drop(made);
    let store = open(folder.path()).await.unwrap();
    assert_eq!(store.load(&channel).await.unwrap().untold.len(), 3);
    for (id, number) in ids.iter().zip([1, 1, 2]) {
        let place = store.place(&channel, TellingId::parse(id).unwrap()).await.unwrap().unwrap();
        assert_eq!((place.sequence, place.after_gap), (number, false));
    }
}
