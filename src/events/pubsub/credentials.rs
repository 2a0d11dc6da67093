//! The port: where access tokens come from.

use async_trait::async_trait;
use secrecy::SecretString;

/// Gives access tokens. To be written over whatever source of tokens the calls have as well, so that both
/// share one.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// A token that should be good.
    async fn token(&self) -> Result<SecretString, NoToken>;

    /// Another token than this one, which Salesforce did not take.
    async fn refresh(&self, rejected: &SecretString) -> Result<SecretString, NoToken>;
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no access token: {0}")]
pub struct NoToken(pub String);
