//! Everything that is tested from outside the crate, in one binary: it links once.

mod interaction;
mod openapi;
mod support;
