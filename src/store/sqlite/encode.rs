//! A turn in the form in which it is written: done by whoever appends, so that the one who writes only writes.

use crate::model::time::Timestamp;
use crate::routing::{Conversation, Ending, Fact};
use serde::Serialize;

use crate::store::Error;

/// How many bytes the facts of one turn, or the state of one conversation, may have. The largest that
/// routing's own bounds allow (64 offers, 64 remembered events) is below a tenth of it.
const MAX_TEXT: usize = 1 << 20;

/// The texts of a change.
#[derive(Debug)]
pub(super) struct Encoded {
    /// `None` where there are no facts.
    pub(super) facts: Option<String>,
    pub(super) state: Option<String>,
    pub(super) endings: Vec<EncodedEnding>,
}

/// The texts of an ending.
#[derive(Debug)]
pub(super) struct EncodedEnding {
    pub(super) request: String,
    pub(super) at: Timestamp,
    pub(super) outcome: &'static str,
    pub(super) reason: String,
}

impl Encoded {
    /// Writes facts, state and endings as JSON.
    pub(super) fn new(
        facts: &[Fact],
        state: Option<&Conversation>,
        endings: &[Ending],
    ) -> Result<Self, Error> {
        Ok(Self {
            facts: if facts.is_empty() { None } else { Some(text("the facts of a turn", &facts)?) },
            state: state.map(|state| text("the state of a conversation", state)).transpose()?,
            endings: endings.iter().map(EncodedEnding::new).collect::<Result<_, _>>()?,
        })
    }
}

impl EncodedEnding {
    fn new(ending: &Ending) -> Result<Self, Error> {
        Ok(Self {
            request: ending.request.to_string(),
            at: ending.at,
            outcome: ending.outcome.as_str(),
            reason: text("the reason of an ending", &ending.reason)?,
        })
    }
}

fn text(what: &'static str, value: &(impl Serialize + ?Sized)) -> Result<String, Error> {
    let text = serde_json::to_string(value).map_err(|error| Error::Other(format!("{what}: {error}")))?;
    if text.len() <= MAX_TEXT {
        Ok(text)
    } else {
        Err(Error::TooLarge { what, bytes: text.len(), limit: MAX_TEXT })
    }
}
