//! `POST /route` and `DELETE /route`: a PSR comes and goes.

use serde_json::{Map, Value, json};

use super::api::ApiResponse;
use super::body::Fields;
use super::ledger::{LedgerEvent, PsrEnd};
use super::refusal::{Refusal, shown};
use super::salesforce::Salesforce;
use super::state::{Conversation, Psr, RequestEnd};
use crate::model::event::Target;
use crate::model::ids::{ConversationId, EventId, FlowId, PsrId, QueueId, RepId};
use crate::model::time::Timestamp;
use crate::model::words::{CancelReason, RoutingType};

/// By what a route call wants to route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    ChannelSetting,
    Queue(QueueId),
    Flow { flow: FlowId, fallback: QueueId },
}

/// What a route came to: a rep, a queue, or what the channel says, which may be neither.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    rep: Option<RepId>,
    queue: Option<QueueId>,
}

impl Salesforce {
    pub(super) fn create_route(&mut self, now: Timestamp, body: Fields<'_>) -> Result<ApiResponse, Refusal> {
        let conversation =
            self.running_conversation(body.required_text("conversationIdentifier")?)?.id.clone();
        let routing_type = self.required_routing_type(body)?;
        let by = self.route_by(body)?;
        let found = self.follow(by);
        let chosen = self.request_for(&conversation, routing_type, by);
        let psr = Psr {
            id: self.mint.record(PsrId::PREFIX),
            conversation: conversation.clone(),
            routing_type,
            correlation: self
                .taken_for(chosen)
                .or_else(|| self.routing_of(&conversation, routing_type))
                .unwrap_or_else(|| self.mint.text_id()),
            queue: found.queue,
            created: now,
        };
        let answer = self.route_answer(&psr, found);
        let created =
            LedgerEvent::PsrCreated { psr: psr.id, conversation, correlation: psr.correlation.clone() };
        self.books.add(now, created);
        if let Some(conversation) = self.conversations.get_mut(&psr.conversation) {
            conversation.psrs.push(psr.id);
        }
        self.tell_routing_started(now, &psr);
        self.psrs.insert(psr.id, psr);
        Ok(ApiResponse::json(202, answer))
    }

    fn route_answer(&self, psr: &Psr, found: Found) -> Value {
        let mut context = Map::new();
        context.extend(found.rep.map(|rep| ("userId".to_owned(), rep.to_18().into())));
        context.extend(found.queue.map(|queue| ("queueId".to_owned(), queue.to_18().into())));
        let work_item = self.conversations.get(&psr.conversation).map(|it| it.work_item.to_18());
        json!({
            "success": true,
            "psrId": psr.id.to_18(),
            "workItemId": work_item,
            "routingCorrelationId": psr.correlation,
            "contextParamMap": context,
        })
    }

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

    fn route_by(&self, body: Fields<'_>) -> Result<By, Refusal> {
        let Some(info) = body.object("routingInfo")? else { return Ok(By::ChannelSetting) };
        info.texts("routingAttributes")?;
        let queue = info.text("queueId")?.filter(|text| !text.is_empty());
        match (queue, info.object("flow")?) {
            (Some(_), Some(_)) => {
                Err(Refusal::new(10030, "routingInfo names a queue and a flow; it takes one of them"))
            }
            (Some(queue), None) => Ok(By::Queue(self.known_queue(queue)?)),
            (None, Some(flow)) => {
                let text = |name| Ok(flow.text(name)?.filter(|text| !text.is_empty()));
                let (Some(flow), Some(fallback)) = (text("flowId")?, text("queueId")?) else {
                    let text = "a flow needs 'flowId' and, as its fallback, 'queueId'";
                    return Err(Refusal::new(10024, text));
                };
                let fallback = self.known_queue(fallback)?;
                let flow =
                    FlowId::parse(flow).map_err(|error| Refusal::body(format!("'flowId': {error}")))?;
                Ok(By::Flow { flow, fallback })
            }
            (None, None) => Ok(By::ChannelSetting),
        }
    }

    fn known_queue(&self, text: &str) -> Result<QueueId, Refusal> {
        let queue = QueueId::parse(text).map_err(|error| Refusal::new(10032, error.to_string()))?;
        if self.queues.contains(&queue) {
            Ok(queue)
        } else {
            Err(Refusal::new(10032, format!("the org has no queue {queue}")))
        }
    }

    /// Where the route leads. A flow that the org does not have, or that answers with nothing, fails, and
    /// then its fallback counts.
    fn follow(&self, by: By) -> Found {
        match by {
            By::ChannelSetting => Found { rep: None, queue: self.settings.channel.default_queue },
            By::Queue(queue) => Found { rep: None, queue: Some(queue) },
            By::Flow { flow, fallback } => match self.flows.get(&flow) {
                Some(flow) if flow.rep.is_some() => Found { rep: flow.rep, queue: None },
                flow => Found { rep: None, queue: Some(flow.and_then(|it| it.queue).unwrap_or(fallback)) },
            },
        }
    }

    /// The routing request that a route call is for: the first open one of its conversation and type that
    /// asks for the same and has no PSR yet; failing that, the first that asks for the same.
    fn request_for(&self, id: &ConversationId, routing_type: RoutingType, by: By) -> Option<EventId> {
        let conversation = self.conversations.get(id)?;
        let has_psr = |event: &EventId| {
            conversation.psrs.iter().filter_map(|psr| self.psrs.get(psr)).any(|psr| psr.correlation == *event)
        };
        let mut fitting = Vec::new();
        for request in conversation.requests.iter().filter_map(|event| self.requests.get(event)) {
            let same = match (&request.target, by) {
                (Target::Queue(wanted), By::Queue(queue)) => *wanted == queue,
                (Target::Flow { flow: wanted, .. }, By::Flow { flow, .. }) => *wanted == flow,
                (_, By::ChannelSetting) => true,
                _ => false,
            };
            if same && request.is_open() && request.routing_type == routing_type {
                fitting.push(&request.event);
            }
        }
        fitting.iter().find(|event| !has_psr(event)).or(fitting.first()).map(|event| (*event).clone())
    }

    /// The routing that no request is behind and that has a PSR already: a route call that comes twice is
    /// for the same.
    fn routing_of(&self, id: &ConversationId, routing_type: RoutingType) -> Option<EventId> {
        let psrs = self.conversations.get(id)?.psrs.iter().filter_map(|psr| self.psrs.get(psr));
        psrs.filter(|psr| psr.routing_type == routing_type && !self.requests.contains_key(&psr.correlation))
            .map(|psr| psr.correlation.clone())
            .next()
    }

    pub(super) fn known_conversation(&self, name: &str) -> Result<&Conversation, Refusal> {
        ConversationId::parse(name)
            .ok()
            .and_then(|id| self.conversations.get(&id))
            .ok_or_else(|| Refusal::new(10018, format!("the org has no conversation '{}'", shown(name))))
    }

    /// A conversation whose session is not over.
    pub(super) fn running_conversation(&self, name: &str) -> Result<&Conversation, Refusal> {
        let conversation = self.known_conversation(name)?;
        if conversation.is_over() {
            let text = format!("the session {} of the conversation has ended", conversation.work_item);
            return Err(Refusal::new(10071, text));
        }
        Ok(conversation)
    }

    pub(super) fn required_routing_type(&self, body: Fields<'_>) -> Result<RoutingType, Refusal> {
        let name = body.required_text("routingType")?;
        let routing_type = RoutingType::from_name(name)
            .ok_or_else(|| Refusal::body(format!("'routingType' may not be '{}'", shown(name))))?;
        if routing_type == RoutingType::Conference && !self.settings.channel.conference_supported {
            return Err(Refusal::new(10075, "the channel definition does not support conferences"));
        }
        Ok(routing_type)
    }
}
