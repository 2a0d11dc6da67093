//! `byoc serve` with a configuration that cannot be: nothing is started, and what is wrong is named with its key.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use byoc_connector::config::{Environment, Serving};
use rcgen::KeyPair;
use tempfile::TempDir;
use toml::Table;

use crate::support::replaying::command::{byoc, stderr, stdout};

mod chance;
mod surroundings;
mod wrong_values;

/// A process that is still there after this is one that serves.
const HANGS: Duration = Duration::from_secs(20);

/// What all of the configuration but the org says.
const CHANNEL: &str = "
    [channel_definition]
    developer_name = 'Acme_Messaging'
    routing_owner = 'Partner'
    is_conference_supported = true
    custom_platform_event = 'acme__Routing__e'
    event_capabilities_is_routing_work_result_supported = true
    [store]
    path = 'byoc.db'
    [server]
    listen = '127.0.0.1:0'
";

const ORG: &str = "
    id = '00DHs0000000001'
    instance_url = 'https://acme.my.salesforce.com'
    interaction_url = 'https://acme.my.salesforce-scrt.com'
    consumer_key = 'key'
    username = 'user@acme.example'
    private_key_file = 'key.pem'
";

/// A folder with a good configuration, `byoc.toml`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/sample-private-key.pem");
        std::fs::copy(key, folder.path().join("key.pem")).unwrap();
        std::fs::write(folder.path().join("text.pem"), "hush").unwrap();
        std::fs::write(folder.path().join("elliptic.pem"), KeyPair::generate().unwrap().serialize_pem())
            .unwrap();
        let place = Self(folder);
        place.write(&good());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, config: &Table) {
        std::fs::write(self.path("byoc.toml"), config.to_string()).unwrap();
    }

    fn serve(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = byoc();
        command.current_dir(self.0.path()).arg("serve").args(args).envs(variables.iter().copied());
        command.timeout(HANGS).output().unwrap()
    }

    /// What it says as it refuses to start, having left nothing behind.
    fn refusal(&self, args: &[&str], variables: &[(&str, &str)]) -> String {
        let output = self.serve(args, variables);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?} {variables:?}: {told}");
        assert_eq!(stdout(&output), "", "{args:?} {variables:?}");
        assert!(told.lines().all(|line| line.starts_with("error: ")) && !told.is_empty(), "{told}");
        assert!(!told.contains("hush"), "a secret is shown: {told}");
        assert!(!self.path("byoc.db").exists(), "{args:?} {variables:?}: it made a store");
        told
    }

    /// As [`Place::refusal`], with a word of it expected.
    fn refused(&self, args: &[&str], variables: &[(&str, &str)], wanted: &str) {
        let told = self.refusal(args, variables);
        assert!(told.contains(wanted), "{wanted} is not in: {told}");
    }
}

fn good() -> Table {
    format!("{CHANNEL}[org]{ORG}").parse().unwrap()
}

/// The configuration with that value; `orgs` stands for the first of them.
fn with(mut config: Table, key: &str, value: toml::Value) -> Table {
    let Some((table, name)) = key.split_once('.') else {
        // Else it would be taken for the last table's.
        let mut above = Table::from_iter([(key.to_owned(), value)]);
        above.extend(config);
        return above;
    };
    let table = config.entry(table).or_insert_with(|| Table::new().into());
    let table = if let Some(list) = table.as_array_mut() { &mut list[0] } else { table };
    table.as_table_mut().unwrap().insert(name.to_owned(), value);
    config
}

fn value(literal: &str) -> toml::Value {
    format!("it = {literal}").parse::<Table>().unwrap()["it"].clone()
}

/// A line that names a key, where it stands, and what would be right.
fn names(told: &str, place: &str, key: &str, wanted: &str) {
    let line = told.lines().find(|line| line.contains(place) && line.contains(key));
    assert!(line.is_some_and(|line| line.contains(wanted)), "{key}: {wanted}: {told}");
}

/// The sample configuration, whose key can be found from where a test reads it.
fn sample() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/serve.toml")).unwrap()
}

fn read(text: &str) -> Result<Serving, byoc_connector::config::Error> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/serve.toml");
    Serving::parse(&file, text, &Environment::new())
}
