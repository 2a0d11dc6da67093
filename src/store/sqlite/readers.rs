//! Those who only look: each question goes to one of a few connections, and how it went is noted.
//!
//! Invariants
//! 1. A question that fails is told until one is answered, and one is asked by itself until then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::blocking::blocking;
use super::connect::Connect;
use super::guard::FileLock;
use super::health::{AccessPath, SharedHealth};
use super::read;
use crate::model::time::Clock;
use crate::store::Error;

/// How many questions are asked at once.
const READERS: u32 = 2;

/// How long a reader's connection is used.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long to wait before something is asked again by itself.
const PAUSE: Duration = Duration::from_secs(2);

/// The connections that only read.
#[derive(Clone)]
pub(super) struct Readers(Arc<Inner>);

struct Inner {
    connect: Connect,
    /// Those that nobody uses, and when they were opened.
    free: Mutex<Vec<(Connection, Instant)>>,
    seats: Arc<Semaphore>,
    guard: Weak<FileLock>,
    health: SharedHealth,
    clock: Arc<dyn Clock>,
    asking: AtomicBool,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    pub(super) fn new(
        connect: Connect,
        guard: Weak<FileLock>,
        health: SharedHealth,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let seats = Arc::new(Semaphore::new(READERS as usize));
        let (free, asking) = (Mutex::default(), AtomicBool::new(false));
        Self(Arc::new(Inner { connect, free, seats, guard, health, clock, asking }))
    }

    /// Asks on one of the open connections.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.same_file()?;
        let seat = Arc::clone(&self.0.seats).acquire_owned().await.map_err(|_| Error::Closed)?;
        let inner = Arc::clone(&self.0);
        let done = blocking(move || {
            let (connection, opened) = inner.take()?;
            let answer = question(&connection)?;
            // One that broke on its question is not kept: the next one shall not meet what this one did.
            inner.free().push((connection, opened));
            drop(seat);
            Ok(answer)
        });
        self.noted(done.await)
    }

    /// Asks on a connection of its own: what it says counts, and the file may be another than that of those that
    /// are open, where its disk was taken away and came back.
    pub(super) async fn ask_anew<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.same_file()?;
        let connect = self.0.connect.clone();
        let done = blocking(move || question(&connect.read()?)).await;
        self.noted(done)
    }

    /// Notes whether the file is still the one that was opened.
    pub(super) fn same_file(&self) -> Result<(), Error> {
        let Some(guard) = self.0.guard.upgrade() else { return Ok(()) };
        let same = guard.check();
        self.0.health.note(AccessPath::File, self.0.clock.now(), &same);
        same
    }

    fn noted<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        self.0.health.note(AccessPath::Read, self.0.clock.now(), &done);
        if done.is_err() && !self.0.seats.is_closed() && !self.0.asking.swap(true, Ordering::Relaxed) {
            tokio::spawn(self.clone().ask_until_answered());
        }
        done
    }

    /// Goes on asking, so that what is over is told to be over though nobody else asks.
    async fn ask_until_answered(self) {
        while !self.0.seats.is_closed() {
            tokio::time::sleep(PAUSE).await;
            // Not on one that stays open: made while a disk is read-only, it would keep SQLite's shared memory so.
            if self.ask_anew(read::last_outcome).await.is_ok() {
                break;
            }
        }
        self.0.asking.store(false, Ordering::Relaxed);
    }

    /// Waits for the questions that are being asked, and closes.
    pub(super) async fn close(&self) {
        let seats = self.0.seats.acquire_many(READERS).await;
        self.0.seats.close();
        self.0.free().clear();
        drop(seats);
    }
}

impl Inner {
    fn free(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<(Connection, Instant), Error> {
        let kept = {
            let mut free = self.free();
            free.retain(|(_, opened)| opened.elapsed() < LIFETIME);
            free.pop()
        };
        match kept {
            Some(kept) => Ok(kept),
            None => Ok((self.connect.read()?, Instant::now())),
        }
    }
}
