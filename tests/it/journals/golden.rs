//! A golden journal: a file of rows, one JSON object a line.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One turn as a store holds it: what is stored of its conversation, its facts, its state, its endings.
///
/// The facts are there where a state is stored too, though a store leaves them out then.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) at: i64,
    pub(crate) conversation: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) began: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ended: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) endings: Vec<Ended>,
}

/// An outcome as a store holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ended {
    pub(crate) request: String,
    pub(crate) at: i64,
    pub(crate) outcome: String,
    pub(crate) reason: Value,
}

/// The folder of a format.
pub(crate) fn folder(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/journals/{format}"))
}

/// The journals of a format, by the name of their file.
pub(crate) fn all(format: u32) -> Vec<(String, Vec<Row>)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder(format))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        (name, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    };
    files.into_iter().map(read).collect()
}

/// Writes a journal into the folder of a format.
pub(crate) fn write(format: u32, name: &str, rows: &[Row]) {
    let lines: String =
        rows.iter().flat_map(|row| [serde_json::to_string(row).unwrap(), "\n".to_owned()]).collect();
    fs::create_dir_all(folder(format)).unwrap();
    fs::write(folder(format).join(format!("{name}.jsonl")), lines).unwrap();
}
