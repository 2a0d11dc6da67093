//! The connector's own HTTP server: who is let in, what is answered, and that all of it is as
//! `openapi/connector.yaml` says.

mod access;
mod bad_input;
mod connections;
mod dead_letters;
mod described;
#[cfg(feature = "emulator")]
mod flow;
mod in_vain;
mod limits;
mod live;
#[cfg(feature = "cli")]
mod logs;
mod offered;
mod outer;
pub(crate) mod rig;
mod sessions;
mod speaking;
mod store_down;
mod unknown_keys;
mod unreadable;
mod who_may;
