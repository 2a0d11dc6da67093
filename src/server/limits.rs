//! How many are served at once.

/// How many requests are worked on at once; whoever comes beyond is told to come back.
pub const IN_FLIGHT: usize = 512;

/// How many connections are accepted where all other seats are taken, for health and numbers.
pub const VITAL_SEATS: usize = 64;

/// How many may watch at once.
pub const STREAMS: usize = 64;
