//! A channel without I/O: the one driver of its conversations, for the live service, replays, simulations, tests and
//! embedders.
//!
//! Whoever owns an [`Engine`] tells it what arrives and what time it is, and does what its [`Output`]s say, in their
//! order. It knows routing, the store's values and the rules of a call's tries. It must never know a socket, a clock,
//! a task or a thread; it draws no chance.
//!
//! Invariants
//! 1. No command leaves before the facts that led to it are durable.
//! 2. What was delivered is called processed only when what follows from it is durable.
//! 3. The calls of a conversation begin in the order in which they were commanded, cancels included.
//! 4. A command has one identity, across tries and restarts, and is never under way twice.
//! 5. What the store refused has not happened: the engine forgets it, asks for a load, and goes on from there.
//!
//! Elsewhere: what is decided, in `routing`; who answers, in whatever drives it.

mod calls;
mod driver;
mod known_causes;
mod observer;
mod offer_hold;
mod output;

pub use driver::Engine;
pub use observer::Observer;
pub use output::{CallId, Delivery, Error, Output, Search};
