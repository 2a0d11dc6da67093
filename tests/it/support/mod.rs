//! What several test modules build on.

pub(crate) mod openapi;
