//! The port: what is asked of a directory of contacts, and what may go wrong.

use async_trait::async_trait;

use super::view::ConversationView;
use crate::model::contact::{ContactType, ContactsFilter, ContactsResult, ListType};
use crate::model::ids::{RepId, WorkItemId};

/// How long a searched text may be, in characters; no name is that long, so a longer one finds nothing.
pub const MAX_CONTAINS: usize = 255;

/// What is asked of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What the rep searches for.
    pub filter: ContactsFilter,
    /// Which of the two lists is open; [`ListType::All`] where that is not known, as in `getContacts`,
    /// whose caller sorts the contacts into its lists by itself.
    pub list: ListType,
    /// The conversation that help is sought with.
    pub conversation: ConversationView,
    /// Its work item, where Salesforce named one.
    pub work_item: Option<WorkItemId>,
}

impl Query {
    /// Whether the list that is open shows a contact of this type; `rep` is who it is, where it is a rep.
    pub fn offers(&self, contact_type: ContactType, rep: Option<&RepId>) -> bool {
        self.conversation.list_type(contact_type, rep).is_some_and(|list| self.list.shows(list))
    }
}

/// Why a directory could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The partner's own directory is out of reach.
    #[error("the contact directory failed: {0}")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where contacts come from. [`Index`](super::Index) is the embedded one; an embedder may bring their own.
///
/// An implementation sets each contact's list type by [`ConversationView::list_type`], gives only
/// contacts that [`Query::list`] shows, and keeps the invariants of [this module](super).
#[async_trait]
pub trait Directory: Send + Sync {
    /// One page of contacts.
    ///
    /// # Errors
    /// Where the directory is out of reach. Nobody found is no error.
    async fn contacts(&self, query: &Query) -> Result<ContactsResult, Error>;
}
