//! The server as its handlers see it: settings, the service, and how many are let in at once.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::error::Error;
use super::limits::{IN_FLIGHT, STREAMS, VITAL_SEATS};
use super::policies::Policies;
use super::session::Checker;
use crate::config::server::{PartnerKey, ServerSettings as Settings};
use crate::service::{Reload, Service};

/// What the server is built from.
#[derive(Clone)]
pub struct Parts {
    /// Where it listens, and whom it lets in.
    pub settings: Settings,
    /// The connector.
    pub service: Service,
    /// Reads the configuration again; none where it cannot change.
    pub reload: Option<Arc<dyn Reload>>,
    /// Writes the metrics down, in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// The server. A clone is the same one.
#[derive(Clone)]
pub struct Server(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) parts: Parts,
    session: Option<Checker>,
    partner_keys: Vec<Arc<PartnerKey>>,
    pub(super) pages: Policies,
    pub(super) in_flight: Semaphore,
    pub(super) vital_in_flight: Semaphore,
    pub(super) streams: Arc<Semaphore>,
    pub(super) closing: watch::Sender<bool>,
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
        let session = Checker::new(&parts.settings, Arc::clone(parts.service.clock()))?;
        let pages = Policies::new(&parts.settings);
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

    /// Ends the event streams, which would go on for ever.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    pub(super) fn partner_keys(&self) -> &[Arc<PartnerKey>] {
        &self.0.partner_keys
    }

    pub(super) fn service(&self) -> &Service {
        &self.0.parts.service
    }

    pub(super) fn reload(&self) -> Option<&Arc<dyn Reload>> {
        self.0.parts.reload.as_ref()
    }

    pub(super) fn session(&self) -> Option<&Checker> {
        self.0.session.as_ref()
    }
}
