//! The Interaction Service API, spoken: a call becomes a request, a response becomes an answer.
//!
//! The pure half ([`encode`], [`decode`], [`CallAttempt`], [`Tries`]) reads no clock and opens no socket; replays and
//! tests use it as the live client does.
//!
//! Invariants
//! 1. Every try of a call carries the same `RequestId`.
//! 2. A call is never tried past the moment at which its caller gives up.
//! 3. A call that may have been carried out is never reported as one that was not.
//!
//! Elsewhere: which calls are made, and what an answer means for a request, is `routing`'s.

mod attempt;
pub mod auth;
mod call_log;
mod client;
mod error;
mod fields;
mod limiter;
mod line;
pub mod operations;
mod skew;
mod sleep;
mod tries;
mod try_outcome;
mod until_answered;
mod wire;
mod witness;

pub use attempt::{CallAttempt, RejectedToken, Tried, Try};
pub use auth::{AccessToken, FixedToken, JwtBearer, JwtSettings, TokenSource};
pub(crate) use call_log::{tell_given_up, tell_in_vain};
pub use client::{Attempt, Builder, Client};
#[cfg(feature = "pubsub")]
pub(crate) use error::said;
pub use error::{Error, Failure};
pub use limiter::Limiter;
pub use line::{Line, Priority};
pub use operations::{ApiCall, Effect, Operation, Repeat, encode};
pub use skew::{Skew, Wrong as WrongClock};
pub use sleep::{ClockSleeper, Sleeper, sleep_until};
pub use tries::{Next, Tries, jitter};
pub use try_outcome::{Rejection, TryOutcome, decode, parse_retry_after};
pub use until_answered::until_answered;
pub use wire::{Form, Method, WireRequest};
pub use witness::{Exchanged, Witness};
