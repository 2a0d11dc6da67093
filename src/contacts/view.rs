//! In which of the rep's two lists a contact may appear, seen from one conversation.
//!
//! Invariants
//! 1. A list type is computed when it is asked for, never stored: it changes with the conversation.
//! 2. What could be conferenced is offered for a transfer alone where a conference would be refused.
//! 3. Nothing is offered that would be refused: while transfers are not routed, nothing is offered for one.

use std::collections::BTreeSet;

use crate::model::contact::{ContactType, ListType};
use crate::model::ids::RepId;

/// What has to be known of the conversation that a rep looks for help with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationView {
    /// Whether the channel definition allows conferences.
    pub conference_supported: bool,
    /// Whether a transfer that is asked for is routed, which is `routing`'s to say.
    pub transfers_routed: bool,
    /// Whether it has as many participants as it may have, those who are being invited included.
    pub full: bool,
    /// The reps who are in it already.
    pub present: BTreeSet<RepId>,
}

impl ConversationView {
    /// A conversation of which nothing is known but what its channel supports, where transfers are not routed.
    pub fn of_channel(conference_supported: bool) -> Self {
        Self { conference_supported, transfers_routed: false, full: false, present: BTreeSet::new() }
    }

    /// Whether anybody at all may be asked to join.
    pub fn can_grow(&self) -> bool {
        self.conference_supported && !self.full
    }

    /// In which lists a contact may appear (PROTOCOL: "getContacts: who can be picked"); `None` where in
    /// neither.
    ///
    /// `rep` is who the contact is, where it is a rep. Whoever is outside of Salesforce can be
    /// transferred to and never conferenced.
    pub fn list_type(&self, contact_type: ContactType, rep: Option<&RepId>) -> Option<ListType> {
        let could_join = match contact_type {
            ContactType::Agent => rep.is_none_or(|rep| !self.present.contains(rep)),
            ContactType::Queue | ContactType::Flow => true,
            ContactType::PhoneBook | ContactType::PhoneNumber => false,
        };
        match (could_join && self.can_grow(), self.transfers_routed) {
            (true, true) => Some(ListType::All),
            (true, false) => Some(ListType::Conference),
            (false, true) => Some(ListType::Transfer),
            (false, false) => None,
        }
    }

    /// Whether a tab may ever have something in it, as the conversation changes.
    pub fn has_tab(&self, contact_type: ContactType) -> bool {
        let outside = matches!(contact_type, ContactType::PhoneBook | ContactType::PhoneNumber);
        self.transfers_routed || !outside
    }
}

impl ListType {
    /// Whether the list of this name shows a contact of the other list type. [`ListType::All`] shows
    /// every contact.
    pub fn shows(self, contact: Self) -> bool {
        self == Self::All || contact == Self::All || contact == self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(conference_supported: bool, full: bool, present: &[&str]) -> ConversationView {
        let present = present.iter().map(|id| RepId::parse(id).unwrap()).collect();
        ConversationView { conference_supported, transfers_routed: true, full, present }
    }

    #[test]
    fn what_can_be_conferenced_and_what_only_transferred() {
        const BO: &str = "005000000000001";
        let bo = RepId::parse(BO).unwrap();
        let open = view(true, false, &[]);
        let here = view(true, false, &[BO]);
        let full = view(true, true, &[]);
        let plain = view(false, false, &[]);
        let rows = [
            (&open, ContactType::Agent, ListType::All),
            (&open, ContactType::Queue, ListType::All),
            (&open, ContactType::Flow, ListType::All),
            (&open, ContactType::PhoneBook, ListType::Transfer),
            (&open, ContactType::PhoneNumber, ListType::Transfer),
            (&here, ContactType::Agent, ListType::Transfer),
            (&here, ContactType::Queue, ListType::All),
            (&full, ContactType::Agent, ListType::Transfer),
            (&full, ContactType::Queue, ListType::Transfer),
            (&full, ContactType::Flow, ListType::Transfer),
            (&plain, ContactType::Agent, ListType::Transfer),
            (&plain, ContactType::Queue, ListType::Transfer),
            (&plain, ContactType::Flow, ListType::Transfer),
        ];
        for (view, contact_type, expected) in rows {
            let rep = (contact_type == ContactType::Agent).then_some(&bo);
            assert_eq!(view.list_type(contact_type, rep), Some(expected), "{contact_type} in {view:?}");
            // Without transfers it is offered for a conference, or not at all.
            let alone = ConversationView { transfers_routed: false, ..view.clone() };
            let left = (expected == ListType::All).then_some(ListType::Conference);
            assert_eq!(alone.list_type(contact_type, rep), left, "{contact_type} in {alone:?}");
        }
    }

    #[test]
    fn each_list_shows_its_own_and_what_is_in_both() {
        assert!(ListType::Transfer.shows(ListType::Transfer) && ListType::Transfer.shows(ListType::All));
        assert!(!ListType::Transfer.shows(ListType::Conference));
        assert!(ListType::Conference.shows(ListType::All) && !ListType::Conference.shows(ListType::Transfer));
        assert!(ListType::ALL.iter().all(|&any| ListType::All.shows(any)));
    }
}
