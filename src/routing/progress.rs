//! How far each step of a request has come: its PSR, its search for reps, its routing result.

use serde::{Deserialize, Serialize};

use crate::model::ids::PsrId;
use crate::model::time::Timestamp;
use crate::model::words::CancelReason;

/// A command that was given and is not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct InFlight {
    pub(super) number: u16,
    pub(super) give_up_at: Timestamp,
}

/// Where the PSR stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum Route {
    /// This request needs no PSR.
    NotNeeded,
    /// To be asked for.
    Wanted,
    /// Asked for.
    Asked(InFlight),
    /// There.
    Made(Option<PsrId>),
    /// Perhaps there: the answer was lost.
    MayExist,
    /// Being cleared.
    Clearing(InFlight, CancelReason),
    /// To be cleared, and could not be yet.
    ClearOwed(CancelReason),
    /// Not there: refused, taken up by the rep who joined, or cleared.
    Gone,
}

/// Where the search for reps stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum Search {
    /// Not going on.
    Idle { dropped: u8 },
    /// Going on.
    Asked { call: InFlight, dropped: u8, limit: usize },
    /// To be asked again then, for the router failed.
    Waiting { until: Timestamp, dropped: u8 },
    /// Nobody is left for what was asked; when an offer ends, it is worth asking again.
    Exhausted,
}

/// Where the routing result stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) enum ReportState {
    /// Salesforce still waits for it.
    Due,
    /// On its way.
    Sent { call: InFlight, success: bool },
    /// Given.
    Given { success: bool },
    /// Not needed, or too late.
    Withheld,
}
