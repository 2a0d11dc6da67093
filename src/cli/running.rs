//! The HTTP server before a host: the same for `serve` and `demo`.

use std::sync::Arc;

use super::Error;
use crate::config::server::ServerSettings;
use crate::host::{self, Host};
use crate::server::{Parts, Server};
use crate::telemetry::Numbers;

/// Begins to count; before anything starts, so that nothing goes uncounted. Must be called within a runtime.
pub(super) fn numbers() -> Result<Numbers, Error> {
    Numbers::begin().map_err(Error::new)
}

/// The HTTP server before a host.
pub(super) fn server(settings: &ServerSettings, host: &Host, numbers: Numbers) -> Result<Server, Error> {
    let metrics = Arc::new(move || numbers.render());
    let parts = Parts {
        settings: settings.clone(),
        service: host.service().clone(),
        reload: Some(Arc::new(host.clone())),
        metrics,
    };
    Server::new(parts).map_err(|error| Error::new(format_args!("server: {error}")))
}

impl From<host::Error> for Error {
    fn from(error: host::Error) -> Self {
        Self::several(error.0)
    }
}
