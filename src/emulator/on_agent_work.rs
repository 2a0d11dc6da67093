//! `POST /agentWork` and `PATCH /agentWork`: an offer is made, and changed.

use serde_json::json;

use super::act_error::ActError;
use super::api::ApiResponse;
use super::body::{Fields, missing};
use super::books::Booked;
use super::refusal::{Refusal, shown};
use super::salesforce::Salesforce;
use super::state::{Psr, Work, WorkState};
use crate::model::ids::{AgentWorkId, ConversationId, EventId, PsrId, RepId, WorkItemId};
use crate::model::roster::Rep;
use crate::model::time::Timestamp;
use crate::model::words::{Availability, RoutingType};

impl Salesforce {
    pub(super) fn create_agent_work(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        let user = body.text("userId")?.unwrap_or_default();
        let rep = RepId::parse(user).map_err(|error| Refusal::new(15106, format!("userId: {error}")))?;
        let work_item = self.known_work_item(body)?;
        let context = body.object("routingContext")?.ok_or_else(|| missing("routingContext"))?;
        let conversation = self.running_conversation(context.required_text("conversationIdentifier")?)?;
        if conversation.work_item != work_item {
            return Err(mismatch(work_item, conversation.id.as_str()));
        }
        let conversation = conversation.id.clone();
        let routing_type = self.required_routing_type(context)?;
        let correlation = EventId::parse(context.required_text("routingCorrelationId")?)
            .map_err(|error| Refusal::body(format!("'routingCorrelationId': {error}")))?;
        let capacity = capacity_of(body)?;
        let psr = self.psr_for(&conversation, routing_type, &correlation).map(|psr| psr.id);
        if capacity.is_none() && psr.is_none() {
            let text = "without a PSR an offer needs capacityWeight or capacityPercentage";
            return Err(Refusal::new(10013, text));
        }
        let weight = weight_for(self.rep_who_can(rep)?, capacity, self.settings.psr_weight);
        self.refuse_duplicate(now, rep, work_item)?;
        let work = Work {
            id: self.mint.record(AgentWorkId::PREFIX),
            rep,
            work_item,
            conversation,
            routing_type,
            correlation,
            // An offer that says what it costs is one without a PSR, whatever else is open.
            psr: if capacity.is_none() { psr } else { None },
            weight,
            state: WorkState::Waiting,
            created: now,
        };
        let answer = agent_work_answer(&self.mint.uuid(), &work, capacity);
        self.offer(now, work);
        Ok(ApiResponse::json(202, answer))
    }

    pub(super) fn update_agent_work(
        &mut self,
        now: Timestamp,
        body: Fields<'_>,
    ) -> Result<ApiResponse, Refusal> {
        let text = body.text("workId")?.unwrap_or_default();
        let unknown = || Refusal::new(10082, format!("the org has no agent work '{}'", shown(text)));
        let work = AgentWorkId::parse(text).map_err(|_| unknown())?;
        if !self.works.contains_key(&work) {
            return Err(unknown());
        }
        match body.text("contextType")? {
            Some("Agent") => {}
            other => {
                let text = format!("contextType '{}' is not Agent", shown(other.unwrap_or_default()));
                return Err(Refusal::new(10083, text));
            }
        }
        let done = match body.text("status")? {
            Some("Cancel") => self.cancel_offer(now, work),
            Some("Accept") => self.accept(now, work),
            Some("Decline") => self.decline(now, work),
            Some("Close") => self.close(now, work),
            other => {
                let text = format!(
                    "status '{}' is none of Accept, Close, Decline, Cancel",
                    shown(other.unwrap_or_default())
                );
                return Err(Refusal::new(10085, text));
            }
        };
        match done {
            Ok(()) => Ok(ApiResponse::json(202, json!({ "success": true }))),
            Err(error @ ActError::SessionOver { .. }) => Err(Refusal::new(10071, error.to_string())),
            Err(error) => Err(Refusal::new(10085, error.to_string())),
        }
    }

    /// The work item that the body names: 15 characters, and the org has it.
    pub(super) fn known_work_item(&self, body: Fields<'_>) -> Result<WorkItemId, Refusal> {
        let text = body.text("workItemId")?.unwrap_or_default();
        let wrong = |why: String| Refusal::new(15110, format!("workItemId: {why}"));
        if text.len() != 15 {
            return Err(wrong(format!("'{}' does not have 15 characters", shown(text))));
        }
        let id = WorkItemId::parse(text).map_err(|error| wrong(error.to_string()))?;
        if self.by_work_item.contains_key(&id) {
            Ok(id)
        } else {
            Err(Refusal::new(15111, format!("the org has no messaging session {id}")))
        }
    }

    /// The PSR that an offer uses: the one of the request that it names, or else the oldest of the same type
    /// that no request of ours is behind, or else the oldest of the same type: a route call names no
    /// request, and may have been taken for that of another.
    fn psr_for(
        &self,
        conversation: &ConversationId,
        routing_type: RoutingType,
        correlation: &EventId,
    ) -> Option<&Psr> {
        let psrs =
            self.conversations.get(conversation)?.psrs.iter().filter_map(|id: &PsrId| self.psrs.get(id));
        let of_request = psrs.clone().find(|psr| psr.correlation == *correlation);
        let of_nobody =
            |psr: &&Psr| psr.routing_type == routing_type && !self.requests.contains_key(&psr.correlation);
        of_request
            .or_else(|| psrs.clone().find(of_nobody))
            .or_else(|| psrs.clone().find(|psr| psr.routing_type == routing_type))
    }

    fn rep_who_can(&self, id: RepId) -> Result<&Rep, Refusal> {
        let rep = self
            .reps
            .get(&id)
            .ok_or_else(|| Refusal::new(15106, format!("userId: the org has no rep {id}")))?;
        if !rep.messaging {
            return Err(Refusal::new(15105, format!("{id} does not hold the messaging permission")));
        }
        if rep.availability == Availability::Offline {
            return Err(Refusal::new(15112, format!("{id} is not online for messaging")));
        }
        Ok(rep)
    }

    fn refuse_duplicate(&mut self, now: Timestamp, rep: RepId, work_item: WorkItemId) -> Result<(), Refusal> {
        let Some(&active) = self.active.get(&(rep, work_item)) else { return Ok(()) };
        self.books.add(now, Booked::DuplicateRefused { rep, work_item, active });
        let text = format!("{rep} has an active agent work for {work_item} already");
        Err(Refusal::new(15109, text))
    }
}

/// What an offer says that it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cost {
    Weight(f64),
    Percentage(f64),
}

fn capacity_of(body: Fields<'_>) -> Result<Option<Cost>, Refusal> {
    match (body.number("capacityWeight")?, body.number("capacityPercentage")?) {
        (Some(_), Some(_)) => {
            Err(Refusal::new(10013, "capacityWeight and capacityPercentage exclude each other"))
        }
        (Some(weight), None) if weight < 0.0 => {
            Err(Refusal::new(10014, format!("capacityWeight is {weight}, which is below 0")))
        }
        (None, Some(percentage)) if !(0.0..=100.0).contains(&percentage) => {
            Err(Refusal::new(10015, format!("capacityPercentage is {percentage}, not from 0 to 100")))
        }
        (Some(weight), None) => Ok(Some(Cost::Weight(weight))),
        (None, Some(percentage)) => Ok(Some(Cost::Percentage(percentage))),
        (None, None) => Ok(None),
    }
}

/// What an offer takes of a rep, in capacity units.
fn weight_for(rep: &Rep, cost: Option<Cost>, psr_weight: f64) -> f64 {
    match cost {
        Some(Cost::Weight(weight)) => weight,
        Some(Cost::Percentage(percentage)) => rep.capacity * percentage / 100.0,
        None => psr_weight,
    }
}

fn agent_work_answer(id: &str, work: &Work, cost: Option<Cost>) -> serde_json::Value {
    let mut details = json!({
        "existPsr": work.psr.is_some(),
        "routingContext": {
            "conversationIdentifier": work.conversation,
            "routingType": work.routing_type.as_str(),
            "routingCorrelationId": work.correlation,
        },
    });
    if let Some(fields) = details.as_object_mut() {
        fields.extend(work.psr.map(|psr| ("psrId".to_owned(), psr.to_18().into())));
        fields.extend(cost.map(|cost| match cost {
            Cost::Weight(weight) => ("capacityWeight".to_owned(), weight.into()),
            Cost::Percentage(percentage) => ("capacityPercentage".to_owned(), percentage.into()),
        }));
    }
    json!({ "id": id, "agentWorkId": work.id.to_18(), "agentWorkDetails": details, "success": true })
}

pub(super) fn mismatch(work_item: WorkItemId, conversation: &str) -> Refusal {
    let text = format!("the conversation '{}' is not that of {work_item}", shown(conversation));
    Refusal::new(15107, text)
}
