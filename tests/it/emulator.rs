//! The emulated org, from outside: calls and acts in, answers, events and books out.

use std::time::Duration;

use byoc_connector::emulator::{
    Act, ActError, Adopted, ApiRequest, ApiResponse, BearerRule, Booked, Delivery, Done, Draws, Emission,
    Emitted, Ending, EntryPayloadForm, Fault, FaultKind, Operation, ResultVerdict, Salesforce, Settings,
    WorkState,
};
use byoc_connector::model::event::{RoutingRequested, SkillRequirement, Target};
use byoc_connector::model::ids::{
    AgentWorkId, ConversationId, EventId, FlowId, PsrId, QueueId, RepId, SkillId, Subject, WorkItemId,
};
use byoc_connector::model::roster::{Flow, Queue, Rep, Roster, Script};
use byoc_connector::model::time::Timestamp;
use byoc_connector::model::words::{Availability, CancelReason, RoutingType, SessionStatus};
use proptest::prelude::*;
use serde_json::{Value, json};

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

/// An org whose channel tells of offers on the platform event.
fn telling() -> Settings {
    let mut settings = Settings::default();
    settings.channel.routing_work_result_supported = true;
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

    fn state(&self, work: AgentWorkId) -> WorkState {
        self.salesforce.work(work).unwrap().state
    }

    fn ending(&self, request: &EventId) -> Option<Ending> {
        self.salesforce.request(request).unwrap().ended.clone().map(|(_, ending)| ending)
    }

    fn reps(&self) -> Vec<RepId> {
        self.salesforce.conversation(&self.conversation).unwrap().reps().collect()
    }

    fn verdicts(&self) -> Vec<ResultVerdict> {
        let verdict = |entry: &byoc_connector::emulator::Entry| match entry.what {
            Booked::ResultReceived { verdict, .. } => Some(verdict),
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

#[test]
fn a_queue_conference_from_the_request_to_the_join() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    assert_eq!(org.told(), ["RoutingRequested"]);
    let psr = org.routes(seconds(1));
    assert_eq!(org.told(), ["RoutingResult None"]);
    let work = org.offers(seconds(2), BO, &request, None);
    assert_eq!(org.salesforce.work(work).unwrap().psr, Some(psr));
    assert_eq!(org.told(), ["ASSIGNED", "RoutingWorkResult Assigned"]);
    org.reports(seconds(2), true);
    org.salesforce.act(seconds(9), Act::Accept { work }).unwrap();
    assert_eq!(org.told(), ["ACCEPTED", "RoutingWorkResult Accepted", "ParticipantChanged add"]);
    assert_eq!(org.reps(), [rep(ANNA), rep(BO)]);
    assert_eq!(org.salesforce.psrs().count(), 0, "the PSR goes by itself");
    assert_eq!(org.ending(&request), Some(Ending::Joined { rep: rep(BO) }));
    assert!(org.salesforce.leftovers().is_empty());
    assert_eq!(org.salesforce.books().effective_results(&request), 1);
    org.salesforce.advance(seconds(100));
    assert_eq!(org.salesforce.books().count(|it| matches!(it, Booked::RequestUnanswered { .. })), 0);
}

#[test]
fn a_flow_answers_with_its_rep_its_queue_or_the_fallback() {
    let other = QueueId::parse("00GHu0000000002").unwrap();
    let mut roster = roster();
    roster.queues.push(Queue {
        id: other,
        name: String::new(),
        wait_seconds: None,
        accepted_last_10_minutes: 0,
        reps: Vec::new(),
    });
    let mut org = Org::with(Settings::default(), roster);
    for (number, map) in [
        (1, json!({ "userId": rep(BO).to_18() })),
        (2, json!({ "queueId": queue().to_18() })),
        (3, json!({ "queueId": other.to_18() })),
    ] {
        let request = org.asks_for(START, Target::Flow { flow: flow(number), fallback: Some(other) });
        let body = org.route_body(&json!({ "flow": { "flowId": flow(number), "queueId": other } }));
        let answer = org.call(START, "POST", "/api/v1/route", &body);
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(answer.body["contextParamMap"], map);
        assert_eq!(answer.body["routingCorrelationId"], json!(request));
        assert_eq!(answer.body["workItemId"], json!(org.work_item.to_18()));
    }
    assert_eq!(org.salesforce.psrs().count(), 3);
}

#[test]
fn scripted_reps_answer_at_their_own_time() {
    let mut org = Org::scripted(BO, Script::Decline { after_milliseconds: 2_000 });
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    let declined = org.offers(START, BO, &request, None);
    assert_eq!(org.salesforce.deadline(), Some(seconds(2)));
    org.salesforce.advance(START + Duration::from_millis(1_999));
    assert_eq!(org.state(declined), WorkState::Assigned);
    org.salesforce.advance(seconds(5));
    assert_eq!(org.state(declined), WorkState::Declined);
    let told = org.salesforce.take_events();
    assert_eq!(told.last().unwrap().at, seconds(2), "it happened at its own time");
    assert_eq!(org.salesforce.psrs().count(), 1, "the PSR waits for the next rep");
    // The next offer of the same PSR is to somebody else, and is answered by nobody.
    let ignored = org.offers(seconds(5), CLEO, &request, None);
    assert_eq!(org.cancels(seconds(35), ignored).status, 202);
    assert_eq!(org.state(ignored), WorkState::Cancelled);
    assert_eq!(org.clears(seconds(35), "Unavailable").body, json!({ "success": true }));
    org.reports(seconds(35), false);
    assert_eq!(org.ending(&request), Some(Ending::Refused { message: "nobody is free".to_owned() }));
    assert!(org.salesforce.leftovers().is_empty());
    assert_eq!(org.salesforce.books().most_open_offers(&request), 1);
}

#[test]
fn two_reps_may_accept_the_same_request_and_the_second_can_be_removed() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    let first = org.offers(START, BO, &request, None);
    let second = org.offers(START, CLEO, &request, None);
    assert_eq!(org.salesforce.books().most_open_offers(&request), 2);
    org.salesforce.act(seconds(1), Act::Accept { work: first }).unwrap();
    assert_eq!(org.salesforce.leftovers().offers, [second]);
    org.salesforce.act(seconds(1), Act::Accept { work: second }).unwrap();
    assert_eq!(org.salesforce.books().count(|it| matches!(it, Booked::LateJoin { .. })), 1);
    assert_eq!(org.reps(), [rep(ANNA), rep(BO), rep(CLEO)]);
    let remove = |number: u32| {
        json!({
            "conversationIdentifier": org.conversation, "operation": "Remove",
            "participants": [{ "appType": "agent", "subject": rep(number).to_18(), "role": "Agent" }],
        })
    };
    let (cleo, bo, anna) = (remove(CLEO), remove(BO), remove(ANNA));
    drop(org.told());
    let answer = org.call(seconds(2), "POST", "/api/v1/participant", &cleo);
    assert_eq!((answer.status, answer.body), (200, json!({ "success": true })));
    assert_eq!(org.told(), ["CLOSED", "RoutingWorkResult Closed", "ParticipantChanged remove"]);
    assert_eq!(org.reps(), [rep(ANNA), rep(BO)]);
    assert_eq!(org.call(seconds(2), "POST", "/api/v1/participant", &cleo).code(), Some(10036));
    assert_eq!(org.call(seconds(2), "POST", "/api/v1/participant", &bo).status, 200);
    assert_eq!(
        org.call(seconds(2), "POST", "/api/v1/participant", &anna).code(),
        Some(10097),
        "the last rep"
    );
}

#[test]
fn an_offer_costs_capacity_until_it_ends() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let used = |org: &Org| org.salesforce.rep(rep(BO)).unwrap().capacity_used.to_string();
    let first = org.offers(START, BO, &request, Some(2.5));
    assert_eq!(used(&org), "2.5");
    org.cancels(START, first);
    assert_eq!(used(&org), "0");
    let mut body = org.offer_body(BO, &request);
    body["capacityPercentage"] = json!(50);
    let answer = org.call(START, "POST", "/api/v1/agentWork", &body);
    assert_eq!(answer.body["agentWorkDetails"]["existPsr"], json!(false));
    assert_eq!(used(&org), "5");
    let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    let leaves = Act::RepLeaves { conversation: org.conversation.clone(), rep: rep(BO) };
    org.salesforce.act(START, leaves).unwrap();
    assert_eq!(used(&org), "0");
    assert_eq!(org.state(work), WorkState::Closed);
}

#[test]
fn sixty_seconds_without_a_result_mark_a_request_failed() {
    let mut org = Org::new();
    let late = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &late, Some(1.0));
    assert_eq!(org.salesforce.deadline(), Some(seconds(60)));
    org.reports(seconds(60), true);
    assert_eq!(org.ending(&late), Some(Ending::MarkedFailed));
    assert_eq!(org.verdicts(), [ResultVerdict::Late]);
    assert_eq!(
        org.salesforce.leftovers().offers,
        [work],
        "it still rings: the partner should have cancelled"
    );
    // A rep who accepts all the same is in, and the books say so.
    org.salesforce.act(seconds(61), Act::Accept { work }).unwrap();
    assert_eq!(org.salesforce.books().count(|it| matches!(it, Booked::LateJoin { .. })), 1);
}

#[test]
fn a_result_counts_once_and_only_when_it_was_asked_for() {
    let mut org = Org::new();
    org.reports(START, true);
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    org.offers(START, BO, &request, Some(1.0));
    org.reports(START + Duration::from_millis(59_999), true);
    org.reports(seconds(60), false);
    assert_eq!(org.verdicts(), [ResultVerdict::Unasked, ResultVerdict::Effective, ResultVerdict::Repeated]);
    assert_eq!(org.ending(&request), None, "the repeated failure changed nothing");
    assert_eq!(org.salesforce.books().results(&request), 2);
}

#[test]
fn of_two_open_requests_a_result_finds_the_one_that_it_fits() {
    let mut org = Org::new();
    let first = org.asks_for(START, Target::Queue(queue()));
    let second = org.asks_for(START, Target::Rep(rep(BO)));
    org.offers(START, BO, &second, Some(1.0));
    org.reports(START, true);
    assert!(org.salesforce.request(&first).unwrap().answered.is_none());
    assert!(org.salesforce.request(&second).unwrap().answered.is_some());
    org.reports(START, false);
    assert!(matches!(org.ending(&first), Some(Ending::Refused { .. })));
}

#[test]
fn a_requester_can_cancel_a_conference_and_the_offer_stays_until_the_partner_takes_it_back() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    let psr = org.routes(START);
    let work = org.offers(START, BO, &request, None);
    drop(org.told());
    org.salesforce.act(seconds(3), Act::CancelRequest { request: request.clone() }).unwrap();
    let events = org.salesforce.take_events();
    let Emission::Platform { event, .. } = &events[0].what else { panic!("{events:?}") };
    let entry = payload(event)["payload"]["entryPayload"].clone();
    assert_eq!(entry["cancelReason"], "Cancel");
    assert_eq!(entry["workOwnerId"], json!(rep(ANNA).to_18()));
    assert_eq!(entry["pendingServiceRoutingId"], json!(psr.to_18()));
    assert_eq!(org.salesforce.leftovers().offers, [work]);
    assert_eq!(org.salesforce.leftovers().psrs, [psr]);
    org.cancels(seconds(3), work);
    org.clears(seconds(3), "Cancel");
    assert_eq!(org.told(), ["CANCELED", "RoutingWorkResult Cancelled"], "the clear is not told as a cancel");
    assert!(org.salesforce.leftovers().is_empty());
    let again = org.salesforce.act(seconds(3), Act::CancelRequest { request: request.clone() });
    assert_eq!(again, Err(ActError::RequestOver { request }));
}

#[test]
fn an_answered_request_whose_route_is_cleared_was_given_up() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    org.reports(START, true);
    drop(org.told());
    org.clears(seconds(70), "Decline");
    assert_eq!(org.told(), ["RoutingResult Decline"]);
    assert_eq!(org.ending(&request), Some(Ending::GivenUp { reason: CancelReason::Decline }));
    assert_eq!(org.clears(seconds(70), "Decline").body, json!({ "success": false }), "there is none");
}

#[test]
fn an_end_user_who_leaves_ends_everything_but_what_the_partner_must_take_back() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    let psr = org.routes(START);
    let work = org.offers(START, BO, &request, None);
    drop(org.told());
    let conversation = org.conversation.clone();
    org.salesforce.act(seconds(1), Act::EndUserLeaves { conversation: conversation.clone() }).unwrap();
    let told = org.told();
    assert_eq!(told.first().unwrap(), "RoutingResult EndUserEnded");
    assert_eq!(told.last().unwrap(), "SessionStatusChanged Ended");
    assert_eq!(
        org.ending(&request),
        Some(Ending::Cancelled { reason: CancelReason::EndUserEnded }),
        "{told:?}"
    );
    assert_eq!(org.salesforce.leftovers().offers, [work]);
    assert_eq!(org.salesforce.leftovers().psrs, [psr]);
    let accepted = org.salesforce.act(seconds(1), Act::Accept { work });
    assert_eq!(accepted, Err(ActError::SessionOver { conversation }));
    let body = org.offer_body(CLEO, &request);
    assert_eq!(org.call(seconds(1), "POST", "/api/v1/agentWork", &body).code(), Some(10071));
    assert_eq!(org.cancels(seconds(1), work).status, 202);
    assert_eq!(org.clears(seconds(1), "Cancel").body, json!({ "success": true }));
    assert!(org.salesforce.leftovers().is_empty());
}

#[test]
fn a_rep_who_ends_the_session_ends_open_requests_without_a_word_about_them() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    drop(org.told());
    org.salesforce.act(START, Act::EndSession { conversation: org.conversation.clone() }).unwrap();
    assert_eq!(org.ending(&request), Some(Ending::SessionEnded));
    assert_eq!(org.told(), ["CLOSED", "RoutingWorkResult Closed", "SessionStatusChanged Ended"]);
    assert_eq!(org.salesforce.conversation_of(org.work_item).unwrap().status, SessionStatus::Ended);
}

#[test]
fn a_session_whose_only_rep_goes_offline_waits_again() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &request, Some(1.0));
    org.salesforce.act(START, Act::RepGoesOffline { rep: rep(BO) }).unwrap();
    assert_eq!(org.state(work), WorkState::Cancelled);
    drop(org.told());
    org.salesforce.act(START, Act::RepGoesOffline { rep: rep(ANNA) }).unwrap();
    assert_eq!(org.told().last().unwrap(), "SessionStatusChanged Waiting");
    assert_eq!(org.reps(), []);
}

#[test]
fn a_transfer_waits_for_room_cannot_be_refused_and_takes_the_requester_out() {
    let mut org = Org::new();
    let busy = Act::SetPresence { rep: rep(BO), availability: Availability::Busy };
    org.salesforce.act(START, busy).unwrap();
    let request = org.transfers_to(START, BO);
    let mut body = org.offer_body(BO, &request);
    body["routingContext"]["routingType"] = json!("Transfer");
    body["capacityWeight"] = json!(1);
    let answer = org.call(START, "POST", "/api/v1/agentWork", &body);
    let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
    assert_eq!(org.state(work), WorkState::Waiting);
    let free = Act::SetPresence { rep: rep(BO), availability: Availability::Available };
    org.salesforce.act(seconds(90), free).unwrap();
    assert_eq!(org.state(work), WorkState::Assigned);
    let declined = org.salesforce.act(seconds(90), Act::Decline { work });
    assert_eq!(declined, Err(ActError::TransfersAreNotDeclined { work }));
    let cancelled = org.salesforce.act(seconds(90), Act::CancelRequest { request: request.clone() });
    assert_eq!(cancelled, Err(ActError::TransfersAreNotCancelled { request }));
    org.salesforce.act(seconds(91), Act::Accept { work }).unwrap();
    assert_eq!(org.reps(), [rep(BO)]);
}

#[test]
fn an_external_transfer_ends_with_its_result() {
    let mut org = Org::new();
    let act = Act::RequestTransfer {
        conversation: org.conversation.clone(),
        requester: Some(rep(ANNA)),
        target: Target::External(Subject::parse("contact-4").unwrap()),
    };
    let Done::Requested { request } = org.salesforce.act(START, act).unwrap() else { panic!() };
    let mut body = org.result_body(true);
    body["routingType"] = json!("Transfer");
    body["externallyRouted"] = json!(true);
    assert_eq!(org.call(START, "POST", "/api/v1/routingResult", &body).status, 202);
    assert_eq!(org.ending(&request), Some(Ending::RoutedExternally));
}

#[test]
fn passing_the_limit_of_participants_is_booked() {
    let mut settings = Settings::default();
    settings.channel.participant_limit = Some(2);
    let mut org = Org::with(settings, roster());
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &request, Some(1.0));
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    let over = |it: &Booked| matches!(it, Booked::ParticipantJoined { over_limit: true, count: 3, .. });
    assert_eq!(org.salesforce.books().count(over), 1);
}

#[test]
fn the_partner_is_told_of_offers_on_the_platform_event_only_where_the_channel_says_so() {
    let mut org = Org::with(Settings::default(), roster());
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    drop(org.told());
    let work = org.offers(START, BO, &request, Some(1.0));
    assert_eq!(org.told(), ["ASSIGNED"]);
    org.salesforce.act(START, Act::Decline { work }).unwrap();
    assert_eq!(org.told(), ["DECLINED"]);
}

#[test]
fn every_wrong_header_has_its_code() {
    let table: [(&str, Option<&str>, u16, u32); 16] = [
        ("authorization", None, 401, 10004),
        ("authorization", Some("Basic abc"), 401, 10004),
        ("authorization", Some("Bearer "), 401, 10004),
        ("orgid", None, 400, 10016),
        ("orgid", Some(""), 400, 10016),
        ("orgid", Some("00DHu0000012345MAB"), 400, 10016),
        ("orgid", Some("005Hu0000012345"), 400, 10016),
        ("orgid", Some("00DHu0000099999"), 401, 10005),
        ("requestid", None, 400, 10016),
        ("requestid", Some("42"), 400, 10016),
        ("authorizationcontext", None, 400, 10016),
        ("authorizationcontext", Some("devorg_Other"), 400, 10001),
        ("authorizationcontexttype", None, 400, 10016),
        ("authorizationcontexttype", Some("EmbeddedMessagingChannel"), 400, 10093),
        ("content-type", None, 400, 10016),
        ("content-type", Some("text/plain"), 400, 10016),
    ];
    for (name, value, status, code) in table {
        let mut org = Org::new();
        let mut call = request("PATCH", "/api/v1/agentWork", &json!({}), 1);
        call.headers.retain(|(key, _)| key != name);
        call.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        let answer = org.salesforce.handle(START, &call);
        assert_eq!((answer.status, answer.code()), (status, Some(code)), "{name} {value:?}");
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{code}: ")), "{message}");
    }
    // Elsewhere the context's type may be left out.
    let mut org = Org::new();
    let mut call = request("POST", "/api/v1/route", &org.route_body(&json!({})), 1);
    call.headers.retain(|(key, _)| key != "authorizationcontexttype");
    assert_eq!(org.salesforce.handle(START, &call).status, 202);
}

#[test]
fn every_wrong_path_method_and_body_has_its_code() {
    let table: [(&str, &str, &[u8], u16, u32); 8] = [
        ("POST", "/api/v1/nothing", b"{}", 404, 404),
        ("POST", "/route", b"{}", 404, 404),
        ("GET", "/api/v1/route", b"", 405, 405),
        ("PUT", "/api/v1/agentWork?x=1", b"{}", 405, 405),
        ("POST", "/api/v1/route", b" \n", 400, 10100),
        ("POST", "/api/v1/route", b"{\"conversationIdentifier\":", 400, 10089),
        ("POST", "/api/v1/route", b"\xff\xfe", 400, 10089),
        ("POST", "/api/v1/route", b"[1]", 400, 10089),
    ];
    for (method, path, body, status, code) in table {
        let mut org = Org::new();
        let call = ApiRequest { body: body.to_vec(), ..request(method, path, &Value::Null, 1) };
        let answer = org.salesforce.handle(START, &call);
        assert_eq!((answer.status, answer.code()), (status, Some(code)), "{method} {path}");
    }
}

/// A body that is right, with one field changed; an absent pointer adds to the object before it.
fn changed(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() { Some(&mut body) } else { body.pointer_mut(parent) };
    parent.unwrap()[name] = value;
    body
}

#[test]
fn every_wrong_route_call_has_its_code() {
    let mut org = Org::new();
    let good = org.route_body(&json!({ "queueId": queue() }));
    let info = |value: Value| changed(&good, "/routingInfo", value);
    let flow_id = flow(1);
    let table = [
        (changed(&good, "/conversationIdentifier", json!(AN_ID)), 10018),
        (changed(&good, "/conversationIdentifier", Value::Null), 10089),
        (changed(&good, "/conversationIdentifier", json!(4)), 10089),
        (changed(&good, "/routingType", json!("Sideways")), 10089),
        (changed(&good, "/routingType", Value::Null), 10089),
        (info(json!("queue")), 10089),
        (info(json!({ "queueId": "00GHu0000000009" })), 10032),
        (info(json!({ "queueId": "Billing" })), 10032),
        (info(json!({ "queueId": queue(), "flow": { "flowId": flow_id, "queueId": queue() } })), 10030),
        (info(json!({ "flow": { "flowId": flow_id } })), 10024),
        (info(json!({ "flow": { "queueId": queue() } })), 10024),
        (info(json!({ "flow": {} })), 10024),
        (info(json!({ "flow": { "flowId": flow_id, "queueId": "00GHu0000000009" } })), 10032),
        (info(json!({ "flow": { "flowId": "tide", "queueId": queue() } })), 10089),
        (info(json!({ "routingAttributes": { "a": 1 }, "queueId": queue() })), 10089),
        (info(json!({ "routingAttributes": "a", "queueId": queue() })), 10089),
    ];
    for (body, code) in table {
        let answer = org.call(START, "POST", "/api/v1/route", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    assert_eq!(org.salesforce.psrs().count(), 0);
    let clear = json!({ "conversationIdentifier": org.conversation });
    for (body, code) in [
        (changed(&clear, "/conversationIdentifier", json!(AN_ID)), 10018),
        (changed(&clear, "/cancelReason", json!("EndUserEnded")), 10089),
        (changed(&clear, "/cancelReason", json!("Whim")), 10089),
    ] {
        assert_eq!(org.call(START, "DELETE", "/api/v1/route", &body).code(), Some(code), "{body}");
    }
}

#[test]
fn every_wrong_offer_has_its_code() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let other = org
        .salesforce
        .seed_conversation(
            START,
            Adopted {
                conversation: ConversationId::parse(AN_ID).unwrap(),
                work_item: None,
                end_user: None,
                reps: Vec::new(),
            },
        )
        .unwrap();
    let good = changed(&org.offer_body(BO, &request), "/capacityWeight", json!(1));
    let table = [
        (changed(&good, "/userId", Value::Null), 15106),
        (changed(&good, "/userId", json!("bo")), 15106),
        (changed(&good, "/userId", json!("005Hu0000000077")), 15106),
        (changed(&good, "/userId", json!(rep(WITHOUT_MESSAGING))), 15105),
        (changed(&good, "/userId", json!(rep(OFFLINE))), 15112),
        (changed(&good, "/workItemId", Value::Null), 15110),
        (changed(&good, "/workItemId", json!(org.work_item.to_18())), 15110),
        (changed(&good, "/workItemId", json!("005Hu0000000001")), 15110),
        (changed(&good, "/workItemId", json!("0MwHu0000099999")), 15111),
        (changed(&good, "/workItemId", json!(other)), 15107),
        (changed(&good, "/routingContext", json!("Conference")), 10089),
        (changed(&good, "/routingContext", json!({ "routingType": "Conference" })), 10089),
        (changed(&good, "/routingContext/conversationIdentifier", json!("nowhere")), 10018),
        (changed(&good, "/routingContext/routingType", json!("Detour")), 10089),
        (changed(&good, "/routingContext/routingCorrelationId", Value::Null), 10089),
        (changed(&good, "/capacityPercentage", json!(10)), 10013),
        (changed(&good, "/capacityWeight", Value::Null), 10013),
        (changed(&good, "/capacityWeight", json!(-0.5)), 10014),
        (changed(&good, "/capacityWeight", json!("a lot")), 10089),
        (changed(&good, "/capacityWeight", json!("NaN")), 10089),
        (changed(&good, "/capacityWeight", json!("-1")), 10014),
        (changed(&good, "/capacityWeight", json!(true)), 10089),
        (
            changed(&changed(&good, "/capacityWeight", Value::Null), "/capacityPercentage", json!(100.5)),
            10015,
        ),
        (changed(&changed(&good, "/capacityWeight", Value::Null), "/capacityPercentage", json!(-1)), 10015),
    ];
    for (body, code) in table {
        let answer = org.call(START, "POST", "/api/v1/agentWork", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    assert_eq!(org.call(START, "POST", "/api/v1/agentWork", &good).status, 202);
    assert_eq!(org.call(START, "POST", "/api/v1/agentWork", &good).code(), Some(15109));
    let anna = changed(&good, "/userId", json!(rep(ANNA)));
    assert_eq!(
        org.call(START, "POST", "/api/v1/agentWork", &anna).code(),
        Some(15109),
        "she is in it already"
    );
    assert_eq!(org.salesforce.books().count(|it| matches!(it, Booked::DuplicateRefused { .. })), 2);
}

#[test]
fn every_wrong_change_of_an_offer_has_its_code() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Rep(rep(BO)));
    let work = org.offers(START, BO, &request, Some(1.0));
    let good = json!({ "workId": work.to_18(), "contextType": "Agent", "status": "Cancel" });
    let table = [
        (changed(&good, "/workId", Value::Null), 10082),
        (changed(&good, "/workId", json!("0BzHu0000099999")), 10082),
        (changed(&good, "/workId", json!("work")), 10082),
        (changed(&good, "/contextType", json!("Chatbot")), 10083),
        (changed(&good, "/contextType", Value::Null), 10083),
        (changed(&good, "/status", json!("Snooze")), 10085),
        (changed(&good, "/status", Value::Null), 10085),
        (changed(&good, "/status", json!("Close")), 10085),
        (changed(&good, "/status", json!("Accept")), 10085),
        (changed(&good, "/status", json!("Decline")), 10085),
    ];
    for (body, code) in table {
        let answer = org.call(START, "PATCH", "/api/v1/agentWork", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    assert_eq!(org.call(START, "PATCH", "/api/v1/agentWork", &good).code(), Some(10085), "it is accepted");
    let close = changed(&good, "/status", json!("Close"));
    assert_eq!(org.call(START, "PATCH", "/api/v1/agentWork", &close).body, json!({ "success": true }));
    let second = org.offers(START, BO, &request, Some(1.0));
    org.salesforce.act(START, Act::Decline { work: second }).unwrap();
    assert_eq!(org.cancels(START, second).code(), Some(10085), "it is declined");
}

#[test]
fn every_wrong_result_and_removal_has_its_code() {
    let mut org = Org::new();
    let good = org.result_body(true);
    let table = [
        (changed(&good, "/errorMessage", json!("but")), 10033),
        (changed(&good, "/success", json!(false)), 10034),
        (changed(&org.result_body(false), "/errorMessage", json!("  ")), 10034),
        (changed(&good, "/success", Value::Null), 10089),
        (changed(&good, "/externallyRouted", json!("no")), 10089),
        (changed(&good, "/routingType", json!("Up")), 10089),
        (changed(&good, "/workItemId", json!(org.work_item.to_18())), 15110),
        (changed(&good, "/workItemId", json!("0MwHu0000099999")), 15111),
        (changed(&good, "/conversationIdentifier", json!(AN_ID)), 10018),
    ];
    for (body, code) in table {
        assert_eq!(org.call(START, "POST", "/api/v1/routingResult", &body).code(), Some(code), "{body}");
    }
    let person = json!({ "appType": "agent", "subject": rep(ANNA), "role": "Agent" });
    let good = json!({
        "conversationIdentifier": org.conversation, "operation": "Remove", "participants": [person],
    });
    let table = [
        (changed(&good, "/operation", json!("Add")), 10097),
        (changed(&good, "/operation", Value::Null), 10097),
        (changed(&good, "/participants", json!([])), 10039),
        (changed(&good, "/participants", json!([person, person])), 10089),
        (changed(&good, "/participants", json!([3])), 10089),
        (changed(&good, "/participants/0/appType", json!("fax")), 10037),
        (changed(&good, "/conversationIdentifier", json!(AN_ID)), 10018),
    ];
    for (body, code) in table {
        assert_eq!(org.call(START, "POST", "/api/v1/participant", &body).code(), Some(code), "{body}");
    }
    for (field, value, code) in
        [("role", "EndUser", 10038), ("role", "Boss", 10038), ("subject", "005", 10036)]
    {
        let mut person = person.clone();
        person[field] = json!(value);
        let body = changed(&good, "/participants", json!([person]));
        assert_eq!(org.call(START, "POST", "/api/v1/participant", &body).code(), Some(code), "{body}");
    }
}

#[test]
fn a_channel_without_conferences_refuses_them_everywhere() {
    let mut settings = Settings::default();
    settings.channel.conference_supported = false;
    let mut org = Org::with(settings, roster());
    let act = Act::RequestConference {
        conversation: org.conversation.clone(),
        requester: None,
        target: Target::Rep(rep(BO)),
    };
    assert_eq!(org.salesforce.act(START, act), Err(ActError::ConferencesNotSupported));
    let body = org.route_body(&json!({ "queueId": queue() }));
    assert_eq!(org.call(START, "POST", "/api/v1/route", &body).code(), Some(10075));
    let body = org.offer_body(BO, &EventId::parse(AN_ID).unwrap());
    assert_eq!(org.call(START, "POST", "/api/v1/agentWork", &body).code(), Some(10075));
}

#[test]
fn tokens_age_out_and_can_be_revoked() {
    let settings = Settings { bearer: BearerRule::Granted, ..Settings::default() };
    let mut org = Org::with(settings, roster());
    let body = org.route_body(&json!({}));
    let mut call = request("POST", "/api/v1/route", &body, 1);
    assert_eq!(org.salesforce.handle(START, &call).code(), Some(10004));
    let token = org.salesforce.issue_token(seconds(10));
    call.headers[0].1 = format!("Bearer {token}");
    assert_eq!(org.salesforce.handle(seconds(9), &call).status, 202);
    assert_eq!(org.salesforce.handle(seconds(10), &call).status, 401);
    let token = org.salesforce.issue_token(seconds(100));
    call.headers[0].1 = format!("Bearer {token}");
    assert_eq!(org.salesforce.handle(seconds(20), &call).status, 202);
    assert_eq!(org.salesforce.revoke_tokens(Some(&token)), 1);
    assert_eq!(org.salesforce.handle(seconds(21), &call).code(), Some(10004));
    let books = serde_json::to_string(org.salesforce.books().entries()).unwrap();
    assert!(!books.contains(&token), "the books know no tokens");
}

#[test]
fn a_request_id_that_comes_again_is_carried_out_and_booked() {
    let mut org = Org::new();
    let call = request("POST", "/api/v1/route", &org.route_body(&json!({ "queueId": queue() })), 1);
    assert_eq!(org.salesforce.handle(START, &call).status, 202);
    assert_eq!(org.salesforce.handle(START, &call).status, 202);
    let other = request("POST", "/api/v1/route", &org.route_body(&json!({})), 1);
    org.salesforce.handle(START, &other);
    assert_eq!(org.salesforce.psrs().count(), 3);
    let again = |same| move |it: &Booked| matches!(it, Booked::RequestIdRepeated { same_call, .. } if *same_call == same);
    assert_eq!(org.salesforce.books().count(again(true)), 1);
    assert_eq!(org.salesforce.books().count(again(false)), 1);
}

#[test]
fn a_route_that_was_made_twice_leaves_no_psr_after_the_join() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    org.routes(START);
    org.routes(START);
    let work = org.offers(START, BO, &request, None);
    org.salesforce.act(START, Act::Accept { work }).unwrap();
    assert_eq!(org.salesforce.psrs().count(), 0);
}

#[test]
fn faults_spoil_calls_and_the_books_tell_which_were_carried_out() {
    let mut org = Org::new();
    let request_of = org.asks_for(START, Target::Rep(rep(BO)));
    let mut body = org.offer_body(BO, &request_of);
    body["capacityWeight"] = json!(1);
    let call = request("POST", "/api/v1/agentWork", &body, 1);
    let operation = Operation::CreateAgentWork;
    for kind in [
        FaultKind::RateLimited { retry_after_seconds: Some(2) },
        FaultKind::ConnectionRefused,
        FaultKind::AnswerLost { after_milliseconds: 40 },
    ] {
        org.salesforce.plan_fault(Fault::once(operation, kind));
    }
    org.salesforce.plan_fault(Fault::always(FaultKind::Latency { milliseconds: 5 }));
    let Delivery::Answer { after_ms: 5, response } = org.salesforce.deliver(START, &call, 0.0) else {
        panic!()
    };
    assert_eq!((response.status, response.headers), (429, vec![("Retry-After".to_owned(), "2".to_owned())]));
    assert_eq!(org.salesforce.works().count(), 1, "only Anna's own");
    let refused = Delivery::NoAnswer { after_ms: 5, carried_out: false };
    assert_eq!(org.salesforce.deliver(START, &call, 0.0), refused);
    let lost = Delivery::NoAnswer { after_ms: 45, carried_out: true };
    assert_eq!(org.salesforce.deliver(START, &call, 0.0), lost);
    assert_eq!(org.salesforce.works().count(), 2);
    let Delivery::Answer { response, .. } = org.salesforce.deliver(START, &call, 0.0) else { panic!() };
    assert_eq!(response.code(), Some(15109), "the first try had worked");
    let books = org.salesforce.books();
    assert_eq!(books.count(|it| matches!(it, Booked::CallSpoiled { .. })), 2);
    assert_eq!(books.count(|it| matches!(it, Booked::AnswerDropped)), 1);
    assert_eq!(books.calls(operation), 2);
}

#[test]
fn a_recording_is_taken_over_with_its_own_ids() {
    let mut salesforce = Salesforce::new(1, roster(), Settings::default());
    let conversation = ConversationId::parse(AN_ID).unwrap();
    let adopted = Adopted {
        conversation: conversation.clone(),
        work_item: Some(WorkItemId::parse("0MwSB0000012345").unwrap()),
        end_user: Some(Subject::parse("customer-1").unwrap()),
        reps: vec![rep(ANNA)],
    };
    salesforce.seed_conversation(START, adopted.clone()).unwrap();
    let again = salesforce.seed_conversation(START, adopted);
    assert_eq!(again, Err(ActError::ConversationExists { conversation: conversation.clone() }));
    let requested = RoutingRequested {
        event: EventId::parse("b6c4").unwrap(),
        created: START,
        routing_type: RoutingType::Conference,
        target: Target::Queue(queue()),
        work_item: None,
        end_user: None,
        requester: Some(rep(ANNA)),
        list_opened_by: None,
    };
    salesforce.adopt_request(START, &conversation, &requested).unwrap();
    assert!(salesforce.adopt_request(START, &conversation, &requested).is_err());
    assert_eq!(salesforce.take_events(), [], "nothing is told about what is only taken over");
    salesforce.advance(seconds(60));
    let request = salesforce.request(&requested.event).unwrap();
    assert_eq!(request.ended.as_ref().unwrap().1, Ending::MarkedFailed);
}

#[test]
fn acts_read_from_json_in_salesforces_own_field_names() {
    let conversation = ConversationId::parse("c").unwrap();
    let act: Act = serde_json::from_value(json!({
        "act": "requestConference", "conversation": "c", "target": { "flowId": flow(1), "queueId": queue() },
    }))
    .unwrap();
    let target = Target::Flow { flow: flow(1), fallback: Some(queue()) };
    assert_eq!(act, Act::RequestConference { conversation, requester: None, target });
    let skill = SkillRequirement {
        id: SkillId::parse("0C5Hu0000000001").unwrap(),
        level: Some(5),
        priority: None,
        additional: true,
    };
    for target in [
        Target::Rep(rep(BO)),
        Target::Queue(queue()),
        Target::Skills(vec![skill]),
        Target::Bot(Subject::parse("1JZHu0000000001").unwrap()),
        Target::External(Subject::parse("contact-1").unwrap()),
        Target::Unreadable,
    ] {
        let act = Act::RequestTransfer {
            conversation: ConversationId::parse("c").unwrap(),
            requester: Some(rep(ANNA)),
            target,
        };
        let text = serde_json::to_string(&act).unwrap();
        assert_eq!(serde_json::from_str::<Act>(&text).unwrap(), act, "{text}");
    }
    let wrong: Result<Act, _> = serde_json::from_value(json!({ "act": "accept", "wrok": "0Bz" }));
    assert!(wrong.is_err());
}

#[test]
fn events_can_look_as_avros_json_has_them() {
    let mut settings = Settings::default();
    settings.events.avro_unions = true;
    settings.events.entry_payload = EntryPayloadForm::JsonString;
    settings.events.work_record_id = true;
    let mut org = Org::with(settings, roster());
    org.asks_for(START, Target::Rep(rep(BO)));
    org.routes(START);
    let events = org.salesforce.take_events();
    let fields = |n: usize| match &events[n].what {
        Emission::Platform { event, .. } => event.clone(),
        Emission::AgentWork { .. } => panic!(),
    };
    assert_eq!(fields(0)["devorg__EventType__c"], json!({ "string": "RoutingRequested" }));
    let payload = |n: usize| -> Value {
        serde_json::from_str(fields(n)["devorg__Payload__c"]["string"].as_str().unwrap()).unwrap()
    };
    assert_eq!(payload(0)["payload"]["workRecordId"], json!(org.work_item.to_18()));
    let entry: Value = serde_json::from_str(payload(1)["payload"]["entryPayload"].as_str().unwrap()).unwrap();
    assert_eq!(entry["entryType"], "RoutingResult");
}

/// One step of a random run.
#[derive(Debug, Clone)]
enum Step {
    Call(u8, u8, bool),
    Act(u8, u8),
    Wait(u16),
    Fault(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(a, b, c)| Step::Call(a, b, c)),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Step::Act(a, b)),
        2 => (0_u16..30_000).prop_map(Step::Wait),
        1 => any::<u8>().prop_map(Step::Fault),
    ];
    prop::collection::vec(step, 1..60)
}

/// A run over one org: whatever ids it has made so far are what later steps name.
struct Run {
    org: Org,
    now: Timestamp,
    draws: Draws,
    events: Vec<Emitted>,
}

impl Run {
    fn new() -> Self {
        let org = Org::scripted(CLEO, Script::Accept { after_milliseconds: 700 });
        Self { org, now: START, draws: Draws::new(5), events: Vec::new() }
    }

    fn work(&self, pick: u8) -> AgentWorkId {
        let works: Vec<_> = self.org.salesforce.works().map(|work| work.id).collect();
        works[usize::from(pick) % works.len()]
    }

    fn request(&self, pick: u8) -> EventId {
        let requests: Vec<_> = self.org.salesforce.requests().map(|request| request.event.clone()).collect();
        if requests.is_empty() {
            return EventId::parse(AN_ID).unwrap();
        }
        requests[usize::from(pick) % requests.len()].clone()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Call(which, pick, flag) => self.call(which, pick, flag),
            Step::Act(which, pick) => {
                let conversation = self.org.conversation.clone();
                let target = match pick % 4 {
                    0 => Target::Queue(queue()),
                    1 => Target::Rep(rep(BO)),
                    2 => Target::Flow { flow: flow(1), fallback: Some(queue()) },
                    _ => Target::Unreadable,
                };
                let act = match which % 12 {
                    0..=3 => Act::RequestConference { conversation, requester: None, target },
                    4 => Act::RequestTransfer { conversation, requester: None, target },
                    5 => Act::CancelRequest { request: self.request(pick) },
                    6 | 7 => Act::Accept { work: self.work(pick) },
                    8 => Act::Decline { work: self.work(pick) },
                    9 if pick < 8 => Act::EndUserLeaves { conversation },
                    9 => Act::RepLeaves { conversation, rep: rep(u32::from(pick) % 3 + 1) },
                    10 if pick < 8 => Act::EndSession { conversation },
                    10 => Act::RepGoesOffline { rep: rep(u32::from(pick) % 3 + 1) },
                    _ => Act::SetPresence {
                        rep: rep(u32::from(pick) % 3 + 1),
                        availability: if pick < 128 { Availability::Available } else { Availability::Busy },
                    },
                };
                // What cannot be as things stand is refused; that is an answer too.
                drop(self.org.salesforce.act(self.now, act));
            }
            Step::Wait(ms) => self.now = self.now + Duration::from_millis(u64::from(ms)),
            Step::Fault(which) => self.org.salesforce.plan_fault(Fault {
                probability: 0.5,
                ..Fault::always(match which % 4 {
                    0 => FaultKind::Latency { milliseconds: 3 },
                    1 => FaultKind::ServerError { status: 503 },
                    2 => FaultKind::AnswerLost { after_milliseconds: 1 },
                    _ => FaultKind::ConnectionRefused,
                })
            }),
        }
        self.events.extend(self.org.salesforce.take_events());
    }

    fn call(&mut self, which: u8, pick: u8, flag: bool) {
        let request_of = self.request(pick);
        let (method, path, body) = match which % 7 {
            0 => ("POST", "/api/v1/route", self.org.route_body(&json!({ "queueId": queue() }))),
            1 => ("DELETE", "/api/v1/route", json!({ "conversationIdentifier": self.org.conversation })),
            2 | 3 => {
                let mut body = self.org.offer_body(u32::from(pick) % 3 + 1, &request_of);
                body["capacityWeight"] = if flag { json!(1.5) } else { Value::Null };
                ("POST", "/api/v1/agentWork", body)
            }
            4 => {
                let status = ["Cancel", "Accept", "Decline", "Close"][usize::from(pick) % 4];
                let body = json!({ "workId": self.work(pick), "contextType": "Agent", "status": status });
                ("PATCH", "/api/v1/agentWork", body)
            }
            5 => ("POST", "/api/v1/routingResult", self.org.result_body(flag)),
            _ => {
                let person =
                    json!({ "appType": "agent", "subject": rep(u32::from(pick) % 3 + 1), "role": "Agent" });
                let body = json!({
                    "conversationIdentifier": self.org.conversation, "operation": "Remove",
                    "participants": [person],
                });
                ("POST", "/api/v1/participant", body)
            }
        };
        self.org.calls += 1;
        let call = request(method, path, &body, self.org.calls);
        let draw = self.draws.next_unit();
        self.org.salesforce.deliver(self.now, &call, draw);
    }

    fn check(&self) {
        let org = &self.org.salesforce;
        let entries = org.books().entries();
        assert!(entries.iter().enumerate().all(|(n, entry)| entry.number == n as u64 + 1));
        assert!(entries.is_sorted_by_key(|entry| entry.at), "the books are in the order of time");
        for request in org.requests() {
            assert!(org.books().effective_results(&request.event) <= 1);
            let ends =
                |it: &Booked| matches!(it, Booked::RequestEnded { request: r, .. } if *r == request.event);
            assert_eq!(org.books().count(ends), usize::from(request.ended.is_some()));
        }
        let created = org.books().count(|it| matches!(it, Booked::PsrCreated { .. }));
        let deleted = org.books().count(|it| matches!(it, Booked::PsrDeleted { .. }));
        assert_eq!(created - deleted, org.psrs().count());
        let conversation = org.conversation(&self.org.conversation).unwrap();
        for number in [ANNA, BO, CLEO] {
            let mine: Vec<_> =
                org.works().filter(|it| it.rep == rep(number) && it.state.is_active()).collect();
            assert!(mine.len() <= 1, "one active agent work a rep and work item: {mine:?}");
            let held: f64 = mine.iter().filter(|it| it.state != WorkState::Waiting).map(|it| it.weight).sum();
            assert!((org.rep(rep(number)).unwrap().capacity_used - held).abs() < 1e-9, "{mine:?}");
            let accepted = mine.iter().any(|it| it.state == WorkState::Accepted);
            let inside = conversation.reps().any(|it| it == rep(number));
            assert!(
                accepted == inside || conversation.is_over(),
                "who accepted is in, and who is in accepted"
            );
        }
        serde_json::to_string(&org.snapshot()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_calls_and_acts_keeps_the_books_and_repeats_exactly(steps in steps()) {
        let (mut one, mut two) = (Run::new(), Run::new());
        for step in &steps {
            one.step(step);
            one.check();
            two.step(step);
        }
        prop_assert_eq!(one.events, two.events);
        prop_assert_eq!(one.org.salesforce.books().entries(), two.org.salesforce.books().entries());
    }

    #[test]
    fn any_bytes_get_an_answer(
        method in "(POST|PATCH|DELETE|GET|.{0,4})", path in "(/api/v1/)?(route|agentWork|routingResult|participant|.{0,9})",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut org = Org::new();
        let call = ApiRequest { body, ..request(&method, &path, &Value::Null, 1) };
        let answer = org.salesforce.handle(START, &call);
        prop_assert!(answer.status >= 400 && answer.code().is_some());
    }
}

/// Salesforce's published schemas, where they are at hand.
mod published {
    use super::*;

    fn schemas(file: &str) -> Option<Value> {
        let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
        let read = |folder: &std::path::Path| {
            std::fs::read_to_string(folder.join("shared/reference").join(file)).ok()
        };
        let Some(text) = above.into_iter().find_map(read) else {
            #[expect(clippy::print_stdout, reason = "a test that skips says so")]
            {
                println!("skipped: {file} is not at hand");
            }
            return None;
        };
        let mut document: Value = serde_yaml_ng::from_str(&text).unwrap();
        repair(&mut document);
        Some(document["components"].take())
    }

    /// The slips in the published files that a validator would trip over.
    fn repair(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                match fields.get("type").and_then(Value::as_str) {
                    Some("double" | "float") => drop(fields.insert("type".to_owned(), json!("number"))),
                    Some("int") => drop(fields.insert("type".to_owned(), json!("integer"))),
                    _ => {}
                }
                if let Some(Value::Array(required)) = fields.get_mut("required") {
                    // Named as required of objects that do not define them.
                    required.retain(|name| name != "participant" && name != "conversationId");
                }
                fields.remove("discriminator");
                fields.values_mut().for_each(repair);
            }
            Value::Array(items) => items.iter_mut().for_each(repair),
            _ => {}
        }
    }

    fn validator(components: &Value, name: &str) -> jsonschema::Validator {
        assert!(components["schemas"][name].is_object(), "{name} is not a published schema");
        let document = json!({ "$ref": format!("#/components/schemas/{name}"), "components": components });
        jsonschema::validator_for(&document).unwrap()
    }

    /// The schemas know no null; real events are full of them.
    fn without_nulls(value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), without_nulls(v)))
                .collect(),
            Value::Array(items) => items.iter().map(without_nulls).collect(),
            other => other.clone(),
        }
    }

    fn conforms(components: &Value, name: &str, value: &Value) {
        let value = without_nulls(value);
        let found: Vec<_> = validator(components, name).iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(found.is_empty(), "{name}: {found:?}\n{value:#}");
    }

    /// One of everything that can be told.
    fn a_long_story() -> Vec<Emitted> {
        let mut org = Org::new();
        let asked = [
            Target::Queue(queue()),
            Target::Flow { flow: flow(1), fallback: Some(queue()) },
            Target::Rep(rep(BO)),
            Target::Bot(Subject::parse("1JZHu0000000001").unwrap()),
            Target::External(Subject::parse("contact-1").unwrap()),
            Target::Skills(vec![SkillRequirement {
                id: SkillId::parse("0C5Hu0000000001").unwrap(),
                level: Some(4),
                priority: Some(1),
                additional: false,
            }]),
        ];
        let requests: Vec<_> = asked.into_iter().map(|target| org.asks_for(START, target)).collect();
        org.routes(START);
        org.clears(START, "Decline");
        org.routes(START);
        let declined = org.offers(START, CLEO, &requests[0], None);
        org.salesforce.act(START, Act::Decline { work: declined }).unwrap();
        let work = org.offers(START, BO, &requests[0], None);
        org.salesforce.act(START, Act::Accept { work }).unwrap();
        org.salesforce.act(START, Act::CancelRequest { request: requests[1].clone() }).unwrap();
        org.salesforce.act(START, Act::EndUserLeaves { conversation: org.conversation.clone() }).unwrap();
        org.salesforce.take_events()
    }

    #[test]
    fn events_have_the_published_shape() {
        let Some(outbound) = schemas("outbound-custom-event-payload.yaml") else { return };
        let inbound = schemas("inbound-interaction-api.yaml").unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for emitted in a_long_story() {
            let Emission::Platform { event, .. } = &emitted.what else { continue };
            let payload = payload(event);
            if event["devorg__EventType__c"] == "RoutingRequested" {
                conforms(&outbound, "RoutingRequested", &payload);
                continue;
            }
            conforms(&outbound, "InteractionEvent", &payload);
            let entry = &payload["payload"]["entryPayload"];
            let name = entry["entryType"].as_str().unwrap();
            // The outbound file names the entry type RoutingWorkResult and leaves its schema to the inbound one.
            let file = if name == "RoutingWorkResult" { &inbound } else { &outbound };
            conforms(file, name, entry);
            seen.insert(name.to_owned());
        }
        let expected = ["ParticipantChanged", "RoutingResult", "RoutingWorkResult", "SessionStatusChanged"];
        assert!(seen.iter().eq(expected), "{seen:?}");
    }

    #[test]
    fn answers_have_the_published_shape() {
        let Some(inbound) = schemas("inbound-interaction-api.yaml") else { return };
        let mut org = Org::new();
        let request = org.asks_for(START, Target::Queue(queue()));
        let route = org.route_body(&json!({ "queueId": queue() }));
        conforms(&inbound, "PostRouteRequest", &route);
        let offer = org.offer_body(BO, &request);
        conforms(&inbound, "AgentWorkRequest", &without_nulls(&offer));
        let answer = org.call(START, "POST", "/api/v1/route", &route);
        conforms(&inbound, "PostRouteResponse", &answer.body);
        let answer = org.call(START, "POST", "/api/v1/agentWork", &offer);
        conforms(&inbound, "AgentWorkResponse", &answer.body);
        let work = AgentWorkId::parse(answer.body["agentWorkId"].as_str().unwrap()).unwrap();
        conforms(&inbound, "PatchAgentWorkResponse", &org.cancels(START, work).body);
        conforms(&inbound, "Error", &org.cancels(START, work).body);
        conforms(&inbound, "DeleteRouteResponse", &org.clears(START, "Decline").body);
        let result = org.result_body(false);
        let answer = org.call(START, "POST", "/api/v1/routingResult", &result);
        conforms(&inbound, "RoutingResultResponse", &answer.body);
    }
}
