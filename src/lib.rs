//! Conferences on a partner's own messaging channel, with the partner's own routing, inside Salesforce.

#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod contacts;
pub mod emulator;
pub mod events;
pub mod interaction;
pub mod model;
pub mod recording;
pub mod rep_finder;
pub mod replay;
pub mod routing;
