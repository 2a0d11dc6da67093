//! How the file is doing, by the ways into it: whoever uses one notes how it went, and anybody reads.
//!
//! Invariants
//! 1. A way that has failed is told until it has worked again, whatever the others do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::record::Health;

/// A way into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AccessPath {
    /// Whether it is still the file that was opened.
    File,
    /// Appending, loading, dropping what is old.
    Write,
    /// Questions.
    Read,
}

/// What has been noted. Never held across an await.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedHealth(Arc<Mutex<HealthNotes>>);

#[derive(Debug, Default)]
pub(super) struct HealthNotes {
    /// All but what fails.
    pub(super) health: Health,
    failing: BTreeMap<AccessPath, (Error, Timestamp)>,
}

impl SharedHealth {
    pub(super) fn lock(&self) -> MutexGuard<'_, HealthNotes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how it went. A store that was closed has not failed.
    pub(super) fn note<T>(&self, way: AccessPath, now: Timestamp, done: &Result<T, Error>) {
        let mut noted = self.lock();
        match done {
            Ok(_) => drop(noted.failing.remove(&way)),
            Err(Error::Closed) => {}
            Err(error) => {
                let since = noted.failing.get(&way).map_or(now, |(_, since)| *since);
                noted.failing.insert(way, (error.clone(), since));
            }
        }
    }

    /// Whether reading or writing has failed since it last worked.
    pub(super) fn has_failed(&self) -> bool {
        let noted = self.lock();
        [AccessPath::Write, AccessPath::Read].iter().any(|way| noted.failing.contains_key(way))
    }

    /// Everything, with what fails for the longest.
    pub(super) fn told(&self) -> Health {
        let noted = self.lock();
        let failing = noted.failing.values().min_by_key(|(_, since)| *since);
        Health {
            failing: failing.map(|(error, _)| error.clone()),
            failing_since: failing.map(|(_, since)| *since),
            ..noted.health.clone()
        }
    }
}
