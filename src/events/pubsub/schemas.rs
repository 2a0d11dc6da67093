//! The schemas that events name, each asked for once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::avro::{EventSchema, Unreadable};

/// A schema, or why there is none: it will be no better when it is asked for again.
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
