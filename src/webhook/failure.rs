//! Why a webhook has not answered, and whether it may answer later.

use std::time::Duration;

/// Why a webhook has not answered. Says nothing of what was asked or answered: that is about people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// It could not be reached, or took too long.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// It answered with something else than 2xx.
    #[error("HTTP {status}{}", hint(*.status))]
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Its answer is larger than any answer is.
    #[error("invalid answer: larger than {0} bytes (see webhooks.yaml)")]
    TooLarge(usize),
    /// Its answer is not the JSON that it should be.
    #[error("invalid answer: {0} (see webhooks.yaml)")]
    Invalid(String),
}

fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => "; redirects are not followed, because that would send the secret along",
        401 | 403 => "; check that it has the same secret",
        _ => "",
    }
}

/// A longer wish to be left alone than this is a mistake of the webhook's, and none is taken from it.
const LONGEST_WISH: Duration = Duration::from_secs(24 * 60 * 60);

impl Failure {
    /// Whether the same request may be answered later.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Status { status, .. } => matches!(*status, 408 | 409 | 425 | 429 | 500..),
            Self::TooLarge(_) | Self::Invalid(_) => false,
        }
    }

    /// One of a few words, for numbers.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "no answer",
            Self::Status { .. } => "status",
            Self::TooLarge(_) | Self::Invalid(_) => "invalid answer",
        }
    }

    /// What is wrong with an answer, without the words that say that it is one.
    pub(super) fn what(&self) -> String {
        let text = self.to_string();
        text.strip_prefix("invalid answer: ").map_or(text.clone(), str::to_owned)
    }

    /// How long the webhook asks to be left alone, where that can be meant.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::Status { retry_after: Some(wish), .. } if *wish <= LONGEST_WISH => *wish,
            _ => Duration::ZERO,
        }
    }
}
