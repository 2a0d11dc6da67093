//! A store's file as SQL text: written by one release, read by all that follow.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use byoc_connector::model::ids::{ConversationId, EventId};
use byoc_connector::model::time::Timestamp;
use byoc_connector::routing::{Ending, Fact, Outcome};
use byoc_connector::store::format::{self, CURRENT};
use byoc_connector::store::{Cause, Change, Options, OutcomeId, Position, Sqlite, Store as _, TurnRecord};
use rusqlite::Connection;

use super::ending;
use super::golden::{self, Row};
use super::writing::WRITE;
use crate::support::scenario::work_item;
use crate::support::turns::channel;

/// The recordings whose rows are in the file: one that is over, and those that are cut while an offer rings and
/// while a call is under way.
const HELD: [(&str, usize); 3] =
    [("nobody-left", 99), ("cancelled-while-ringing", 7), ("conference-queue", 5)];

/// Everything in a database, as statements that make another like it.
fn dump(file: &Path) -> String {
    let connection = Connection::open(file).unwrap();
    let number = |pragma| connection.pragma_query_value::<i64, _>(None, pragma, |row| row.get(0)).unwrap();
    let mut text = format!("PRAGMA application_id = {};\n", number("application_id"));
    writeln!(text, "PRAGMA user_version = {};", number("user_version")).unwrap();
    let schema = "SELECT sql, name, type FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
                  ORDER BY rowid";
    let mut schema = connection.prepare(schema).unwrap();
    let items = schema.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    for item in items {
        let (sql, name, kind): (String, String, String) = item.unwrap();
        writeln!(text, "{sql};").unwrap();
        if kind != "table" {
            continue;
        }
        let columns = format!(
            "SELECT group_concat('quote(' || name || ')', '||'',''||') FROM pragma_table_info('{name}')"
        );
        let columns: String = connection.query_row(&columns, [], |row| row.get(0)).unwrap();
        let mut rows = connection.prepare(&format!("SELECT {columns} FROM {name}")).unwrap();
        for row in rows.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            writeln!(text, "INSERT INTO {name} VALUES ({});", row.unwrap()).unwrap();
        }
    }
    text
}

/// A turn of a golden journal, as the runtime would append it.
fn turn(row: &Row, number: u8, loaded: &byoc_connector::store::Loaded) -> TurnRecord {
    let endings = row.endings.iter().map(|ended| Ending {
        request: EventId::parse(&ended.request).unwrap(),
        at: Timestamp::from_millis(ended.at),
        outcome: Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == ended.outcome).unwrap(),
        reason: format::reason(1, &ended.reason.to_string()).unwrap(),
    });
    TurnRecord {
        channel: channel("chat"),
        epoch: loaded.epoch,
        at: Timestamp::from_millis(row.at),
        cause: Some(Cause::replay_id(&[number]).unwrap()),
        position: Some(Position::new("/event/E__e", &[number]).unwrap()),
        urgent: true,
        change: Some(Change {
            conversation: ConversationId::parse(&row.conversation).unwrap(),
            began: row.began,
            ended: row.ended,
            facts: format::facts(1, &serde_json::to_string(&row.facts).unwrap()).unwrap(),
            state: row.state.as_ref().map(|state| Box::new(format::state(1, &state.to_string()).unwrap())),
            endings: endings.collect(),
            tellings: Vec::new(),
        }),
    }
}

#[tokio::test]
async fn a_file_is_written_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("byoc.db");
    let store = Sqlite::open(Options::new(&file)).await.unwrap();
    let loaded = store.load(&channel("chat")).await.unwrap();
    let mut number = 0;
    for (name, rows) in golden::all(1) {
        let Some((_, held)) = HELD.into_iter().find(|(held, _)| *held == name) else { continue };
        for row in rows.iter().take(held) {
            number += 1;
            store.append(turn(row, number, &loaded)).await.unwrap();
        }
    }
    store.close().await.unwrap();
    let text = dump(&file);
    assert!(
        text.contains("INSERT INTO turn VALUES") && text.contains("INSERT INTO outcome VALUES"),
        "{text}"
    );
    if let Ok(format) = std::env::var(WRITE) {
        fs::write(golden::folder(format.parse().unwrap()).join("store.sql"), text).unwrap();
    }
}

/// Makes a file of statements that an older release's file was written as.
fn restore(folder: &Path, format: u32) -> std::path::PathBuf {
    let file = folder.join("byoc.db");
    let text = fs::read_to_string(golden::folder(format).join("store.sql")).unwrap();
    Connection::open(&file).unwrap().execute_batch(&text).unwrap();
    file
}

#[tokio::test]
async fn a_file_of_every_older_format_is_read_and_goes_on() {
    for format in 1..CURRENT {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(Options::new(restore(folder.path(), format))).await.unwrap();
        let loaded = store.load(&channel("chat")).await.unwrap();
        assert_eq!(loaded.unreadable, []);
        let open = loaded.conversations.iter().filter(|kept| !kept.conversation.is_idle());
        assert_eq!((loaded.conversations.len(), open.clone().count()), (3, 2));
        for kept in open {
            ending::end(kept.conversation.clone(), kept.heard, ending::Answering::Always).unwrap();
        }
        let outcomes = store.outcomes(OutcomeId::START, 10).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        // What is written now stands beside what was there, each in its own format.
        let mut turn = turn(&golden::all(1).remove(0).1.remove(0), 200, &loaded);
        let change = turn.change.as_mut().unwrap();
        change.conversation = loaded.conversations[0].conversation.id().clone();
        (change.began, change.state) = (false, None);
        change.facts = vec![Fact::WorkItemLearned(work_item())];
        store.append(turn).await.unwrap();
        let again = store.load(&channel("chat")).await.unwrap();
        assert_eq!((again.conversations.len(), again.unreadable.len()), (3, 0));
        store.close().await.unwrap();
    }
}
