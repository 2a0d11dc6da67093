//! Why there is no server.

use crate::config::server::Exposed;

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
