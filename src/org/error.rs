//! Why something of an org could not be read, in words.

/// Why no read is made for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The settings allow none at all.
    Off,
    /// As many were made within a day as the settings allow.
    Spent(u32),
    /// So many percent of the org's daily API requests are used, and the settings stop there.
    OrgNearLimit(u32),
    /// Salesforce says that the org has no API request left today.
    OrgAtLimit,
    /// The token may not use the REST API.
    NotAllowed,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("reads are off (reads_per_day is 0)"),
            Self::Spent(per_day) => write!(f, "{per_day} reads were made within a day (reads_per_day)"),
            Self::OrgNearLimit(percent) => {
                write!(f, "the org has used {percent} % of its API requests of today (reads_until_percent)")
            }
            Self::OrgAtLimit => f.write_str("the org has no API request left today"),
            Self::NotAllowed => f.write_str("the REST API rejected the token a short while ago"),
        }
    }
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No read is made for now.
    #[error("nothing is read from the org: {0}")]
    Closed(Closed),
    /// There is no token.
    #[error("there is no token: {0}")]
    NoToken(String),
    /// It could not be reached, or broke off.
    #[error("the org does not answer: {0}")]
    Unreachable(String),
    /// Salesforce does not have it, or does not show it to this user.
    #[error("the user cannot see it")]
    Hidden,
    /// The token may not use the REST API.
    #[error(
        "HTTP {0}: the REST API rejects the token: it needs the scope api in the app, and API Enabled for the user"
    )]
    NotAllowed(u16),
    /// Salesforce says no.
    #[error("HTTP {status}{}{code}", if code.is_empty() { "" } else { ": " })]
    Refused {
        /// HTTP status.
        status: u16,
        /// Salesforce's own word for it, e.g. `MALFORMED_QUERY`; empty where it said none.
        code: String,
    },
    /// The answer goes beyond a bound.
    #[error("the answer is too large: {0}")]
    TooLarge(String),
    /// It is no answer of an org.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
}
