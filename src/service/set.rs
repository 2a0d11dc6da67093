//! The channels and orgs that run now, as everybody else sees them.
//!
//! Must never start or stop anything itself. A reader gets the set as it was when they asked, and waits for
//! nobody.

use std::sync::{Arc, PoisonError, RwLock};

use super::running::RunningChannel;
use super::tokens::WatchedTokens;
use crate::model::ids::OrgId;

/// What runs. Both lists are in the order in which they were started first.
#[derive(Default)]
pub(super) struct Set {
    channels: RwLock<Arc<[RunningChannel]>>,
    orgs: RwLock<Arc<[(OrgId, WatchedTokens)]>>,
}

impl Set {
    pub(super) fn channels(&self) -> Arc<[RunningChannel]> {
        Arc::clone(&self.channels.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn orgs(&self) -> Arc<[(OrgId, WatchedTokens)]> {
        Arc::clone(&self.orgs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a channel in, in the place of the one with its key.
    pub(super) fn put(&self, running: RunningChannel) {
        change(&self.channels, |channels| {
            match channels.iter_mut().find(|known| known.key() == running.key()) {
                Some(known) => *known = running,
                None => channels.push(running),
            }
        });
    }

    /// Puts an org in, in the place of the one with its id.
    pub(super) fn put_org(&self, org: OrgId, tokens: WatchedTokens) {
        change(&self.orgs, |orgs| match orgs.iter_mut().find(|(known, _)| *known == org) {
            Some(known) => known.1 = tokens,
            None => orgs.push((org, tokens)),
        });
    }

    /// Takes out those channels of an org that are not named. Without its channels, the org goes too.
    pub(super) fn keep_of(&self, org: OrgId, names: &[Arc<str>]) {
        change(&self.channels, |channels| {
            channels.retain(|known| known.key().org != org || names.contains(&known.key().channel));
        });
        if names.is_empty() {
            change(&self.orgs, |orgs| orgs.retain(|(known, _)| *known != org));
        }
    }
}

fn change<T: Clone>(list: &RwLock<Arc<[T]>>, how: impl FnOnce(&mut Vec<T>)) {
    let mut list = list.write().unwrap_or_else(PoisonError::into_inner);
    let mut changed = list.to_vec();
    how(&mut changed);
    *list = changed.into();
}
