//! The runtime: feeds a channel's state machines, makes their facts durable, and carries out what they
//! ask for.
//!
//! One task owns a channel's [engine](crate::engine), so nothing is locked and nothing is held across an await. The
//! engine says what to do and in which order; the task has the sockets, the timers and the store.
//!
//! Knows the engine, the store and the ports. Must never know HTTP servers or how events arrive, and decides nothing.

#[allow(clippy::arithmetic_side_effects, reason = "times and counts of its own, nothing from outside")]
mod channel;
mod dead_letters;
mod direct;
mod in_vain;
mod panics;
mod ports;
mod refused;
mod teller;
mod unreadable;
mod watch;

pub use crate::engine::{Delivery, Error};
pub use channel::{Channel, Ended, Handle, Parts, Receipt, Sequence};
pub use dead_letters::DeadLetters;
pub use direct::DirectCalls;
pub use in_vain::{Failing, InVain};
#[cfg(feature = "pubsub")]
pub(crate) use panics::caught_now;
pub use panics::{PanicLog, UncountedPanics, Work};
pub use ports::{
    Calls, EndUserNotifier, FindError, News, NoWorkItems, RepFinder, TellError, TellNobody, WorkItems,
};
pub use refused::RefusedRep;
pub use unreadable::{GivenUp, UnreadableConversations};
pub use watch::Asked;
