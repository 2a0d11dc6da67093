//! A turn in the form in which it is written: done by whoever appends, so that the one who writes only writes.

use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::routing::Ending;
use serde::Serialize;

use crate::store::Error;
use crate::store::record::{Change, Telling};

/// How many bytes the facts of one turn, or the state of one conversation, may have. The largest that
/// routing's own bounds allow (64 offers, 64 remembered events) is below a tenth of it.
const MAX_TEXT: usize = 1 << 20;

/// A change as it is written.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) conversation: ConversationId,
    pub(super) began: bool,
    pub(super) ended: bool,
    /// Facts as text, and how many; `None` where there are none.
    pub(super) facts: Option<(String, usize)>,
    /// The state as text, and whether it is an idle one.
    pub(super) state: Option<(String, bool)>,
    pub(super) endings: Vec<EncodedEnding>,
    /// What is to be told, under which name.
    pub(super) tellings: Vec<(String, String)>,
}

/// An ending as it is written.
#[derive(Debug)]
pub(super) struct EncodedEnding {
    pub(super) request: String,
    pub(super) at: Timestamp,
    pub(super) outcome: &'static str,
    pub(super) reason: String,
}

impl Encoded {
    /// Writes facts, state and endings as JSON: text that whoever is on call can read in the file, and that a
    /// later release can read where a field has been added.
    pub(super) fn new(change: Change) -> Result<Self, Error> {
        let Change { conversation, began, ended, facts, state, endings, tellings } = change;
        let count = facts.len();
        let facts = if count == 0 { None } else { Some((text("the facts of a turn", &facts)?, count)) };
        let state = match state {
            Some(state) => Some((text("the state of a conversation", &state)?, state.is_idle())),
            None => None,
        };
        let endings = endings.iter().map(EncodedEnding::new).collect::<Result<_, _>>()?;
        let telling = |Telling { id, announcement, .. }: &Telling| {
            Ok((id.to_string(), text("what is to be told", announcement)?))
        };
        let tellings = tellings.iter().map(telling).collect::<Result<_, _>>()?;
        Ok(Self { conversation, began, ended, facts, state, endings, tellings })
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
