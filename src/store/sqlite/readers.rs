//! Those who only look: each question goes to one of a few connections, and how it went is noted.
//!
//! Invariants
//! 1. A question that fails is told until one is answered, and one is asked by itself until then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{SqliteConnection, SqlitePool};

use super::failure::failure;
use super::guard::FileLock;
use super::health::{AccessPath, SharedHealth};
use super::read;
use crate::model::time::Clock;
use crate::store::Error;

/// How long a reader's connection is used.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long to wait before something is asked again by itself.
const PAUSE: Duration = Duration::from_secs(2);

/// The connections that only read.
#[derive(Clone)]
pub(super) struct Readers {
    pool: SqlitePool,
    /// How one is opened.
    options: SqliteConnectOptions,
    guard: Weak<FileLock>,
    health: SharedHealth,
    clock: Arc<dyn Clock>,
    asking: Arc<AtomicBool>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    pub(super) fn new(
        options: SqliteConnectOptions,
        guard: Weak<FileLock>,
        health: SharedHealth,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // A ping would cost as much as a question.
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .min_connections(0)
            .max_lifetime(LIFETIME)
            .test_before_acquire(false)
            .connect_lazy_with(options.clone());
        Self { pool, options, guard, health, clock, asking: Arc::default() }
    }

    /// Asks on one of the open connections.
    pub(super) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.same_file()?;
        let done = match self.pool.acquire().await {
            Ok(mut reader) => {
                let done = question(&mut reader).await;
                if done.is_err() {
                    // The next one shall not meet what this one broke on.
                    reader.close().await.ok();
                }
                done
            }
            Err(error) => Err(failure(&error)),
        };
        self.noted(done)
    }

    /// Asks on a connection of its own: what it says counts, and the file may be another than that of those that
    /// are open, where its disk was taken away and came back.
    pub(super) async fn ask_anew<T>(
        &self,
        question: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.same_file()?;
        let done = super::once(&self.options, question).await;
        self.noted(done)
    }

    /// Notes whether the file is still the one that was opened.
    pub(super) fn same_file(&self) -> Result<(), Error> {
        let Some(guard) = self.guard.upgrade() else { return Ok(()) };
        let same = guard.check();
        self.health.note(AccessPath::File, self.clock.now(), &same);
        same
    }

    fn noted<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        self.health.note(AccessPath::Read, self.clock.now(), &done);
        if done.is_err() && !self.pool.is_closed() && !self.asking.swap(true, Ordering::Relaxed) {
            tokio::spawn(self.clone().ask_until_answered());
        }
        done
    }

    /// Goes on asking, so that what is over is told to be over though nobody else asks.
    async fn ask_until_answered(self) {
        while !self.pool.is_closed() {
            tokio::time::sleep(PAUSE).await;
            // Not on one that stays open: made while a disk is read-only, it would keep SQLite's shared memory so.
            if self.ask_anew(read::last_outcome).await.is_ok() {
                break;
            }
        }
        self.asking.store(false, Ordering::Relaxed);
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}
