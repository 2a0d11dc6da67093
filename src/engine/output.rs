//! What an engine is given and what it asks for, as values.

use smallvec::SmallVec;

use crate::interaction::Try;
use crate::model::event::Event;
use crate::model::ids::ConversationId;
use crate::model::rep_query::RepQuery;
use crate::model::time::Timestamp;
use crate::routing::{CommandId, Ending};
use crate::store::{self, Cause, Position, Telling, TurnRecord};

/// Why something that was delivered was not processed. It should be delivered again.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What follows from it could not be made durable.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The channel has been stopped.
    #[error("the channel has been stopped")]
    Stopped,
}

/// Something that arrived: what it says, and what names it.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// What happened, in order; none where it says nothing of use.
    pub events: SmallVec<[Event; 1]>,
    /// Names it, so that it changes nothing should it come again.
    pub cause: Option<Cause>,
    /// How far its topic is read with it.
    pub position: Option<Position>,
}

/// Names one command among all of a channel: two conversations may name their requests alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId {
    /// Where.
    pub conversation: ConversationId,
    /// Which of its commands.
    pub command: CommandId,
}

/// A question to the partner's router.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Names it in the answer.
    pub id: CallId,
    /// What is asked.
    pub query: RepQuery,
    /// When it is given up.
    pub give_up_at: Timestamp,
}

/// What an engine asks for. To be done in the order in which they come.
#[derive(Debug)]
pub enum Output<T> {
    /// Make this durable. Answer with [`Engine::appended`](super::Engine::appended), in the order of the turns.
    Append(Box<TurnRecord>),
    /// Ask the store which of these it has. Answer with [`Engine::seen`](super::Engine::seen).
    AskSeen(Vec<Cause>),
    /// Load the channel. Answer with [`Engine::loaded`](super::Engine::loaded) or
    /// [`Engine::load_failed`](super::Engine::load_failed).
    Load,
    /// Make one try of a call. Answer with [`Engine::tried`](super::Engine::tried), or, where somebody else sees to
    /// further tries, with [`Engine::answered`](super::Engine::answered). A first try whose time is over already is
    /// not to be sent, but answered with [`TryOutcome::not_sent`](crate::interaction::TryOutcome::not_sent).
    Send {
        /// Names the call in the answer.
        id: CallId,
        /// What to send.
        attempt: Try,
        /// Whether this is the first try that this engine makes.
        first: bool,
    },
    /// Ask the partner's router. Answer with [`Engine::found`](super::Engine::found).
    Find(Search),
    /// Ask Salesforce for the work item of this conversation: a request waits for nothing else. Answer with
    /// [`Engine::work_item_found`](super::Engine::work_item_found) where it is found; else nothing need be said. Asked
    /// once a conversation.
    AskWorkItem(ConversationId),
    /// Tell the partner's channel: it is durable. What was not marked as told comes again with every load.
    Tell(Telling),
    /// A request has its last word, and that is durable.
    Ended {
        /// Where.
        conversation: ConversationId,
        /// How.
        ending: Ending,
    },
    /// What was delivered or ordered with this ticket is durable, or should be delivered again.
    Processed {
        /// What came with it.
        ticket: T,
        /// Whether it is.
        result: Result<(), Error>,
    },
}
