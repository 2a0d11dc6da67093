//! A channel that is running: where events are brought, and where it can be looked at.

mod message;
mod task;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::dead_letters::DeadLetters;
use super::direct::DirectCalls;
use super::in_vain::InVain;
use super::panics::counted;
use super::refused::{Refused, RefusedRep};
use super::teller::Teller;
use super::unreadable::UnreadableConversations;
use crate::engine::{Delivery, Error};
use crate::model::ids::{ConversationId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::routing::{Conversations, OperatorOrder, Owes};
use crate::store::{self, Position};

pub use message::{Ended, Parts};

use message::{Message, Ticket};
use task::Task;

/// How many messages may wait for the task. Whoever brings more waits, and so does the stream behind.
const INBOX: usize = 1024;

/// How many endings a slow watcher may fall behind.
const ENDINGS: usize = 1024;

/// Ready when what follows from something that was brought is durable, or was not processed.
#[derive(Debug)]
#[must_use = "what was not processed should be brought again"]
pub struct Receipt(oneshot::Receiver<Result<(), Error>>);

impl Future for Receipt {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Stopped)))
    }
}

/// A channel that is running.
#[derive(Debug)]
pub struct Channel {
    handle: Handle,
    task: JoinHandle<()>,
    /// Ends when everything has been told that the partner takes now.
    telling: JoinHandle<()>,
    positions: Vec<Position>,
    has_failed: bool,
}

/// Where events are brought and the channel can be looked at.
#[derive(Debug, Clone)]
pub struct Handle {
    inbox: mpsc::Sender<Message>,
    endings: broadcast::Sender<Ended>,
    lost: UnreadableConversations,
    direct: DirectCalls,
    dead_letters: DeadLetters,
    owes: watch::Receiver<Option<Owes>>,
    refused: Refused,
    in_vain: InVain,
}

impl Channel {
    /// Takes up where the store says that it was left, timers and commands included.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn start(parts: Parts) -> Result<Self, store::Error> {
        let loaded = parts.store.load(&parts.key).await?;
        let positions = loaded.positions.clone();
        let (inbox, messages) = mpsc::channel(INBOX);
        let (endings, _) = broadcast::channel(ENDINGS);
        let (tellings, told) = mpsc::unbounded_channel();
        let (key, calls) = (parts.key.clone(), Arc::clone(&parts.calls));
        let (store, clock) = (Arc::clone(&parts.store), Arc::clone(&parts.clock));
        let dead_letters = DeadLetters::new(key.clone(), store, clock, tellings.downgrade());
        dead_letters.look().await;
        let telling = tokio::spawn(Teller::new(&parts, dead_letters.clone()).run(told));
        let direct = DirectCalls::new(calls, Arc::clone(&parts.clock));
        let lost = UnreadableConversations::new(key, direct.clone(), Arc::clone(&parts.store));
        let (owes, owing) = watch::channel(None);
        let panics = Arc::clone(&parts.panics);
        let (ended, unreadable) = (endings.clone(), lost.clone());
        let mut task = Task::new(parts, loaded, tellings, endings, lost, owes);
        let (refused, in_vain) = (task.refused(), task.in_vain());
        let lost = unreadable;
        let handle =
            Handle { inbox, endings: ended, lost, direct, dead_letters, owes: owing, refused, in_vain };
        let at_work = task.at_work();
        let task = tokio::spawn(counted(task.run(messages), at_work, panics));
        Ok(Self { handle, task, telling, positions, has_failed: false })
    }

    /// Where events are brought.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// How far each topic had been read when the channel started.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Ready when a part of it has ended without being told to, which is a panic, and says why. Must not be waited
    /// for once it was ready; [`Channel::stop`] then clears away what is left.
    pub async fn failed(&mut self) -> String {
        let ended = tokio::select! {
            ended = &mut self.task => ended,
            ended = &mut self.telling => match ended {
                // It ends by itself where the task has gone, which knows why.
                Ok(()) => (&mut self.task).await,
                panicked => panicked,
            },
        };
        self.has_failed = true;
        ended.err().map_or_else(|| "a part ended by itself".to_owned(), |error| error.to_string())
    }

    /// Takes nothing more, waits until what has been decided is durable and the partner's channel has taken what it
    /// was told, or does not take it now, and ends. Calls that are under way are left to themselves; the store knows them.
    pub async fn stop(self) {
        if self.has_failed {
            self.task.abort();
            self.telling.abort();
            return;
        }
        self.handle.inbox.send(Message::Stop).await.ok();
        self.task.await.ok();
        self.telling.await.ok();
    }
}

/// What is brought one behind the other. Where one is refused, those behind it are too, also those that are brought
/// later: they all come again in their order, in a new sequence.
#[derive(Debug, Clone)]
pub struct Sequence {
    handle: Handle,
    broken: Arc<AtomicBool>,
}

impl Sequence {
    /// Brings something, as [`Handle::deliver`], and returns when its place in the order is certain; what is returned is
    /// ready when it is durable. So that a stream need not wait for one before the next.
    ///
    /// # Errors
    /// Where the channel has been stopped.
    pub async fn hand_over(&self, delivery: Delivery) -> Result<Receipt, Error> {
        self.handle.send(delivery, Some(Arc::clone(&self.broken))).await
    }
}

impl Handle {
    /// Brings something; returns when what follows from it is durable. What has been processed before
    /// changes nothing.
    ///
    /// # Errors
    /// Where it was not processed; it should be brought again.
    pub async fn deliver(&self, delivery: Delivery) -> Result<(), Error> {
        self.send(delivery, None).await?.await
    }

    /// For whoever brings many things in their order.
    pub fn sequence(&self) -> Sequence {
        Sequence { handle: self.clone(), broken: Arc::default() }
    }

    async fn send(&self, delivery: Delivery, broken: Option<Arc<AtomicBool>>) -> Result<Receipt, Error> {
        let (done, answer) = oneshot::channel();
        let message = Message::Delivered { delivery: Box::new(delivery), ticket: Ticket::new(done, broken) };
        self.inbox.send(message).await.map_err(|_| Error::Stopped)?;
        Ok(Receipt(answer))
    }

    /// Says that the stream of events stands: what was published while nobody listened comes from now on.
    ///
    /// # Errors
    /// Where the channel has been stopped.
    pub async fn listening(&self) -> Result<(), Error> {
        self.inbox.send(Message::Listening).await.map_err(|_| Error::Stopped)
    }

    /// Hands an operator's order over; returns when what follows from it is durable. An order about something
    /// that is not there changes nothing.
    ///
    /// # Errors
    /// Where it could not be made durable, or the channel has been stopped.
    pub async fn order(&self, conversation: ConversationId, order: OperatorOrder) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        let message = Message::Ordered { conversation, order, ticket: Ticket::new(done, None) };
        self.inbox.send(message).await.map_err(|_| Error::Stopped)?;
        Receipt(answer).await
    }

    /// How much the channel's conversations owe: clean-ups that could not be made. Never waits.
    pub fn owes(&self) -> Option<Owes> {
        *self.owes.borrow()
    }

    /// The reps whom Salesforce refuses again and again, who has been for the longest first. Never waits.
    pub fn refused_reps(&self, now: Timestamp) -> Vec<RefusedRep> {
        self.refused.again_and_again(now)
    }

    /// A rep's page opened the list of contacts for a work item: a hint at who asks next. Nothing is stored.
    ///
    /// # Errors
    /// Where the channel has been stopped.
    pub async fn list_opened(&self, work_item: WorkItemId, rep: RepId) -> Result<(), Error> {
        self.inbox.send(Message::ListOpened { work_item, rep }).await.map_err(|_| Error::Stopped)
    }

    /// Looks at the conversations, between two turns.
    ///
    /// # Errors
    /// Where the channel has been stopped.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Conversations) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, seen) = oneshot::channel();
        let look = Box::new(move |all: &Conversations| drop(tell.send(look(all))));
        self.inbox.send(Message::Look(look)).await.map_err(|_| Error::Stopped)?;
        seen.await.map_err(|_| Error::Stopped)
    }

    /// The conversations that the store has and nobody can read.
    pub fn lost(&self) -> &UnreadableConversations {
        &self.lost
    }

    /// Its calls, for whoever asks for one by name.
    pub const fn direct(&self) -> &DirectCalls {
        &self.direct
    }

    /// What the partner did not take.
    pub const fn dead_letters(&self) -> &DeadLetters {
        &self.dead_letters
    }

    /// The calls that undo something at Salesforce, and fail so far.
    pub const fn in_vain(&self) -> &InVain {
        &self.in_vain
    }

    /// Whether the channel has ended, by itself or because it was stopped.
    pub fn is_over(&self) -> bool {
        self.inbox.is_closed()
    }

    /// The requests that end from now on.
    pub fn endings(&self) -> broadcast::Receiver<Ended> {
        self.endings.subscribe()
    }
}
