//! The shape of the house, checked: who may name whom, how long a file may get, where the clock is read,
//! and that the documentation speaks of files that exist.
//!
//! One package has no crate walls, so these tests are the walls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

mod cycles;
mod documents;
mod features;
mod mutants;
mod pages;
mod sleeping;

/// Which modules each module may name (docs/architecture.md: "The modules").
const MAY_NAME: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("proto", &[]),
    ("routing", &["model"]),
    ("contacts", &["model"]),
    ("events", &["notices", "model", "outbound", "proto"]),
    ("outbound", &[]),
    ("notices", &["model"]),
    ("interaction", &["model", "outbound", "private_key"]),
    ("org", &["model", "interaction", "outbound"]),
    ("private_key", &[]),
    ("local", &[]),
    ("emulator", &["local", "model", "proto"]),
    ("rep_finder", &["model"]),
    ("recording", &["model", "events"]),
    ("people", &["notices", "model", "contacts", "rep_finder", "connector"]),
    ("webhook", &["notices", "model", "contacts", "routing", "connector", "outbound"]),
    ("config", &["local", "model", "routing", "org", "people", "webhook", "outbound", "private_key"]),
    ("store", &["notices", "model", "routing"]),
    ("engine", &["model", "routing", "interaction", "store"]),
    ("connector", &["notices", "model", "routing", "interaction", "rep_finder", "store", "engine"]),
    (
        "service",
        &[
            "notices",
            "model",
            "routing",
            "contacts",
            "events",
            "interaction",
            "org",
            "config",
            "store",
            "connector",
            "people",
        ],
    ),
    (
        "host",
        &[
            "notices",
            "model",
            "routing",
            "events",
            "config",
            "store",
            "connector",
            "people",
            "service",
            "webhook",
        ],
    ),
    (
        "doctor",
        &[
            "notices",
            "model",
            "events",
            "interaction",
            "org",
            "config",
            "service",
            "outbound",
            "webhook",
            "server",
        ],
    ),
    (
        "server",
        &[
            "notices", "local", "model", "routing", "events", "config", "store", "people", "service",
            "outbound",
        ],
    ),
    (
        "replay",
        &[
            "model",
            "routing",
            "events",
            "recording",
            "interaction",
            "emulator",
            "rep_finder",
            "store",
            "engine",
        ],
    ),
    (
        "cli",
        &[
            "notices",
            "model",
            "routing",
            "contacts",
            "events",
            "interaction",
            "emulator",
            "rep_finder",
            "recording",
            "config",
            "replay",
            "store",
            "connector",
            "service",
            "host",
            "telemetry",
            "people",
            "doctor",
            "org",
            "server",
            "webhook",
            "outbound",
        ],
    ),
    ("telemetry", &[]),
];

/// How many lines a file may have, its tests not counted.
const LONGEST_FILE: usize = 450;

/// How many lines a file of tests may have: it shows one thing.
const LONGEST_FILE_OF_TESTS: usize = 400;

/// Modules that are pure: they are handed the time, own no socket and roll no dice.
const PURE: &[&str] = &["src/model/", "src/routing/", "src/contacts/", "src/rep_finder.rs", "src/emulator/"];

/// Files below [`PURE`] that are not, by their own module documentation.
const NOT_PURE: &[&str] = &["src/emulator/http/"];

/// What a pure module may not name.
const IMPURE: &[&str] = &[
    "Instant::now",
    "thread_rng",
    "rand::",
    "new_v4",
    "std::net",
    "std::thread",
    "std::env",
    "tokio::",
    "reqwest",
    "axum",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path below the package's root, with forward slashes.
fn name_of(path: &Path) -> String {
    let below = path.strip_prefix(root()).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// All files below a folder that end so, sorted.
fn files_below(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A source file without its tests.
struct Code {
    /// `src/routing/next.rs`.
    name: String,
    /// `["routing", "next"]`.
    module: Vec<String>,
    lines: Vec<String>,
}

impl Code {
    /// The lines that are not comments, with their numbers, without the comment at the end of a line.
    fn statements(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(n, line)| (n + 1, line.split(" // ").next().unwrap_or_default()))
    }
}

/// Every source file that is not a test.
fn code() -> Vec<Code> {
    let mut tests = BTreeSet::new();
    let mut all = Vec::new();
    for path in files_below("src", "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let module = module_of(&path);
        let (lines, test_files) = without_tests(&text);
        tests.extend(test_files.iter().map(|file| [module.as_slice(), std::slice::from_ref(file)].concat()));
        all.push(Code { name: name_of(&path), module, lines });
    }
    assert!(all.len() > 50, "the sources were not found");
    all.retain(|code| !tests.iter().any(|test| code.module.starts_with(test)));
    all
}

/// The module that a file is.
fn module_of(path: &Path) -> Vec<String> {
    let name = name_of(path);
    let below = name.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut module: Vec<String> = below.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// The lines without what `#[cfg(test)]` stands above, and the names of test modules in other files. The
/// sources are formatted, so that an item ends with the first line that is a lone brace.
fn without_tests(text: &str) -> (Vec<String>, Vec<String>) {
    let mut kept = Vec::new();
    let mut elsewhere = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            kept.push(line.to_owned());
            continue;
        }
        let item = lines.find(|line| !line.starts_with("#[")).unwrap_or_default();
        if let Some(module) = item.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            elsewhere.push(module.to_owned());
        } else if !item.ends_with(';') {
            lines.find(|line| *line == "}");
        }
    }
    (kept, elsewhere)
}

/// The identifiers that stand at the start of a text, or in the braces there: `a::b` gives a, `{a::x, b}`
/// gives a and b.
fn first_names(text: &str) -> Vec<&str> {
    match text.strip_prefix('{') {
        Some(group) => {
            let group = group.split_once('}').map_or(group, |(inside, _)| inside);
            group.split(',').map(|part| identifier(part.trim())).filter(|name| !name.is_empty()).collect()
        }
        None => vec![identifier(text)],
    }
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// What a statement names at the crate's root: by `crate::`, or by as many `super::` as lead there.
fn named_at_root<'a>(statement: &'a str, module: &[String]) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (place, _) in statement.match_indices("crate::") {
        let is_path = !statement[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        if is_path {
            found.extend(first_names(&statement[place + "crate::".len()..]));
        }
    }
    let climb = "super::".repeat(module.len());
    if !climb.is_empty() {
        for (place, _) in statement.match_indices(&climb) {
            let rest = &statement[place + climb.len()..];
            let is_whole =
                !statement[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if is_whole && !rest.starts_with("super::") {
                found.extend(first_names(rest));
            }
        }
    }
    found
}

#[test]
fn a_module_names_only_those_that_the_design_lets_it_name() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_NAME.iter().copied().collect();
    let mut wrong = String::new();
    for code in code() {
        // The root names the modules, and `main` the command line.
        let Some(own) = code.module.first() else { continue };
        let Some(may_name) = allowed.get(own.as_str()) else {
            panic!("{}: the module {own} is not in the table MAY_NAME of this test", code.name);
        };
        for (number, statement) in code.statements() {
            for other in named_at_root(statement, &code.module) {
                if other != own && !may_name.contains(&other) {
                    writeln!(wrong, "{}:{number}: {own} may not name {other}", code.name).unwrap();
                }
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn what_is_named_is_found_however_it_is_written() {
    let module = ["routing".to_owned(), "next".to_owned()];
    for (statement, names) in [
        ("use crate::model::ids::RepId;", vec!["model"]),
        ("use crate::{events::Decoded, model};", vec!["events", "model"]),
        ("let at: crate::model::X = crate::replay::y();", vec!["model", "replay"]),
        ("use super::super::contacts::Index;", vec!["contacts"]),
        ("use super::fact::Fact;", vec![]),
        ("use some_crate::thing;", vec![]),
    ] {
        assert_eq!(named_at_root(statement, &module), names, "{statement}");
    }
}

#[test]
fn only_the_clock_reads_the_clock() {
    let mut wrong = String::new();
    for code in code().iter().filter(|code| code.name != "src/model/time.rs") {
        for (number, statement) in code.statements() {
            for clock in ["SystemTime", "Timestamp::now", "Zoned::now"] {
                if statement.contains(clock) {
                    writeln!(wrong, "{}:{number}: {clock}; take the time as an argument", code.name).unwrap();
                }
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn a_pure_module_owns_no_socket_no_clock_and_no_dice() {
    let mut wrong = String::new();
    let starts = |name: &str, folders: &[&str]| folders.iter().any(|folder| name.starts_with(folder));
    for code in code().iter().filter(|code| starts(&code.name, PURE) && !starts(&code.name, NOT_PURE)) {
        for (number, statement) in code.statements() {
            for impure in IMPURE.iter().filter(|impure| statement.contains(*impure)) {
                writeln!(wrong, "{}:{number}: {impure}", code.name).unwrap();
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn no_file_is_longer_than_a_reader_holds_in_mind() {
    let mut wrong = String::new();
    for code in code() {
        let lines = code.lines.len();
        if lines > LONGEST_FILE {
            writeln!(wrong, "{} has {lines} lines without its tests", code.name).unwrap();
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn no_file_of_tests_shows_more_than_one_thing() {
    let files = files_below("tests", "rs");
    assert!(files.len() > 100, "the tests were not found");
    let mut wrong = String::new();
    for path in files {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > LONGEST_FILE_OF_TESTS {
            let name = name_of(&path);
            writeln!(wrong, "{name} has {lines} lines; split it by what its tests show").unwrap();
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn every_file_opens_with_its_role() {
    let without: Vec<String> = files_below("src", "rs")
        .iter()
        .chain(&files_below("tests", "rs"))
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .map(|path| name_of(path))
        .collect();
    assert_eq!(without, [""; 0]);
}
