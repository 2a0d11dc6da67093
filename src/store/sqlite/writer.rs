//! The one thread that writes: takes what has queued up, commits it together, answers. From the first statement of a
//! commit to the last it waits for nobody but the disk.
//!
//! Invariants
//! 1. What is answered `Ok` has been committed.
//! 2. After a failed commit nothing of what was held in memory about the file is believed: the connection is
//!    closed, what was known of conversations is dropped, and the channels concerned must be loaded again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use rusqlite::Connection;

use super::connect::Connect;
use super::failure::{self, failure};
use super::group::{GATHERING, Group};
use super::guard::FileLock;
use super::health::{AccessPath, SharedHealth};
use super::order::{Opened, Order, QueuedTurn, Told};
use super::prune::Pruner;
use super::{outbox, read, rows};
use crate::model::ids::ConversationId;
use crate::model::time::Clock;
use crate::store::Error;
use crate::store::plan::Planner;
use crate::store::record::{Appended, ChannelKey, Epoch, Retention};

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// The writer.
pub(super) struct Writer {
    connect: Connect,
    connection: Option<Connection>,
    planner: Planner,
    pruner: Pruner,
    health: SharedHealth,
    clock: Arc<dyn Clock>,
    /// Held until the last turn is written.
    guard: Arc<FileLock>,
}

impl Writer {
    pub(super) fn new(
        connect: Connect,
        connection: Connection,
        retention: Retention,
        health: SharedHealth,
        clock: Arc<dyn Clock>,
        guard: Arc<FileLock>,
    ) -> Self {
        let (planner, pruner) = (Planner::default(), Pruner::new(retention));
        Self { connect, connection: Some(connection), planner, pruner, health, clock, guard }
    }

    /// Begins to work, on a thread of its own.
    pub(super) fn start(self, queue: Receiver<Order>) -> Result<(), Error> {
        let thread = std::thread::Builder::new().name("byoc-store".to_owned());
        thread
            .spawn(move || self.run(queue))
            .map(drop)
            .map_err(|error| failure::io(&error, "the store's thread"))
    }

    /// Works until it is told to close, or nobody is left who could ask.
    fn run(mut self, queue: Receiver<Order>) {
        let mut next = None;
        while let Some(order) = next.take().or_else(|| queue.recv().ok()) {
            match order {
                first @ (Order::Append(_) | Order::Told(_)) => {
                    let group;
                    (group, next) = Group::gather(first, &queue, GATHERING);
                    self.commit(group);
                }
                Order::Open(channel, answer) => {
                    let opened = self.attempt(0, |this, connection| this.open(connection, &channel));
                    answer.send(opened).ok();
                }
                Order::Forget(channel, conversation, answer) => {
                    let done =
                        self.attempt(0, |this, connection| this.forget(connection, &channel, &conversation));
                    answer.send(done).ok();
                }
                Order::Resend(channel, id, at, answer) => {
                    let resent = self.attempt(0, |_, connection| {
                        let channel = read::channel_number(connection, &channel)?;
                        channel.map_or(Ok(None), |channel| outbox::resend(connection, channel, id, at))
                    });
                    answer.send(resent).ok();
                }
                Order::DropLetter(channel, id, answer) => {
                    let dropped = self.attempt(0, |_, connection| {
                        let channel = read::channel_number(connection, &channel)?;
                        channel.map_or(Ok(false), |channel| outbox::drop_letter(connection, channel, id))
                    });
                    answer.send(dropped).ok();
                }
                Order::Close(answer) => {
                    let closed = self.close();
                    // Whoever asks from now on is told at once, and what has just come in waits no longer.
                    drop(queue);
                    self.health.lock().health.queued = 0;
                    drop(self);
                    answer.send(closed).ok();
                    return;
                }
            }
        }
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the store could not be closed in order; nothing is lost");
        }
    }

    /// Commits a group and answers everybody in it.
    fn commit(&mut self, group: Group) {
        let count = group.turns.len();
        let stored = self.attempt(count, |this, connection| this.store(connection, &group));
        let Group { turns, told, .. } = group;
        let marked = stored.as_ref().map(|_| ()).map_err(Clone::clone);
        for Told { answer, .. } in told {
            answer.send(marked.clone()).ok();
        }
        match stored {
            Ok(answers) => {
                // The last first: a channel waits for its first, and so is woken once, when all are there.
                for (turn, answer) in turns.into_iter().zip(answers).rev() {
                    turn.answer.send(answer).ok();
                }
            }
            Err(error) => {
                for turn in turns {
                    self.planner.break_off(&turn.channel);
                    turn.answer.send(Err(error.clone())).ok();
                }
            }
        }
    }

    fn store(
        &mut self,
        connection: &Connection,
        Group { turns, told, .. }: &Group,
    ) -> rusqlite::Result<Vec<Result<Appended, Error>>> {
        let outlines: Vec<_> = turns.iter().map(QueuedTurn::outline).collect();
        connection.prepare_cached(BEGIN)?.execute([])?;
        for (channel, name) in self.planner.unknown(&outlines) {
            if let Some(head) = rows::head(connection, channel, name)? {
                self.planner.learn(channel, name, head);
            }
        }
        let plan = self.planner.settle(&outlines, |plan| {
            let found = rows::write(connection, plan, turns)?;
            if !found.is_nothing() {
                connection.prepare_cached(ROLLBACK)?.execute([])?;
                connection.prepare_cached(BEGIN)?.execute([])?;
            }
            Ok::<_, rusqlite::Error>(found)
        })?;
        self.mark(connection, told)?;
        let now = turns.iter().map(|turn| turn.at).max();
        let forgotten = now.map(|now| self.pruner.prune(connection, now, turns.len())).transpose()?;
        connection.prepare_cached(COMMIT)?.execute([])?;
        let (adopted, answers) = plan.into_parts();
        self.planner.adopt(adopted);
        for (channel, name) in forgotten.into_iter().flatten() {
            self.planner.forget(channel, &name);
        }
        Ok(answers)
    }

    /// Notes what became of what was to be told.
    fn mark(&self, connection: &Connection, told: &[Told]) -> rusqlite::Result<()> {
        let mut grown = BTreeMap::new();
        for Told { channel: key, ids, given_up, .. } in told {
            let Some(channel) = read::channel_number(connection, key)? else { continue };
            outbox::told(connection, channel, ids)?;
            if let Some(given_up) = given_up {
                outbox::give_up(connection, channel, given_up)?;
                grown.insert(channel, key);
            }
        }
        grown.into_iter().try_for_each(|grown| self.pruner.bound_dead_letters(connection, grown))
    }

    fn open(&mut self, connection: &Connection, key: &ChannelKey) -> rusqlite::Result<Opened> {
        connection.prepare_cached(BEGIN)?.execute([])?;
        let (id, epoch, next_turn): (i64, i64, i64) = connection
            .prepare_cached(
                "INSERT INTO channel (org, name, epoch, next_turn) VALUES (?, ?, 1, 0) \
                 ON CONFLICT (org, name) DO UPDATE SET epoch = epoch + 1 RETURNING id, epoch, next_turn",
            )?
            .query_row((key.org.as_str(), &*key.channel), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let next_conversation = connection
            .prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM conversation")?
            .query_row([], |row| row.get(0))?;
        connection.prepare_cached(COMMIT)?.execute([])?;
        self.planner.open(key, (id, Epoch(epoch)), next_turn, next_conversation);
        Ok(Opened { channel: id, epoch: Epoch(epoch) })
    }

    fn forget(
        &mut self,
        connection: &Connection,
        key: &ChannelKey,
        conversation: &ConversationId,
    ) -> rusqlite::Result<()> {
        let Some(id) = read::channel_number(connection, key)? else { return Ok(()) };
        connection
            .prepare_cached("DELETE FROM conversation WHERE channel = ? AND name = ?")?
            .execute((id, conversation.as_str()))?;
        self.planner.forget(id, conversation);
        Ok(())
    }

    /// Does something with the connection, opened anew where the last attempt failed, and notes how it went.
    fn attempt<T>(
        &mut self,
        turns: usize,
        work: impl FnOnce(&mut Self, &Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let same = match self.guard.check() {
            // The disk failed, and what is at the path now came back with it: every channel loads again from there.
            Err(Error::Replaced(_)) if self.connection.is_none() || self.health.has_failed() => {
                self.planner.distrust();
                self.connection = None;
                self.guard.take_anew()
            }
            same => same,
        };
        self.health.note(AccessPath::File, self.clock.now(), &same);
        let done = match same {
            Ok(()) => {
                let done = self.work(work);
                self.health.note(AccessPath::Write, self.clock.now(), &done);
                done
            }
            Err(replaced) => Err(replaced),
        };
        let now = self.clock.now();
        let health = &mut self.health.lock().health;
        health.queued = health.queued.saturating_sub(turns);
        if done.is_ok() {
            health.last_commit = Some(now);
            health.last_commit_took = start.elapsed();
            metrics::histogram!("byoc_store_commit_seconds").record(health.last_commit_took);
            health.commits = health.commits.saturating_add(1);
            health.turns = health.turns.saturating_add(turns as u64);
        }
        done
    }

    fn work<T>(
        &mut self,
        work: impl FnOnce(&mut Self, &Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect.write()?,
        };
        match work(self, &connection) {
            Ok(value) => {
                self.connection = Some(connection);
                Ok(value)
            }
            Err(error) => {
                // Dropping the connection takes back what it had begun.
                self.planner.distrust();
                Err(failure(error))
            }
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(connection) = self.connection.take() else { return Ok(()) };
        let worked_in = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let closed = connection.close().map_err(|(_, error)| error);
        worked_in.and(closed).map_err(failure)
    }
}
