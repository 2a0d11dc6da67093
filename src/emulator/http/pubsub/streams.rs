//! What becomes of the streams: how they end, and how many there were.

use serde::Serialize;

/// How the open streams are to end.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulator::http) enum StreamEnd {
    Quietly,
    Unavailable,
}

/// What became of the streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StreamCounts {
    /// How many are open.
    pub open: u64,
    /// How many were begun.
    pub begun: u64,
    /// How many events went out, the same one to two subscribers counted twice.
    pub delivered: u64,
    /// How often a schema was asked for.
    #[serde(rename = "schemasAsked")]
    pub schemas_asked: u64,
}
