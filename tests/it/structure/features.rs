//! Each rule that `docs/features.md` says is kept has a test, and that test is there.

use super::*;

/// The tests that a row of a table names, in its last column.
fn tests_of(row: &str) -> Vec<&str> {
    let last = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap_or_default();
    last.split('`').skip(1).step_by(2).collect()
}

/// Whether there is such a test: `room::file::name`, of the tests beside the crate or of one inside it.
fn is_test(name: &str) -> bool {
    let Some((path, test)) = name.rsplit_once("::") else { return false };
    let file = path.replace("::", "/");
    [format!("tests/it/{file}.rs"), format!("src/{}.rs", file.trim_end_matches("/tests"))].iter().any(
        |file| {
            let code = fs::read_to_string(root().join(file)).unwrap_or_default();
            code.lines().collect::<Vec<_>>().windows(2).any(|lines| {
                (lines[0].contains("test]") || lines[0].contains("::test("))
                    && lines[1].contains(&format!("fn {test}("))
            })
        },
    )
}

#[test]
fn every_rule_that_is_kept_names_a_test_that_is_there() {
    let page = fs::read_to_string(root().join("docs/features.md")).unwrap();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| rule ") && !line.starts_with("| ---"));
    let (mut wrong, mut count) = (String::new(), 0);
    for row in rows {
        count += 1;
        let tests = tests_of(row);
        if tests.is_empty() {
            writeln!(wrong, "no test: {row}").unwrap();
        }
        for test in tests.into_iter().filter(|test| !is_test(test)) {
            writeln!(wrong, "there is no test {test}").unwrap();
        }
    }
    assert!(wrong.is_empty() && count >= 30, "docs/features.md has {count} rules:\n{wrong}");
}

#[test]
fn a_test_that_is_not_there_is_noticed() {
    assert!(is_test("structure::features::a_test_that_is_not_there_is_noticed"));
    assert!(
        !is_test("structure::features::is_test")
            && !is_test("structure::features::nothing")
            && !is_test("name")
    );
}
