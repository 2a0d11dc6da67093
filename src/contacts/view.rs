//! In which of the rep's two lists a contact may appear, seen from one conversation.
//!
//! Invariants
//! 1. A list type is computed when it is asked for, never stored: it changes with the conversation.
//! 2. What could be conferenced is offered for a transfer alone where a conference would be refused.
//! 3. Nothing is offered that would be refused: while no transfer can begin, nothing is offered for one.

use std::collections::BTreeSet;

use crate::model::contact::{ContactType, ListType};
use crate::model::ids::RepId;

/// What has to be known of the conversation that a rep looks for help with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, and any of them may go with any other"
)]
pub struct ConversationView {
    /// Whether the channel definition allows conferences.
    pub conference_supported: bool,
    /// Whether a transfer that is asked for now is routed, which is `routing`'s to say.
    pub transfers_routed: bool,
    /// Whether somebody is there who moves a customer to a contact outside of Salesforce.
    pub outside_routed: bool,
    /// Whether it has as many participants as it may have, those who are being invited included.
    pub full: bool,
    /// The reps who are in it already.
    pub present: BTreeSet<RepId>,
    /// The reps who are being asked already, for whatever of its requests: a second request for one is refused.
    pub asked: BTreeSet<RepId>,
}

impl ConversationView {
    /// A conversation of which nothing is known but what its channel supports, where transfers are not routed.
    pub fn of_channel(conference_supported: bool) -> Self {
        Self {
            conference_supported,
            transfers_routed: false,
            outside_routed: false,
            full: false,
            present: BTreeSet::new(),
            asked: BTreeSet::new(),
        }
    }

    /// Whether anybody at all may be asked to join.
    pub fn can_grow(&self) -> bool {
        self.conference_supported && !self.full
    }

    /// Whether more than one rep is in it.
    pub fn is_conference(&self) -> bool {
        self.present.len() > 1
    }

    /// In which lists a contact may appear (PROTOCOL: "getContacts: who can be picked"); `None` where in
    /// neither.
    ///
    /// `rep` is who the contact is, where it is a rep. Whoever is outside of Salesforce can be transferred to where
    /// the conversation is no conference, and never conferenced.
    pub fn list_type(&self, contact_type: ContactType, rep: Option<&RepId>) -> Option<ListType> {
        let (could_join, could_take_over) = match contact_type {
            ContactType::Agent => {
                let free = rep.is_none_or(|rep| !self.asked.contains(rep));
                (free && rep.is_none_or(|rep| !self.present.contains(rep)), free)
            }
            ContactType::Queue | ContactType::Flow => (true, true),
            ContactType::PhoneBook | ContactType::PhoneNumber => {
                (false, self.outside_routed && !self.is_conference())
            }
        };
        match (could_join && self.can_grow(), could_take_over && self.transfers_routed) {
            (true, true) => Some(ListType::All),
            (true, false) => Some(ListType::Conference),
            (false, true) => Some(ListType::Transfer),
            (false, false) => None,
        }
    }

    /// Whether a tab may ever have something in it, as the conversation changes.
    pub fn has_tab(&self, contact_type: ContactType) -> bool {
        let outside = matches!(contact_type, ContactType::PhoneBook | ContactType::PhoneNumber);
        self.outside_routed || !outside
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
        ConversationView {
            transfers_routed: true,
            outside_routed: true,
            full,
            present,
            ..ConversationView::of_channel(conference_supported)
        }
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
    fn who_is_being_asked_is_in_neither_list() {
        let bo = RepId::parse("005000000000001").unwrap();
        let asked = ConversationView { asked: [bo].into(), ..view(true, false, &[]) };
        assert_eq!(asked.list_type(ContactType::Agent, Some(&bo)), None);
        assert_eq!(asked.list_type(ContactType::Queue, None), Some(ListType::All));
    }

    #[test]
    fn a_conference_is_not_transferred_outside_and_neither_is_anything_where_nobody_moves_it() {
        let conference = view(true, false, &["005000000000001", "005000000000002"]);
        let nobody = ConversationView { outside_routed: false, ..view(true, false, &[]) };
        for conversation in [conference, nobody] {
            assert_eq!(conversation.list_type(ContactType::PhoneNumber, None), None);
            assert_eq!(conversation.list_type(ContactType::Queue, None), Some(ListType::All));
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
