//! Why a session token is not taken.

/// Why a session token is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::server) enum BadToken {
    #[error("the session token is not a signed JWT")]
    NotAToken,
    #[error("the session token is signed with another algorithm; {0} is expected")]
    Algorithm(&'static str),
    #[error("the session token is signed with a key that is not among the identity provider's")]
    UnknownKey,
    #[error("the session token's signature is wrong")]
    Signature,
    #[error("the session token has expired")]
    Expired,
    #[error("the session token is not valid yet")]
    NotYet,
    #[error("the session token is for another audience")]
    Audience,
    #[error("the session token is from another issuer")]
    Issuer,
    #[error("the session token has no valid {0}")]
    Claim(String),
    #[error("the identity provider's keys cannot be fetched: {0}")]
    NoKeys(String),
}

impl BadToken {
    /// The claim, or the part of the header, that is to blame.
    pub(in crate::server) fn field(&self) -> Option<&str> {
        match self {
            Self::Algorithm(_) => Some("alg"),
            Self::UnknownKey => Some("kid"),
            Self::Expired => Some("exp"),
            Self::NotYet => Some("nbf"),
            Self::Audience => Some("aud"),
            Self::Issuer => Some("iss"),
            Self::Claim(claim) => Some(claim),
            Self::NotAToken | Self::Signature | Self::NoKeys(_) => None,
        }
    }
}
