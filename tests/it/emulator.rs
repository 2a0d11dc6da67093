//! The emulated org, from outside: calls and acts in, answers, events and books out.

use std::time::Duration;

use byoc_connector::emulator::{
    Act, ActError, AdoptedConversation, ApiRequest, ApiResponse, Done, Emission, Emitted, Fault, FaultKind,
    LedgerEvent, RequestEnd, ResultEffect, Salesforce, Settings, WorkState,
};
use byoc_connector::model::event::{RoutingRequested, SkillRequirement, Target};
use byoc_connector::model::ids::{
    AgentWorkId, ConversationId, EventId, FlowId, PsrId, QueueId, RepId, SkillId, Subject, WorkItemId,
};
use byoc_connector::model::roster::{Flow, Queue, Rep, Roster, Script};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{Availability, ConsentOwner};
use serde_json::{Value, json};

use crate::support::books::{effective_results, most_open_offers};

mod around_calls;
mod chance;
mod consents;
mod conversations;
mod endings;
mod forms;
mod interactions;
mod life;
mod published;
mod refusals;
mod sessions;

const START: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const AN_ID: &str = "3f0f5a52-7a57-4d43-9a6c-111111111111";

fn seconds(count: u64) -> Timestamp {
    START + Duration::from_secs(count)
}

fn rep(number: u32) -> RepId {
    RepId::parse(&format!("005Hu{number:010}")).unwrap()
}

fn queue() -> QueueId {
    QueueId::parse("00GHu0000000001").unwrap()
}

fn flow(number: u32) -> FlowId {
    FlowId::parse(&format!("300Hu{number:010}")).unwrap()
}

const ANNA: u32 = 1;
const BO: u32 = 2;
const CLEO: u32 = 3;
const OFFLINE: u32 = 8;
const WITHOUT_MESSAGING: u32 = 9;

/// Anna is the rep who asks; Bo and Cleo can be asked. Flow 1 answers with Bo, flow 2 with the queue,
/// flow 3 with nothing.
fn roster() -> Roster {
    let person = |number, change: &dyn Fn(&mut Rep)| {
        let mut rep: Rep = serde_json::from_value(json!({ "id": rep(number), "queues": [queue()] })).unwrap();
        change(&mut rep);
        rep
    };
    let flow = |number, rep, queue| Flow { id: flow(number), name: String::new(), rep, queue };
    Roster {
        reps: vec![
            person(ANNA, &|_| {}),
            person(BO, &|_| {}),
            person(CLEO, &|_| {}),
            person(OFFLINE, &|it| it.availability = Availability::Offline),
            person(WITHOUT_MESSAGING, &|it| it.messaging = false),
        ],
        queues: vec![Queue {
            id: queue(),
            name: "Billing".to_owned(),
            wait_seconds: None,
            accepted_last_10_minutes: 0,
            reps: Vec::new(),
        }],
        flows: vec![flow(1, Some(rep(BO)), None), flow(2, None, Some(queue())), flow(3, None, None)],
        contacts: Vec::new(),
    }
}

/// One conversation with Anna and an end user, and the way to it.
struct Org {
    salesforce: Salesforce,
    conversation: ConversationId,
    work_item: WorkItemId,
    calls: u32,
}

/// An org whose channel tells of offers on the platform event, and whose partner asks for consent.
fn telling() -> Settings {
    let mut settings = Settings::default();
    settings.channel.routing_work_result_supported = true;
    settings.channel.consent_owner = ConsentOwner::Partner;
    settings
}

impl Org {
    fn new() -> Self {
        Self::with(telling(), roster())
    }

    fn with(settings: Settings, roster: Roster) -> Self {
        let mut salesforce = Salesforce::new(7, roster, settings);
        let started =
            salesforce.act(START, Act::StartConversation { end_user: None, reps: vec![rep(ANNA)] }).unwrap();
        let Done::Started { conversation, work_item } = started else { panic!("{started:?}") };
        drop(salesforce.take_events());
        Self { salesforce, conversation, work_item, calls: 0 }
    }

    fn scripted(number: u32, script: Script) -> Self {
        let mut roster = roster();
        roster.reps.iter_mut().find(|it| it.id == rep(number)).unwrap().script = script;
        Self::with(telling(), roster)
    }

    fn asks_for(&mut self, at: Timestamp, target: Target) -> EventId {
        let act = Act::RequestConference { conversation: self.conversation.clone(), requester: None, target };
        match self.salesforce.act(at, act).unwrap() {
            Done::Requested { request } => request,
            other => panic!("{other:?}"),
        }
    }

    fn transfers_to(&mut self, at: Timestamp, number: u32) -> EventId {
        let act = Act::RequestTransfer {
            conversation: self.conversation.clone(),
            requester: None,
            target: Target::Rep(rep(number)),
        };
        match self.salesforce.act(at, act).unwrap() {
            Done::Requested { request } => request,
            other => panic!("{other:?}"),
        }
    }

    fn call(&mut self, at: Timestamp, method: &str, path: &str, body: &Value) -> ApiResponse {
        self.calls += 1;
        let request = request(method, path, body, self.calls);
        self.salesforce.handle(at, &request)
    }

    fn routes(&mut self, at: Timestamp) -> PsrId {
        let body = self.route_body(&json!({ "queueId": queue() }));
        let answer = self.call(at, "POST", "/api/v1/route", &body);
        assert_eq!(answer.status, 202, "{answer:?}");
        PsrId::parse(answer.body["psrId"].as_str().unwrap()).unwrap()
    }

    fn route_body(&self, info: &Value) -> Value {
        json!({ "conversationIdentifier": self.conversation, "routingType": "Conference", "routingInfo": info })
    }

    /// The body of an offer that uses a PSR.
    fn offer_body(&self, number: u32, request: &EventId) -> Value {
        json!({
            "userId": rep(number).to_18(), "workItemId": self.work_item,
            "routingContext": {
                "conversationIdentifier": self.conversation, "routingType": "Conference",
                "routingCorrelationId": request,
            },
        })
    }

    fn offers(&mut self, at: Timestamp, number: u32, request: &EventId, weight: Option<f64>) -> AgentWorkId {
        let mut body = self.offer_body(number, request);
        body["capacityWeight"] = json!(weight);
        let answer = self.call(at, "POST", "/api/v1/agentWork", &body);
        assert_eq!(answer.status, 202, "{answer:?}");
        AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap()
    }

    fn result_body(&self, success: bool) -> Value {
        json!({
            "workItemId": self.work_item, "conversationIdentifier": self.conversation,
            "routingType": "Conference", "success": success, "externallyRouted": false,
            "errorMessage": (!success).then_some("nobody is free"),
        })
    }

    fn reports(&mut self, at: Timestamp, success: bool) {
        let body = self.result_body(success);
        let answer = self.call(at, "POST", "/api/v1/routingResult", &body);
        assert_eq!((answer.status, answer.body), (202, json!({ "success": true })));
    }

    fn cancels(&mut self, at: Timestamp, work: AgentWorkId) -> ApiResponse {
        let body = json!({ "workId": work, "contextType": "Agent", "status": "Cancel" });
        self.call(at, "PATCH", "/api/v1/agentWork", &body)
    }

    fn clears(&mut self, at: Timestamp, reason: &str) -> ApiResponse {
        let body = json!({ "conversationIdentifier": self.conversation, "cancelReason": reason });
        self.call(at, "DELETE", "/api/v1/route", &body)
    }

    /// The body of a call that ends the session or makes it inactive.
    fn session_body(&self, operation: &str) -> Value {
        let conversation = self.salesforce.conversation(&self.conversation).unwrap();
        json!({
            "channelAddressIdentifier": self.salesforce.settings().channel.address,
            "conversationIdentifier": conversation.id, "endUserClientId": conversation.end_user,
            "sessionId": self.work_item, "operation": operation, "operationBy": "System",
        })
    }

    /// The body of a call that begins a conversation.
    fn conversation_body(&self) -> Value {
        json!({
            "channelAddressIdentifier": self.salesforce.settings().channel.address,
            "participants": [{ "appType": "custom", "subject": "customer-7", "role": "EndUser" }],
        })
    }

    /// The body of a call that says what the end user has agreed to.
    fn consent_body(&self, status: &str) -> Value {
        json!({
            "channelAddressIdentifier": self.salesforce.settings().channel.address,
            "endUserClientId": self.salesforce.conversation(&self.conversation).unwrap().end_user,
            "consentStatus": status,
        })
    }

    fn state(&self, work: AgentWorkId) -> WorkState {
        self.salesforce.work(work).unwrap().state
    }

    fn ending(&self, request: &EventId) -> Option<RequestEnd> {
        self.salesforce.request(request).unwrap().ended.clone().map(|(_, ending)| ending)
    }

    fn reps(&self) -> Vec<RepId> {
        self.salesforce.conversation(&self.conversation).unwrap().reps().collect()
    }

    fn verdicts(&self) -> Vec<ResultEffect> {
        let verdict = |entry: &byoc_connector::emulator::Entry| match entry.what {
            LedgerEvent::ResultReceived { verdict, .. } => Some(verdict),
            _ => None,
        };
        self.salesforce.books().entries().iter().filter_map(verdict).collect()
    }

    /// What was told since the last time: the entry type or the work event, with what it says.
    fn told(&mut self) -> Vec<String> {
        self.salesforce.take_events().iter().map(summary).collect()
    }
}

fn request(method: &str, path: &str, body: &Value, number: u32) -> ApiRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings = Settings::default();
    ApiRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![
            header("authorization", "Bearer a-token"),
            header("orgid", settings.org.as_str()),
            header("requestid", &format!("3f0f5a52-7a57-4d43-9a6c-{number:012}")),
            header("authorizationcontext", &settings.channel.developer_name),
            header("authorizationcontexttype", "ConversationChannelDefinition"),
            header("content-type", "application/json; charset=utf-8"),
        ],
        body: serde_json::to_vec(body).unwrap(),
    }
}

/// The payload of a platform event.
fn payload(event: &Value) -> Value {
    serde_json::from_str(event["devorg__Payload__c"].as_str().unwrap()).unwrap()
}

fn summary(emitted: &Emitted) -> String {
    match &emitted.what {
        Emission::AgentWork { work_event, .. } => work_event.clone(),
        Emission::Platform { event, .. } => {
            if event["devorg__EventType__c"] == "RoutingRequested" {
                return "RoutingRequested".to_owned();
            }
            let entry = &payload(event)["payload"]["entryPayload"];
            let said = ["workType", "sessionStatus", "cancelReason", "failureType"]
                .iter()
                .find_map(|name| entry[*name].as_str())
                .or(entry["entries"][0]["operation"].as_str());
            format!("{} {}", entry["entryType"].as_str().unwrap(), said.unwrap_or("-"))
        }
    }
}
