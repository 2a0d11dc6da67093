//! What is remembered of events beyond the process, so that one that cannot be read is neither lost in silence nor
//! ends the process again and again.
//!
//! Two small files beside the store. `…-reading` says what is being read at this moment: it is written before bytes
//! from outside are read and cleared behind that, once for all the events that came together. If the process dies in
//! between, the next one reads just these one by one; what was being read for the second time is set aside.
//! `…-set-aside.jsonl` keeps whatever was set aside, a line each, for whoever has to find out why.
//!
//! Neither is synced to the disk: a process that ends takes nothing with it that it has handed to the system, and a
//! machine that loses its power was not stopped by an event.
//!
//! What panicked is counted in `…-reading` too, so that a restart goes on counting.
//!
//! Must never know what an event says. Its files hold what people wrote: they are their owner's alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::time::Timestamp;

/// How often something may have ended the process before it is no longer read.
pub const DEATHS: u32 = 2;

/// How often something may have panicked before it is not tried again.
pub const PANICS: u32 = 3;

/// Of how many things it is known that they panicked. Beyond that all of them are forgotten: it is no single one's fault.
const MOST_PANICKED: usize = 1000;

/// How large the file of what was set aside may become, in bytes. What comes behind is counted and logged alone.
const LARGEST: u64 = 64 << 20;

/// Remembers what is being read, and keeps what cannot be. A clone is the same; the default one has no files, and
/// remembers what panicked alone.
#[derive(Debug, Clone, Default)]
pub struct Quarantine(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The file of what was set aside.
    kept: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    marks: Marks,
}

/// What `…-reading` says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Marks {
    /// What is being read.
    reading: BTreeSet<String>,
    /// How often the process ended while that was being read.
    deaths: BTreeMap<String, u32>,
    /// What panicked.
    panics: BTreeMap<String, Panicked>,
}

/// How often something panicked, and what the last panic said.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Panicked {
    count: u32,
    why: String,
}

/// One thing that was set aside, as it stands in the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Quarantined<'a> {
    /// When, in RFC 3339.
    #[serde(serialize_with = "crate::model::time::as_text")]
    pub(crate) at: Timestamp,
    /// Always `set-aside`: no recording's, so that a replay passes it over.
    pub(crate) source: &'static str,
    /// The org, where it is known.
    pub(crate) org: String,
    /// The topic.
    pub(crate) topic: &'a str,
    /// Its place in the stream, in base64.
    pub(crate) replay_id: String,
    /// Its own id.
    pub(crate) event_id: &'a str,
    /// The schema that it names.
    pub(crate) schema_id: &'a str,
    /// Its Avro bytes, in base64.
    pub(crate) payload: String,
    /// Why.
    pub(crate) why: &'a str,
}

impl Quarantine {
    /// Remembers in files beside that one, whose owner it must be by whatever lock there is.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn beside(store: &Path) -> io::Result<Self> {
        let beside = |ending: &str| {
            let mut path = store.as_os_str().to_owned();
            path.push(ending);
            PathBuf::from(path)
        };
        let path = beside("-reading");
        let mut marks = match std::fs::read_to_string(&path) {
            // Something longer may have stood there before.
            Ok(text) => {
                serde_json::from_str::<Marks>(text.lines().next().unwrap_or_default()).unwrap_or_default()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Marks::default(),
            Err(error) => return Err(error),
        };
        for name in std::mem::take(&mut marks.reading) {
            let deaths = marks.deaths.entry(name.clone()).or_default();
            *deaths = deaths.saturating_add(1);
            tracing::warn!(name, deaths, "the process crashed while reading this; reading it carefully");
        }
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path)?;
        let mut state = State { file: Some(file), marks };
        state.write()?;
        Ok(Self(Arc::new(Inner { kept: Some(beside("-set-aside.jsonl")), state: Mutex::new(state) })))
    }

    /// Whether something is to be read with care: each by itself.
    pub(crate) fn is_wary(&self) -> bool {
        self.0.lock().marks.deaths.values().any(|deaths| *deaths < DEATHS)
    }

    /// Whether that has ended the process too often to be read again.
    pub(crate) fn is_deadly(&self, name: &str) -> bool {
        self.0.lock().marks.deaths.get(name).is_some_and(|deaths| *deaths >= DEATHS)
    }

    /// Something panicked, and why. Says how often it has.
    pub(crate) fn panicked(&self, name: &str, why: &str) -> u32 {
        let mut times = 1;
        self.0.mark(|marks| {
            if marks.panics.len() >= MOST_PANICKED && !marks.panics.contains_key(name) {
                marks.panics.clear();
            }
            let known = marks.panics.entry(name.to_owned()).or_default();
            known.count = known.count.saturating_add(1);
            why.clone_into(&mut known.why);
            times = known.count;
        });
        times
    }

    /// Why that panicked, where it did so too often to be tried again. Names it only where anything has panicked.
    pub(crate) fn panics_always(&self, name: impl FnOnce() -> String) -> Option<String> {
        let panics = &self.0.lock().marks.panics;
        let known = if panics.is_empty() { None } else { panics.get(&name()) };
        known.filter(|known| known.count >= PANICS).map(|known| known.why.clone())
    }

    /// Reads, and remembers meanwhile what is being read. Where it cannot be remembered, it is read all the same.
    pub(crate) fn reading<T>(&self, names: &[String], read: impl FnOnce() -> T) -> T {
        if self.0.kept.is_none() {
            return read();
        }
        self.0.mark(|marks| marks.reading.extend(names.iter().cloned()));
        let came = read();
        self.0.mark(|marks| {
            for name in names {
                marks.reading.remove(name);
                marks.deaths.remove(name);
            }
        });
        came
    }

    /// Keeps what was set aside. Where that cannot be, it is said: it is lost then.
    pub(crate) fn keep(&self, what: &impl Serialize) {
        let Some(kept) = &self.0.kept else { return };
        // One after the other, so that lines stay whole.
        let state = self.0.lock();
        if let Err(error) = append(kept, what) {
            tracing::error!(%error, file = %kept.display(), "an event that was set aside could not be saved");
        }
        drop(state);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, change: impl FnOnce(&mut Marks)) {
        let mut state = self.lock();
        change(&mut state.marks);
        if let Err(error) = state.write() {
            tracing::warn!(%error, "cannot save which event is being read; an event that crashes the process would crash it again");
        }
    }
}

impl State {
    fn write(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut line = serde_json::to_vec(&self.marks)?;
        line.push(b'\n');
        file.rewind()?;
        file.write_all(&line)
    }
}

fn append(path: &Path, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    let mut file = private(OpenOptions::new().append(true).create(true)).open(path)?;
    if file.metadata()?.len() > LARGEST {
        return Err(io::Error::other(format!("it has {LARGEST} bytes; move it away")));
    }
    file.write_all(&line)
}

/// A new file is its owner's alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a process that dies while it reads: it never comes to the end of it.
    fn dies_while_reading(aside: &Quarantine, name: &str) {
        aside.0.mark(|marks| marks.reading.extend([name.to_owned()]));
    }

    #[test]
    fn what_has_ended_the_process_twice_is_deadly_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("byoc.db");
        let names = ["one".to_owned(), "two".to_owned()];
        let first = Quarantine::beside(&store).unwrap();
        first.reading(&names, || ());
        assert!(!first.is_wary());
        first.reading(&names, || dies_while_reading(&first, "three"));
        dies_while_reading(&first, "two");
        let second = Quarantine::beside(&store).unwrap();
        assert!(second.is_wary() && !second.is_deadly("two") && !second.is_deadly("three"));
        second.reading(&["three".to_owned()], || ());
        dies_while_reading(&second, "two");
        let third = Quarantine::beside(&store).unwrap();
        assert!(!third.is_wary(), "nothing is left to find out");
        assert!(third.is_deadly("two"));
        assert!(!third.is_deadly("one") && !third.is_deadly("three"));
        // It stays so until somebody removes the file.
        assert!(Quarantine::beside(&store).unwrap().is_deadly("two"));
    }

    #[test]
    fn what_has_panicked_three_times_is_known_behind_a_restart_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("byoc.db");
        let first = Quarantine::beside(&store).unwrap();
        let always = |aside: &Quarantine, name: &str| aside.panics_always(|| name.to_owned());
        assert_eq!(["one", "two", "one"].map(|name| first.panicked(name, "a bug")), [1, 1, 2]);
        assert_eq!(always(&first, "one"), None);
        let second = Quarantine::beside(&store).unwrap();
        assert_eq!(second.panicked("one", "the bug"), 3);
        assert_eq!(always(&Quarantine::beside(&store).unwrap(), "one").as_deref(), Some("the bug"));
        assert_eq!(always(&second, "two"), None);
        // Where all panic, no single one is at fault.
        let without_files = Quarantine::default();
        (0..=MOST_PANICKED).for_each(|n| assert_eq!(without_files.panicked(&n.to_string(), ""), 1));
        assert_eq!(without_files.0.lock().marks.panics.len(), 1);
    }

    #[test]
    fn what_is_set_aside_is_kept_line_by_line_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("byoc.db");
        for n in 1..=2 {
            Quarantine::beside(&store).unwrap().keep(&serde_json::json!({ "n": n }));
        }
        let path = folder.path().join("byoc.db-set-aside.jsonl");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"n\":1}\n{\"n\":2}\n");
        #[cfg(unix)]
        for name in ["byoc.db-set-aside.jsonl", "byoc.db-reading"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_file_that_says_nothing_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("byoc.db");
        std::fs::write(folder.path().join("byoc.db-reading"), "}{ and more").unwrap();
        assert!(!Quarantine::beside(&store).unwrap().is_wary());
        // By whom nothing is remembered, everything is read.
        assert_eq!(Quarantine::default().reading(&["x".to_owned()], || 7), 7);
    }
}
