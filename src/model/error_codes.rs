//! Salesforce's error codes: what each one means in our words, whether another try is worth it, and
//! what an operator should do.
//!
//! Knows the numbers and nothing of HTTP. Salesforce adds codes, so any number is an [`ErrorCode`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A code of the Interaction Service's error body, known here or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// Salesforce failed, and says no more than that.
    pub const INTERNAL: Self = Self(500);
    /// The access token is not taken.
    pub const TOKEN_NOT_VALID: Self = Self(10004);
    /// An offer without a PSR names both capacities, or neither.
    pub const ONE_CAPACITY: Self = Self(10013);
    /// A header is missing or malformed.
    pub const HEADER_NOT_VALID: Self = Self(10016);
    /// The org is being migrated and takes no changes for now.
    pub const READ_ONLY: Self = Self(10019);
    /// A flow without its fallback queue, or the other way round.
    pub const FLOW_NEEDS_FALLBACK: Self = Self(10024);
    /// Both a flow and a queue to route by.
    pub const FLOW_OR_QUEUE: Self = Self(10030);
    /// A routing result that succeeded came with an error message.
    pub const MESSAGE_WITH_SUCCESS: Self = Self(10033);
    /// A routing result that failed came without an error message.
    pub const MESSAGE_MISSING: Self = Self(10034);
    /// The conversation was in another state than Salesforce expected.
    pub const PRECONDITION_FAILED: Self = Self(10055);
    /// Salesforce stopped in the middle of the conversation's work.
    pub const ABORTED: Self = Self(10056);
    /// There is no such session.
    pub const SESSION_NOT_FOUND: Self = Self(10071);
    /// There is no such agent work.
    pub const WORK_NOT_VALID: Self = Self(10082);
    /// Something behind the Interaction Service took too long.
    pub const DOWNSTREAM_TIMEOUT: Self = Self(10094);
    /// The rep already holds an open offer of that work item.
    pub const OFFER_EXISTS: Self = Self(15109);
    /// There is no messaging session of that work item id.
    pub const WORK_ITEM_NOT_FOUND: Self = Self(15111);

    /// Whether the same call may be carried out if it is made again (PROTOCOL: "Failures of a call").
    pub const fn retry(self) -> bool {
        matches!(
            self,
            Self::READ_ONLY
                | Self::PRECONDITION_FAILED
                | Self::ABORTED
                | Self::DOWNSTREAM_TIMEOUT
                | Self::INTERNAL
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
