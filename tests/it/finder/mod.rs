//! A router that fails: what a request makes of it, and where it is shown.

mod fails;
#[cfg(feature = "pubsub")]
mod readiness;
