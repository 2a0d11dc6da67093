//! One typed method an operation, for embedders who call without the routing core.
//!
//! A further operation is a variant of [`Call`], its arm in `wire`, and a few lines here.

use uuid::Uuid;

use super::Client;
use crate::interaction::error::{Failure, reply};
use crate::interaction::limiter::Priority;
use crate::model::call::{Call, Capacity, Reply, RouteBy, Routed, RoutingOutcome};
use crate::model::ids::{AgentWorkId, ConversationId, EventId, RepId, WorkItemId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, RoutingType};

/// A call's identity and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The `RequestId` of every try.
    pub request_id: Uuid,
    /// When its caller gives up.
    pub give_up_at: Timestamp,
}

/// Whom an offer goes to, and for which work.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
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
    /// What the offer costs the rep; none exactly where a PSR exists.
    pub capacity: Option<Capacity>,
}

impl Client {
    /// `POST /route`: has Salesforce make a PSR, and say who a flow chose.
    ///
    /// # Errors
    /// Salesforce's refusal, or that no answer came in time.
    pub async fn route(
        &self,
        attempt: Attempt,
        conversation: ConversationId,
        routing_type: RoutingType,
        by: RouteBy,
    ) -> Result<Routed, Failure> {
        match self.call(attempt, Call::Route { conversation, routing_type, by }).await? {
            Reply::Routed(routed) => Ok(routed),
            Reply::Offered(_) | Reply::Ok => Ok(Routed::default()),
        }
    }

    /// `DELETE /route`: clears the conversation's PSR. That there is none is no error.
    ///
    /// # Errors
    /// Salesforce's refusal, or that no answer came in time.
    pub async fn clear_route(
        &self,
        attempt: Attempt,
        conversation: ConversationId,
        reason: CancelReason,
    ) -> Result<(), Failure> {
        self.call(attempt, Call::ClearRoute { conversation, reason }).await.map(drop)
    }

    /// `POST /agentWork`: offers the work item to a rep. The id may come with an event only.
    ///
    /// # Errors
    /// Salesforce's refusal, or that no answer came in time. A refusal with code 15109 that is marked
    /// `after_lost_try` says that the first try worked.
    pub async fn create_agent_work(
        &self,
        attempt: Attempt,
        offer: Offer,
    ) -> Result<Option<AgentWorkId>, Failure> {
        let Offer { rep, work_item, conversation, routing_type, correlation, capacity } = offer;
        let call =
            Call::CreateAgentWork { rep, work_item, conversation, routing_type, correlation, capacity };
        match self.call(attempt, call).await? {
            Reply::Offered(work) => Ok(work),
            Reply::Routed(_) | Reply::Ok => Ok(None),
        }
    }

    /// `PATCH /agentWork` with status `Cancel`: takes an unanswered offer back. That there is none is
    /// no error.
    ///
    /// # Errors
    /// Salesforce's refusal (the rep has answered, it may be), or that no answer came in time.
    pub async fn cancel_agent_work(&self, attempt: Attempt, work: AgentWorkId) -> Result<(), Failure> {
        self.call(attempt, Call::CancelAgentWork { work }).await.map(drop)
    }

    /// `POST /routingResult`: answers the routing request.
    ///
    /// # Errors
    /// Salesforce's refusal, or that no answer came in time.
    pub async fn report_result(
        &self,
        attempt: Attempt,
        conversation: ConversationId,
        work_item: WorkItemId,
        routing_type: RoutingType,
        result: RoutingOutcome,
    ) -> Result<(), Failure> {
        let call = Call::ReportResult { conversation, work_item, routing_type, result };
        self.call(attempt, call).await.map(drop)
    }

    /// `POST /participant` with operation `Remove`: takes a rep out of the conversation.
    ///
    /// # Errors
    /// Salesforce's refusal, or that no answer came in time.
    pub async fn remove_participant(
        &self,
        attempt: Attempt,
        conversation: ConversationId,
        rep: RepId,
    ) -> Result<(), Failure> {
        self.call(attempt, Call::RemoveParticipant { conversation, rep }).await.map(drop)
    }

    async fn call(&self, attempt: Attempt, call: Call) -> Result<Reply, Failure> {
        let Attempt { request_id, give_up_at } = attempt;
        reply(self.send(request_id, &call, give_up_at, Priority::of(&call)).await)
    }
}
