//! Who a rep can pick: the directory, its search, the list types, the waits.
//!
//! Answers `getContacts`. Knows the roster and what it is told of the conversation; never Salesforce,
//! a store or a clock.
//!
//! Invariants
//! 1. Pages are stable: while the directory does not change, the order is the same, and no contact
//!    stands on two pages or on none.
//! 2. Only reps who are online for messaging are listed, full or not.
//! 3. A search never waits for another: of a rep who may change it holds one look at a time.
//!
//! Elsewhere: the wire types in `model::contact`, who is chosen for an offer in the rep finder.

mod fold;
mod index;
mod kind;
mod listing;
mod live;
mod texts;
mod view;

use async_trait::async_trait;

pub use fold::fold;
pub use index::Index;
pub use live::LiveRep;
pub use view::ConversationView;

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
    #[error("the directory of contacts cannot be asked: {0}")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where contacts come from. [`Index`] is the embedded one; an embedder may bring their own.
///
/// An implementation sets each contact's list type by [`ConversationView::list_type`], gives only
/// contacts that [`Query::list`] shows, and keeps the invariants of this module.
#[async_trait]
pub trait Directory: Send + Sync {
    /// One page of contacts.
    ///
    /// # Errors
    /// Where the directory is out of reach. Nobody found is no error.
    async fn contacts(&self, query: &Query) -> Result<ContactsResult, Error>;
}

#[async_trait]
impl Directory for Index {
    async fn contacts(&self, query: &Query) -> Result<ContactsResult, Error> {
        Ok(self.search(query))
    }
}
