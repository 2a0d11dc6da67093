//! No test sleeps until something may have happened: time is virtual, or the test waits for what it wants to see.
//!
//! A sleep is virtual in a test that begins with paused time or pauses it, and in a helper of a room whose tests all
//! do. Elsewhere it takes as long as it says, and is too short on the one day when the machine is busy.

use super::*;

/// Sleeps in real time: where, how many, and what for. The list may only get shorter.
const REAL: &[(&str, usize, &str)] = &[
    // Another process does not tell when it has come to something: it is asked, again and again, and has an end.
    ("tests/it/readme.rs", 1, "asks byoc until it says what is waited for"),
    ("tests/it/serving/world.rs", 4, "asks byoc and the org until they say what is waited for"),
    // What is done meanwhile is the test.
    ("tests/it/serving/faulty.rs", 1, "spreads the faults of the stream over the load"),
    ("tests/it/serving/killed.rs", 2, "spreads requests over the life of a process that is killed"),
];

/// A test or a helper, as far as it matters whether it sleeps.
#[derive(Default)]
struct Item {
    /// Whether time is paused, where the test says so itself; `None` in a helper.
    paused: Option<bool>,
}

/// How many sleeps of a file take real time; `helpers` is whether time is virtual where only helpers are.
fn real_sleeps(text: &str, helpers: bool) -> usize {
    let mut count = 0;
    let mut item = Item::default();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        match line {
            "}" => item = Item::default(),
            "#[test]" => item.paused = Some(false),
            line if line.starts_with("#[tokio::test") => item.paused = Some(line.contains("start_paused")),
            line if line.contains("time::pause()") => item.paused = Some(true),
            line => {
                let calls = line.match_indices("sleep(");
                let is_whole = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let calls = calls.filter(|(at, _)| is_whole(*at) && !line[..*at].ends_with("fn "));
                let is_real = line.contains("thread::sleep(") || !item.paused.unwrap_or(helpers);
                count += calls.filter(|_| is_real).count();
            }
        }
    }
    count
}

/// The room of a test file: `tests/it/server` for it and all below it.
fn room_of(name: &str) -> String {
    let parts: Vec<&str> = name.trim_end_matches(".rs").split('/').take(3).collect();
    parts.join("/")
}

#[test]
fn no_test_sleeps_in_real_time_but_those_that_are_listed() {
    let files: Vec<(String, String)> = files_below("tests", "rs")
        .iter()
        .map(|path| (name_of(path), fs::read_to_string(path).unwrap()))
        .chain(files_below("src", "rs").iter().map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let is_whole = name_of(path).contains("/tests");
            let tests = if is_whole {
                text.as_str()
            } else {
                text.split_once("\n#[cfg(test)]").map_or("", |it| it.1)
            };
            (name_of(path), tests.to_owned())
        }))
        .filter(|(name, _)| !name.starts_with("tests/it/structure"))
        .collect();
    let mut virtual_time: BTreeMap<String, bool> = BTreeMap::new();
    for (name, text) in &files {
        for line in text.lines().filter(|line| line.contains("#[tokio::test")) {
            *virtual_time.entry(room_of(name)).or_insert(true) &= line.contains("start_paused");
        }
    }
    let mut wrong = String::new();
    for (name, text) in &files {
        let helpers = virtual_time.get(&room_of(name)).copied().unwrap_or(false);
        let found = real_sleeps(text, helpers);
        let listed = REAL.iter().find(|(file, ..)| file == name).map_or(0, |(_, count, _)| *count);
        match found.cmp(&listed) {
            std::cmp::Ordering::Greater => {
                writeln!(wrong, "{name}: {found} sleeps in real time; wait for what is to happen").unwrap();
            }
            std::cmp::Ordering::Less => {
                writeln!(wrong, "{name}: {found} sleeps in real time are left; say so in the list REAL")
                    .unwrap();
            }
            std::cmp::Ordering::Equal => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let gone: Vec<_> = REAL.iter().filter(|(file, ..)| !root().join(file).exists()).collect();
    assert_eq!(gone, [] as [&(&str, usize, &str); 0]);
}

#[test]
fn a_sleep_is_real_unless_time_is_paused() {
    let paused = "#[tokio::test(start_paused = true)]\nasync fn one() {\n    sleep(SECOND).await;\n}\n";
    let real = paused.replace("(start_paused = true)", "");
    let pausing = real.replace("    sleep", "    tokio::time::pause();\n    sleep");
    let helper = "async fn helper() {\n    tokio::time::sleep(SECOND).await;\n}\n";
    let thread = paused.replace("sleep(", "std::thread::sleep(");
    for (text, helpers, count) in [
        (paused, false, 0),
        (&real, true, 1),
        (&pausing, false, 0),
        (helper, true, 0),
        (helper, false, 1),
        (&thread, true, 1),
        ("fn sleep(time: Duration) {}\n// sleep(x)\nlet x = no_sleep(x);", false, 0),
        (&format!("{paused}{helper}"), false, 1),
    ] {
        assert_eq!(real_sleeps(text, helpers), count, "{text}");
    }
}
