//! What a channel works with, what its task is sent, and what it publishes.

use std::sync::Arc;

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
pub(super) type Done = oneshot::Sender<Result<(), Error>>;

/// What the task is sent.
pub(super) enum Message {
    Delivered { delivery: Box<Delivery>, done: Done },
    Listening,
    Ordered { conversation: ConversationId, order: OperatorOrder, done: Done },
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
