//! One conversation with Anna in it, and calls with every header that is wanted.

use byoc_connector::emulator::{Act, ApiRequest, ApiResponse, Done, Emission, Salesforce, Settings};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{ConversationId, EventId, QueueId, RepId, WorkItemId};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::Timestamp;
use serde_json::{Value, json};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_780_000_000_000);
pub(crate) const ANNA: u32 = 1;
pub(crate) const BO: u32 = 2;
pub(crate) const CLEO: u32 = 3;

pub(crate) fn rep(number: u32) -> RepId {
    RepId::parse(&format!("005Hu{number:010}")).unwrap()
}

pub(crate) fn queue() -> QueueId {
    QueueId::parse("00GHu0000000001").unwrap()
}

pub(crate) struct Org {
    pub(crate) salesforce: Salesforce,
    pub(crate) conversation: ConversationId,
    pub(crate) work_item: WorkItemId,
    calls: u32,
}

impl Org {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let person = |number| json!({ "id": rep(number), "name": "Somebody", "queues": [queue()] });
        let roster: Roster = serde_json::from_value(json!({
            "reps": [person(ANNA), person(BO), person(CLEO)],
            "queues": [{ "id": queue(), "name": "Billing" }],
        }))
        .unwrap();
        let mut salesforce = Salesforce::new(7, roster, settings);
        let start = Act::StartConversation { end_user: None, reps: vec![rep(ANNA)] };
        let started = salesforce.act(START, start).unwrap();
        let Done::Started { conversation, work_item } = started else { panic!("{started:?}") };
        Self { salesforce, conversation, work_item, calls: 0 }
    }

    pub(crate) fn asks_for(&mut self, target: Target) -> EventId {
        let act = Act::RequestConference { conversation: self.conversation.clone(), requester: None, target };
        match self.salesforce.act(START, act).unwrap() {
            Done::Requested { request } => request,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn call(&mut self, method: &str, operation: &str, body: &Value) -> ApiResponse {
        self.call_with(method, operation, &[], body)
    }

    /// A call with these headers in the place of, or beside, the usual ones; an empty value takes one away.
    pub(crate) fn call_with(
        &mut self,
        method: &str,
        operation: &str,
        changed: &[(&str, &str)],
        body: &Value,
    ) -> ApiResponse {
        self.calls += 1;
        let settings = self.salesforce.settings();
        let mut headers: Vec<(String, String)> = [
            ("authorization", "Bearer a-token"),
            ("orgid", settings.org.as_str()),
            ("requestid", &format!("3f0f5a52-7a57-4d43-9a6c-{:012}", self.calls)),
            ("authorizationcontext", &settings.channel.developer_name),
            ("authorizationcontexttype", "ConversationChannelDefinition"),
            ("content-type", "application/json"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (name, value) in changed {
            headers.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
            if !value.is_empty() {
                headers.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        let request = ApiRequest {
            method: method.to_owned(),
            path: format!("/api/v1/{operation}"),
            headers,
            body: serde_json::to_vec(body).unwrap(),
        };
        self.salesforce.handle(START, &request)
    }

    pub(crate) fn route_body(&self, info: &Value) -> Value {
        json!({ "conversationIdentifier": self.conversation, "routingType": "Conference", "routingInfo": info })
    }

    pub(crate) fn routes(&mut self) -> ApiResponse {
        let body = self.route_body(&json!({ "queueId": queue() }));
        self.call("POST", "route", &body)
    }

    /// The body of an offer, with a routing context and without a capacity.
    pub(crate) fn offer_body(&self, number: u32, request: &EventId) -> Value {
        json!({
            "userId": rep(number), "workItemId": self.work_item,
            "routingContext": {
                "conversationIdentifier": self.conversation, "routingType": "Conference",
                "routingCorrelationId": request,
            },
        })
    }

    /// The platform events since the last time: type, and payload.
    pub(crate) fn published(&mut self) -> Vec<(String, Value)> {
        let settings = self.salesforce.settings().events.clone();
        let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        let told = self.salesforce.take_events().into_iter();
        told.filter_map(|told| match told.what {
            Emission::Platform { event, .. } => {
                let payload = serde_json::from_str(&text(&event, &settings.payload_field)).unwrap();
                Some((text(&event, &settings.type_field), payload))
            }
            Emission::AgentWork { .. } => None,
        })
        .collect()
    }
}
