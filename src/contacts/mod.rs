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

mod directory;
mod fold;
mod index;
mod kind;
mod listing;
mod live;
mod texts;
mod view;

pub use directory::{Directory, Error, MAX_CONTAINS, Query};
pub use fold::fold;
pub use index::Index;
pub use live::LiveRep;
pub use view::ConversationView;
