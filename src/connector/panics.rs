//! Panics, and what was worked on when one came.
//!
//! What the partner brings, and a call, may panic without harm to the channel: that is their answer, an error like any
//! other. Where the channel itself panics over an event, it is taken up again from the store and the event comes again.
//! Both are counted by what they were about, so that what panics every time is set aside and not tried for ever.
//!
//! Must never know where counts are kept, or who restarts a channel.
//!
//! Invariant: a panic is counted only for what was certainly worked on. One that came by itself (a deadline, a load) is
//! nobody's.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use uuid::Uuid;

use crate::engine::{CallId, Delivery};
use crate::model::ids::{ConversationId, EventId};
use crate::store::Cause;

/// What was worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// An event, until it is on its way to the store.
    Event(Cause),
    /// A question to the partner's router or a call, of the request of that routing event.
    Request(ConversationId, EventId),
    /// Something that the partner is told.
    Telling(Uuid),
}

impl Work {
    pub(super) fn of(id: &CallId) -> Self {
        Self::Request(id.conversation.clone(), id.command.request.clone())
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(cause) => write!(f, "{cause}"),
            Self::Request(conversation, request) => write!(f, "request {request} of {conversation}"),
            Self::Telling(id) => write!(f, "telling {id}"),
        }
    }
}

/// Counts panics, and keeps what is set aside for them.
pub trait PanicLog: Send + Sync {
    /// It panicked over that. Says whether it has so often that it is not to be tried again.
    fn panicked(&self, work: &Work, why: &str) -> bool;

    /// Whether it has panicked over that event so often that it is not to be processed.
    fn is_set_aside(&self, cause: &Cause) -> bool;

    /// Keeps an event that is not processed, for whoever has to find out why.
    fn set_aside(&self, delivery: &Delivery);
}

/// Counts nothing: whatever panics is tried again for ever.
#[derive(Debug, Clone, Copy, Default)]
pub struct UncountedPanics;

impl PanicLog for UncountedPanics {
    fn panicked(&self, _work: &Work, _why: &str) -> bool {
        false
    }

    fn is_set_aside(&self, _cause: &Cause) -> bool {
        false
    }

    fn set_aside(&self, _delivery: &Delivery) {}
}

/// The event that is being worked on now. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(super) struct AtWork(Arc<Mutex<Option<Cause>>>);

impl AtWork {
    pub(super) fn set(&self, cause: Option<&Cause>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cause.cloned();
    }

    fn take(&self) -> Option<Cause> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What comes of a future, or what it panicked with.
pub(super) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| text(&*panic))
}

/// The same of what waits for nothing.
#[cfg(any(feature = "pubsub", test))]
pub(crate) fn caught_now<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text(&*panic))
}

/// Runs a channel's task to its end. Where it panics over an event, that is counted, and it panics on.
pub(super) async fn counted(task: impl Future<Output = ()>, at_work: AtWork, panics: Arc<dyn PanicLog>) {
    if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
        if let Some(cause) = at_work.take() {
            panics.panicked(&Work::Event(cause), &text(&*panic));
        }
        std::panic::resume_unwind(panic);
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_panic_says_is_known_whatever_it_is_made_of() {
        assert_eq!(caught(async { 7 }).await, Ok(7));
        let said = caught_now(|| -> u8 { std::panic::panic_any("a text") });
        assert_eq!(said.unwrap_err(), "a text");
        let said = caught(async { std::panic::panic_any(format!("a text of {}", 2)) }).await;
        assert_eq!(said.map(|(): ()| 0).unwrap_err(), "a text of 2");
        let said = caught_now(|| -> u8 { std::panic::panic_any(3) });
        assert_eq!(said.unwrap_err(), "no message");
    }

    #[test]
    fn what_was_worked_on_is_named_as_whoever_reads_it_knows_it() {
        let cause = Cause::named("event e1").unwrap();
        assert_eq!(Work::Event(cause).to_string(), "event e1");
        let id = ConversationId::parse("c1").unwrap();
        let request = Work::Request(id, EventId::parse("r1").unwrap());
        assert_eq!(request.to_string(), "request r1 of c1");
    }
}
