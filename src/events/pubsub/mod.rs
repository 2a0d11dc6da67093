//! The Pub/Sub API as an [`EventSource`](super::EventSource) (PROTOCOL: "Pub/Sub API rules").
//!
//! A [`PubSub`] is one org's connection, a [`Subscription`] the stream of one topic. It is on by itself: it
//! connects, asks for events, and comes back after whatever cut it.
//!
//! Invariants
//! 1. What is asked for and what waits for the consumer are together never more than [`Settings::buffered`].
//! 2. A stream begins behind the last processed event where one is known, and never further on.
//! 3. A refused replay id is given up loudly: [`StreamItem::Gap`](super::StreamItem::Gap), then everything that
//!    is still kept.
//! 4. A token goes over TLS or to this machine, and is printed nowhere.
//!
//! Elsewhere: where tokens come from is the caller's ([`Credentials`]), what an event says in
//! [`Decoder`](super::Decoder).

mod avro;
mod backoff;
mod buffer;
mod connection;
mod credentials;
mod flow;
mod resume;
mod schemas;
mod settings;
mod stream_failure;
mod subscription;

/// Reads an event's bytes by its schema's text, for the fuzzer.
#[cfg(fuzzing)]
pub fn read_avro(schema: &str, payload: &[u8]) -> Option<String> {
    avro::EventSchema::parse(schema).ok()?.to_json(payload, "e-1").ok()
}

pub use connection::{NotDescribed, PubSub, TopicDescription};
pub use credentials::{Credentials, NoToken};
pub use resume::Start;
pub use settings::{Error, PRODUCTION_ENDPOINT, Settings};
pub use subscription::Subscription;
