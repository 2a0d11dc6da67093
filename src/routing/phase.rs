//! How the status of a messaging session is read.
//!
//! Elsewhere: what a session that waits asks for, in `waiting`; what ends with one, in `on_event`.

use crate::model::words::SessionStatus;

/// Where a messaging session stands, as far as routing is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionPhase {
    /// It has no rep and does not wait for one: whoever began it routes it.
    NotRouted,
    /// It waits for a rep.
    Waiting,
    /// A rep is in it.
    WithRep,
    /// It rests: nothing is to be done until its status changes.
    Resting,
    /// Salesforce calls it broken. It is left alone, and not taken for over.
    Broken,
    /// It is over.
    Over,
}

impl SessionPhase {
    /// How a status is read.
    pub const fn of(status: SessionStatus) -> Self {
        match status {
            SessionStatus::New | SessionStatus::Consent => Self::NotRouted,
            SessionStatus::Waiting => Self::Waiting,
            SessionStatus::Active => Self::WithRep,
            SessionStatus::Inactive | SessionStatus::Paused => Self::Resting,
            SessionStatus::Error => Self::Broken,
            SessionStatus::Ended => Self::Over,
        }
    }
}
