//! Everything that is tested from outside the crate, in one binary: it links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

#[cfg(feature = "cli")]
mod cli_check;
#[cfg(feature = "cli")]
mod cli_contacts;
#[cfg(feature = "cli")]
mod cli_dead_letters;
#[cfg(feature = "cli")]
mod cli_demo;
#[cfg(feature = "cli")]
mod cli_record;
#[cfg(feature = "cli")]
mod cli_replay;
#[cfg(feature = "cli")]
mod cli_serve;
#[cfg(feature = "cli")]
mod cli_store;
mod clock_set;
#[cfg(feature = "cli")]
mod config_mistakes;
mod connector;
mod contacts;
mod emulator;
#[cfg(feature = "emulator")]
mod emulator_http;
#[cfg(feature = "emulator")]
mod emulator_pages;
mod engine;
mod engine_work_item;
mod examples;
mod finder;
mod fixtures;
mod interaction;
mod journals;
#[cfg(feature = "cli")]
mod labels;
mod logins;
mod names;
mod odd_fields;
mod openapi;
mod operations;
#[cfg(feature = "emulator")]
mod org;
mod people;
#[cfg(feature = "emulator")]
mod pubsub;
#[cfg(feature = "cli")]
mod readme;
mod recordings;
mod replay_properties;
mod routing;
mod routing_cases;
mod routing_properties;
mod rules;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod service;
#[cfg(feature = "cli")]
mod serving;
mod simulation;
mod speakers;
mod standin;
mod store;
mod structure;
mod support;
mod transfers;
mod webhooks;
