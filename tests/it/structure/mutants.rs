//! The deliberate bugs of `scripts/mutants` can still be put in, and the page about them names each.

use serde::Deserialize;

use super::*;

/// At least so many there are, and half of them in what decides, plans and runs.
const LEAST: usize = 30;

/// What half of them are in.
const HEART: [&str; 4] = ["src/engine/", "src/store/plan", "src/service/", "src/host/"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    bug: String,
    text: String,
    with: String,
    r#in: String,
    tests: Vec<String>,
}

fn table() -> Vec<Mutant> {
    let text = fs::read_to_string(root().join("scripts/mutants.toml")).unwrap();
    toml::from_str::<Table>(&text).unwrap().mutant
}

#[test]
fn the_text_of_each_mutant_is_in_its_file_exactly_once() {
    let mut names = BTreeSet::new();
    let mut wrong = String::new();
    for Mutant { name, file, bug: _, text, with, r#in: build, tests } in table() {
        let found = fs::read_to_string(root().join(&file)).map_or(0, |code| code.matches(&text).count());
        if found != 1 {
            writeln!(wrong, "{name}: its text is {found} times in {file}, not once").unwrap();
        }
        if text == with || tests.is_empty() || !["lib", "it"].contains(&build.as_str()) {
            writeln!(wrong, "{name}: it changes nothing, or names no tests").unwrap();
        }
        if !names.insert(name.clone()) {
            writeln!(wrong, "{name}: there are two of that name").unwrap();
        }
    }
    assert!(wrong.is_empty(), "mend scripts/mutants.toml:\n{wrong}");
}

#[test]
fn half_of_the_mutants_are_in_what_decides_plans_and_runs() {
    let all = table();
    let heart = all.iter().filter(|it| HEART.iter().any(|room| it.file.starts_with(room))).count();
    assert!(all.len() >= LEAST && heart * 2 >= all.len(), "{heart} of {}", all.len());
}

#[test]
fn the_page_has_each_mutant_and_none_that_survived() {
    let page = fs::read_to_string(root().join("docs/mutants.md")).unwrap();
    let wrong = |it: &&Mutant| {
        let row = format!("| `{}` | `{}` | {} | ", it.name, it.file, it.bug);
        page.lines().find_map(|line| line.strip_prefix(&row)).is_none_or(|rest| rest.starts_with("**none**"))
    };
    let wrong: Vec<String> = table().iter().filter(wrong).map(|it| it.name.clone()).collect();
    assert!(wrong.is_empty(), "scripts/mutants --only {}, then scripts/mutants --write", wrong.join(" "));
}
