//! The reps by id, by queue and by skill, and the best of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::contacts::LiveRep;
use crate::model::ids::{QueueId, RepId, SkillId};
use crate::model::rep_query::RepQuery;
use crate::model::roster::Rep;
use crate::rep_finder::{Choice, can_take};

/// A rep, and when they were found last.
#[derive(Debug)]
pub(super) struct Slot {
    live: Arc<LiveRep>,
    /// The turn of the search that found them last; 0 while none has.
    found: AtomicU64,
}

impl Slot {
    pub(super) fn live(&self) -> &LiveRep {
        &self.live
    }
}

/// Reps who have something in common. Whoever searches shares it, and a change makes another where it must.
type Group = Arc<Vec<Arc<Slot>>>;

/// All reps.
#[derive(Debug, Default)]
pub(super) struct Slots {
    by_id: HashMap<RepId, Arc<Slot>>,
    all: Group,
    by_queue: HashMap<QueueId, Group>,
    by_skill: HashMap<SkillId, Group>,
    turns: Arc<AtomicU64>,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, rep: RepId) -> Option<&Arc<Slot>> {
        self.by_id.get(&rep)
    }

    pub(super) fn everybody(&self) -> Group {
        Arc::clone(&self.all)
    }

    pub(super) fn live(&self) -> Vec<Arc<LiveRep>> {
        self.all.iter().map(|slot| Arc::clone(&slot.live)).collect()
    }

    /// Counts the searches, so that it is known who was found the longest ago.
    pub(super) fn turns(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.turns)
    }

    /// Takes a rep in, or makes them what they are now.
    pub(super) fn put(&mut self, rep: Rep) {
        let (slot, before) = match self.by_id.entry(rep.id) {
            Entry::Occupied(known) => {
                let slot = Arc::clone(known.get());
                let before = slot.live.see(|rep| (rep.queues.clone(), skills(rep)));
                (slot, before)
            }
            Entry::Vacant(free) => {
                let live = Arc::new(LiveRep::new(rep.clone()));
                let slot = Arc::new(Slot { live, found: AtomicU64::new(0) });
                free.insert(Arc::clone(&slot));
                Arc::make_mut(&mut self.all).push(Arc::clone(&slot));
                (slot, (Vec::new(), Vec::new()))
            }
        };
        regroup(&mut self.by_queue, &slot, &before.0, &rep.queues);
        regroup(&mut self.by_skill, &slot, &before.1, &skills(&rep));
        slot.live.become_as(rep);
    }

    /// Takes a rep out.
    pub(super) fn take(&mut self, rep: RepId) -> Option<Arc<Slot>> {
        let slot = self.by_id.remove(&rep)?;
        let (queues, skills) = slot.live.see(|rep| (rep.queues.clone(), skills(rep)));
        regroup(&mut self.by_queue, &slot, &queues, &[]);
        regroup(&mut self.by_skill, &slot, &skills, &[]);
        leave(&mut self.all, &slot);
        Some(slot)
    }

    /// The smallest group that holds everybody who can be meant.
    pub(super) fn candidates(&self, query: &RepQuery) -> Group {
        let queue = query.queue_id.iter().map(|queue| self.by_queue.get(queue));
        let skills = query.skills.iter().map(|skill| self.by_skill.get(&skill.id));
        let least = queue.chain(skills).min_by_key(|group| group.map_or(0, |group| group.len()));
        match least {
            Some(group) => group.cloned().unwrap_or_default(),
            None => Arc::clone(&self.all),
        }
    }
}

/// The best of the candidates, as many as are wanted, the very best first. It is their turn now: whoever is
/// as good and was found longer ago comes first the next time.
pub(super) fn best(
    candidates: &[Arc<Slot>],
    turns: &AtomicU64,
    choice: Choice,
    query: &RepQuery,
) -> Vec<RepId> {
    let standing = |slot: &Arc<Slot>, rep: &Rep| {
        let serves = query.queue_id.is_none_or(|queue| rep.queues.contains(&queue));
        (serves && can_take(rep, query))
            .then(|| (choice.rank(rep), slot.found.load(Ordering::Relaxed), rep.id))
    };
    let able = candidates.iter().zip(0_usize..);
    let mut able: Vec<_> =
        able.filter_map(|(slot, at)| Some((slot.live.see(|rep| standing(slot, rep))?, at))).collect();
    if query.limit < able.len() {
        able.select_nth_unstable(query.limit);
        able.truncate(query.limit);
    }
    able.sort_unstable();
    for slot in able.iter().filter_map(|(_, at)| candidates.get(*at)) {
        slot.found.store(turns.fetch_add(1, Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }
    able.into_iter().map(|((_, _, rep), _)| rep).collect()
}

fn skills(rep: &Rep) -> Vec<SkillId> {
    let mut skills: Vec<SkillId> = rep.skills.iter().map(|skill| skill.id.clone()).collect();
    skills.sort_unstable();
    skills.dedup();
    skills
}

/// Takes a rep out of the groups that they are no longer of, and into those that they are of now.
fn regroup<K: Hash + Eq + Clone>(groups: &mut HashMap<K, Group>, slot: &Arc<Slot>, before: &[K], now: &[K]) {
    for key in before.iter().filter(|key| !now.contains(key)) {
        if let Entry::Occupied(mut group) = groups.entry(key.clone()) {
            leave(group.get_mut(), slot);
            if group.get().is_empty() {
                group.remove();
            }
        }
    }
    for key in now.iter().filter(|key| !before.contains(key)) {
        Arc::make_mut(groups.entry(key.clone()).or_default()).push(Arc::clone(slot));
    }
}

fn leave(group: &mut Group, slot: &Arc<Slot>) {
    if let Some(at) = group.iter().position(|member| Arc::ptr_eq(member, slot)) {
        Arc::make_mut(group).swap_remove(at);
    }
}
