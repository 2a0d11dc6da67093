//! `POST /agentWork`: an offer is made.

use serde_json::json;

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::ledger::LedgerEvent;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use super::super::state::{Psr, Work, WorkState};
use super::named::mismatch;
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
        let named = self.named_routing(body, work_item)?;
        self.check_visibilities(body)?;
        let said = capacity_of(body)?;
        let (conversation, psr) = match &named {
            Some(named) => (named.conversation.clone(), self.psr_for(named, said.is_some())),
            None => self.only_psr(work_item)?,
        };
        let psr = psr.map(|psr| (psr.id, psr.routing_type, psr.correlation.clone()));
        // With a PSR, what the call says of capacity does not count.
        let cost = if psr.is_none() { said } else { None };
        if cost.is_none() && psr.is_none() {
            let text = "without a PSR an offer needs capacityWeight or capacityPercentage";
            return Err(Refusal::new(10013, text));
        }
        let weight = weight_for(self.rep_who_can(rep)?, cost, self.settings.psr_weight);
        self.refuse_duplicate(now, rep, work_item)?;
        let psr_id = psr.as_ref().map(|(id, ..)| *id);
        let (routing_type, correlation) = match (named, psr) {
            (Some(named), _) => (named.routing_type, named.correlation),
            (None, Some((_, routing_type, correlation))) => (routing_type, correlation),
            (None, None) => self.unnamed_routing(&conversation),
        };
        let work = Work {
            id: self.mint.record(AgentWorkId::PREFIX),
            rep,
            work_item,
            conversation,
            routing_type,
            correlation,
            psr: psr_id,
            weight,
            state: WorkState::Waiting,
            created: now,
        };
        let answer = agent_work_answer(&self.mint.uuid(), &work, cost);
        self.offer(now, work);
        Ok(ApiResponse::json(202, answer))
    }

    /// The `routingContext` of an offer: it may be left out, but not half of it (`AgentWorkRequest`,
    /// `RoutingContext`).
    fn named_routing(&self, body: Fields<'_>, work_item: WorkItemId) -> Result<Option<Named>, Refusal> {
        let Some(context) = body.object("routingContext")? else { return Ok(None) };
        let conversation = self.running_conversation(context.required_text("conversationIdentifier")?)?;
        self.opted_in(conversation)?;
        if conversation.work_item != work_item {
            return Err(mismatch(work_item, conversation.id.as_str()));
        }
        let routing_type = self.required_routing_type(context)?;
        let correlation = EventId::parse(context.required_text("routingCorrelationId")?)
            .map_err(|error| Refusal::body(format!("'routingCorrelationId': {error}")))?;
        Ok(Some(Named { conversation: conversation.id.clone(), routing_type, correlation }))
    }

    /// What an offer is for that names nothing but its work item: its conversation, and the oldest PSR of that.
    fn only_psr(&self, work_item: WorkItemId) -> Result<(ConversationId, Option<&Psr>), Refusal> {
        let name = self.by_work_item.get(&work_item).map(ConversationId::as_str).unwrap_or_default();
        let conversation = self.running_conversation(name)?;
        self.opted_in(conversation)?;
        let psr = conversation.psrs.iter().find_map(|id| self.psrs.get(id));
        Ok((conversation.id.clone(), psr))
    }

    /// The routing of an offer that names none and uses no PSR: the conversation's oldest open request, or a
    /// first routing that no request is behind.
    fn unnamed_routing(&mut self, conversation: &ConversationId) -> (RoutingType, EventId) {
        let open = self.open_requests_of(conversation);
        match open.first().and_then(|event| self.requests.get(event)) {
            Some(request) => (request.routing_type, request.event.clone()),
            None => (RoutingType::Initial, self.mint.text_id()),
        }
    }

    /// `agentActionVisibilities` (`AgentActionVisibilityItem`; 10077).
    fn check_visibilities(&self, body: Fields<'_>) -> Result<(), Refusal> {
        for item in body.list("agentActionVisibilities")?.unwrap_or_default() {
            let item = Fields::of(item)
                .map_err(|_| Refusal::body("'agentActionVisibilities' holds something that is no object"))?;
            item.required_flag("visible")?;
            match item.required_text("agentAction")? {
                "Transfer" => {}
                "Conference" if self.settings.channel.conference_supported => {}
                "Conference" => {
                    return Err(Refusal::new(10077, "the channel definition does not support conferences"));
                }
                other => {
                    return Err(Refusal::body(format!("'agentAction' may not be '{}'", shown(other))));
                }
            }
        }
        Ok(())
    }

    /// The PSR that an offer uses: the one of the request that it names, or else the oldest of the same type
    /// that no request of ours is behind, or else the oldest of the same type: a route call names no
    /// request, and may have been taken for that of another. An offer that says what it costs counts on none,
    /// so it does not take up that of another request.
    fn psr_for(&self, named: &Named, says_cost: bool) -> Option<&Psr> {
        let Named { conversation, routing_type, correlation } = named;
        let psrs = self.conversations.get(conversation)?.psrs.iter();
        let psrs = psrs.filter_map(|id: &PsrId| self.psrs.get(id));
        let of_request = psrs.clone().find(|psr| psr.correlation == *correlation);
        let same_type = |psr: &&Psr| psr.routing_type == *routing_type;
        let of_nobody = |psr: &&Psr| same_type(psr) && !self.requests.contains_key(&psr.correlation);
        of_request
            .or_else(|| psrs.clone().find(of_nobody))
            .or_else(|| psrs.clone().find(same_type).filter(|_| !says_cost))
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
        self.books.add(now, LedgerEvent::DuplicateRefused { rep, work_item, active });
        let text = format!("{rep} has an active agent work for {work_item} already");
        Err(Refusal::new(15109, text))
    }
}

/// Which routing an offer says that it is for.
struct Named {
    conversation: ConversationId,
    routing_type: RoutingType,
    correlation: EventId,
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
