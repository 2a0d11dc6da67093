//! The documentation speaks of what there is: files, modules, dependencies, what commands print.

use super::*;

/// Names in the documentation that look like our files and are the reader's own.
const READERS_FILES: &[&str] = &[
    "byoc.toml",
    "key.pem",
    "certificate.pem",
    "emulator-ca.pem",
    "incident.jsonl",
    "byoc.db-set-aside.jsonl",
];

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
