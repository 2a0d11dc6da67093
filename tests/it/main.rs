//! Everything that is tested from outside the crate, in one binary: it links once.

mod emulator;
#[cfg(feature = "emulator")]
mod emulator_http;
