//! Conferences on a partner's own messaging channel, with the partner's own routing, inside Salesforce.

pub mod events;
pub mod model;
pub mod recording;
