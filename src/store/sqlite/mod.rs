//! The store in one SQLite file, in WAL mode.
//!
//! One task writes. While it commits, turns queue up, and the next commit takes all of them: the more is
//! going on, the less a turn's share of a commit costs. Readers have connections of their own and wait for
//! nobody.
//!
//! Elsewhere: `writer` is that task, `group` what it writes, `prune` what it drops, `read` recovery and
//! queries, `readers` who asks them, `guard` the file's locks and identity, `health` what is told of all of it,
//! `offline` a file without a connector, `failure` SQLite's result codes in our words.

mod encode;
mod failure;
mod group;
mod guard;
mod health;
mod migrate;
pub mod offline;
mod prune;
mod read;
mod readers;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::model::ids::ConversationId;
use crate::model::time::{Clock, SystemClock};

use super::record::{
    Cause, ChannelKey, Health, Loaded, OutcomeId, OutcomeRecord, Pending, Position, Retention, TurnRecord,
};
use super::{Error, Store};
use encode::Encoded;
use failure::failure;
use guard::FileLock;
use health::SharedHealth;
use readers::Readers;
use writer::{Order, QueuedTurn, Writer};

/// How long a connection waits for another one's lock. Only a foreign tool, looking into the file, holds one.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How many pages the log may have before it is worked into the file: 16 MiB. Each time costs a sync or two,
/// so it should not come with every few commits.
const CHECKPOINT_PAGES: &str = "4000";

/// How many statements a connection keeps prepared: those of the writer in all their sizes.
const STATEMENTS: usize = 256;

/// SQLite's page size, in bytes.
const PAGE: u64 = 4096;

/// How a file is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file. It is made where there is none; its folder is not.
    pub path: PathBuf,
    /// For how long things are kept.
    pub retention: Retention,
    /// The largest size of the file in bytes; `None` for as large as the disk. Reaching it is
    /// [`Error::DiskFull`].
    pub max_bytes: Option<u64>,
}

impl Options {
    /// A file with the defaults.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), retention: Retention::default(), max_bytes: None }
    }
}

/// The store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    orders: mpsc::UnboundedSender<Order>,
    readers: Readers,
    health: SharedHealth,
}

impl Sqlite {
    /// Opens a file, brings its schema up to date, and starts the task that writes.
    ///
    /// # Errors
    /// Where it cannot be opened or written, another process has it, it is damaged, or a newer release made it.
    pub async fn open(options: Options) -> Result<Self, Error> {
        Self::open_with_clock(options, Arc::new(SystemClock)).await
    }

    /// As [`Sqlite::open`]; [`Health`] is told in this clock's time.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub async fn open_with_clock(options: Options, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let guard = Arc::new(FileLock::take(&options.path)?);
        let mut connect = SqliteConnectOptions::new()
            .filename(&options.path)
            .busy_timeout(LOCK_WAIT)
            .statement_cache_capacity(STATEMENTS)
            .thread_name(|_| "byoc-store".to_owned());
        if let Some(bytes) = options.max_bytes {
            connect = connect.pragma("max_page_count", (bytes / PAGE).max(1).to_string());
        }
        // Before anything is set that a file would keep: it may be somebody else's.
        let claim = connect.clone().create_if_missing(true);
        let ours = async |connection: &mut SqliteConnection| {
            migrate::claim(connection).await?;
            migrate::refuse_newer(connection).await
        };
        once(&claim, ours).await?;
        guard.tighten();
        connect = connect
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
        once(&connect, async |connection| migrate::run(connection).await).await?;
        let connection = writer::connect(&connect).await?;
        let health = SharedHealth::default();
        let only_reads = connect.clone().pragma("query_only", "on");
        let readers = Readers::new(only_reads, Arc::downgrade(&guard), health.clone(), Arc::clone(&clock));
        let (orders, queue) = mpsc::unbounded_channel();
        let writer = Writer::new(connect, connection, options.retention, health.clone(), clock, guard);
        tokio::spawn(writer.run(queue));
        Ok(Self { orders, readers, health })
    }

    async fn order<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Order,
    ) -> Result<T, Error> {
        let (sender, receiver) = oneshot::channel();
        self.orders.send(order(sender)).map_err(|_| Error::Closed)?;
        receiver.await.map_err(|_| Error::Closed)?
    }
}

#[async_trait]
impl Store for Sqlite {
    fn append(&self, turn: TurnRecord) -> Pending {
        let (answer, pending) = Pending::new();
        let TurnRecord { channel, epoch, at, cause, position, change } = turn;
        let change = change.map(Encoded::new);
        let turn = QueuedTurn { channel, epoch, at, cause, position, change, answer };
        {
            let queued = &mut self.health.lock().health.queued;
            *queued = queued.saturating_add(1);
        }
        if self.orders.send(Order::Append(Box::new(turn))).is_err() {
            self.health.lock().health.queued = 0;
        }
        pending
    }

    async fn load(&self, channel: &ChannelKey) -> Result<Loaded, Error> {
        let opened = self.order(|answer| Order::Open(channel.clone(), answer)).await?;
        self.readers.ask_anew(async |reader| read::load(reader, &opened).await).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, Error> {
        self.readers.ask(async |reader| read::seen(reader, channel, causes).await).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, Error> {
        let positions = async |reader: &mut SqliteConnection| match read::channel_id(reader, channel).await? {
            Some(id) => read::positions(reader, id).await,
            None => Ok(Vec::new()),
        };
        self.readers.ask(positions).await
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, Error> {
        self.readers.ask(async |reader| read::outcomes(reader, after, limit).await).await
    }

    async fn last_outcome(&self) -> Result<OutcomeId, Error> {
        self.readers.ask(read::last_outcome).await
    }

    async fn forget(&self, channel: &ChannelKey, conversation: &ConversationId) -> Result<(), Error> {
        self.order(|answer| Order::Forget(channel.clone(), conversation.clone(), answer)).await
    }

    fn health(&self) -> Health {
        self.readers.same_file().ok();
        self.health.told()
    }

    async fn close(&self) -> Result<(), Error> {
        self.readers.close().await;
        self.order(Order::Close).await
    }
}

/// Does something on a connection of its own.
async fn once<T>(
    options: &SqliteConnectOptions,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut connection = writer::connect(options).await?;
    let done = work(&mut connection).await;
    let closed = connection.close().await.map_err(|error| failure(&error));
    done.and_then(|done| closed.map(|()| done))
}
