//! Conferences on a partner's own messaging channel, with the partner's own routing, inside Salesforce.
//!
//! The core is [`routing`]: a state machine of one conversation that is fed what happened and says what to
//! do, without I/O. Around it stand [`events`], which understands what Salesforce sends, and
//! [`interaction`], which makes the calls. [`replay`] runs the three over a [`recording`], [`emulator`] plays
//! Salesforce's part. All of them speak the words of [`model`].
//!
//! The README has two examples to begin with; they are tests of this crate.
//!
//! [`store`] keeps what must survive the process, and [`connector`] runs a channel: durable first, then carried
//! out. [`people`] and [`webhook`] find reps, list contacts and tell the end user. `service` runs any number of
//! orgs and channels, and `server` stands before it.
//!
//! Features: `cli` (on by default) is the `byoc` command line, `emulator` the emulator's HTTP and gRPC faces,
//! `server` the connector's own HTTP server, `pubsub` the subscription to the Pub/Sub API and `service`,
//! `store-sqlite` the store in a file. A library that embeds the crate wants at most the last three.

// The rooms that do nothing but read what comes from outside: in them no sum may overflow, whatever somebody sends.

#[cfg(feature = "cli")]
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod cli;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod config;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod connector;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod contacts;
#[cfg(feature = "pubsub")]
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod doctor;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod emulator;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod engine;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod events;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
/// What runs, from a configuration.
#[cfg(all(feature = "pubsub", feature = "store-sqlite"))]
pub mod host;
pub mod interaction;
mod local;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod model;
pub mod notices;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod org;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
mod outbound;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod people;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
mod private_key;
#[cfg(feature = "pubsub")]
mod proto;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod recording;
pub mod rep_finder;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod replay;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod routing;
#[cfg(feature = "server")]
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod server;
#[cfg(feature = "pubsub")]
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod service;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod store;
#[cfg(feature = "cli")]
pub mod telemetry;
#[cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
pub mod webhook;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
