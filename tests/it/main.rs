//! Everything that is tested from outside the crate, in one binary: it links once.

mod contacts;
mod recordings;
mod routing;
mod routing_properties;
mod support;
