//! The one task that writes: takes what has queued up, commits it together, answers.
//!
//! Invariants
//! 1. What is answered `Ok` has been committed.
//! 2. After a failed commit nothing of what was held in memory about the file is believed: the connection is
//!    closed, what was known of conversations is dropped, and the channels concerned must be loaded again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::encode::Encoded;
use super::failure::failure;
use super::group::{self, Channel, Head, Known};
use super::guard::FileLock;
use super::health::{AccessPath, SharedHealth};
use super::prune::Pruner;
use crate::model::ids::ConversationId;
use crate::model::time::{Clock, Timestamp};
use crate::store::Error;
use crate::store::record::{Appended, Cause, ChannelKey, Epoch, Position, Retention};

/// How many turns one commit takes at most. Past some hundreds, a turn's share of the sync is nothing any
/// more, and the first of them waits for the last.
const LARGEST_GROUP: usize = 512;

/// How many conversations the writer knows by heart; above it, it forgets all and looks them up again.
const MOST_HEADS: usize = 400_000;

/// Where a channel's turns begin: its id is in the bits above.
pub(super) const TURN_BITS: u32 = 43;

type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    Append(Box<QueuedTurn>),
    Open(ChannelKey, Answer<Opened>),
    Forget(ChannelKey, ConversationId, Answer<()>),
    Close(Answer<()>),
}

/// A turn that waits.
#[derive(Debug)]
pub(super) struct QueuedTurn {
    pub(super) channel: ChannelKey,
    pub(super) epoch: Epoch,
    pub(super) at: Timestamp,
    pub(super) cause: Option<Cause>,
    pub(super) position: Option<Position>,
    pub(super) change: Option<Result<Encoded, Error>>,
    pub(super) answer: Answer<Appended>,
}

/// A channel, ready to be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) channel: i64,
    pub(super) epoch: Epoch,
}

/// The writer's task.
pub(super) struct Writer {
    connect: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    known: Known,
    pruner: Pruner,
    health: SharedHealth,
    clock: Arc<dyn Clock>,
    /// Held until the last turn is written.
    guard: Arc<FileLock>,
}

/// Opens a connection for writing, or for reading what it says.
pub(super) async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, Error> {
    SqliteConnection::connect_with(options).await.map_err(|error| failure(&error))
}

impl Writer {
    pub(super) fn new(
        connect: SqliteConnectOptions,
        connection: SqliteConnection,
        retention: Retention,
        health: SharedHealth,
        clock: Arc<dyn Clock>,
        guard: Arc<FileLock>,
    ) -> Self {
        let (known, pruner) = (Known::default(), Pruner::new(retention));
        Self { connect, connection: Some(connection), known, pruner, health, clock, guard }
    }

    /// Works until it is told to close, or nobody is left who could ask.
    pub(super) async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Order>) {
        let mut next = None;
        loop {
            let order = match next.take() {
                Some(order) => order,
                None => match queue.recv().await {
                    Some(order) => order,
                    None => break,
                },
            };
            match order {
                Order::Append(first) => {
                    let mut group = vec![*first];
                    while group.len() < LARGEST_GROUP {
                        match queue.try_recv() {
                            Ok(Order::Append(turn)) => group.push(*turn),
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.append(group).await;
                }
                Order::Open(channel, answer) => {
                    let opened = self.attempt(0, async |this, c| this.open(c, &channel).await).await;
                    answer.send(opened).ok();
                }
                Order::Forget(channel, conversation, answer) => {
                    let done =
                        self.attempt(0, async |this, c| this.forget(c, &channel, conversation).await).await;
                    answer.send(done).ok();
                }
                Order::Close(answer) => {
                    let closed = self.close().await;
                    drop(self);
                    answer.send(closed).ok();
                    return;
                }
            }
        }
        if let Err(error) = self.close().await {
            tracing::warn!(%error, "the store could not be closed in order; nothing is lost");
        }
    }

    /// Commits a group and answers each of its turns.
    async fn append(&mut self, turns: Vec<QueuedTurn>) {
        let count = turns.len();
        let stored = self.attempt(count, async |this, c| this.store(c, &turns).await).await;
        match stored {
            Ok(answers) => {
                for (turn, answer) in turns.into_iter().zip(answers) {
                    turn.answer.send(answer).ok();
                }
            }
            Err(error) => {
                for turn in turns {
                    self.known.break_off(&turn.channel);
                    turn.answer.send(Err(error.clone())).ok();
                }
            }
        }
    }

    async fn store(
        &mut self,
        connection: &mut SqliteConnection,
        turns: &[QueuedTurn],
    ) -> Result<Vec<Result<Appended, Error>>, sqlx::Error> {
        if self.known.heads.len() > MOST_HEADS {
            self.known.heads = HashMap::new();
        }
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let answers = group::write(&mut transaction, &mut self.known, turns).await?;
        let now = turns.iter().map(|turn| turn.at).max().unwrap_or_default();
        let forgotten = self.pruner.prune(&mut transaction, now, turns.len()).await?;
        transaction.commit().await?;
        for key in forgotten {
            self.known.heads.remove(&key);
        }
        Ok(answers)
    }

    async fn open(
        &mut self,
        connection: &mut SqliteConnection,
        key: &ChannelKey,
    ) -> Result<Opened, sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let (id, epoch, next_turn): (i64, i64, i64) = sqlx::query_as(
            "INSERT INTO channel (org, name, epoch, next_turn) VALUES (?, ?, 1, 0) \
             ON CONFLICT (org, name) DO UPDATE SET epoch = epoch + 1 RETURNING id, epoch, next_turn",
        )
        .bind(key.org.as_str())
        .bind(&*key.channel)
        .fetch_one(&mut *transaction)
        .await?;
        let next_conversation: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM conversation")
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let next_turn = next_turn.max((id << TURN_BITS).saturating_add(1));
        self.known.next_conversation = self.known.next_conversation.max(next_conversation);
        self.known
            .channels
            .insert(key.clone(), Channel { id, epoch: Epoch(epoch), broken: false, next_turn });
        Ok(Opened { channel: id, epoch: Epoch(epoch) })
    }

    async fn forget(
        &mut self,
        connection: &mut SqliteConnection,
        key: &ChannelKey,
        conversation: ConversationId,
    ) -> Result<(), sqlx::Error> {
        let id: Option<i64> = sqlx::query_scalar(
            "DELETE FROM conversation WHERE name = ? AND channel = \
             (SELECT id FROM channel WHERE org = ? AND name = ?) RETURNING channel",
        )
        .bind(conversation.as_str())
        .bind(key.org.as_str())
        .bind(&*key.channel)
        .fetch_optional(connection)
        .await?;
        if let Some(channel) = id {
            self.known.heads.remove(&(channel, conversation));
        }
        Ok(())
    }

    /// Does something with the connection, opened anew where the last attempt failed, and notes how it went.
    async fn attempt<T>(
        &mut self,
        turns: usize,
        work: impl AsyncFnOnce(&mut Self, &mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let same = match self.guard.check() {
            // The disk failed, and what is at the path now came back with it: every channel loads again from there.
            Err(Error::Replaced(_)) if self.connection.is_none() || self.health.has_failed() => {
                self.known.heads = HashMap::new();
                if let Some(connection) = self.connection.take() {
                    connection.close_hard().await.ok();
                }
                self.guard.take_anew()
            }
            same => same,
        };
        self.health.note(AccessPath::File, self.clock.now(), &same);
        let done = match same {
            Ok(()) => {
                let done = self.work(work).await;
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

    async fn work<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self, &mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.connect).await?,
        };
        match work(self, &mut connection).await {
            Ok(value) => {
                self.connection = Some(connection);
                Ok(value)
            }
            Err(error) => {
                self.known.heads = HashMap::new();
                connection.close_hard().await.ok();
                Err(failure(&error))
            }
        }
    }

    async fn close(&mut self) -> Result<(), Error> {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        let worked_in =
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.map(|_| ());
        let closed = connection.close().await;
        worked_in.and(closed).map_err(|error| failure(&error))
    }
}

impl Known {
    /// Refuses whatever the channel appends until it has been loaded again.
    fn break_off(&mut self, channel: &ChannelKey) {
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.broken = true;
        }
    }
}

/// What the writer knows of a conversation without looking.
pub(super) type Heads = HashMap<(i64, ConversationId), Head>;
