//! Each operation that is described is called by the connector and answered by the emulator, and has its file on both
//! sides.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use byoc_connector::emulator;
use byoc_connector::interaction::Operation;

use crate::support::calls::every_call;
use crate::support::openapi::description;

/// Files of the folders that are no operation's.
const SHARED: [&str; 4] = ["mod.rs", "operation.rs", "named.rs", "tests.rs"];

/// Name, method and path of each operation that is described.
fn described() -> BTreeSet<(String, String, String)> {
    let paths = description()["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| {
            let name = operation["operationId"].as_str().unwrap();
            (name.to_owned(), method.to_uppercase(), format!("/api/v1{path}"))
        })
    });
    all.collect()
}

/// The operations of a folder, by the names of their files.
fn files(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    let own = names.filter(|name| !SHARED.contains(&name.as_str()));
    own.map(|name| name.strip_suffix(".rs").unwrap().replace('_', "-")).collect()
}

#[test]
fn what_is_described_is_what_the_connector_calls() {
    let ours = Operation::ALL.iter().map(|operation| {
        let Operation { name, method, path, .. } = operation;
        (String::from(*name), method.as_str().to_owned(), String::from(*path))
    });
    assert_eq!(described(), ours.collect());
}

#[test]
fn what_is_described_is_what_the_emulator_answers() {
    let described: BTreeSet<_> = described().into_iter().map(|(_, method, path)| (method, path)).collect();
    let answered = emulator::Operation::ALL
        .iter()
        .map(|operation| (operation.method().to_owned(), format!("/api/v1/{}", operation.resource())));
    assert_eq!(described, answered.collect());
}

#[test]
fn each_operation_has_a_file_of_its_name_on_both_sides() {
    let names: BTreeSet<String> = described().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, files("src/interaction/operations"));
    assert_eq!(names, files("src/emulator/operations"));
}

#[test]
fn each_operation_has_a_call_that_the_tests_make() {
    let made: BTreeSet<&str> = every_call().iter().map(|call| Operation::of(call).name).collect();
    let all: BTreeSet<&str> = Operation::ALL.iter().map(|operation| operation.name).collect();
    assert_eq!(made, all);
}
