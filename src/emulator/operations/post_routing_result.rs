//! `POST /routingResult`: the partner's answer to a routing request.

use serde_json::json;

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::ledger::{LedgerEvent, ResultEffect};
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::{ANSWER_TIME, Salesforce};
use super::super::state::{Request, RequestEnd};
use super::named::mismatch;
use crate::model::ids::{ConversationId, EventId};
use crate::model::time::Timestamp;
use crate::model::words::RoutingType;

impl Salesforce {
    pub(super) fn take_routing_result(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        let work_item = self.known_work_item(body)?;
        let conversation = self.known_conversation(body.required_text("conversationIdentifier")?)?;
        if conversation.work_item != work_item {
            return Err(mismatch(work_item, conversation.id.as_str()));
        }
        let conversation = conversation.id.clone();
        let success = body.required_flag("success")?;
        let externally = body.required_flag("externallyRouted")?;
        let message = body.text("errorMessage")?;
        match (success, message) {
            (true, Some(_)) => {
                return Err(Refusal::new(10033, "a success has no errorMessage"));
            }
            (false, None) => return Err(Refusal::new(10034, "a failure needs an errorMessage")),
            (false, Some(text)) if text.trim().is_empty() => {
                return Err(Refusal::new(10034, "a failure needs an errorMessage that says something"));
            }
            _ => {}
        }
        let routing_type = match body.text("routingType")? {
            None => None,
            Some(name) => Some(
                RoutingType::from_name(name)
                    .ok_or_else(|| Refusal::body(format!("'routingType' may not be '{}'", shown(name))))?,
            ),
        };
        let chosen = self.answered_by(&conversation, routing_type, success);
        let request = self.taken_for(chosen);
        let verdict = self.judge_result(now, request.as_ref());
        self.books.add(
            now,
            LedgerEvent::ResultReceived { conversation, request: request.clone(), success, verdict },
        );
        if let (Some(event), ResultEffect::Effective) = (request, verdict) {
            self.apply_result(now, &event, success, externally, message.unwrap_or_default());
        }
        Ok(ApiResponse::json(202, json!({ "success": true })))
    }

    fn apply_result(
        &mut self,
        now: Timestamp,
        event: &EventId,
        success: bool,
        externally: bool,
        message: &str,
    ) {
        if let Some(request) = self.requests.get_mut(event) {
            request.answered = Some((now, success));
        }
        if !success {
            self.end_request(now, event, RequestEnd::Refused { message: message.to_owned() });
        } else if externally {
            self.end_request(now, event, RequestEnd::RoutedExternally);
        }
    }

    /// A result names no request. It is taken for the oldest of its conversation and type that is not
    /// answered: a success rather for one that has an offer, a failure rather for one that has no open offer
    /// and that nobody joined. Failing that, for the last one that was answered. When the same call comes
    /// again, it is for the same request as before.
    fn answered_by(
        &self,
        id: &ConversationId,
        routing_type: Option<RoutingType>,
        success: bool,
    ) -> Option<EventId> {
        let conversation = self.conversations.get(id)?;
        let all: Vec<&Request> = conversation
            .requests
            .iter()
            .filter_map(|event| self.requests.get(event))
            .filter(|request| routing_type.is_none_or(|wanted| request.routing_type == wanted))
            .collect();
        let likely = |request: &&&Request| {
            let of_request = |event: &EventId| *event == request.event;
            let offered = !self.works_of(id, |work| of_request(&work.correlation)).is_empty();
            let live =
                !self.works_of(id, |work| of_request(&work.correlation) && work.state.is_active()).is_empty();
            if success { offered } else { !live }
        };
        let waiting: Vec<&Request> = all.iter().copied().filter(|request| is_unanswered(request)).collect();
        let chosen = waiting.iter().find(likely).or(waiting.first()).or(all.last());
        chosen.map(|request| request.event.clone())
    }

    fn judge_result(&self, now: Timestamp, event: Option<&EventId>) -> ResultEffect {
        match event.and_then(|event| self.requests.get(event)) {
            None => ResultEffect::Unasked,
            Some(request) if request.answered.is_some() => ResultEffect::Repeated,
            Some(request) if is_unanswered(request) && now < request.created + ANSWER_TIME => {
                ResultEffect::Effective
            }
            Some(_) => ResultEffect::Late,
        }
    }
}

/// Whether a result can still count for it: nobody answered it, and it is open or a rep has joined.
const fn is_unanswered(request: &Request) -> bool {
    request.answered.is_none() && matches!(request.ended, None | Some((_, RequestEnd::Joined { .. })))
}
