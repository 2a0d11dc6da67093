//! Why something that was brought was not taken in.

use std::sync::Arc;

use crate::interaction::Failure;
use crate::{connector, store};

/// Why something that was brought was not taken in.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It says something that cannot be.
    #[error(transparent)]
    Event(#[from] crate::events::Error),
    /// It is about a work item that no conversation here has. An event that tells may be on its way.
    #[error("no known conversation has the work item {0}")]
    UnknownWorkItem(crate::model::ids::WorkItemId),
    /// A rep's page speaks of an offer to somebody else.
    #[error("the offer {0} was made to another rep")]
    AnothersOffer(crate::model::ids::AgentWorkId),
    /// A rep's page asks about a conversation that the rep has no part in.
    #[error("the rep is not part of the conversation of work item {0}")]
    AnothersWorkItem(crate::model::ids::WorkItemId),
    /// Nobody told who the end user of a conversation is.
    #[error("the end user of the conversation {0} is not known here")]
    EndUserUnknown(crate::model::ids::ConversationId),
    /// Nobody told which session a conversation has.
    #[error("the session of the conversation {0} is not known here")]
    SessionUnknown(crate::model::ids::ConversationId),
    /// The last rep of a conversation is not taken out of it: the end user would be left alone.
    #[error("the rep {0} is the only one in the conversation")]
    LastRep(crate::model::ids::RepId),
    /// It could not be made durable, or the service is stopping: bring it again.
    #[error(transparent)]
    Channel(#[from] connector::Error),
    /// Salesforce refused it.
    #[error("{0}")]
    SalesforceRefused(String),
    /// Salesforce did not answer, and may have done it.
    #[error("{0}")]
    SalesforceSilent(String),
    /// The directory of contacts is out of reach.
    #[error("{0}")]
    Directory(Arc<crate::contacts::Error>),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(_) => Self::SalesforceRefused(failure.to_string()),
            Failure::Lost(_) => Self::SalesforceSilent(failure.to_string()),
        }
    }
}

impl From<crate::contacts::Error> for Error {
    fn from(error: crate::contacts::Error) -> Self {
        Self::Directory(Arc::new(error))
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Channel(error.into())
    }
}
