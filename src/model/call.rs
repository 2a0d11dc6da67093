//! A call to the Interaction Service and its answer, in the words of routing.
//!
//! `routing` asks for calls and is told their answers; `interaction` puts them on the wire and reads
//! them back; the emulator answers them. None of the three needs to know the others.

mod agent_work;
mod messaging;

use std::fmt;

pub use agent_work::{AgentWorkUpdate, ForBotsAlone, UpdateAgentWork};
pub use messaging::{
    BeginConversation, Begun, ChangeSession, EmptyText, MessageText, RoutingAttributes, SendText, Sent,
    SessionChange, UpdateConsent,
};
use serde::{Deserialize, Serialize};

use super::error_codes::ErrorCode;
use super::ids::{AgentWorkId, ConversationId, EventId, FlowId, PsrId, QueueId, RepId, Subject, WorkItemId};
use super::words::{CancelReason, RoutingType};

/// One call to the Interaction Service.
///
/// What is particular to its operation on the wire stands in `interaction::operations`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Call {
    /// Create a PSR.
    Route(Route),
    /// Clear the conversation's PSR.
    ClearRoute(ClearRoute),
    /// Offer the work item to a rep.
    CreateAgentWork(CreateAgentWork),
    /// Take an unanswered offer back, or close accepted work.
    UpdateAgentWork(UpdateAgentWork),
    /// Answer the routing request.
    ReportResult(ReportResult),
    /// Take a rep or a bot out of the conversation.
    RemoveParticipant(RemoveParticipant),
    /// End a session, or make it inactive.
    ChangeSession(ChangeSession),
    /// Say what an end user has agreed to.
    UpdateConsent(UpdateConsent),
    /// Begin a conversation.
    BeginConversation(BeginConversation),
    /// Send what the end user wrote.
    SendText(SendText),
}

/// `POST /route`: create a PSR.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The conversation to route.
    pub conversation: ConversationId,
    /// The routing event's own type.
    pub routing_type: RoutingType,
    /// By what Salesforce should route.
    pub by: RouteBy,
}

/// `DELETE /route`: clear the conversation's PSR.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClearRoute {
    /// The conversation; a PSR cannot be named.
    pub conversation: ConversationId,
    /// Why.
    pub reason: CancelReason,
}

/// `POST /agentWork`: offer the work item to a rep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateAgentWork {
    /// The rep.
    pub rep: RepId,
    /// The work item.
    pub work_item: WorkItemId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The routing event's own type.
    pub routing_type: RoutingType,
    /// The routing event that this answers.
    pub correlation: EventId,
    /// What the offer costs the rep; `None` exactly where a PSR exists, which says it already.
    pub capacity: Option<Capacity>,
}

/// `POST /routingResult`: the answer to the routing request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportResult {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its work item.
    pub work_item: WorkItemId,
    /// The routing event's own type.
    pub routing_type: RoutingType,
    /// How routing went.
    pub result: RoutingOutcome,
}

impl ReportResult {
    /// The longest message that it carries, in characters.
    pub const LONGEST_MESSAGE: usize = 240;
}

/// `POST /participant` with operation `Remove`, the only one that the schema has: take somebody out of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveParticipant {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who leaves.
    pub who: Removable,
}

impl RemoveParticipant {
    /// Takes a rep out.
    pub const fn rep(conversation: ConversationId, rep: RepId) -> Self {
        Self { conversation, who: Removable::Rep(rep) }
    }
}

/// Who can be taken out of a conversation. Salesforce removes reps and bots and nobody else (error 10038): an end user
/// leaves by ending the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Removable {
    /// A rep.
    Rep(RepId),
    /// A bot, as `ParticipantChanged` names it.
    Bot(Subject),
}

/// By what a route call tells Salesforce to route: one of the three, never two (error 10030).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum RouteBy {
    /// What the messaging channel's own setting says.
    ChannelSetting,
    /// This queue.
    Queue(QueueId),
    /// This flow, which cannot be without a fallback queue (error 10024).
    Flow {
        /// The flow.
        flow: FlowId,
        /// Where to go if the flow fails.
        fallback: QueueId,
    },
}

/// What an offer takes of a rep's capacity: one of the two, never both (error 10013).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Capacity {
    /// `capacityWeight`, 0 or more.
    Weight(f64),
    /// `capacityPercentage`, 0 to 100.
    Percentage(f64),
}

/// What `routingResult` says. A failure has a message and nothing else has one (errors 10033, 10034).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoutingOutcome {
    /// Routed to a rep, or queued with a rep to follow.
    Routed,
    /// Moved to somebody outside of Salesforce.
    RoutedExternally,
    /// Not routed, and why, for the rep who asked.
    Failed(Box<str>),
}

/// What came of a call, after all its tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Carried out.
    Done(Reply),
    /// Not carried out, and trying again would not help.
    Refused(Refusal),
    /// No answer within the time there was, or none that tells what was done. The call may have been carried out.
    /// What came last in its place, in a few words: `503 Service Unavailable`.
    Lost(Box<str>),
}

/// What a carried-out call tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// `POST /route`.
    Routed(Routed),
    /// `POST /agentWork`; the id is missing where Salesforce left it out.
    Offered(Option<AgentWorkId>),
    /// `POST /conversation`.
    Begun(Begun),
    /// `POST /interactions`.
    Sent(Sent),
    /// Everything else.
    Ok,
}

impl From<Reply> for Routed {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Routed(routed) => routed,
            _ => Self::default(),
        }
    }
}

impl From<Reply> for Option<AgentWorkId> {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Offered(work) => work,
            _ => None,
        }
    }
}

impl From<Reply> for Begun {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Begun(begun) => begun,
            _ => Self::default(),
        }
    }
}

impl From<Reply> for Sent {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Sent(sent) => sent,
            _ => Self::default(),
        }
    }
}

impl From<Reply> for () {
    fn from(_: Reply) {}
}

/// The answer to `POST /route`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Routed {
    /// The PSR that now waits for a rep.
    pub psr: Option<PsrId>,
    /// The rep that a flow chose.
    pub rep: Option<RepId>,
    /// The queue that a flow chose.
    pub queue: Option<QueueId>,
    /// The conversation's work item.
    pub work_item: Option<WorkItemId>,
    /// What later agentWork calls should name, where no routing event asked for the route.
    pub correlation: Option<EventId>,
}

/// Salesforce's "no" to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Refusal {
    /// HTTP status; 2xx where the body said `success: false`, 0 where no try reached Salesforce.
    pub status: u16,
    /// Salesforce's error code, where one was readable.
    pub code: Option<u32>,
    /// Salesforce's message, or the start of the raw body.
    pub message: Box<str>,
    /// Whether an earlier try of the same call got no answer and may have been carried out.
    pub after_lost_try: bool,
}

impl Refusal {
    /// Whether it is an answer to what was asked: the call got there, and was neither put off nor failed on the way.
    pub fn is_an_answer(&self) -> bool {
        let put_off = self.code.is_some_and(|code| ErrorCode(code).retry());
        !matches!(self.status, 0 | 429 | 500..) && !put_off
    }

    /// Whether it says that the rep has no room. No published code means that, so the message is read; the codes
    /// that are known mean other things.
    pub fn is_for_capacity(&self) -> bool {
        let known = self.code.is_some_and(|code| ErrorCode(code).is_known());
        let message = self.message.to_lowercase();
        !known && ["capacity", "busy"].iter().any(|word| message.contains(word))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.status) {
            (Some(code), _) => write!(f, "error {code}")?,
            (None, 0) => f.write_str("not sent")?,
            (None, status) => write!(f, "HTTP {status}")?,
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}
