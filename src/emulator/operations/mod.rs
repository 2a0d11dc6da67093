//! What the org does when it is called: one file an operation, named as Salesforce names it, and the list of them.
//!
//! Elsewhere: what is checked of every call (path, headers, that the body is an object) is in `api`.

mod delete_route;
mod named;
mod operation;
mod patch_agent_work;
mod patch_consent_update;
mod post_agent_work;
mod post_conversation;
mod post_interaction;
mod post_messaging_session;
mod post_participant;
mod post_route;
mod post_routing_result;

pub use self::operation::Operation;
pub(super) use self::operation::TypeHeader;
use super::body::Fields;
use super::exchange::ApiResponse;
use super::refusal::Refusal;
use super::salesforce::Salesforce;
use crate::model::time::Timestamp;

impl Salesforce {
    /// Carries a call out whose headers are right.
    pub(super) fn carry_out(
        &mut self,
        now: Timestamp,
        operation: Operation,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        match operation {
            Operation::CreateRoute => self.create_route(now, body),
            Operation::DeleteRoute => self.delete_route(now, body),
            Operation::CreateAgentWork => self.create_agent_work(now, body),
            Operation::UpdateAgentWork => self.update_agent_work(now, body),
            Operation::RoutingResult => self.take_routing_result(now, body),
            Operation::Participant => self.change_participant(now, body),
            Operation::Conversation => self.begin_conversation(now, body),
            Operation::Interactions => self.take_interaction(now, body),
            Operation::Consent => Ok(self.update_consent(now, body)),
            Operation::MessagingSession => self.change_session(now, body),
        }
    }
}
