//! What the writer is asked to do, and what it answers.

use tokio::sync::oneshot;

use super::encode::Encoded;
use crate::model::ids::ConversationId;
use crate::model::time::Timestamp;
use crate::store::Error;
use crate::store::dead_letter::GivenUp;
use crate::store::record::{Appended, Cause, ChannelKey, Epoch, Position, Telling, TellingId};

type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    Append(Box<QueuedTurn>),
    Told(Told),
    Open(ChannelKey, Answer<Opened>),
    Forget(ChannelKey, ConversationId, Answer<()>),
    Resend(ChannelKey, TellingId, Timestamp, Answer<Option<Telling>>),
    DropLetter(ChannelKey, TellingId, Answer<bool>),
    Close(Answer<()>),
}

/// A turn that waits.
#[derive(Debug)]
pub(super) struct QueuedTurn {
    pub(super) channel: ChannelKey,
    pub(super) epoch: Epoch,
    pub(super) at: Timestamp,
    pub(super) cause: Option<Cause>,
    pub(super) position: Option<Position>,
    pub(super) change: Option<Result<Encoded, Error>>,
    pub(super) urgent: bool,
    pub(super) answer: Answer<Appended>,
}

/// What became of what was to be told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) channel: ChannelKey,
    /// What the partner has taken.
    pub(super) ids: Vec<TellingId>,
    /// What it does not take.
    pub(super) given_up: Option<GivenUp>,
    pub(super) answer: Answer<()>,
}

/// A channel, ready to be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) channel: i64,
    pub(super) epoch: Epoch,
}
