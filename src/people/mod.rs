//! The live roster: the configured reps, and what has been told of them since.
//!
//! It finds reps for offers ([`RepFinder`]) and lists whom a rep can pick ([`Directory`]). A rep's capacity
//! is what the configuration and the partner's backend say: an offer does not count until somebody tells so,
//! for what it takes is decided in Salesforce, which does not report it.
//!
//! Queues, flows and outside contacts are the configuration's and stay as they are.
//!
//! Invariants
//! 1. A change is seen by the next search for a rep. In the contact list, presence, capacity and a rep's
//!    going are seen at once too; a new rep or a new name once the list has been rebuilt, see
//!    [`People::listed`].
//! 2. Of reps who are equally good, the one who was found the longest ago is found.
//! 3. A search never waits for another, and no change waits for the contact list.
//! 4. There are never more than [`MAX_REPS`] reps, and none is larger than [`RepChange`] allows.
//!
//! Elsewhere: who is good for an offer in `rep_finder`, the search for contacts in `contacts`.

mod change;
mod list;
mod slots;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use change::{Error, MAX_REPS, RepChange};

use crate::connector::{FindError, RepFinder};
use crate::contacts::{self, Directory, Query};
use crate::model::contact::ContactsResult;
use crate::model::ids::{QueueId, RepId};
use crate::model::rep_query::RepQuery;
use crate::model::roster::{Rep, Roster};
use crate::model::words::Availability;
use crate::rep_finder::Choice;
use list::List;
use slots::Slots;

/// What can be configured about the people: the table `[people]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which of several reps gets an offer.
    pub choice: Choice,
}

/// The live roster. A clone is the same people.
#[derive(Clone)]
pub struct People(Arc<Inner>);

struct Inner {
    choice: Choice,
    slots: RwLock<Slots>,
    /// The queues that name their reps themselves, by rep.
    named_by: HashMap<RepId, Vec<QueueId>>,
    list: Arc<List>,
}

impl People {
    /// The people of a roster. Takes as long as an index over all of its contacts takes to build.
    ///
    /// A queue that names its reps is from here on one of those reps' own queues.
    pub fn new(mut roster: Roster, choice: Choice) -> Self {
        let mut named_by = HashMap::<RepId, Vec<QueueId>>::new();
        for queue in &roster.queues {
            for rep in &queue.reps {
                named_by.entry(*rep).or_default().push(queue.id);
            }
        }
        let mut slots = Slots::default();
        for mut rep in std::mem::take(&mut roster.reps) {
            let named = named_by.get(&rep.id).into_iter().flatten().copied();
            rep.queues = without_repeats(rep.queues.iter().copied().chain(named));
            slots.put(rep);
        }
        let list = List::new(slots.live(), Arc::new(roster));
        Self(Arc::new(Inner { choice, slots: RwLock::new(slots), named_by, list }))
    }

    /// Everybody, in the order of their ids.
    pub fn reps(&self) -> Vec<Rep> {
        let everybody = self.read(Slots::everybody);
        let mut reps: Vec<Rep> = everybody.iter().map(|slot| slot.live().see(Rep::clone)).collect();
        reps.sort_unstable_by_key(|rep| rep.id);
        reps
    }

    /// One rep as they are now.
    pub fn get(&self, rep: RepId) -> Option<Rep> {
        self.read(|slots| slots.get(rep).map(|slot| slot.live().see(Rep::clone)))
    }

    /// Changes what is said of a rep, and gives them as they are then.
    ///
    /// A rep who is not there is added, if their availability is among what is said; the rest is then as the
    /// configuration has it for a rep of whom nothing else is said, and they serve the queues that name them.
    ///
    /// # Errors
    /// Where a value cannot be, where a rep who is not there comes without availability, or where there are
    /// as many reps as there may be. Nothing is changed then.
    pub fn set(&self, rep: RepId, change: RepChange) -> Result<Rep, Error> {
        change.check()?;
        let mut slots = self.0.slots.write().unwrap_or_else(PoisonError::into_inner);
        let before = slots.get(rep).map(|slot| slot.live().see(Rep::clone));
        let is_new = before.is_none();
        let mut now = match before {
            Some(known) => known,
            None if change.availability.is_none() => return Err(Error::NotThere { rep }),
            None if slots.len() >= MAX_REPS => return Err(Error::Full),
            None => Rep { queues: self.0.named_by.get(&rep).cloned().unwrap_or_default(), ..Rep::named(rep) },
        };
        let is_renamed = change.name.as_ref().is_some_and(|name| *name != now.name);
        change.apply(&mut now);
        now.queues = without_repeats(now.queues.iter().copied());
        slots.put(now.clone());
        drop(slots);
        if is_new || is_renamed {
            self.relist();
        }
        Ok(now)
    }

    /// Takes a rep out, and gives them as they were; none where they were not there.
    pub fn remove(&self, rep: RepId) -> Option<Rep> {
        let slot = self.0.slots.write().unwrap_or_else(PoisonError::into_inner).take(rep)?;
        let gone = slot.live().see(Rep::clone);
        // The list may still have them.
        slot.live().become_as(Rep { availability: Availability::Offline, ..gone.clone() });
        self.relist();
        Some(gone)
    }

    /// Returns when the contact list has every change that was made before.
    pub async fn listed(&self) {
        self.0.list.is_new().await;
    }

    fn relist(&self) {
        let people = self.clone();
        self.0.list.renew(move || people.read(Slots::live));
    }

    fn read<T>(&self, look: impl FnOnce(&Slots) -> T) -> T {
        look(&self.0.slots.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl RepFinder for People {
    async fn find(&self, query: &RepQuery) -> Result<Vec<RepId>, FindError> {
        let (candidates, turns) = self.read(|slots| (slots.candidates(query), slots.turns()));
        Ok(slots::best(&candidates, &turns, self.0.choice, query))
    }
}

#[async_trait]
impl Directory for People {
    async fn contacts(&self, query: &Query) -> Result<ContactsResult, contacts::Error> {
        Ok(self.0.list.index().search(query))
    }
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reps = self.read(Slots::len);
        f.debug_struct("People").field("reps", &reps).field("choice", &self.0.choice).finish_non_exhaustive()
    }
}

fn without_repeats(queues: impl Iterator<Item = QueueId>) -> Vec<QueueId> {
    let mut seen = std::collections::HashSet::new();
    queues.filter(|queue| seen.insert(*queue)).collect()
}
