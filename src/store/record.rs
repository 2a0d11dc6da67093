//! What is stored and what is loaded, as values.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::model::ids::{ConversationId, EventId, OrgId};
use crate::model::time::Timestamp;
use crate::routing::{Announced, Announcement, Conversation, Ending, Fact};

use super::error::Error;
use super::open_ids::OpenIds;

/// How many bytes a cause, a replay id or a topic may have. Salesforce's replay ids have ten or so.
const MAX_KEY: usize = 1024;

/// One channel of one org: what one actor keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelKey {
    /// The org.
    pub org: OrgId,
    /// The channel definition's developer name.
    pub channel: Arc<str>,
}

/// Which loading of a channel a turn was decided from. Only the newest may append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub(super) i64);

/// Names what led to a turn, so that the same thing is not taken for another when it comes again.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause(Arc<[u8]>);

impl Cause {
    /// An event of a subscription, by its replay id.
    ///
    /// # Errors
    /// Where it is longer than any that is stored.
    pub fn replay_id(id: &[u8]) -> Result<Self, Error> {
        Self::new(b'r', id)
    }

    /// Anything that names itself by an id of text: a routing event, a conversation entry, a post of a
    /// rep's browser.
    ///
    /// # Errors
    /// Where it is longer than any that is stored.
    pub fn named(id: &str) -> Result<Self, Error> {
        Self::new(b'n', id.as_bytes())
    }

    fn new(kind: u8, id: &[u8]) -> Result<Self, Error> {
        check("a cause", id.len())?;
        Ok(Self([&[kind], id].concat().into()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The id as it was given.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes().get(1..).unwrap_or_default().escape_ascii())
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cause({})", self.bytes().escape_ascii())
    }
}

fn check(what: &'static str, bytes: usize) -> Result<(), Error> {
    if bytes <= MAX_KEY { Ok(()) } else { Err(Error::TooLarge { what, bytes, limit: MAX_KEY }) }
}

/// How far a topic was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    topic: Arc<str>,
    replay_id: Arc<[u8]>,
}

impl Position {
    /// The last event of the topic that needs no reading any more.
    ///
    /// # Errors
    /// Where either is longer than anything that Salesforce sends.
    pub fn new(topic: impl Into<Arc<str>>, replay_id: &[u8]) -> Result<Self, Error> {
        let topic = topic.into();
        check("a topic", topic.len())?;
        check("a replay id", replay_id.len())?;
        Ok(Self { topic, replay_id: replay_id.into() })
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The replay id, opaque.
    pub fn replay_id(&self) -> &[u8] {
        &self.replay_id
    }
}

/// What one input led to, to be stored in one piece.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRecord {
    /// Whose turn it is.
    pub channel: ChannelKey,
    /// From [`Loaded::epoch`].
    pub epoch: Epoch,
    /// When it was decided. The store's retention counts from the newest of these; it reads no clock for it.
    pub at: Timestamp,
    /// What led to it; `None` for answers and deadlines, which cannot come twice.
    pub cause: Option<Cause>,
    /// How far the topic has been read with this.
    pub position: Option<Position>,
    /// What it changed; `None` where the event concerned no conversation, or only the position moved.
    pub change: Option<Change>,
    /// Whether something is done as soon as it is durable: a call, a word to the partner, an answer to an operator. A
    /// store may hold another turn back for some milliseconds, to commit it together with what comes.
    pub urgent: bool,
}

/// What a turn changed in a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub conversation: ConversationId,
    /// Whether the state machine knew nothing of the conversation before this turn. Whatever was stored of it
    /// is then forgotten first, as the state machine had forgotten it.
    pub began: bool,
    /// Whether its session has ended: such a one is kept for minutes, not days.
    pub ended: bool,
    /// The new facts, in order.
    pub facts: Vec<Fact>,
    /// The conversation after the facts. Give it when facts have left the conversation idle, and when the
    /// store has asked for it ([`Appended::Stored`]); it takes the place of the facts up to here.
    pub state: Option<Box<Conversation>>,
    /// The requests that ended.
    pub endings: Vec<Ending>,
    /// What the partner is to be told of it, in order.
    pub tellings: Vec<Telling>,
}

/// Names something that the partner is told: the same however often it is told, and whatever file it was stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TellingId(Uuid);

impl TellingId {
    /// The id itself.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// Reads what its `Display` has written.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let id = Uuid::try_parse(text);
        id.map(Self).map_err(|error| Error::Corrupt(format!("'{text}' names nothing that is told: {error}")))
    }
}

impl fmt::Display for TellingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Something that the partner is to be told: at least once, and of one conversation in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// What the partner knows a repetition by.
    pub id: TellingId,
    /// What is told.
    pub announcement: Announcement,
    /// Whether it is a dead letter that is sent again: it waits for nothing and holds up nothing.
    pub resent: bool,
}

impl Telling {
    /// What a turn announces, the `number`th of its channel in that millisecond.
    ///
    /// The id follows from all that is given, so that no two things that are told share one.
    pub fn new(channel: &ChannelKey, at: Timestamp, number: usize, announcement: Announcement) -> Self {
        let Announcement { conversation, what } = &announcement;
        let what = match what {
            Announced::Rep { rep, joined } => format!("{rep}/{joined}"),
            Announced::Session(_) => what.name().to_owned(),
        };
        let (org, name, at) = (&channel.org, &channel.channel, at.as_millis());
        let text = format!("telling/{org}/{name}/{conversation}/{at}/{number}/{what}");
        Self {
            id: TellingId(Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())),
            announcement,
            resent: false,
        }
    }
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is durable: carry out its commands.
    Stored {
        /// The next turn of this conversation should bring its state.
        wants_state: bool,
    },
    /// Its cause was stored before, and nothing of the turn was stored but its position. Its commands must not
    /// be carried out. If it had facts or began a conversation, the memory is ahead of the store: load the channel
    /// again.
    Duplicate,
}

/// The answer to an append, when it is there.
#[derive(Debug)]
#[must_use = "only a turn that was answered may be acted on"]
pub struct Pending(oneshot::Receiver<Result<Appended, Error>>);

impl Pending {
    /// An answer that comes later, and where to give it. A sender that is dropped is a closed store.
    pub fn new() -> (oneshot::Sender<Result<Appended, Error>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }
}

impl Future for Pending {
    type Output = Result<Appended, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Closed)))
    }
}

/// A channel as it was stored.
#[derive(Debug)]
pub struct Loaded {
    /// What turns must carry from now on.
    pub epoch: Epoch,
    /// Every conversation that is remembered, in no particular order.
    pub conversations: Vec<StoredConversation>,
    /// How far each topic was read.
    pub positions: Vec<Position>,
    /// What the partner was not told yet, as far as the store knows, in the order in which it is to be told.
    pub untold: Vec<Telling>,
    /// Conversations that cannot be brought back. They stay in the file until they begin anew or are forgotten.
    pub unreadable: Vec<Unreadable>,
}

impl Loaded {
    /// A channel of which nothing was ever stored.
    pub const fn nothing() -> Self {
        Self {
            epoch: Epoch(0),
            conversations: Vec::new(),
            positions: Vec::new(),
            untold: Vec::new(),
            unreadable: Vec::new(),
        }
    }
}

/// A conversation as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredConversation {
    /// Its state.
    pub conversation: Conversation,
    /// When it was last heard of, give or take an hour where it is idle.
    pub heard: Timestamp,
    /// Whether its session has ended.
    pub ended: bool,
}

/// A conversation whose stored facts or state make no sense to this release.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unreadable {
    /// Which.
    pub conversation: ConversationId,
    /// What is wrong, in words.
    pub why: String,
    /// What may be open at Salesforce, as far as its rows tell.
    #[serde(flatten)]
    pub left: OpenIds,
}

/// A place in the history of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutcomeId(pub(super) i64);

impl OutcomeId {
    /// Before the first.
    pub const START: Self = Self(0);

    /// From a number that was given out before, as a page's address has it.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// A request that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRecord {
    /// Its place in the history.
    pub id: OutcomeId,
    /// Where.
    pub channel: ChannelKey,
    /// In which conversation.
    pub conversation: ConversationId,
    /// How.
    pub ending: Ending,
}

impl OutcomeRecord {
    /// The routing event that asked.
    pub fn request(&self) -> &EventId {
        &self.ending.request
    }
}

/// For how long things are kept. Old ones are dropped a few at a time, with the turns that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Outcomes.
    pub outcomes: Duration,
    /// Causes. Salesforce keeps events for 72 hours; what it cannot send any more need not be known.
    pub causes: Duration,
    /// Conversations that are idle. Longer than the state machine remembers them (72 hours), for it must
    /// never know more than the store.
    pub idle: Duration,
    /// Conversations that are idle and whose session has ended; the state machine remembers these for ten
    /// minutes.
    pub ended: Duration,
    /// What waits to be told. Longer than a channel tries to tell it ([`TOLD_WITHIN`]): then nobody does, and it is given
    /// up.
    pub tellings: Duration,
    /// What was given up.
    pub dead_letters: Duration,
    /// How many of these are kept of a channel.
    pub most_dead_letters: usize,
    /// How many things were told of a conversation, after the last of them. One of which something is told later begins
    /// with 1 again.
    pub numbers: Duration,
}

/// For how long it is tried to tell something.
pub const TOLD_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Retention {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            outcomes: Duration::from_secs(30 * 24 * HOUR),
            causes: Duration::from_secs(80 * HOUR),
            idle: Duration::from_secs(80 * HOUR),
            ended: Duration::from_secs(3 * HOUR),
            tellings: TOLD_WITHIN.saturating_add(Duration::from_secs(HOUR)),
            dead_letters: Duration::from_secs(30 * 24 * HOUR),
            most_dead_letters: 10_000,
            numbers: Duration::from_secs(90 * 24 * HOUR),
        }
    }
}

/// How a store is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// When something was last made durable.
    pub last_commit: Option<Timestamp>,
    /// How long that took.
    pub last_commit_took: Duration,
    /// Why the last attempt failed; `None` once one has worked again.
    pub failing: Option<Error>,
    /// When it began to fail.
    pub failing_since: Option<Timestamp>,
    /// How many turns wait to become durable.
    pub queued: usize,
    /// How many turns have been made durable since the start.
    pub turns: u64,
    /// In how many commits.
    pub commits: u64,
}
