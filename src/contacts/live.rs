//! A rep as they are now, so that an index can stand while reps come, fill up and go.

use std::sync::{PoisonError, RwLock};

use super::listing;
use crate::model::ids::RepId;
use crate::model::roster::Rep;
use crate::model::words::Availability;

/// A rep whose presence, capacity, queues and skills may change while others look at them.
///
/// Whoever shares one sees a change at once. It is held for one look or one change, never for a search.
#[derive(Debug)]
pub struct LiveRep {
    id: RepId,
    now: RwLock<Rep>,
}

impl LiveRep {
    /// As they are to begin with.
    pub const fn new(rep: Rep) -> Self {
        Self { id: rep.id, now: RwLock::new(rep) }
    }

    /// Who it is; that never changes.
    pub const fn id(&self) -> &RepId {
        &self.id
    }

    /// Looks at them as they are now. The look should be short: a change waits for it.
    pub fn see<T>(&self, look: impl FnOnce(&Rep) -> T) -> T {
        look(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes them what they are from now on. An id other than theirs is not taken over.
    pub fn become_as(&self, rep: Rep) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Rep { id: self.id, ..rep };
    }

    /// What others see of them; none where they are not listed.
    pub(super) fn shown(&self) -> Option<Availability> {
        self.see(|rep| listing::is_listed(rep).then(|| listing::availability(rep)))
    }
}
