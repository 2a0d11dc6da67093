//! The schemas that events name, each asked for once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::avro::{EventSchema, Unreadable};

/// A schema, or what is wrong with its text: that is the same for ever.
pub(super) type Known = Arc<Result<EventSchema, Unreadable>>;

/// A schema's id names its text for ever, so nothing here ages.
#[derive(Debug, Default)]
pub(super) struct Schemas(Mutex<HashMap<String, Arc<OnceCell<Known>>>>);

impl Schemas {
    /// The schema of that id. However many wait for it, one of them fetches it; where that fails, the next.
    pub(super) async fn get<E, F: Future<Output = Result<Result<EventSchema, Unreadable>, E>>>(
        &self,
        id: &str,
        fetch: impl FnOnce() -> F,
    ) -> Result<Known, E> {
        let cell = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(id.to_owned()).or_default())
        };
        let schema = cell.get_or_try_init(async || fetch().await.map(Arc::new)).await?;
        Ok(Arc::clone(schema))
    }
}

/// How many schemas are remembered that were waited for in vain. An org has a handful of schemas.
const GIVEN_UP_KEPT: usize = 256;

/// The schemas that were waited for in vain, so that each event of one does not wait as long again.
#[derive(Debug, Default)]
pub(super) struct SchemaWaits(HashMap<String, (Instant, Known)>);

impl SchemaWaits {
    /// Why that one was given up, if it was asked for less than `lately` ago: else it is time to ask again.
    pub(super) fn given_up(&self, id: &str, lately: Duration) -> Option<Known> {
        let (asked, known) = self.0.get(id)?;
        (asked.elapsed() < lately).then(|| Arc::clone(known))
    }

    /// Whether that one was given up before.
    pub(super) fn is_known(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// It is there after all.
    pub(super) fn there(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// It was asked for just now, in vain.
    pub(super) fn give_up(&mut self, id: &str, why: Unreadable) -> Known {
        if self.0.len() >= GIVEN_UP_KEPT {
            self.0.clear();
        }
        let known: Known = Arc::new(Err(why));
        self.0.insert(id.to_owned(), (Instant::now(), Arc::clone(&known)));
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn however_many_wait_a_schema_is_fetched_once() {
        let schemas = Schemas::default();
        let fetched = Cell::new(0);
        let get = || {
            schemas.get("a", async || {
                fetched.set(fetched.get() + 1);
                tokio::task::yield_now().await;
                Ok::<_, ()>(EventSchema::parse(r#""string""#))
            })
        };
        let (one, two, three) = tokio::join!(get(), get(), get());
        assert!([one, two, three].iter().all(|schema| schema.as_ref().is_ok_and(|it| it.is_ok())));
        assert_eq!(fetched.get(), 1);
    }

    #[tokio::test]
    async fn a_failed_fetch_is_made_again_and_a_bad_schema_is_not() {
        let schemas = Schemas::default();
        assert_eq!(schemas.get("a", async || Err("unavailable")).await.unwrap_err(), "unavailable");
        let bad = schemas.get("a", async || Ok::<_, ()>(EventSchema::parse("{}"))).await.unwrap();
        assert!(bad.is_err());
        let again = schemas.get("a", async || Err("asked again")).await.unwrap();
        assert!(again.is_err());
    }
}
