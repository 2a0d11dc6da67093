//! What was stored can be read for ever: journals that older releases wrote, and those of this one.
//!
//! `fixtures/journals/N` holds journals in format N, row by row as a store has them. They are written once, by
//! the release whose format it is, and never changed: `src/store/format.rs` says when and how.

mod ending;
#[cfg(feature = "store-sqlite")]
mod file;
mod golden;
mod reading;
mod scripted;
mod writing;
