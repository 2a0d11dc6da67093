//! What the partner of a channel did not take: how much there is, and what an operator wants done with it.
//!
//! Must never know who asks, or what HTTP is.
//!
//! Invariant: the count is that of the store when it was last looked at, which is after everything that was given up,
//! sent again or dropped here.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::WeakUnboundedSender;

use crate::model::time::Clock;
use crate::store::{self, ChannelKey, DeadLetter, DeadLetterCount, Store, Telling, TellingId};

/// The dead letters of a channel. A clone is the same list.
#[derive(Clone)]
pub struct DeadLetters(Arc<Inner>);

struct Inner {
    key: ChannelKey,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Where what is to be told goes, as long as the channel runs.
    teller: WeakUnboundedSender<Telling>,
    counted: Mutex<DeadLetterCount>,
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeadLetters").field(&self.count()).finish()
    }
}

impl DeadLetters {
    pub(super) fn new(
        key: ChannelKey,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        teller: WeakUnboundedSender<Telling>,
    ) -> Self {
        Self(Arc::new(Inner { key, store, clock, teller, counted: Mutex::default() }))
    }

    /// How many there are, and since when. Never waits.
    pub fn count(&self) -> DeadLetterCount {
        *self.0.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts them anew. Where the store cannot be read, the last count stays.
    pub async fn look(&self) {
        if let Ok(counted) = self.0.store.count_dead_letters(&self.0.key).await {
            *self.0.counted.lock().unwrap_or_else(PoisonError::into_inner) = counted;
        }
    }

    /// At most `limit`, those first that were given up first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn all(&self, limit: usize) -> Result<Vec<DeadLetter>, store::Error> {
        self.0.store.dead_letters(&self.0.key, limit).await
    }

    /// Has one sent again, under the same id. It stays in the list until the partner has taken it. `false` where there is
    /// none of that id.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn resend(&self, id: TellingId) -> Result<bool, store::Error> {
        let Inner { key, store, clock, teller, .. } = &*self.0;
        let Some(telling) = store.resend(key, id, clock.now()).await? else { return Ok(false) };
        // A channel that has ended tells it after its next start.
        if let Some(teller) = teller.upgrade() {
            teller.send(telling).ok();
        }
        Ok(true)
    }

    /// Drops one: the partner never hears of it. `false` where there is none of that id.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn drop_one(&self, id: TellingId) -> Result<bool, store::Error> {
        let dropped = self.0.store.drop_dead_letter(&self.0.key, id).await?;
        self.look().await;
        Ok(dropped)
    }
}
