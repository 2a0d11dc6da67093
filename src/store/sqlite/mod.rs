//! The store in one SQLite file, in WAL mode.
//!
//! One thread writes. While it commits, turns queue up, and the next commit takes all of them: the more is
//! going on, the less a turn's share of a commit costs. Readers have connections of their own and wait for
//! nobody.
//!
//! Elsewhere: what a group of turns comes to is `plan`'s, as for every store. `writer` is that thread, `rows` what it
//! writes, `outbox` what is to be told there, `prune` what it drops, `read` recovery and queries, `readers` who asks them, `connect` how a connection is
//! opened, `migrate` the schema, `guard` the file's locks and identity, `health` what is told of all of it, `offline` a
//! file without a connector, `failure` SQLite's result codes in our words.

mod blocking;
mod connect;
mod encode;
mod failure;
mod group;
mod guard;
mod health;
mod migrate;
pub mod offline;
mod order;
mod outbox;
mod prune;
mod read;
mod readers;
mod rows;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::model::ids::ConversationId;
use crate::model::time::{Clock, SystemClock, Timestamp};

use super::dead_letter::{DeadLetter, DeadLetterCount, GivenUp, Place};
use super::record::{
    Cause, ChannelKey, Health, Loaded, OutcomeId, OutcomeRecord, Pending, Position, Retention, Telling,
    TellingId, TurnRecord,
};
use super::{Error, Store};
use blocking::blocking;
use connect::Connect;
use encode::Encoded;
use guard::FileLock;
use health::SharedHealth;
use order::{Order, QueuedTurn, Told};
use readers::Readers;
use writer::Writer;

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
    orders: mpsc::Sender<Order>,
    readers: Readers,
    health: SharedHealth,
}

impl Sqlite {
    /// Opens a file, brings its schema up to date, and starts the thread that writes.
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
        let health = SharedHealth::default();
        let (orders, queue) = mpsc::channel();
        let (noted, time) = (health.clone(), Arc::clone(&clock));
        let (connect, guard) = blocking(move || {
            let guard = Arc::new(FileLock::take(&options.path)?);
            let connect = Connect::new(&options.path, options.max_bytes);
            {
                let found = connect.claim()?;
                migrate::claim(&found)?;
                migrate::refuse_newer(&found)?;
            }
            guard.tighten();
            let mut connection = connect.write()?;
            migrate::run(&mut connection)?;
            let held = Arc::downgrade(&guard);
            Writer::new(connect.clone(), connection, options.retention, noted, time, guard).start(queue)?;
            Ok((connect, held))
        })
        .await?;
        let readers = Readers::new(connect, guard, health.clone(), clock);
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
        let TurnRecord { channel, epoch, at, cause, position, change, urgent } = turn;
        let change = change.map(Encoded::new);
        let turn = QueuedTurn { channel, epoch, at, cause, position, change, urgent, answer };
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
        self.readers.ask_anew(move |reader| read::load(reader, &opened)).await
    }

    async fn seen(&self, channel: &ChannelKey, causes: &[Cause]) -> Result<Vec<bool>, Error> {
        let (channel, causes) = (channel.clone(), causes.to_vec());
        self.readers.ask(move |reader| read::seen(reader, &channel, &causes)).await
    }

    async fn positions(&self, channel: &ChannelKey) -> Result<Vec<Position>, Error> {
        let channel = channel.clone();
        let positions = move |reader: &Connection| match read::channel_id(reader, &channel)? {
            Some(id) => read::positions(reader, id),
            None => Ok(Vec::new()),
        };
        self.readers.ask(positions).await
    }

    async fn untold(&self, channel: &ChannelKey) -> Result<Vec<Telling>, Error> {
        let channel = channel.clone();
        let untold = move |reader: &Connection| match read::channel_id(reader, &channel)? {
            Some(id) => outbox::untold(reader, id),
            None => Ok(Vec::new()),
        };
        self.readers.ask(untold).await
    }

    async fn told(&self, channel: &ChannelKey, ids: &[TellingId]) -> Result<(), Error> {
        let (channel, ids) = (channel.clone(), ids.to_vec());
        self.order(|answer| Order::Told(Told { channel, ids, given_up: None, answer })).await
    }

    async fn place(&self, channel: &ChannelKey, id: TellingId) -> Result<Option<Place>, Error> {
        let channel = channel.clone();
        let place = move |reader: &Connection| match read::channel_id(reader, &channel)? {
            Some(channel) => outbox::place(reader, channel, id),
            None => Ok(None),
        };
        self.readers.ask(place).await
    }

    async fn give_up(&self, channel: &ChannelKey, given_up: GivenUp) -> Result<(), Error> {
        let (channel, ids, given_up) = (channel.clone(), Vec::new(), Some(given_up));
        self.order(|answer| Order::Told(Told { channel, ids, given_up, answer })).await
    }

    async fn dead_letters(&self, channel: &ChannelKey, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let channel = channel.clone();
        let letters = move |reader: &Connection| match read::channel_id(reader, &channel)? {
            Some(channel) => outbox::dead_letters(reader, channel, limit),
            None => Ok(Vec::new()),
        };
        self.readers.ask(letters).await
    }

    async fn count_dead_letters(&self, channel: &ChannelKey) -> Result<DeadLetterCount, Error> {
        let channel = channel.clone();
        let count = move |reader: &Connection| match read::channel_id(reader, &channel)? {
            Some(channel) => outbox::count(reader, channel),
            None => Ok(DeadLetterCount::default()),
        };
        self.readers.ask(count).await
    }

    async fn resend(
        &self,
        channel: &ChannelKey,
        id: TellingId,
        at: Timestamp,
    ) -> Result<Option<Telling>, Error> {
        self.order(|answer| Order::Resend(channel.clone(), id, at, answer)).await
    }

    async fn drop_dead_letter(&self, channel: &ChannelKey, id: TellingId) -> Result<bool, Error> {
        self.order(|answer| Order::DropLetter(channel.clone(), id, answer)).await
    }

    async fn outcomes(&self, after: OutcomeId, limit: usize) -> Result<Vec<OutcomeRecord>, Error> {
        self.readers.ask(move |reader| read::outcomes(reader, after, limit)).await
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
