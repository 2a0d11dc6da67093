//! What the server asks of the connector behind it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::broadcast;

use crate::model::contact::{ContactsFilter, ContactsResult};
use crate::model::ids::{AgentWorkId, ConversationId, EventId, OrgId, QueueId, RepId, WorkItemId};
use crate::model::roster::{Rep, Skill};
use crate::model::time::Timestamp;
use crate::model::words::{Availability, RoutingType};
use crate::routing::Outcome;
use crate::store::ChannelKey;

/// The connector, as its HTTP server needs it: any number of orgs, each with its channels.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The channels that run here.
    fn channels(&self) -> Vec<Channel>;

    /// The one channel that is meant; what is not said may be left out where there is one alone.
    ///
    /// # Errors
    /// Where none is like this, or several are.
    fn find(&self, org: Option<&OrgId>, channel: Option<&str>) -> Result<Channel, NoChannel>;

    /// What works and what does not, part by part.
    fn readiness(&self) -> Readiness;

    /// What happens from now on.
    fn told(&self) -> broadcast::Receiver<Told>;

    /// Who can be picked (PROTOCOL: "getContacts: who can be picked").
    ///
    /// # Errors
    /// Where the directory cannot be asked.
    async fn contacts(
        &self,
        channel: &ChannelKey,
        filter: ContactsFilter,
        work_item: Option<WorkItemId>,
    ) -> Result<ContactsResult, Trouble>;

    /// Takes in what a rep's browser tells of an offer. The same thing twice changes nothing.
    ///
    /// # Errors
    /// Where it was not made durable, or the work item is not known.
    async fn agent_work(&self, channel: &ChannelKey, told: AgentWork) -> Result<Taken, Trouble>;

    /// Takes in a platform event, as it is decoded. The same event twice changes nothing.
    ///
    /// # Errors
    /// Where it was not made durable, or cannot be read.
    async fn platform_event(&self, channel: &ChannelKey, json: &str) -> Result<Taken, Trouble>;

    /// Requests of a channel, the newest first, at most `limit` of them.
    ///
    /// # Errors
    /// Where they cannot be looked at.
    async fn requests(
        &self,
        channel: &ChannelKey,
        state: Option<RequestState>,
        limit: usize,
    ) -> Result<Vec<RequestView>, Trouble>;

    /// A request, where it is still known.
    ///
    /// # Errors
    /// Where it cannot be looked at.
    async fn request(&self, channel: &ChannelKey, id: &EventId) -> Result<Option<RequestView>, Trouble>;

    /// The reps of a channel.
    ///
    /// # Errors
    /// Where this connector keeps none: a router of the partner's own does.
    fn reps(&self, channel: &ChannelKey) -> Result<Vec<Rep>, Trouble>;

    /// Changes a rep, or adds one; what the change leaves out stays as it is. Returns the rep as it is then.
    ///
    /// # Errors
    /// Where this connector keeps no reps.
    fn change_rep(&self, channel: &ChannelKey, id: RepId, change: RepChange) -> Result<Rep, Trouble>;

    /// Says whether a rep can be reached.
    ///
    /// # Errors
    /// Where the rep is not known, or this connector keeps no reps.
    fn set_presence(
        &self,
        channel: &ChannelKey,
        id: RepId,
        availability: Availability,
    ) -> Result<(), Trouble>;

    /// Takes a rep out; false where there was none.
    ///
    /// # Errors
    /// Where this connector keeps no reps.
    fn remove_rep(&self, channel: &ChannelKey, id: RepId) -> Result<bool, Trouble>;
}

/// A channel that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Which.
    pub key: ChannelKey,
    /// Whether its channel definition allows conferences.
    pub conference_supported: bool,
}

/// Why no channel is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoChannel {
    /// Several orgs are served here.
    #[error("several orgs are served here, and which is meant is not said")]
    WhichOrg,
    /// The org has several channels.
    #[error("the org {0} has several channels here, and which is meant is not said")]
    WhichChannel(OrgId),
    /// The org is not served.
    #[error("the org {0} is not served here")]
    UnknownOrg(OrgId),
    /// The org has no such channel.
    #[error("no channel of that name is served here")]
    UnknownChannel,
}

impl NoChannel {
    /// What is to blame: `org` or `channel`.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::WhichOrg | Self::UnknownOrg(_) => "org",
            Self::WhichChannel(_) | Self::UnknownChannel => "channel",
        }
    }

    /// Whether something was named that there is not; else something is to be named.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::UnknownOrg(_) | Self::UnknownChannel)
    }
}

/// Why the connector did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No conversation has this work item, or none has it yet.
    #[error("no conversation is known to have the work item {0}")]
    UnknownWorkItem(WorkItemId),
    /// No rep of this channel has this id.
    #[error("no rep {0} is known")]
    UnknownRep(RepId),
    /// What was brought cannot be read.
    #[error("{problem}")]
    Unreadable {
        /// Where.
        field: Option<String>,
        /// What is wrong.
        problem: String,
    },
    /// The reps of this channel are not kept here.
    #[error("the reps of this channel are kept by a router of your own")]
    NoPeople,
    /// It cannot be done now; what is brought should be brought again.
    #[error("{0}")]
    Unavailable(String),
}

/// What became of something that was brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// What follows from it is durable.
    Done,
    /// It was of no use, and why.
    PassedBy(String),
}

/// What a rep's browser tells of an offer, as `scv-connector-base` spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentWork {
    /// The messaging session.
    pub work_item: WorkItemId,
    /// The offer.
    pub work: AgentWorkId,
    /// What happened: `ASSIGNED`, `ACCEPTED`, `DECLINED`, …
    pub event: String,
    /// Whose browser it was, where that is known.
    pub rep: Option<RepId>,
}

/// What is to be different about a rep.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RepChange {
    /// What other reps read.
    pub name: Option<String>,
    /// Whether the rep can be reached.
    pub availability: Option<Availability>,
    /// Whether the rep may answer messages at all.
    pub messaging: Option<bool>,
    /// How much work the rep can have, in units of weight.
    pub capacity: Option<f64>,
    /// How much of it is taken.
    pub capacity_used: Option<f64>,
    /// The queues that the rep serves.
    pub queues: Option<Vec<QueueId>>,
    /// What the rep can do.
    pub skills: Option<Vec<Skill>>,
}

/// Whether everything works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether all checks are fine.
    pub ready: bool,
    /// Part by part.
    pub checks: Vec<Check>,
}

/// One part that has to work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `stream`, `store` or `token`.
    pub what: &'static str,
    /// Of which org; none where it serves all.
    pub org: Option<OrgId>,
    /// Of which channel; none where it serves all.
    pub channel: Option<String>,
    /// Whether it is fine.
    pub ok: bool,
    /// Since when it is so.
    #[serde(serialize_with = "rfc3339")]
    pub since: Option<Timestamp>,
    /// What is wrong, in words.
    pub problem: Option<String>,
}

/// Whether a request has had its last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// It has not.
    Open,
    /// It has.
    Ended,
}

/// A routing request, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// The routing event.
    pub id: EventId,
    /// The org.
    pub org: OrgId,
    /// The channel definition's developer name.
    pub channel: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its work item, where that is known.
    pub work_item: Option<WorkItemId>,
    /// Whether it has had its last word.
    pub state: RequestState,
    /// What it is for.
    pub routing_type: Option<RoutingType>,
    /// Who or what was asked for.
    pub target: Option<TargetView>,
    /// The rep who asked, where known.
    pub requester: Option<RepId>,
    /// When Salesforce published it, where that is still known.
    #[serde(serialize_with = "rfc3339")]
    pub created: Option<Timestamp>,
    /// What it waits for, in one word.
    pub waits_for: Option<String>,
    /// The offers that it has made.
    pub offers: Vec<OfferView>,
    /// The last word.
    pub ending: Option<EndingView>,
}

/// Who or what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetView {
    /// `rep`, `queue`, `flow`, `skills`, `bot`, `external` or `unreadable`.
    pub kind: &'static str,
    /// Its id, or the ids of the skills.
    pub id: Option<String>,
}

/// One offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferView {
    /// To whom.
    pub rep: RepId,
    /// Its agent work, once known.
    pub work: Option<AgentWorkId>,
    /// How it stands, in one word.
    pub state: String,
    /// Since when it rings, where it does.
    #[serde(serialize_with = "rfc3339")]
    pub since: Option<Timestamp>,
}

/// A last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndingView {
    /// One word.
    #[serde(serialize_with = "word")]
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// When it was decided.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
}

/// Something that happened, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// A request had its last word.
    Ended(Box<Ended>),
}

/// A request that had its last word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// The routing event.
    pub id: EventId,
    /// The org.
    pub org: OrgId,
    /// The channel.
    pub channel: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// The last word.
    pub ending: EndingView,
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn rfc3339<S: Serializer, T: Into<Option<Timestamp>> + Copy>(at: &T, serializer: S) -> Result<S::Ok, S::Error> {
    match (*at).into() {
        Some(at) => serializer.collect_str(&at),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn word<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.as_str())
}
