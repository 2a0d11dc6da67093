//! The partner's end-user notifier.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::Context;
use super::hook::Hook;
use crate::connector::{EndUserNotifier, News, TellError};
use crate::model::ids::{ConversationId, RepId};
use crate::model::words::ParticipantRole;
use crate::routing::{Announced, Announcement, SessionNews};

/// How long it is tried at a time to tell something.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many may be with the webhook at the same time.
const SEATS: usize = 256;

/// An [`EndUserNotifier`] behind a URL.
#[derive(Clone)]
pub struct Notifier(Arc<Inner>);

struct Inner {
    hook: Hook,
    context: Context,
    seats: Semaphore,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("hook", &self.0.hook).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a> {
    #[serde(flatten)]
    context: &'a Context,
    conversation_identifier: &'a ConversationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<RepId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_by: Option<ParticipantRole>,
    r#type: &'static str,
    sequence: u64,
    #[serde(skip_serializing_if = "is_not")]
    after_gap: bool,
    #[serde(skip_serializing_if = "is_not")]
    resent: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
const fn is_not(said: &bool) -> bool {
    !*said
}

impl Notifier {
    pub(super) fn new(hook: Hook, context: Context) -> Self {
        Self(Arc::new(Inner { hook, context, seats: Semaphore::new(SEATS) }))
    }
}

#[async_trait]
impl EndUserNotifier for Notifier {
    async fn tell(&self, news: &News) -> Result<(), TellError> {
        let Inner { hook, context, seats } = &*self.0;
        let News { id, announcement: Announcement { conversation, what }, sequence, after_gap, resent } =
            news;
        let (user_id, joined, ended_by) = match *what {
            Announced::Rep { rep, joined } => (Some(rep), Some(joined), None),
            Announced::Session(SessionNews::Ended { by }) => (None, None, by),
            Announced::Session(SessionNews::Waiting) => (None, None, None),
        };
        let notification = Notification {
            context,
            conversation_identifier: conversation,
            user_id,
            joined,
            ended_by,
            r#type: what.name(),
            sequence: *sequence,
            after_gap: *after_gap,
            resent: *resent,
        };
        hook.tell(context, *id, &notification, PATIENCE, seats).await.map_err(|failure| {
            let (why, wait) = (failure.to_string(), failure.retry_after());
            if failure.may_pass() { TellError::NotNow { why, wait } } else { TellError::Refused(why) }
        })
    }
}
