//! Each code that the emulator answers with stands in docs/emulator.md, with its source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The codes that a source file refuses with: the number behind each `Refusal::new(`.
fn refused_with(code: &str) -> BTreeSet<u32> {
    let number = |text: &str| text.trim_start().split(',').next().and_then(|number| number.parse().ok());
    code.split("Refusal::new(").skip(1).filter_map(number).collect()
}

#[test]
fn every_code_that_is_answered_is_in_the_table_and_none_besides() {
    let folders = ["src/emulator", "src/emulator/operations"];
    let folders = folders.map(|name| fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap());
    let files = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let mut answered: BTreeSet<u32> =
        sources.flat_map(|path| refused_with(&fs::read_to_string(path).unwrap())).collect();
    // `wrong` of the headers, and what `Refusal::body` stands for.
    answered.extend([10016, 10089]);
    assert!(answered.len() > 25, "{answered:?}");
    let page = file("docs/emulator.md");
    let table = page.split("## What it checks").nth(1).unwrap().split("\n## ").next().unwrap();
    let answers = table.lines().filter_map(|line| line.split('|').nth(3));
    let documented: BTreeSet<u32> = answers
        .flat_map(|cell| cell.split(|c: char| !c.is_ascii_digit()))
        .filter_map(|number| number.parse().ok())
        .filter(|number| !matches!(number, 400 | 401))
        .collect();
    assert_eq!(answered, documented);
}
