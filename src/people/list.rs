//! The contact list, rebuilt behind everybody's back when somebody is new, gone or called differently.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::contacts::{Index, LiveRep};
use crate::model::roster::Roster;

/// How long changes are collected before the list is rebuilt. A rebuild that takes longer is waited for as
/// long as it took, so that a partner who adds reps without end costs half a core and no more.
const COLLECT: Duration = Duration::from_millis(100);

/// The list, and who keeps it.
#[derive(Debug)]
pub(super) struct List {
    places: Arc<Roster>,
    index: RwLock<Arc<Index>>,
    work: Mutex<Work>,
    /// The last of the changes that the list has.
    has: watch::Sender<u64>,
}

/// What has to be done.
#[derive(Debug, Default)]
struct Work {
    /// How many changes there have been.
    changes: u64,
    is_under_way: bool,
}

impl List {
    pub(super) fn new(reps: Vec<Arc<LiveRep>>, places: Arc<Roster>) -> Arc<Self> {
        let index = RwLock::new(Arc::new(Index::among(reps, Arc::clone(&places))));
        Arc::new(Self { places, index, work: Mutex::default(), has: watch::Sender::default() })
    }

    pub(super) fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns when every change so far is in the list.
    pub(super) async fn is_new(&self) {
        let wanted = self.work().changes;
        // The sender lives as long as `self` does.
        self.has.subscribe().wait_for(|has| *has >= wanted).await.ok();
    }

    /// Says that somebody is new, gone or called differently; `reps` are all there are, when asked.
    ///
    /// The rebuild has a thread of its own, for it keeps a core busy for as long as it takes.
    pub(super) fn renew(self: &Arc<Self>, reps: impl Fn() -> Vec<Arc<LiveRep>> + Send + 'static) {
        let mut work = self.work();
        work.changes = work.changes.saturating_add(1);
        if work.is_under_way {
            return;
        }
        let list = Arc::clone(self);
        let started = thread::Builder::new().name("contact list".to_owned());
        match started.spawn(move || list.keep_up(&reps)) {
            Ok(_) => work.is_under_way = true,
            Err(error) => tracing::error!(%error, "the contact list is behind until somebody else changes"),
        }
    }

    /// Rebuilds until there is nothing new.
    fn keep_up(&self, reps: &impl Fn() -> Vec<Arc<LiveRep>>) {
        let mut pause = COLLECT;
        loop {
            thread::sleep(pause);
            let changes = self.work().changes;
            let began = Instant::now();
            let index = Arc::new(Index::among(reps(), Arc::clone(&self.places)));
            let old = {
                let mut place = self.index.write().unwrap_or_else(PoisonError::into_inner);
                std::mem::replace(&mut *place, index)
            };
            drop(old);
            pause = began.elapsed().max(COLLECT);
            self.has.send_replace(changes);
            let mut work = self.work();
            if work.changes == changes {
                work.is_under_way = false;
                return;
            }
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
