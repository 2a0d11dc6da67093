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
mod cors;
mod descriptors;
mod error;
mod health;
mod layers;
mod limits;
mod listen;
mod pages;
mod policies;
mod refused;
mod routes;
mod session;
mod socket;
mod state;
mod stream;

#[cfg(fuzzing)]
pub use api::read_bodies;
pub use body::BODY_LIMIT;
pub use descriptors::raise_descriptors;
pub use error::Error;
pub use layers::REQUEST_TIMEOUT;
pub use limits::{IN_FLIGHT, STREAMS, VITAL_SEATS};
pub use listen::{READ_WITHIN, serve, serve_vital};
pub use routes::{Caller, Endpoint};
pub(crate) use session::probe_keys;
pub use state::{Parts, Server};

pub use crate::config::server::{Exposed, Origin, PartnerKey, ServerSettings as Settings, SessionAuth};
