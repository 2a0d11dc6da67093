//! The partner's end-user notifier.
//!
//! Each conversation has a queue of its own, so that one that waits for the partner holds up no other, and
//! whoever tells never waits: a request must not stand still because an end user cannot be told.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::Context;
use super::hook::Hook;
use crate::connector::EndUserNotifier;
use crate::model::ids::{ConversationId, RepId};
use crate::routing::Announcement;

/// How long it is tried to tell something; later it is no news.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many notifications may be on their way. What comes on top is given up at once.
const MOST: usize = 100_000;

/// How many may be with the webhook at the same time.
const SEATS: usize = 256;

/// An [`EndUserNotifier`] behind a URL.
#[derive(Clone)]
pub struct Notifier(Arc<Inner>);

struct Inner {
    hook: Hook,
    context: Context,
    seats: Semaphore,
    /// What waits behind the notification of the same conversation that is being sent.
    behind: Mutex<HashMap<ConversationId, VecDeque<QueuedNotification>>>,
    /// How many there are on their way, the waiting ones included.
    pending_turns: watch::Sender<usize>,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("hook", &self.0.hook).finish_non_exhaustive()
    }
}

/// What is to be told, and since when.
struct QueuedNotification {
    announcement: Announcement,
    since: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a> {
    #[serde(flatten)]
    context: &'a Context,
    conversation_identifier: &'a ConversationId,
    user_id: RepId,
    joined: bool,
}

impl Notifier {
    pub(super) fn new(hook: Hook, context: Context) -> Self {
        let inner = Inner {
            hook,
            context,
            seats: Semaphore::new(SEATS),
            behind: Mutex::default(),
            pending_turns: watch::Sender::default(),
        };
        Self(Arc::new(inner))
    }
}

#[async_trait]
impl EndUserNotifier for Notifier {
    async fn settled(&self) {
        // The sender lives as long as `self` does.
        self.0.pending_turns.subscribe().wait_for(|count| *count == 0).await.ok();
    }

    async fn tell(&self, announcement: Announcement) {
        let conversation = announcement.conversation.clone();
        let news = QueuedNotification { announcement, since: Instant::now() };
        let mut behind = self.0.behind();
        if *self.0.pending_turns.borrow() >= MOST {
            drop(behind);
            tracing::error!(%conversation, "too many notifications are waiting for the webhook; this one is dropped");
            return;
        }
        self.0.pending_turns.send_modify(|count| *count = count.saturating_add(1));
        match behind.entry(conversation) {
            Entry::Occupied(mut waiting) => waiting.get_mut().push_back(news),
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                tokio::spawn(Arc::clone(&self.0).deliver(news));
            }
        }
    }
}

impl Inner {
    /// Delivers the news of one conversation, in order, until there are no more.
    async fn deliver(self: Arc<Self>, first: QueuedNotification) {
        let conversation = first.announcement.conversation.clone();
        let mut next = Some(first);
        while let Some(news) = next {
            self.send(&news).await;
            let mut behind = self.behind();
            next = behind.get_mut(&conversation).and_then(VecDeque::pop_front);
            if next.is_none() {
                behind.remove(&conversation);
            }
            self.pending_turns.send_modify(|count| *count = count.saturating_sub(1));
        }
    }

    async fn send(&self, news: &QueuedNotification) {
        let Announcement { conversation, rep, joined } = &news.announcement;
        let notification = Notification {
            context: &self.context,
            conversation_identifier: conversation,
            user_id: *rep,
            joined: *joined,
        };
        let patience = PATIENCE.saturating_sub(news.since.elapsed());
        if let Err(failure) = self.hook.tell(&self.context, &notification, patience, &self.seats).await {
            tracing::error!(%conversation, joined, %failure, "end user not notified: the webhook failed");
        }
    }

    fn behind(&self) -> MutexGuard<'_, HashMap<ConversationId, VecDeque<QueuedNotification>>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
