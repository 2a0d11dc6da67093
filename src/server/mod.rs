//! The connector's own HTTP server: the page that Salesforce loads into a rep's browser and its API, what
//! the partner's backend brings, what an operator looks at. `openapi/connector.yaml` describes all of it.
//!
//! Knows HTTP, who may call what, and the service behind it. It must never decide anything about a request.
//!
//! Invariants
//! 1. Every error is JSON that names what was wrong, where, and what would be right; nothing that is sent
//!    here makes it panic.
//! 2. Nothing that comes from outside is unbounded: not a body, nor a header, nor a wait, nor how many are
//!    served at once.
//! 3. No secret and nothing about a person is logged.
//!
//! Elsewhere: settings in `config`, what the page does in `console`.

mod access;
mod api;
mod body;
mod descriptors;
mod health;
mod layers;
mod listen;
mod pages;
mod refused;
mod routes;
mod session;
mod socket;
mod stream;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use tokio::sync::{Semaphore, watch};

#[cfg(fuzzing)]
pub use api::read_bodies;
pub use body::BODY_LIMIT;
pub use descriptors::raise_descriptors;
pub use layers::{IN_FLIGHT, REQUEST_TIMEOUT};
pub use listen::{READ_WITHIN, VITAL_SEATS, serve, serve_vital};
pub use routes::{Caller, Endpoint};
pub(crate) use session::probe_keys;
pub use stream::STREAMS;

pub use crate::config::server::{Exposed, Origin, PartnerKey, ServerSettings as Settings, SessionAuth};
use crate::service::Service;

/// What the server is built from.
#[derive(Clone)]
pub struct Parts {
    /// Where it listens, and whom it lets in.
    pub settings: Settings,
    /// The connector.
    pub service: Service,
    /// Writes the metrics down, in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It would be open to the world.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The identity provider cannot be asked at this URL.
    #[error("session_jwks_url {problem}")]
    Jwks {
        /// What is wrong with it.
        problem: String,
    },
}

/// The server. A clone is the same one.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    parts: Parts,
    session: Option<session::Checker>,
    partner_keys: Vec<Arc<PartnerKey>>,
    pages: pages::Policies,
    in_flight: Semaphore,
    vital_in_flight: Semaphore,
    streams: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("settings", &self.0.parts.settings).finish_non_exhaustive()
    }
}

impl Server {
    /// Checks the settings. Nothing is bound, and nobody asked, yet.
    ///
    /// # Errors
    /// Where it would be open to the world, or the identity provider's URL is none.
    pub fn new(parts: Parts) -> Result<Self, Error> {
        parts.settings.check()?;
        let session = session::Checker::new(&parts.settings, Arc::clone(parts.service.clock()))?;
        let pages = pages::Policies::new(&parts.settings);
        let partner_keys = parts.settings.partner_keys.iter().cloned().map(Arc::new).collect();
        Ok(Self(Arc::new(Inner {
            parts,
            session,
            partner_keys,
            pages,
            in_flight: Semaphore::new(IN_FLIGHT),
            vital_in_flight: Semaphore::new(VITAL_SEATS),
            streams: Arc::new(Semaphore::new(STREAMS)),
            closing: watch::Sender::new(false),
        })))
    }

    /// Everything, with an answer for whatever else is asked.
    pub fn router(&self) -> Router {
        layers::around(self, routes::router(self.settings()).fallback(refused::nothing_here))
    }

    /// Every endpoint, and for whom it is: what the router is built from.
    pub fn endpoints() -> Vec<Endpoint> {
        routes::endpoints()
    }

    /// Health and numbers alone, for whoever has come when all other seats were taken.
    fn vital_router(&self) -> Router {
        layers::around(self, routes::vital().fallback(refused::no_seat))
    }

    /// The routes alone, to be merged with others.
    pub fn routes(&self) -> Router {
        layers::around(self, routes::router(self.settings()))
    }

    /// Ends the event streams, which would go on for ever.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    fn partner_keys(&self) -> &[Arc<PartnerKey>] {
        &self.0.partner_keys
    }

    fn service(&self) -> &Service {
        &self.0.parts.service
    }

    fn session(&self) -> Option<&session::Checker> {
        self.0.session.as_ref()
    }
}
