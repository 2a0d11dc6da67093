//! The stand-in Salesforce: what an org knows and does, as far as partner-owned routing can see it.
//!
//! [`Salesforce`] is a pure model. It is handed calls ([`ApiRequest`]), acts of people ([`Act`]) and the
//! time, and gives back answers and what it emits: platform events and the browser's agent work events.
//! It owns no socket, reads no clock and rolls no dice: ids come from a seed, faults from a plan and a
//! draw that the caller passes in. The replay, the simulator and the HTTP face use this one model.
//!
//! It knows `model` and must never know how the connector decides anything: a stand-in that shares its
//! opinions with what it tests would find no mistake in it.
//!
//! Invariants
//! 1. The same seed, settings and inputs give the same ids, answers, events and books.
//! 2. No input panics.
//! 3. The books are appended to and never changed; every call and every change of an offer, a PSR, a
//!    request, a session or a participant is in them.
//! 4. It never tidies up after the partner: an offer or a PSR that the partner should have taken back
//!    stays, so that a test can find it ([`Salesforce::leftovers`]).
//!
//! Elsewhere: HTTP in `emulator::http` (feature `emulator`), arguments and output in `cli::emulator`.

mod act;
mod act_error;
mod adopt;
mod api;
mod body;
mod consent;
mod emitted;
mod exchange;
mod fault;
#[cfg(feature = "emulator")]
pub mod http;
mod ledger;
mod life;
mod operations;
mod platform;
mod random;
mod refusal;
mod salesforce;
mod session;
mod settings;
mod state;

pub use act::{Act, Done, RequestedTarget};
pub use act_error::ActError;
pub use adopt::AdoptedConversation;
pub use emitted::{Emission, Emitted};
pub use exchange::{AnswerFate, ApiRequest, ApiResponse};
pub use fault::{Fault, FaultKind};
pub use ledger::{Entry, Ledger, LedgerEvent, PsrEnd, ResultEffect};
pub use operations::Operation;
pub use random::SeededRandom;
pub use salesforce::{Leftovers, Salesforce};
pub use settings::{BearerRule, Channel, EntryPayloadForm, EventForm, OptIn, Settings, StreamForm};
pub use state::{Conversation, Psr, Request, RequestEnd, Work, WorkState};
