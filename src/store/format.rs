//! In which form facts, states and reasons are stored, and how those of an older release are read.
//!
//! Knows routing's facts and state as values. It must never know where rows are kept, and it decides nothing.
//!
//! Every stored row says its format's number; a row without one is in format 1. What an older release wrote is
//! brought up step by step as JSON, then read; what is written is always in [`CURRENT`]. Steps are pure and are
//! never changed once a release has written the format that they lead to.
//!
//! Invariants
//! 1. What any release wrote, each later one reads (`tests/it/journals`, over `fixtures/journals`).
//! 2. No stored type changes its shape unless somebody has seen to the rows that are there (`shape`).
//!
//! # To change what is stored
//!
//! Stored are [`Fact`], [`Conversation`], [`Reason`] and [`Announcement`], with everything that they hold. Change the type; then the
//! test `store::format::shape` fails, and says which of these it is:
//!
//! - **The current format is not released yet** (the changelog has no heading with its release). Make its last
//!   step, `from_N.rs`, read what the format before had. A new field that an old row need not have takes
//!   `#[serde(default)]` and nothing in the step, if its default is what was true then; a new variant takes
//!   nothing; what is renamed, moved, taken out or has another type takes a few lines in the step, on JSON.
//!   A new type that is stored derives `schemars::JsonSchema` under test, as those beside it.
//!   Then write the new shape with
//!   `BYOC_WRITE_SHAPE=1 cargo nextest run --all-features -E 'test(store::format::shape)'`,
//!   look at its difference (`git diff fixtures/journals`), and run `-E 'test(journals::)'`: golden journals of
//!   all formats must read and end.
//! - **The current format is released.** First, before the change: write its golden journals with
//!   `BYOC_WRITE_JOURNALS=N cargo nextest run --all-features -E 'test(journals::)'`. Then add a line to
//!   [`FORMATS`], a file `from_N.rs` and its line in `STEPS`, raise the crate's version to the line's, and go on
//!   as above.

mod from_1;
#[cfg(test)]
mod shape;
mod step;

use serde::de::DeserializeOwned;
use serde_json::Value;

use step::Step;

use crate::routing::{Announcement, Conversation, Fact, Reason};

/// A format, and the release that wrote it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Its number.
    pub number: u32,
    /// The first release that writes it.
    pub release: &'static str,
}

/// Every format there has been, oldest first.
pub const FORMATS: &[Format] =
    &[Format { number: 1, release: "0.1.0" }, Format { number: 2, release: "0.2.0" }];

/// The format that is written.
pub const CURRENT: u32 = 2;

/// The release of this program, as stores note it beside the format.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// The first leads from format 1 to 2, and so on.
const STEPS: &[Step] = &[from_1::STEP];

/// Why a row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A later release wrote it.
    #[error("it is in format {found}; this release knows formats up to {CURRENT}")]
    Newer {
        /// Its format.
        found: i64,
    },
    /// It is not what its format says.
    #[error("{0}")]
    Unreadable(String),
}

/// Reads the facts of a turn.
///
/// # Errors
/// Where the text is not what its format says.
pub fn facts(format: i64, text: &str) -> Result<Vec<Fact>, Error> {
    read(format, text, |step, value| match value {
        Value::Array(facts) => Value::Array((step.facts)(facts)),
        other => other,
    })
}

/// Reads the state of a conversation.
///
/// # Errors
/// Where the text is not what its format says.
pub fn state(format: i64, text: &str) -> Result<Conversation, Error> {
    read(format, text, |step, value| (step.state)(value))
}

/// Reads the reason of an ending.
///
/// # Errors
/// Where the text is not what its format says.
pub fn reason(format: i64, text: &str) -> Result<Reason, Error> {
    read(format, text, |step, value| (step.reason)(value))
}

/// Reads what the partner is to be told. Format 1 had none of these.
///
/// # Errors
/// Where the text is not what its format says.
pub fn announcement(format: i64, text: &str) -> Result<Announcement, Error> {
    read(format, text, |_, value| value)
}

fn read<T: DeserializeOwned>(
    format: i64,
    text: &str,
    bring_up: impl Fn(&Step, Value) -> Value,
) -> Result<T, Error> {
    let wrong = |error: serde_json::Error| Error::Unreadable(error.to_string());
    if format == i64::from(CURRENT) {
        return serde_json::from_str(text).map_err(wrong);
    }
    if format > i64::from(CURRENT) {
        return Err(Error::Newer { found: format });
    }
    let steps = usize::try_from(format.saturating_sub(1)).ok().and_then(|done| STEPS.get(done..));
    let steps = steps.ok_or_else(|| Error::Unreadable(format!("there is no format {format}")))?;
    let value = serde_json::from_str(text).map_err(wrong)?;
    let value = steps.iter().fold(value, |value, step| bring_up(step, value));
    T::deserialize(value).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_numbered_and_each_has_a_step_to_the_next() {
        let numbers: Vec<u32> = FORMATS.iter().map(|format| format.number).collect();
        assert_eq!(numbers, (1..=CURRENT).collect::<Vec<_>>());
        assert_eq!(STEPS.len() + 1, FORMATS.len(), "a step from each format but the last");
    }

    #[test]
    fn the_current_format_is_that_of_this_release_or_an_older_one() {
        let parts =
            |release: &str| release.split('.').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>();
        let newest = FORMATS.last().unwrap();
        assert!(parts(newest.release) <= parts(RELEASE), "raise the crate's version to {}", newest.release);
    }

    #[test]
    fn a_row_of_no_known_format_is_refused() {
        assert_eq!(facts(3, "[]"), Err(Error::Newer { found: 3 }));
        assert_eq!(facts(0, "[]"), Err(Error::Unreadable("there is no format 0".to_owned())));
        assert_eq!(facts(1, "[]"), Ok(Vec::new()));
        assert!(matches!(facts(2, "[{}]"), Err(Error::Unreadable(_))));
    }
}
