//! What several tests need: builders, and checks that hold everywhere.

pub(crate) mod scenario;
