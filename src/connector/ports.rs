//! What a partner may bring: who is found, who is told, how Salesforce is called.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::interaction::{Client, Priority, Tried, Try};
use crate::model::ids::{ConversationId, RepId, WorkItemId};
use crate::model::rep_query::RepQuery;
use crate::model::roster::Roster;
use crate::rep_finder::choose;
use crate::routing::{Announcement, SearchFailure};

/// The partner's router: who can take this?
#[async_trait]
pub trait RepFinder: Send + Sync {
    /// Reps who can take it, the best first; none where nobody can.
    ///
    /// # Errors
    /// Where the router cannot say who can. It is asked again, with growing waits, while there is time; then the
    /// request ends as failed with what the last error says.
    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, FindError>;
}

/// Why a router has not said who can take a request. The rep who asked, the log and the journal are told what it
/// says: it must name nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// It could not be reached, or gave no answer.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// It said that it cannot answer now.
    #[error("{why}")]
    Refused {
        /// What it said.
        why: String,
        /// How long it asks to be left alone; zero where it does not say.
        wait: Duration,
    },
    /// It answered with something that is no answer.
    #[error("invalid answer: {0}")]
    Invalid(String),
}

impl From<FindError> for SearchFailure {
    fn from(error: FindError) -> Self {
        let wait = match &error {
            FindError::Refused { wait, .. } => *wait,
            FindError::NoAnswer(_) | FindError::Invalid(_) => Duration::ZERO,
        };
        Self::Failed { why: error.to_string(), wait }
    }
}

/// A roster finds reps by itself.
#[async_trait]
impl RepFinder for Roster {
    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, FindError> {
        Ok(choose(self, query))
    }
}

/// Something that the partner is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The same however often it is told, also after a restart.
    pub id: Uuid,
    /// What happened.
    pub announcement: Announcement,
    /// Its number in its conversation, from 1, each one more than the one before.
    pub sequence: u64,
    /// Whether the one before was given up, and is a dead letter now.
    pub after_gap: bool,
    /// Whether it was given up before, and an operator has it sent again: what came after it may have been told.
    pub resent: bool,
}

/// The partner's own channel: tells the end user who joins and who leaves, and hears of the session.
#[async_trait]
pub trait EndUserNotifier: Send + Sync {
    /// Something happened. Of a conversation, the next is told when this one was taken or given up. It may be told more
    /// than once, also after a restart; then it has the same id and number.
    ///
    /// # Errors
    /// Where the partner has not taken it; whether it is told again, the error says.
    async fn tell(&self, news: &News) -> Result<(), TellError>;
}

/// Why the partner's channel has not taken what it was told. What it says must name nobody: it is logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TellError {
    /// It refuses it, and always will: it is given up at once.
    #[error("{0}")]
    Refused(String),
    /// It could not be reached, or cannot take it now: it is told again, after rests that grow, and given up a day after
    /// it happened.
    #[error("{why}")]
    NotNow {
        /// What it said.
        why: String,
        /// How long it asks to be left alone; zero where it does not say. It is left alone for an hour at most.
        wait: Duration,
    },
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct TellNobody;

#[async_trait]
impl EndUserNotifier for TellNobody {
    async fn tell(&self, _news: &News) -> Result<(), TellError> {
        Ok(())
    }
}

/// Salesforce's own data, as far as a channel asks for it.
#[async_trait]
pub trait WorkItems: Send + Sync {
    /// The messaging session of a conversation; none where there is none, or it cannot be read.
    async fn work_item(&self, conversation: &ConversationId) -> Option<WorkItemId>;
}

/// Knows none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWorkItems;

#[async_trait]
impl WorkItems for NoWorkItems {
    async fn work_item(&self, _conversation: &ConversationId) -> Option<WorkItemId> {
        None
    }
}

/// The Interaction Service, one try of a call at a time.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Makes one try. What follows from it, the engine says.
    async fn try_once(&self, attempt: &Try) -> Tried;
}

#[async_trait]
impl Calls for Client {
    async fn try_once(&self, attempt: &Try) -> Tried {
        Self::try_once(self, attempt, Priority::of(&attempt.call)).await
    }
}
