//! `DELETE /route`: the PSRs of a conversation are cleared.

use serde_json::json;

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::ledger::PsrEnd;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use super::super::state::RequestEnd;
use crate::model::ids::{ConversationId, PsrId};
use crate::model::time::Timestamp;
use crate::model::words::CancelReason;

impl Salesforce {
    /// Clears the conversation's PSRs. `success: false` where there is none: nothing was to be done.
    pub(super) fn delete_route(&mut self, now: Timestamp, body: Fields<'_>) -> Result<ApiResponse, Refusal> {
        let name = body.required_text("conversationIdentifier")?;
        let conversation = self.known_conversation(name)?;
        let (id, psrs) = (conversation.id.clone(), conversation.psrs.clone());
        let reason = match body.text("cancelReason")? {
            None => CancelReason::Unknown,
            Some(name) => CancelReason::from_name(name)
                .filter(|reason| *reason != CancelReason::EndUserEnded)
                .ok_or_else(|| Refusal::body(format!("'cancelReason' may not be '{}'", shown(name))))?,
        };
        for psr in &psrs {
            self.clear_psr(now, &id, *psr, reason);
        }
        Ok(ApiResponse::json(202, json!({ "success": !psrs.is_empty() })))
    }

    fn clear_psr(&mut self, now: Timestamp, conversation: &ConversationId, id: PsrId, reason: CancelReason) {
        let Some(psr) = self.psrs.get(&id).cloned() else { return };
        self.delete_psr(now, id, PsrEnd::Clear(reason));
        if self.requests.get(&psr.correlation).is_some_and(|request| request.answered.is_some()) {
            self.end_request(now, &psr.correlation, RequestEnd::GivenUp { reason });
        }
        // A clear with reason Cancel follows a cancel that Salesforce itself has told: it is not told again.
        if reason != CancelReason::Cancel {
            let requester = self.requests.get(&psr.correlation).and_then(|request| request.requester);
            self.tell_routing_cancelled(now, conversation, psr.routing_type, reason, requester, Some(&psr));
        }
    }
}
