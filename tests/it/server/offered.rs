//! A conversation of Anna's whose request rings at Bo, in one channel of two in one org of two. Salesforce's
//! answers are made up: what is shown is who may speak about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use byoc_connector::model::ids::{AgentWorkId, EventId, WorkItemId};
use byoc_connector::model::time::{Clock, SystemClock};
use byoc_connector::people::People;
use byoc_connector::server::Settings;
use byoc_connector::service::{OrgPlan, RunningChannel};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::rig::{ANNA, BO, CHANNEL, ORG, OTHER_ORG, QUEUE, Rig, org, service};

pub(super) const CY: &str = "005000000000003";
pub(super) const OTHER_CHANNEL: &str = "Other_Messaging";

const CONVERSATION: &str = "b6fd18c4-5a0b-4c5e-9c1f-0d6c1f6c9e11";

pub(super) struct Offered {
    pub(super) rig: Rig,
    pub(super) work_item: WorkItemId,
    pub(super) work: AgentWorkId,
    pub(super) request: EventId,
    salesforce: MockServer,
}

/// One org with two channels.
fn two_channels(salesforce: &str) -> OrgPlan {
    let mut both = org(ORG, salesforce, true);
    let mut other = org(ORG, salesforce, true).channels.remove(0);
    other.name = OTHER_CHANNEL.into();
    other.definition.developer_name = Some(OTHER_CHANNEL.to_owned());
    both.channels.push(other);
    both
}

impl Offered {
    pub(super) async fn set(settings: Settings) -> Self {
        let salesforce = MockServer::start().await;
        let answers = [
            ("/api/v1/route", json!({ "success": true, "psrId": "0JR000000000001" })),
            ("/api/v1/agentWork", json!({ "success": true, "agentWorkId": "0Bz000000000001" })),
            ("/api/v1/routingResult", json!({ "success": true })),
        ];
        for (at, body) in answers {
            let answer = ResponseTemplate::new(202).set_body_json(body);
            Mock::given(path(at)).respond_with(answer).mount(&salesforce).await;
        }
        let at = salesforce.uri();
        let service = service(vec![two_channels(&at), org(OTHER_ORG, &at, true)]).await;
        let offered = Self {
            rig: Rig::over(settings, service),
            work_item: "0Mw000000000001".parse().unwrap(),
            work: "0Bz000000000001".parse().unwrap(),
            request: "3f0d2a52-77a1-4f0e-8d3b-0a4f3f1b7c55".parse().unwrap(),
            salesforce,
        };
        offered.changes("add", &json!({ "role": "Agent", "subject": ANNA, "appType": "agent" })).await;
        offered.asks_for_the_queue().await;
        offered.rings().await;
        offered
    }

    pub(super) fn running(&self) -> RunningChannel {
        self.rig.service.find(Some(&ORG.parse().unwrap()), Some(CHANNEL)).unwrap()
    }

    pub(super) fn people(&self) -> People {
        self.running().people().unwrap().clone()
    }

    /// What the open request's offer is doing.
    pub(super) async fn offer(&self) -> Option<String> {
        let view = self.running().open_request(&self.request).await.unwrap()?;
        view.offers.iter().find(|offer| offer.rep.as_str() == BO).map(|offer| offer.state.to_string())
    }

    /// Cancels of offers fail until what is given is set to `false`.
    pub(super) async fn cancels_fail(&self) -> Arc<AtomicBool> {
        let fails = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&fails);
        let answers = move |_: &Request| {
            if asked.load(Ordering::SeqCst) {
                ResponseTemplate::new(503).set_body_json(json!({ "message": "upstream is not available" }))
            } else {
                ResponseTemplate::new(202).set_body_json(json!({ "success": true }))
            }
        };
        let cancel = Mock::given(method("PATCH")).and(path("/api/v1/agentWork"));
        cancel.respond_with(answers).with_priority(1).mount(&self.salesforce).await;
        fails
    }

    /// Tells of a platform event, as the stream would.
    async fn told(&self, event_type: &str, payload: &Value) {
        let event = json!({
            "CreatedDate": SystemClock.now().as_millis(),
            "acme__EventType__c": event_type, "acme__Payload__c": payload.to_string(),
        });
        self.running().platform_event(&event.to_string()).await.unwrap();
    }

    /// An entry of the conversation's.
    async fn entry(&self, kind: &str, content: &Value) {
        let payload = json!({
            "conversationIdentifier": CONVERSATION, "channelAddressIdentifier": "a",
            "payload": { "identifier": format!("{kind}-{}", uuid::Uuid::new_v4()), "entryType": kind,
                         "entryPayload": content.to_string() },
        });
        self.told("Interaction", &payload).await;
    }

    /// Somebody comes (`add`) or goes (`remove`).
    pub(super) async fn changes(&self, operation: &str, who: &Value) {
        let change = json!({ "operation": operation, "participant": who });
        self.entry("ParticipantChanged", &json!({ "entryType": "ParticipantChanged", "entries": [change] }))
            .await;
    }

    async fn asks_for_the_queue(&self) {
        let channel_data = json!({ "eventId": self.request, "routingType": "Conference" });
        let payload = json!({
            "channelAddressIdentifier": "a", "recipient": { "appType": "custom", "subject": "c", "role": "EndUser" },
            "payload": {
                "conversationIdentifier": CONVERSATION, "routingType": "Conference", "workRecordId": self.work_item,
                "routingParameters": { "queueId": QUEUE, "channelData": channel_data.to_string() },
            },
        });
        self.told("RoutingRequested", &payload).await;
    }

    /// Waits until the offer rings: the calls go over a real socket.
    async fn rings(&self) {
        while self.offer().await.as_deref() != Some("ringing") {
            tokio::task::yield_now().await;
        }
        let asked = self.salesforce.received_requests().await.unwrap();
        assert!(asked.iter().any(|request| request.url.path() == "/api/v1/agentWork"));
    }
}
