//! What runs in this process: put together from a configuration, started, and changed while it runs.
//!
//! Knows configuration, webhooks, reps, the store's file and the service. Must never know the command line or
//! HTTP, and decides nothing about a request.
//!
//! Invariants
//! 1. A configuration is applied whole or not at all: one with a mistake leaves what runs as it is.
//! 2. An org whose settings have not changed is untouched by a change of others.
//! 3. Two changes never run at the same time.
//!
//! Elsewhere: starting, stopping and keeping alive in `service`; what differs in `difference`. Why those are two rooms is in
//! docs/architecture.md.
//!
//! A program that runs what its file says until it is told to stop:
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use byoc_connector::config::{Environment, Serving};
//! use byoc_connector::host::{Host, Prepared};
//! use byoc_connector::model::time::{Clock, SystemClock};
//!
//! # async fn told_to_stop() {}
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let read = || Serving::load(Path::new("byoc.toml"), &Environment::new());
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock);
//! let host = Host::start(Prepared::new(read()?, &clock)?, clock, Box::new(read)).await?;
//!
//! // Later: an org more, one less. What is not different goes on untouched.
//! let changed = host.apply(read()?).await?;
//! println!("{} orgs are new; {} requests are left open", changed.added.len(), changed.left_open.requests);
//!
//! told_to_stop().await;
//! host.service().stop(Duration::from_secs(10)).await;
//! # Ok(())
//! # }
//! ```

mod composition;
mod difference;
mod error;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

pub use composition::Prepared;
pub use error::Error;

use crate::config::{self, Serving};
use crate::events::quarantine::Quarantine;
use crate::model::time::Clock;
use crate::notices::Notices;
use crate::routing::LeftOpen;
use crate::service::{Difference, Plan, Reload, Service};
use crate::store::{self, Retention, Sqlite, Store};

/// Reads the configuration again, from where it was read first.
pub type Source = Box<dyn Fn() -> Result<Serving, config::Error> + Send + Sync>;

/// What runs. A clone is the same.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    service: Service,
    clock: Arc<dyn Clock>,
    source: Source,
    /// What runs was made of this.
    current: Mutex<Prepared>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("service", &self.0.service).finish_non_exhaustive()
    }
}

impl Host {
    /// Opens the store, takes up what it has, and begins to read. `source` is asked when the configuration is to be
    /// read again.
    ///
    /// # Errors
    /// Where the store cannot be used, or no file can be made beside it.
    pub async fn start(mut prepared: Prepared, clock: Arc<dyn Clock>, source: Source) -> Result<Self, Error> {
        let settings = &prepared.serving.store;
        let options = store::Options {
            path: settings.path.clone(),
            retention: Retention { outcomes: settings.outcomes, ..Retention::default() },
            max_bytes: settings.max_bytes,
        };
        let store: Arc<dyn Store> =
            Arc::new(Sqlite::open(options).await.map_err(|error| cannot_use(&settings.path, &error))?);
        let notices = Notices::default();
        prepared.webhooks.report_to(&notices, &clock);
        let aside = Quarantine::beside(&settings.path).map_err(|error| {
            Error(vec![format!(
                "store.path: cannot create a file beside {}: {error}",
                settings.path.display()
            )])
        })?;
        let orgs = std::mem::take(&mut prepared.orgs);
        let plan = Plan { orgs, store, clock: Arc::clone(&clock), notices, aside };
        let service =
            Service::start(plan).await.map_err(|error| cannot_use(&prepared.serving.store.path, &error))?;
        Ok(Self(Arc::new(Inner { service, clock, source, current: Mutex::new(prepared) })))
    }

    /// The running connector.
    pub fn service(&self) -> &Service {
        &self.0.service
    }

    /// Applies a configuration: starts the orgs that are new, stops those that are gone, replaces those that have
    /// changed, and leaves the rest alone.
    ///
    /// # Errors
    /// With every mistake in it; then nothing has changed.
    pub async fn apply(&self, serving: Serving) -> Result<Difference, Error> {
        let mut current = self.0.current.lock().await;
        let mut found = difference::difference(&current.serving, &serving);
        serving.server.check().map_err(|error| Error(vec![format!("server: {error}")]))?;
        let is_changed = |id| found.added.contains(&id) || found.replaced.contains(&id);
        let mut next = Prepared::of(serving, &self.0.clock, Some(&current), is_changed)?;
        next.webhooks.report_to(self.0.service.notices(), &self.0.clock);
        let gone = [found.removed.as_slice(), &found.replaced].concat();
        found.left_open = self.0.service.change(&gone, std::mem::take(&mut next.orgs)).await;
        // What counts from the next start only is as it was until then.
        next.serving.server = current.serving.server.clone();
        next.serving.store = current.serving.store.clone();
        *current = next;
        drop(current);
        log(&found);
        Ok(found)
    }
}

#[async_trait]
impl Reload for Host {
    async fn reload(&self) -> Result<Difference, Vec<String>> {
        let applied = match (self.0.source)() {
            Ok(serving) => self.apply(serving).await.map_err(|Error(mistakes)| mistakes),
            Err(config::Error::Mistaken { mistakes }) => {
                Err(mistakes.iter().map(ToString::to_string).collect())
            }
            Err(error) => Err(vec![error.to_string()]),
        };
        if let Err(mistakes) = &applied {
            let first = mistakes.first().map_or("", String::as_str);
            tracing::error!(
                mistakes = mistakes.len(),
                first,
                "configuration not applied; what runs is unchanged"
            );
        }
        applied
    }
}

fn log(found: &Difference) {
    let Difference { added, replaced, removed, unchanged, needs_restart, left_open } = found;
    let (added, replaced, removed) = (added.len(), replaced.len(), removed.len());
    tracing::info!(added, replaced, removed, unchanged = unchanged.len(), "configuration applied");
    if !needs_restart.is_empty() {
        let tables = needs_restart.join(", ");
        tracing::warn!(tables, "these tables have changed and count from the next start only");
    }
    if !left_open.is_nothing() {
        let LeftOpen { requests, offers, psrs, owed } = left_open;
        tracing::warn!(
            requests,
            offers,
            psrs,
            owed,
            "channels that are not configured any more leave this open at Salesforce"
        );
    }
}

fn cannot_use(path: &Path, error: &store::Error) -> Error {
    let instead = match error {
        store::Error::InUse(_) => "; stop the other one, or set another file",
        _ => "",
    };
    Error(vec![format!("store.path: {} cannot be used: {error}{instead}", path.display())])
}
