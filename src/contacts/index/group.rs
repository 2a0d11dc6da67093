//! The groups of contacts that a filter can ask for.

use crate::model::contact::{ContactType, ContactsFilter, FilterType};

/// A set of contacts that a filter takes or leaves as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Reps,
    Queues,
    Flows,
    Outside,
}

impl Group {
    pub(super) const ALL: [Self; 4] = [Self::Reps, Self::Queues, Self::Flows, Self::Outside];

    /// What is in it; those outside are offered alike, whichever type they are of.
    pub(super) const fn contact_type(self) -> ContactType {
        match self {
            Self::Reps => ContactType::Agent,
            Self::Queues => ContactType::Queue,
            Self::Flows => ContactType::Flow,
            Self::Outside => ContactType::PhoneBook,
        }
    }

    /// Whether the filter asks for it. A type that is not known here is a type that nobody is of.
    pub(super) fn is_wanted(self, filter: &ContactsFilter) -> bool {
        let asks = |known| filter.types.contains(&known);
        let available_only = asks(FilterType::Available);
        let names_no_kind = filter.unknown_types.is_empty()
            && filter.types.iter().all(|&known| known == FilterType::Available);
        match self {
            Self::Reps => names_no_kind || asks(FilterType::Agent),
            Self::Queues => (names_no_kind && !available_only) || asks(FilterType::Queue),
            Self::Flows => (names_no_kind && !available_only) || asks(FilterType::Flow),
            Self::Outside => {
                (names_no_kind && !available_only) || asks(FilterType::Contact) || asks(FilterType::Directory)
            }
        }
    }
}

/// Where in the roster a contact is.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContactPosition {
    pub(super) group: Group,
    pub(super) at: u32,
}
