//! `POST /route`: a PSR is made.

use serde_json::{Map, Value, json};

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::ledger::LedgerEvent;
use super::super::refusal::Refusal;
use super::super::salesforce::Salesforce;
use super::super::state::Psr;
use crate::model::event::Target;
use crate::model::ids::{ConversationId, EventId, FlowId, PsrId, QueueId, RepId};
use crate::model::time::Timestamp;
use crate::model::words::RoutingType;

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
        let conversation = self.running_conversation(body.required_text("conversationIdentifier")?)?;
        self.opted_in(conversation)?;
        let conversation = conversation.id.clone();
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
}
