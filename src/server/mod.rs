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
mod health;
mod layers;
mod listen;
mod pages;
mod refused;
mod session;
mod stream;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post, put};
use tokio::sync::{Semaphore, watch};

pub use body::BODY_LIMIT;
pub use layers::{IN_FLIGHT, REQUEST_TIMEOUT};
pub use listen::serve;
pub(crate) use session::probe_keys;
pub use stream::STREAMS;

pub use crate::config::server::{Exposed, Origin, ServerSettings as Settings, SessionAuth};
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
    pages: pages::Policies,
    in_flight: Semaphore,
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
        Ok(Self(Arc::new(Inner {
            parts,
            session,
            pages,
            in_flight: Semaphore::new(IN_FLIGHT),
            streams: Arc::new(Semaphore::new(STREAMS)),
            closing: watch::Sender::new(false),
        })))
    }

    /// Everything, with an answer for whatever else is asked.
    pub fn router(&self) -> Router {
        layers::around(self, self.bare_routes().fallback(refused::nothing_here))
    }

    /// The routes alone, to be merged with others.
    pub fn routes(&self) -> Router {
        layers::around(self, self.bare_routes())
    }

    /// Ends the event streams, which would go on for ever.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    fn bare_routes(&self) -> Router<Self> {
        let page = Router::new()
            .route("/v1/session", get(api::session))
            .route("/v1/contacts", post(api::contacts))
            .route("/v1/agent-work", post(api::agent_work))
            .route("/v1/presence", post(api::presence))
            .method_not_allowed_fallback(refused::other_method)
            .layer(layers::cors(self.settings()));
        Router::new()
            .route("/v1/events", post(api::events))
            .route("/v1/reps", get(api::reps))
            .route("/v1/reps/{id}", put(api::change_rep).delete(api::remove_rep))
            .route("/v1/routing-requests", get(api::requests))
            .route("/v1/routing-requests/{id}", get(api::request))
            .route("/v1/stream", get(stream::stream))
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .route("/metrics", get(health::metrics))
            .route("/", get(pages::operator))
            .route("/operator.js", get(pages::operator_js))
            .route("/operator.css", get(pages::operator_css))
            .route("/connector", get(pages::connector))
            .route("/connector/connector.js", get(pages::connector_js))
            .route("/connector/connector.css", get(pages::connector_css))
            .method_not_allowed_fallback(refused::other_method)
            .merge(page)
    }

    fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    fn service(&self) -> &Service {
        &self.0.parts.service
    }

    fn session(&self) -> Option<&session::Checker> {
        self.0.session.as_ref()
    }
}
