//! The table `[store]`: where the store is, and for how long it keeps what.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::document::Document;

const KEYS: &[&str] = &["path", "outcome_days", "max_megabytes"];

/// Where the store is, and for how long it keeps what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The SQLite file.
    pub path: PathBuf,
    /// For how long ended requests are kept.
    pub outcomes: Duration,
    /// The largest size of the file, in bytes.
    pub max_bytes: Option<u64>,
}

/// The store as the file has it.
#[derive(Debug, Clone, Deserialize)]
struct WrittenStore {
    #[serde(default = "default_path")]
    path: PathBuf,
    outcome_days: Option<u32>,
    max_megabytes: Option<u32>,
}

fn default_path() -> PathBuf {
    PathBuf::from("byoc.db")
}

/// Reads the table; a path in it is relative to the folder that the file is in.
pub(super) fn read(document: &mut Document<'_>, path: &Path) -> StoreSettings {
    const DAY: u64 = 24 * 3600;
    let mistakes = |store: &WrittenStore| {
        let mut wrong = Vec::new();
        if !store.outcome_days.is_none_or(|days| (1..=3650).contains(&days)) {
            wrong.push("outcome_days must be 1 to 3650".to_owned());
        }
        if store.max_megabytes.is_some_and(|megabytes| megabytes < 16) {
            wrong.push("max_megabytes must be 16 or more".to_owned());
        }
        if store.path.as_os_str().is_empty() {
            wrong.push("path is empty; it must be the path of a file, such as byoc.db".to_owned());
        }
        wrong
    };
    let written = document.table::<WrittenStore>("store", KEYS, mistakes);
    let written =
        written.unwrap_or(WrittenStore { path: default_path(), outcome_days: None, max_megabytes: None });
    StoreSettings {
        path: path.parent().unwrap_or(Path::new("")).join(written.path),
        outcomes: Duration::from_secs(u64::from(written.outcome_days.unwrap_or(30)) * DAY),
        max_bytes: written.max_megabytes.map(|megabytes| u64::from(megabytes) << 20),
    }
}
