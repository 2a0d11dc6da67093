//! The shape of what is stored, derived from the types and kept beside the golden journals. It must not change
//! unnoticed.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::{CURRENT, FORMATS};
use crate::routing::{Announcement, Conversation, Fact, Reason};

/// Set it, and the shape of the current format is written anew.
const WRITE: &str = "BYOC_WRITE_SHAPE";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(format: u32) -> PathBuf {
    root().join(format!("fixtures/journals/{format}/shape.json"))
}

/// What the types are written as, without their documentation: a line for each field and variant, so that two
/// changes to it merge.
fn shape() -> String {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.subschema_for::<Fact>();
    generator.subschema_for::<Conversation>();
    generator.subschema_for::<Reason>();
    generator.subschema_for::<Announcement>();
    let mut types = Value::Object(generator.take_definitions(true));
    without_words(&mut types);
    let mut text = serde_json::to_string_pretty(&types).unwrap();
    text.push('\n');
    text
}

/// Takes out what documentation says, and puts what is left in order.
fn without_words(value: &mut Value) {
    match value {
        Value::Array(all) => {
            all.iter_mut().for_each(without_words);
            if all.iter().all(Value::is_string) {
                all.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
        }
        Value::Object(fields) => {
            if fields.get("description").is_some_and(Value::is_string) {
                fields.remove("description");
            }
            let mut sorted: Vec<(String, Value)> = std::mem::take(fields).into_iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (_, inside) in &mut sorted {
                without_words(inside);
            }
            *fields = Map::from_iter(sorted);
        }
        _ => {}
    }
}

/// Whether the changelog has a release that writes the current format.
fn is_released() -> bool {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let release = FORMATS.last().unwrap().release;
    changelog.lines().any(|line| {
        let heading = line.strip_prefix("## ").unwrap_or_default().trim_start_matches('[');
        heading.strip_prefix(release).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[test]
fn what_is_stored_has_the_shape_that_its_format_says() {
    let now = shape();
    if std::env::var_os(WRITE).is_some() && !is_released() {
        fs::create_dir_all(file(CURRENT).parent().unwrap()).unwrap();
        fs::write(file(CURRENT), &now).unwrap();
    }
    let known = fs::read_to_string(file(CURRENT)).unwrap_or_default();
    if known == now {
        return;
    }
    let changed: Vec<&str> = now.lines().filter(|line| !known.contains(line)).take(20).collect();
    let what_to_do = if is_released() {
        "That format is released, and rows are written in it: add a format and a step to it, raise the crate's \
         version, write golden journals of the format before."
    } else {
        "That format is not released yet: see that its last step reads what the format before had, then run this \
         test with BYOC_WRITE_SHAPE=1 and commit the difference."
    };
    panic!(
        "what is stored has another shape than format {CURRENT} says ({}).\n{what_to_do}\nsrc/store/format.rs says \
         how.\nNew in it: {changed:#?}",
        file(CURRENT).display()
    );
}

#[test]
fn every_older_format_has_its_shape_and_golden_journals() {
    for format in FORMATS.iter().filter(|format| format.number < CURRENT) {
        for name in ["shape.json", "conference-queue.jsonl", "simulated.jsonl", "scripted.jsonl", "store.sql"]
        {
            let file = file(format.number).with_file_name(name);
            assert!(file.exists(), "{} is missing: {format:?}", file.display());
        }
    }
}

#[test]
fn every_variant_that_format_1_could_hold_is_in_its_golden_journals() {
    let folder = file(1);
    let folder = folder.parent().unwrap();
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    let types: Value = serde_json::from_str(&fs::read_to_string(file(1)).unwrap()).unwrap();
    // Salesforce's own words are only those that it said.
    let ours = [
        "Fact",
        "RequestFact",
        "Intent",
        "Why",
        "Reason",
        "Wanted",
        "RouteBy",
        "Route",
        "Search",
        "ReportState",
        "OfferState",
        "Creation",
        "Outcome",
        "Step",
    ];
    let mut names = Vec::new();
    for name in ours {
        variants(&types[name], &mut names);
    }
    assert!(names.len() > 80, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !text.contains(&format!("\"{name}\""))).collect();
    assert_eq!(missing, [""; 0]);
}

fn variants(of: &Value, names: &mut Vec<String>) {
    for one in of["oneOf"].as_array().into_iter().flatten() {
        names.extend(one["const"].as_str().map(str::to_owned));
        names.extend(
            one["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
        );
        names.extend(one["required"][0].as_str().map(str::to_owned));
    }
    names.extend(of["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
}
