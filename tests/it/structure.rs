//! The shape of the house, checked: who may name whom, how long a file may get, where the clock is read,
//! and that the documentation speaks of files that exist.
//!
//! One package has no crate walls, so these tests are the walls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use byoc_connector::interaction::auth::KNOWN_REFUSALS;
use byoc_connector::model::error_codes::{About, ErrorCode};

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
    ("private_key", &[]),
    ("local", &[]),
    ("emulator", &["local", "model", "proto"]),
    ("rep_finder", &["model"]),
    ("recording", &["model", "events"]),
    ("people", &["notices", "model", "contacts", "rep_finder", "connector"]),
    ("webhook", &["notices", "model", "contacts", "routing", "connector", "outbound"]),
    ("config", &["local", "model", "routing", "people", "webhook", "outbound", "private_key"]),
    ("store", &["notices", "model", "routing"]),
    ("connector", &["notices", "model", "routing", "interaction", "rep_finder", "store"]),
    (
        "service",
        &[
            "notices",
            "model",
            "routing",
            "contacts",
            "events",
            "interaction",
            "config",
            "store",
            "connector",
            "people",
        ],
    ),
    (
        "doctor",
        &["notices", "model", "events", "interaction", "config", "service", "outbound", "webhook", "server"],
    ),
    (
        "server",
        &[
            "notices", "local", "model", "routing", "events", "config", "store", "people", "service",
            "outbound",
        ],
    ),
    ("replay", &["model", "routing", "events", "recording", "interaction", "emulator", "rep_finder"]),
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
            "telemetry",
            "people",
            "doctor",
            "server",
            "webhook",
        ],
    ),
    ("telemetry", &[]),
];

/// How many lines a file may have, its tests not counted.
const LONGEST_FILE: usize = 450;

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

/// Names in the documentation that look like our files and are the reader's own.
const READERS_FILES: &[&str] = &[
    "byoc.toml",
    "key.pem",
    "certificate.pem",
    "emulator-ca.pem",
    "incident.jsonl",
    "byoc.db-set-aside.jsonl",
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
fn every_file_opens_with_its_role() {
    let without: Vec<String> = files_below("src", "rs")
        .iter()
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .map(|path| name_of(path))
        .collect();
    assert_eq!(without, [""; 0]);
}

/// The documentation: README and the like, and everything below `docs`.
fn documents() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].iter().map(|name| root().join(name)).collect();
    all.extend(files_below("docs", "md"));
    all
}

/// The words of a document that are set as code: between backticks, and in fenced blocks. With their lines.
fn code_words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut fenced = false;
    for (n, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let set_as_code = line.split('`').enumerate().filter(|(part, _)| fenced || part % 2 == 1);
        words.extend(set_as_code.flat_map(|(_, part)| part.split_whitespace()).map(|word| (n + 1, word)));
    }
    words
}

/// Whether a word can only be meant as the path of a file or folder of this project.
fn is_path(word: &str, top: &BTreeSet<String>) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let first = word.split('/').next().unwrap_or_default();
    let has_ending = [".rs", ".toml", ".md", ".jsonl", ".yaml", ".xml", ".pem", ".json"]
        .iter()
        .any(|ending| word.len() > ending.len() && word.ends_with(ending));
    plain && (has_ending || (word.contains('/') && top.contains(first)))
}

#[test]
fn the_documentation_speaks_of_files_that_exist() {
    let top: BTreeSet<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut wrong = String::new();
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let beside = document.parent().unwrap();
        for (line, word) in code_words(&text) {
            let word = word.trim_end_matches(['.', ',', ':', ';', ')']).trim_start_matches('(');
            if is_path(word, &top) && !READERS_FILES.contains(&word) {
                checked += 1;
                if !root().join(word).exists() && !beside.join(word).exists() {
                    writeln!(wrong, "{}:{line}: there is no {word}", name_of(&document)).unwrap();
                }
            }
        }
        for (n, line) in text.lines().enumerate() {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
                let is_ours = !link.is_empty() && !link.contains("://");
                checked += usize::from(is_ours);
                if is_ours && !beside.join(link).exists() {
                    writeln!(wrong, "{}:{}: there is no {link}", name_of(&document), n + 1).unwrap();
                }
            }
        }
    }
    assert_eq!(wrong, "");
    assert!(checked > 40, "only {checked} names were found to check");
}

#[test]
fn a_path_is_known_from_what_only_looks_like_one() {
    let top = ["src", "docs"].map(str::to_owned).into();
    let text =
        "see `src/gone.rs`, `byoc.toml` and `POST /api/v1/route`\n```sh\ncat docs/gone and/or x.jsonl\n```\n";
    let paths: Vec<_> = code_words(text).into_iter().filter(|(_, word)| is_path(word, &top)).collect();
    assert_eq!(paths, [(1, "src/gone.rs"), (1, "byoc.toml"), (3, "docs/gone"), (3, "x.jsonl")]);
    for other in ["application/json", "/api/v1/route", "routing::Policy", "fixtures/*.jsonl", "one/two"] {
        assert!(!is_path(other, &top), "{other}");
    }
}

#[test]
fn the_map_has_every_module_and_the_reasons_every_dependency() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let dependencies = ["dependencies", "dev-dependencies"]
        .iter()
        .flat_map(|section| manifest[*section].as_table().unwrap().keys().map(String::as_str));
    let missing: Vec<&str> = modules
        .chain(dependencies)
        .filter(|name| {
            let cell = format!("`{name}`");
            !readme
                .lines()
                .any(|line| line.starts_with("| ") && line.split(" | ").next().unwrap().contains(&cell))
        })
        .collect();
    assert_eq!(missing, [""; 0], "not in a table of README.md");
}

#[cfg(feature = "cli")]
#[test]
fn the_readme_shows_what_the_commands_print() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let trimmed = |text: &str| text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n");
    for command in [
        "replay fixtures/conference-queue.jsonl",
        "contacts --config fixtures/byoc.toml --list conference --contains jose",
    ] {
        assert!(readme.contains(command), "{command}");
        let mut byoc = assert_cmd::Command::cargo_bin("byoc").unwrap();
        let output = byoc.current_dir(root()).args(command.split(' ')).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!printed.is_empty() && trimmed(&readme).contains(&trimmed(&printed)), "{printed}");
    }
}

/// The page of all error codes, as the table in `model::error_codes` has them.
fn page_of_error_codes() -> String {
    let mut page = String::from(
        "# Salesforce's error codes\n\n\
         What each code of the Interaction Service means, whether the connector tries again by itself, and what \
         to do about it. The words are ours; Salesforce's own message is kept beside them in logs and \
         recordings. Logins that are refused are on [a page of their own](login.md).\n\n\
         This page is written from `src/model/error_codes/table.rs`: correct it there, then run \
         `BYOC_REWRITE_DOCS=1 cargo test --test it page_of`.\n\n\
         | code | what it means | tried again | what to do |\n| --- | --- | --- | --- |\n",
    );
    let cell = |text: &str| text.replace('|', "\\|");
    for code in ErrorCode::all() {
        let retry = match (code.retry(), code.about()) {
            (true, _) => "yes",
            (false, About::Rep) => "with the next rep",
            (false, About::Request) => "no",
        };
        writeln!(page, "| {code} | {} | {retry} | {} |", cell(code.meaning()), cell(code.advice())).unwrap();
    }
    page
}

/// The page of refused logins, as `interaction::auth` knows them.
fn page_of_logins() -> String {
    let mut page = String::from(
        "# Logins that Salesforce refuses\n\n\
         What the token endpoint says, what it means, and what to do in each kind of app. Since Spring '26 new orgs have \
         External Client Apps; connected apps that exist go on. How either is set up is in \
         [operating](../operating.md#logging-in). The words are ours; Salesforce's own are kept beside them in the log, \
         in `/readyz` and by `byoc doctor`.\n\n\
         A login that is refused is tried again, at most once a second: nothing needs a restart.\n\n\
         This page is written from `src/interaction/auth/refusals.rs`: correct it there, then run \
         `BYOC_REWRITE_DOCS=1 cargo test --test it page_of`.\n\n\
         | error | its description says | what it means | External Client App | connected app |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for known in KNOWN_REFUSALS {
        let list =
            |texts: &[&str]| texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
        let errors = if known.errors.is_empty() { "`invalid_grant`".to_owned() } else { list(known.errors) };
        let connected = if known.connected.is_empty() { "the same" } else { known.connected };
        let (says, meaning, external) = (list(known.says), known.meaning, known.external);
        writeln!(page, "| {errors} | {says} | {meaning} | {external} | {connected} |").unwrap();
    }
    page.push_str(
        "\nWhat is no token endpoint's answer is told as what it is: an HTML page (a login page, a maintenance page, a \
         proxy's), a redirect with where it leads, an empty body. Then `token_url` leads elsewhere, or something \
         between this machine and Salesforce answers in its place.\n",
    );
    page
}

#[test]
fn the_page_of_logins_says_what_the_table_says() {
    let path = root().join("docs/errors/login.md");
    let page = page_of_logins();
    if std::env::var_os("BYOC_REWRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/errors/login.md is stale: run this test with BYOC_REWRITE_DOCS=1");
}

#[test]
fn the_page_of_error_codes_says_what_the_table_says() {
    let path = root().join("docs/errors/README.md");
    let page = page_of_error_codes();
    if std::env::var_os("BYOC_REWRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/errors/README.md is stale: run this test with BYOC_REWRITE_DOCS=1");
}
