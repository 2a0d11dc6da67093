//! A request that has ended, for whoever watches and whoever looks.

use serde::Serialize;

use crate::connector::Asked;
use crate::model::ids::{ConversationId, EventId, RepId};
use crate::model::time::{self, Timestamp};
use crate::model::words::RoutingType;
use crate::routing::{Ending, Outcome, Reason};
use crate::store::ChannelKey;

/// How many ended requests are kept to be looked at; the store has the others.
pub(super) const ENDED_KEPT: usize = 500;

/// Something that happened, for whoever watches.
#[derive(Debug, Clone)]
pub struct RequestEnded {
    /// The channel.
    pub channel: ChannelKey,
    /// The conversation.
    pub conversation: ConversationId,
    /// The request that ended.
    pub ending: Ending,
    /// What it had asked for, where known.
    pub asked: Option<Asked>,
}

/// A request that has ended. Who asked for what is not known of one that ended before the last start.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedView {
    /// The routing event that asked.
    pub request: EventId,
    /// Where.
    pub conversation: ConversationId,
    /// What for, where known.
    pub routing_type: Option<RoutingType>,
    /// Who asked, where known.
    pub requester: Option<RepId>,
    /// Whom it asked for, where known: `rep 005…`, `queue 00G…`, `flow 300…`, `skills …`.
    pub target: Option<String>,
    /// The rep who joined, if any.
    pub joined: Option<RepId>,
    /// When the outcome was decided.
    #[serde(serialize_with = "time::as_text")]
    pub at: Timestamp,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
}

impl EndedView {
    /// Of an ending, and what was asked for where that is known.
    pub fn new(conversation: ConversationId, ending: &Ending, asked: Option<Asked>) -> Self {
        let joined = match ending.reason {
            Reason::Joined(rep) => Some(rep),
            _ => None,
        };
        let (routing_type, requester, target) = match asked {
            Some(Asked { routing_type, requester, target }) => (Some(routing_type), requester, Some(target)),
            None => (None, None, None),
        };
        Self {
            routing_type,
            requester,
            target,
            joined,
            request: ending.request.clone(),
            conversation,
            at: ending.at,
            outcome: ending.outcome,
            reason: ending.reason.to_string(),
        }
    }
}
