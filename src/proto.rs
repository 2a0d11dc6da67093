//! The Pub/Sub API's messages and calls, generated from `proto/pubsub_api.proto`: what `events::pubsub`
//! says and the emulator understands. There is nothing else in here.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated; each user of it has no use for a part"
)]

tonic::include_proto!("eventbus.v1");
