//! Conferences on a partner's own messaging channel, with the partner's own routing, inside Salesforce.

pub mod emulator;
pub mod model;
