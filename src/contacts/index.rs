//! The embedded directory: an index over a roster, built once. Who is in it, under which name, never changes;
//! whether a rep is online and how much they have to do is looked up when it is asked for.
//!
//! The folded names lie behind each other, in order, one piece of memory a group of contacts that a
//! filter can ask for. A search is a pass of SIMD over the groups that are wanted, merged by rank, and
//! stops when its page is full.
//!
//! Beside the roster itself the index takes the folded names, a quarter more for what stands between their
//! letters, 8 bytes a name for where it ends, and 12 bytes a contact; those with a phone number take its
//! digits and 12 bytes more, and those with a mark in their name the marks and 12 bytes.

mod column;
mod group;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use smallvec::SmallVec;

use super::fold::{digits_into, fold, fold_into, has_marks_only, marks_into, number_needle};
use super::texts::Needle;
use super::{Directory, Error, LiveRep, MAX_CONTAINS, Query, listing};
use crate::model::contact::{Contact, ContactType, ContactsFilter, ContactsResult, FilterType};
use crate::model::roster::Roster;
use crate::model::words::Availability;
use column::{Column, Ranks, merged};
use group::{ContactPosition, Group};

/// How many characters of a name are searched.
const SEARCHED_CHARACTERS: usize = MAX_CONTAINS;

/// The index. See the module.
#[derive(Debug)]
pub struct Index {
    /// The queues, flows and outside contacts; its own reps are not looked at.
    places_of: Arc<Roster>,
    reps: Vec<Arc<LiveRep>>,
    /// Every listed contact in order; the position is its rank.
    places: Vec<ContactPosition>,
    /// The folded names, by group in the order of [`Group::ALL`].
    names: [Column; 4],
    /// The marks of those names that have any, likewise: who types nothing but marks looks for those.
    marks: [Column; 4],
    /// The digits of outside contacts' phone numbers.
    numbers: Column,
    contact_types: Vec<ContactType>,
}

impl Index {
    /// An index of a roster whose reps stay as they are.
    pub fn build(roster: impl Into<Arc<Roster>>) -> Self {
        let roster = roster.into();
        let reps = roster.reps.iter().map(|rep| Arc::new(LiveRep::new(rep.clone()))).collect();
        Self::among(reps, roster)
    }

    /// Orders these reps, and the roster's queues, flows and outside contacts, by folded name, then id, and
    /// folds what is searched. Of two of a kind with one id, the first is kept.
    pub fn among(reps: Vec<Arc<LiveRep>>, roster: impl Into<Arc<Roster>>) -> Self {
        let roster = roster.into();
        let draft = Draft::of(&reps, &roster);
        let mut index = Self {
            places: Vec::with_capacity(draft.entries.len()),
            names: Group::ALL.map(|group| draft.column(group)),
            marks: Default::default(),
            numbers: Column::default(),
            contact_types: contact_types(&reps, &roster),
            places_of: Arc::clone(&roster),
            reps: Vec::new(),
        };
        let mut digits = String::new();
        for (entry, rank) in draft.entries.iter().zip(0_u32..) {
            index.places.push(entry.place);
            if let Some(column) = index.names.get_mut(entry.place.group as usize) {
                column.push(draft.name(entry), rank);
            }
            let marks = draft.marks(entry);
            if let Some(column) =
                index.marks.get_mut(entry.place.group as usize).filter(|_| !marks.is_empty())
            {
                column.push(marks, rank);
            }
            digits.clear();
            if let Some(number) = phone_number(&roster, entry.place) {
                digits_into(number, &mut digits);
            }
            if !digits.is_empty() {
                index.numbers.push(&digits, rank);
            }
        }
        index.marks.iter_mut().chain([&mut index.numbers]).for_each(Column::shrink);
        // The letters are fewer than the folded names, which may hold gaps.
        index.names.iter_mut().for_each(Column::shrink);
        index.reps = reps;
        index
    }

    /// How many contacts there are, reps who are not listed now among them.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many bytes the index takes beside the roster.
    pub fn memory(&self) -> usize {
        let columns =
            self.names.iter().chain(&self.marks).chain([&self.numbers]).map(Column::memory).sum::<usize>();
        columns.saturating_add(self.places.capacity().saturating_mul(size_of::<ContactPosition>()))
    }

    /// One page: at most [`ContactsFilter::MAX_LIMIT`] contacts, in order.
    pub fn search(&self, query: &Query) -> ContactsResult {
        let contacts = match &query.filter.contains {
            Some(text) if text.chars().nth(MAX_CONTAINS).is_some() => Vec::new(),
            Some(text) => self.page(query, &Needles::of(text)),
            None => self.page(query, &Needles::default()),
        };
        let has_tab = |kind: &ContactType| query.conversation.has_tab(*kind);
        ContactsResult {
            contacts,
            contact_types: self.contact_types.iter().copied().filter(has_tab).collect(),
        }
    }

    fn page(&self, query: &Query, needles: &Needles) -> Vec<Contact> {
        let limit = query.filter.limit.min(ContactsFilter::MAX_LIMIT);
        let ranks = self.ranks(query, needles).filter(|&rank| self.is_shown(rank, query));
        ranks.skip(query.filter.offset).filter_map(|rank| self.contact(rank, query)).take(limit).collect()
    }

    /// Whether a rank of a group that is shown is shown itself: a rep may be offline, busy or present.
    fn is_shown(&self, rank: u32, query: &Query) -> bool {
        let Some(ContactPosition { group: Group::Reps, at }) = self.place(rank) else { return true };
        let Some(rep) = self.rep(*at) else { return false };
        let is_wanted =
            |shown| shown == Availability::Available || !query.filter.types.contains(&FilterType::Available);
        rep.shown().is_some_and(is_wanted) && query.offers(ContactType::Agent, Some(rep.id()))
    }

    /// The ranks of all that match, before anybody is left out for being present.
    fn ranks<'a>(&'a self, query: &Query, needles: &'a Needles) -> Ranks<'a> {
        let shows = |group: &Group| query.offers(group.contact_type(), None);
        let wanted = Group::ALL.into_iter().filter(|group| group.is_wanted(&query.filter)).filter(shows);
        let wanted: SmallVec<[Group; 4]> = wanted.collect();
        let Some(name) = &needles.name else {
            if wanted.len() == Group::ALL.len() {
                return Box::new((0_u32..).take(self.places.len()));
            }
            return merged(
                wanted.iter().filter_map(|&group| self.names.get(group as usize)).map(Column::all),
            );
        };
        let columns = if needles.marks_only { &self.marks } else { &self.names };
        let names =
            wanted.iter().filter_map(|&group| columns.get(group as usize)).map(|column| column.holding(name));
        let number = needles.number.as_ref().filter(|_| wanted.contains(&Group::Outside));
        merged(names.chain(number.map(|number| self.numbers.holding(number))))
    }

    fn place(&self, rank: u32) -> Option<&ContactPosition> {
        self.places.get(usize::try_from(rank).ok()?)
    }

    fn rep(&self, at: u32) -> Option<&LiveRep> {
        self.reps.get(usize::try_from(at).ok()?).map(AsRef::as_ref)
    }

    fn contact(&self, rank: u32, query: &Query) -> Option<Contact> {
        let place = self.place(rank)?;
        let at = usize::try_from(place.at).ok()?;
        let roster = &self.places_of;
        let (mut contact, rep) = match place.group {
            Group::Reps => {
                let rep = self.rep(place.at)?;
                // They may have left since they were counted.
                let line = rep.see(|now| listing::is_listed(now).then(|| listing::rep(now)))?;
                (line, Some(rep.id()))
            }
            Group::Queues => (listing::queue(roster.queues.get(at)?), None),
            Group::Flows => (listing::flow(roster.flows.get(at)?), None),
            Group::Outside => (listing::outside(roster.contacts.get(at)?), None),
        };
        contact.list_type = query.conversation.list_type(contact.contact_type, rep)?;
        Some(contact)
    }
}

/// What is looked for; without a name, everything is found.
#[derive(Default)]
struct Needles {
    name: Option<Needle>,
    /// Whether the name has nothing but marks.
    marks_only: bool,
    number: Option<Needle>,
}

impl Needles {
    fn of(text: &str) -> Self {
        let folded = fold(text);
        Self {
            name: (!folded.is_empty()).then(|| Needle::new(&folded)),
            marks_only: has_marks_only(&folded),
            number: number_needle(text).as_deref().map(Needle::new),
        }
    }
}

/// The tabs that have something in them, or could have once reps come online.
fn contact_types(reps: &[Arc<LiveRep>], roster: &Roster) -> Vec<ContactType> {
    let has = |wanted: &&ContactType| match wanted {
        ContactType::Agent => !reps.is_empty(),
        ContactType::Queue => !roster.queues.is_empty(),
        ContactType::Flow => !roster.flows.is_empty(),
        ContactType::PhoneBook | ContactType::PhoneNumber => {
            roster.contacts.iter().any(|contact| listing::outside_type(contact) == **wanted)
        }
    };
    ContactType::ALL.iter().filter(has).copied().collect()
}

fn phone_number(roster: &Roster, place: ContactPosition) -> Option<&str> {
    if place.group != Group::Outside {
        return None;
    }
    roster.contacts.get(usize::try_from(place.at).ok()?)?.phone_number.as_deref()
}

/// A contact while the index is being built.
struct Entry {
    place: ContactPosition,
    name: Range<usize>,
    marks: Range<usize>,
}

/// The listed contacts with their folded names, in order.
struct Draft {
    entries: Vec<Entry>,
    folded: String,
    marks: String,
}

impl Draft {
    fn of(reps: &[Arc<LiveRep>], roster: &Roster) -> Self {
        let mut draft = Self { entries: Vec::new(), folded: String::new(), marks: String::new() };
        let mut ids = Vec::new();
        for (rep, at) in reps.iter().zip(0_u32..) {
            let id = rep.id().as_str();
            rep.see(|now| draft.add(ContactPosition { group: Group::Reps, at }, id, &now.name, &mut ids));
        }
        for (queue, at) in roster.queues.iter().zip(0_u32..) {
            draft.add(ContactPosition { group: Group::Queues, at }, queue.id.as_str(), &queue.name, &mut ids);
        }
        for (flow, at) in roster.flows.iter().zip(0_u32..) {
            draft.add(ContactPosition { group: Group::Flows, at }, flow.id.as_str(), &flow.name, &mut ids);
        }
        for (contact, at) in roster.contacts.iter().zip(0_u32..) {
            draft.add(ContactPosition { group: Group::Outside, at }, &contact.id, &contact.name, &mut ids);
        }
        draft.arrange(ids);
        draft
    }

    fn add<'a>(&mut self, place: ContactPosition, id: &'a str, name: &str, ids: &mut Vec<&'a str>) {
        let name = listing::shown_name(name, id);
        let cut = name.char_indices().nth(SEARCHED_CHARACTERS).map_or(name.len(), |(at, _)| at);
        let name = name.get(..cut).unwrap_or(name);
        let (folded, marks) = (self.folded.len(), self.marks.len());
        fold_into(name, &mut self.folded);
        marks_into(name, &mut self.marks);
        let entry = Entry { place, name: folded..self.folded.len(), marks: marks..self.marks.len() };
        self.entries.push(entry);
        ids.push(id);
    }

    /// Drops repeated ids and sorts.
    fn arrange(&mut self, ids: Vec<&str>) {
        let mut seen = HashSet::with_capacity(ids.len());
        let mut entries: Vec<(Entry, &str)> =
            std::mem::take(&mut self.entries).into_iter().zip(ids).collect();
        entries.retain(|(entry, id)| seen.insert((entry.place.group as u8, *id)));
        entries.sort_unstable_by(|(a, a_id), (b, b_id)| {
            self.name(a)
                .cmp(self.name(b))
                .then_with(|| a_id.cmp(b_id))
                .then_with(|| a.place.group.cmp(&b.place.group))
        });
        self.entries = entries.into_iter().map(|(entry, _)| entry).collect();
    }

    fn name(&self, entry: &Entry) -> &str {
        self.folded.get(entry.name.clone()).unwrap_or_default()
    }

    fn marks(&self, entry: &Entry) -> &str {
        self.marks.get(entry.marks.clone()).unwrap_or_default()
    }

    /// An empty column with room for the names of a group.
    fn column(&self, group: Group) -> Column {
        let of_group = || self.entries.iter().filter(|entry| entry.place.group == group);
        let bytes = of_group().map(|entry| entry.name.len()).sum();
        Column::with_capacity(bytes, of_group().count())
    }
}

#[async_trait]
impl Directory for Index {
    async fn contacts(&self, query: &Query) -> Result<ContactsResult, Error> {
        Ok(self.search(query))
    }
}
