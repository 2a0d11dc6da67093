//! The runtime: feeds a channel's state machines, makes their facts durable, and carries out what they
//! ask for.
//!
//! One task owns a channel's conversations, so nothing is locked and nothing is held across an await.
//! Each turn goes to the store, in order and many at a time; only when a turn is durable are its
//! commands carried out and its sender told. What the store refuses has not happened: the task drops
//! what it knows and begins again from the store.
//!
//! Knows routing, the store and the ports. Must never know HTTP servers or how events arrive.
//!
//! Invariants
//! 1. No command is carried out before the facts that led to it are durable.
//! 2. Whoever hands in an event is told that it is processed only when what follows from it is durable.
//! 3. Commands of one conversation begin in the order in which they were given.
//! 4. A command has one identity, across tries and restarts, and is never under way twice.

#[allow(clippy::arithmetic_side_effects, reason = "times and counts of its own, nothing from outside")]
mod channel;
mod ports;
mod refused;
mod runner;
mod unreadable;
mod watch;

pub use channel::{Channel, Delivery, Ended, Error, Handle, Parts, Receipt};
pub use ports::{Calls, EndUserNotifier, FindError, RepFinder, TellNobody};
pub use refused::RefusedRep;
pub use unreadable::{GivenUp, UnreadableConversations};
pub use watch::Asked;
