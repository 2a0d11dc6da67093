//! Recordings: the fixtures read as they should, and nothing that is broken gets past the reader unnamed.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use byoc_connector::model::ids;
use byoc_connector::model::roster::Rep;
use byoc_connector::model::time::Timestamp;
use byoc_connector::recording::{
    Error, Exchange, Feed, Item, Json, Line, Reader, RepFinder, Response, Source, Writer,
};
use serde_json::{Value, json};

mod broken;
mod chance;
mod kept;
mod of_fixtures;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries = std::fs::read_dir(folder).expect("the fixtures are in the repository");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    files
}

fn bytes(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(file).expect("the fixture is in the repository")
}

fn lines(name: &str, bytes: &[u8]) -> Vec<Result<Line, Error>> {
    Reader::new(name, bytes).collect()
}

fn items(name: &str, bytes: &[u8]) -> Vec<Result<Item, Error>> {
    Feed::start(name, Cursor::new(bytes.to_vec()), None).expect("threads").collect()
}

fn written(lines: &[Line]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for line in lines {
        writer.write(line).expect("a Vec takes everything");
    }
    writer.flush().expect("a Vec takes everything");
    writer.into_inner()
}
