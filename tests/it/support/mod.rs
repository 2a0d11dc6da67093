//! What several test modules build on.

pub(crate) mod books;
pub(crate) mod calls;
#[cfg(feature = "cli")]
pub(crate) mod log;
pub(crate) mod openapi;
pub(crate) mod panicking;
pub(crate) mod replaying;
pub(crate) mod scenario;
#[cfg(feature = "emulator")]
pub(crate) mod served;
pub(crate) mod turns;
