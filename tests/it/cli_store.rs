//! `byoc store`: a file that is looked at, checked, and brought up to the current format.

#[cfg(unix)]
mod unwritable;

use std::path::{Path, PathBuf};

use byoc_connector::store::format::CURRENT;
use byoc_connector::store::{Options, Sqlite, Store as _};
use rusqlite::Connection;
use serde_json::Value;

use crate::support::replaying::command::{byoc, stderr, stdout};
use crate::support::turns::channel;

fn run(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

/// A file as release 0.1.0 wrote it.
fn of_format_1(folder: &Path) -> PathBuf {
    let file = folder.join("byoc.db");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journals/1/store.sql");
    run(&file, &std::fs::read_to_string(golden).unwrap());
    file
}

fn store(what: &str, file: &Path, more: &[&str]) -> (i32, String, String) {
    let output = byoc().args(["store", what]).arg(file).args(more).output().unwrap();
    (output.status.code().unwrap(), stdout(&output), stderr(&output))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_file_of_an_older_release_is_looked_at_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = of_format_1(folder.path());
    let before = std::fs::read(&file).unwrap();
    let (code, said, _) = store("check", &file, &["--json"]);
    let checked = json(&said);
    assert_eq!((code, &checked["ok"]), (0, &Value::Bool(true)), "{said}");
    assert_eq!((&checked["found"]["conversations"], &checked["found"]["open"]), (&3.into(), &2.into()));
    assert!(checked["found"]["formats"]["1"].as_u64().is_some_and(|rows| rows > 10), "{said}");
    let (code, said, _) = store("show", &file, &["--json"]);
    let shown = json(&said);
    assert_eq!((code, shown.as_array().map(Vec::len)), (0, Some(2)), "{said}");
    let id = shown[0]["conversation"].as_str().unwrap();
    let (code, said, _) = store("show", &file, &["--conversation", id, "--json"]);
    assert!(code == 0 && json(&said)["turns"][0]["facts"][0]["Requested"].is_object(), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), before, "looking changes nothing");
}

#[tokio::test]
async fn a_file_is_brought_up_and_a_copy_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = of_format_1(folder.path());
    let (code, said, wrong) = store("upgrade", &file, &["--json"]);
    assert_eq!(code, 0, "{said}{wrong}");
    let upgraded = json(&said);
    let copy = PathBuf::from(upgraded["upgraded"]["backup"].as_str().unwrap());
    let formats = |said: &str| json(said)["found"]["formats"].clone();
    let now = formats(&store("check", &file, &["--json"]).1);
    assert_eq!(now.as_object().unwrap().keys().collect::<Vec<_>>(), [&CURRENT.to_string()]);
    let was = formats(&store("check", &copy, &["--json"]).1);
    assert_eq!(was.as_object().unwrap().keys().collect::<Vec<_>>(), ["1"]);
    let store_of = |path: &Path| Sqlite::open(Options::new(path));
    let (new, old) = (store_of(&file).await.unwrap(), store_of(&copy).await.unwrap());
    let by_id = crate::support::turns::by_id;
    let channel = channel("chat");
    assert_eq!(by_id(&new.load(&channel).await.unwrap()), by_id(&old.load(&channel).await.unwrap()));
    assert!(store("upgrade", &file, &[]).2.contains("in use"), "a connector has it");
    new.close().await.unwrap();
    let (code, said, _) = store("upgrade", &file, &[]);
    assert!(code == 0 && said.contains("already"), "{said}");
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = of_format_1(folder.path());
    run(
        &file,
        "UPDATE turn SET facts = '[{\"Tomorrow\":\"0BzgL00000RVPI5\"}]' WHERE id = (SELECT max(id) FROM turn WHERE conversation = 1)",
    );
    let (code, said, _) = store("check", &file, &[]);
    assert!(code == 1 && said.contains("cannot be read") && said.contains("Tomorrow"), "{said}");
    let (code, said, _) = store("show", &file, &[]);
    assert!(
        code == 0 && said.contains("may be open at Salesforce: ") && said.contains("0BzgL00000RVPI5"),
        "{said}"
    );
    let (code, said, _) = store("upgrade", &file, &[]);
    assert!(code == 1 && said.contains("left as it is"), "{said}");
    run(&file, "INSERT INTO writer (release, format, migration) VALUES ('9.0.0', 77, 9)");
    let (code, said, _) = store("check", &file, &[]);
    assert!(code == 1 && said.contains("release 9.0.0, in format 77"), "{said}");
    let (code, _, wrong) = store("upgrade", &file, &[]);
    assert!(code == 2 && wrong.contains("9.0.0"), "{wrong}");
    let (code, _, wrong) = store("check", &folder.path().join("none.db"), &[]);
    assert!(code == 2 && wrong.contains("no such file"), "{wrong}");
}
