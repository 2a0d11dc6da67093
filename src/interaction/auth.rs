//! Access tokens: where they come from, and when they are replaced
//! (PROTOCOL: "Three surfaces", on the token).
//!
//! Invariants
//! 1. However many callers wait, one request for a token is under way.
//! 2. Neither a token nor a key is ever printed.
//!
//! Elsewhere: when a token counts as not taken is decided in `verdict`.

mod answer;
mod jwt;
mod refusals;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

pub use jwt::{JwtBearer, JwtSettings};
pub use refusals::{ALL as KNOWN_REFUSALS, KnownRefusal};

/// An access token. It does not print.
#[derive(Clone)]
pub struct AccessToken(Arc<SecretString>);

impl AccessToken {
    /// Takes the token as Salesforce gave it.
    pub fn new(token: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::from(token.into())))
    }

    /// The token itself, for a header or for gRPC metadata.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether it is the same token.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.expose() == other.expose()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(not shown)")
    }
}

/// Gives access tokens.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token that should be good.
    async fn token(&self) -> Result<AccessToken, Error>;

    /// Another token than this one, which Salesforce did not take.
    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken, Error>;
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The token endpoint cannot be reached, or asks to come again.
    #[error("the token endpoint is temporarily unavailable: {0}")]
    Unavailable(String),
    /// The token endpoint said no.
    #[error("{}", self.told())]
    Refused {
        /// HTTP status.
        status: u16,
        /// OAuth's error, e.g. `invalid_grant`.
        error: String,
        /// What Salesforce says about it.
        description: String,
        /// What to do about it.
        advice: String,
    },
    /// Something else than a token endpoint answered: a login page, a proxy, another host.
    #[error("{}", self.told())]
    NotAnEndpoint {
        /// HTTP status.
        status: u16,
        /// What it answered with.
        what: String,
        /// What to do about it.
        advice: String,
    },
    /// The token was not taken, and there is no other.
    #[error("the access token was rejected, and this source has no other")]
    NoOther,
    /// Token after token was not taken.
    #[error("the access token was rejected, as were the ones before it; the token is not the cause")]
    FreshNotTaken,
    /// The claims could not be signed.
    #[error("the token request could not be signed: {0}")]
    Signing(String),
}

impl Error {
    /// Whether asking again may help. A login that is refused may be granted again: the app's approval, a
    /// certificate, a user's permission are an administrator's to mend, and meanwhile nothing has been sent.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Refused { .. } | Self::NotAnEndpoint { .. })
    }

    /// What is wrong, without what to do about it.
    pub fn problem(&self) -> String {
        match self {
            Self::Refused { status, error, description, .. } => {
                let said: Vec<&str> =
                    [error.as_str(), description].into_iter().filter(|text| !text.is_empty()).collect();
                format!("the token endpoint refused (HTTP {status}): {}", said.join(": "))
            }
            Self::NotAnEndpoint { what, .. } => {
                format!("this is not Salesforce's token endpoint: {what}")
            }
            other => other.to_string(),
        }
    }

    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        match self {
            Self::Refused { advice, .. } | Self::NotAnEndpoint { advice, .. } => Some(advice),
            _ => None,
        }
    }

    fn told(&self) -> String {
        let problem = self.problem();
        self.advice().map_or_else(|| problem.clone(), |advice| format!("{problem}; {advice}"))
    }

    /// The HTTP status that came with it; 0 where none did.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Refused { status, .. } | Self::NotAnEndpoint { status, .. } => *status,
            Self::NoOther | Self::FreshNotTaken => 401,
            Self::Unavailable(_) | Self::Signing(_) => 0,
        }
    }
}

/// One token that never changes, for tests and for trying things out.
#[derive(Debug, Clone)]
pub struct FixedToken(AccessToken);

impl FixedToken {
    /// Always this token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(AccessToken::new(token))
    }
}

#[async_trait]
impl TokenSource for FixedToken {
    async fn token(&self) -> Result<AccessToken, Error> {
        Ok(self.0.clone())
    }

    async fn refresh(&self, _rejected: &AccessToken) -> Result<AccessToken, Error> {
        Err(Error::NoOther)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_print() {
        let token = FixedToken::new("00Dhush!secret");
        assert_eq!(format!("{token:?}"), "FixedToken(AccessToken(not shown))");
        assert!(!format!("{token:#?}").contains("secret"));
    }
}
