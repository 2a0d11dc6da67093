//! What several test modules build on.

pub(crate) mod books;
pub(crate) mod openapi;
pub(crate) mod replaying;
pub(crate) mod scenario;
pub(crate) mod turns;
