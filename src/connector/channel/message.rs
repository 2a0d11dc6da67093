//! What a channel works with, what its task is sent, and what it publishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use crate::connector::panics::PanicLog;
use crate::connector::ports::{Calls, EndUserNotifier, RepFinder, WorkItems};
use crate::connector::watch::Asked;
use crate::engine::{Delivery, Error};
use crate::model::ids::{ConversationId, RepId, WorkItemId};
use crate::model::time::Clock;
use crate::routing::{Conversations, Ending, OperatorOrder, Settings};
use crate::store::{ChannelKey, Store};

/// Everything that a channel works with.
pub struct Parts {
    /// Which channel it is.
    pub key: ChannelKey,
    /// The channel's rules.
    pub settings: Settings,
    /// Salesforce.
    pub calls: Arc<dyn Calls>,
    /// The partner's router.
    pub finder: Arc<dyn RepFinder>,
    /// Where the work item of a conversation is asked for.
    pub work_items: Arc<dyn WorkItems>,
    /// The partner's own channel.
    pub notifier: Arc<dyn EndUserNotifier>,
    /// Where facts are made durable.
    pub store: Arc<dyn Store>,
    /// Where panics are counted.
    pub panics: Arc<dyn PanicLog>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Answers when what was delivered is durable.
type Done = oneshot::Sender<Result<(), Error>>;

/// Whom to answer, and what else was brought in the same sequence.
#[derive(Debug)]
pub(super) struct Ticket {
    done: Done,
    broken: Option<Arc<AtomicBool>>,
}

impl Ticket {
    pub(super) const fn new(done: Done, broken: Option<Arc<AtomicBool>>) -> Self {
        Self { done, broken }
    }

    /// Whether something before it was refused that is to be brought first.
    pub(super) fn is_out_of_turn(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| broken.load(Ordering::Acquire))
    }

    /// What became of it.
    pub(super) fn answer(self, result: Result<(), Error>) {
        if result.is_err()
            && let Some(broken) = &self.broken
        {
            broken.store(true, Ordering::Release);
        }
        // Whoever brought it may have gone.
        self.done.send(result).ok();
    }
}

/// What the task is sent.
pub(super) enum Message {
    Delivered { delivery: Box<Delivery>, ticket: Ticket },
    Listening,
    Ordered { conversation: ConversationId, order: OperatorOrder, ticket: Ticket },
    ListOpened { work_item: WorkItemId, rep: RepId },
    Look(Box<dyn FnOnce(&Conversations) + Send>),
    Stop,
}

/// A request that has its outcome.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Where.
    pub conversation: ConversationId,
    /// The outcome, and why.
    pub ending: Ending,
    /// What it had asked for, where known.
    pub asked: Option<Asked>,
}
