//! Each call goes out as its operation is described, by a client whose settings can work.

use byoc_connector::interaction::Attempt;
use byoc_connector::model::call::{
    ClearRoute, RemoveParticipant, ReportResult, Route, RouteBy, RoutingOutcome,
};
use byoc_connector::model::ids::{PsrId, QueueId};
use byoc_connector::model::words::CancelReason;

use super::*;
use crate::support::calls::every_call;
use crate::support::openapi::{assert_request_conforms, problems, required_headers};

#[tokio::test]
async fn every_call_has_the_headers_and_the_body_of_its_operation() {
    let server = MockServer::start().await;
    answers(&server, [], ResponseTemplate::new(202).set_body_json(json!({"success": true}))).await;
    let (client, _) = client(&server.uri(), fixed_token());
    for call in every_call() {
        assert!(matches!(send(&client, &call).await, Answer::Done(_)), "{call:?}");
        let wire = encode(&call);
        let requests = server.received_requests().await.unwrap();
        let request = requests.last().unwrap();
        assert_eq!((request.method.as_str(), request.url.path()), (wire.method.as_str(), wire.path));
        let payload = wire.payload(request_id());
        assert_eq!((header(request, "Content-Type").to_owned(), request.body.clone()), payload);
        let body = wire.body.clone();
        assert_request_conforms(wire.method.as_str(), wire.path, &body);
        for (name, schema) in required_headers(wire.method.as_str(), wire.path) {
            let value = json!(header(request, &name));
            assert_eq!(problems(&schema, &value), Vec::<String>::new(), "{name} of {call:?}");
        }
        assert_eq!(header(request, "Authorization"), "Bearer a-token");
        assert_eq!(header(request, "OrgId"), "00D5e000000OrGa");
        assert_eq!(header(request, "AuthorizationContext"), "Acme_Messaging");
        assert_eq!(header(request, "RequestId"), request_id().to_string());
        let context_type = request.headers.get("AuthorizationContextType");
        assert_eq!(context_type.is_some(), matches!(call, Call::UpdateAgentWork(_)), "{call:?}");
    }
}

#[tokio::test]
async fn each_call_tells_what_its_operation_tells() {
    let server = MockServer::start().await;
    let psr = PsrId::parse("0JR5e000000PsRa").unwrap();
    let work = AgentWorkId::parse("0Bz5e000000WoRk").unwrap();
    for (verb, at, body) in [
        ("POST", "/api/v1/route", json!({"success": true, "psrId": psr})),
        ("DELETE", "/api/v1/route", json!({"success": true})),
        ("POST", "/api/v1/agentWork", json!({"success": true, "agentWorkId": work})),
        ("PATCH", "/api/v1/agentWork", json!({"success": true})),
        ("POST", "/api/v1/routingResult", json!({"success": true})),
    ] {
        assert_response_conforms(verb, at, 202, &body);
        let response = ResponseTemplate::new(202).set_body_json(body);
        Mock::given(method(verb)).and(path(at)).respond_with(response).expect(1).mount(&server).await;
    }
    let gone = error_body(10036);
    assert_response_conforms("POST", "/api/v1/participant", 400, &gone);
    let response = ResponseTemplate::new(400).set_body_json(gone);
    Mock::given(path("/api/v1/participant")).respond_with(response).expect(1).mount(&server).await;

    let (client, _) = client(&server.uri(), fixed_token());
    let attempt = Attempt { request_id: request_id(), give_up_at: give_up_at() };
    let rep = RepId::parse("0055e000001AbCd").unwrap();
    let work_item = WorkItemId::parse("0Mw5e000000XyZa").unwrap();
    let conference = RoutingType::Conference;
    let by = RouteBy::Queue(QueueId::parse("00G5e000000QuEu").unwrap());
    let route = Route { conversation: conversation(), routing_type: conference, by };
    assert_eq!(client.make(attempt, route).await.unwrap().psr, Some(psr));
    let offer = CreateAgentWork {
        rep,
        work_item,
        conversation: conversation(),
        routing_type: conference,
        correlation: EventId::parse("e").unwrap(),
        capacity: None,
    };
    assert_eq!(client.make(attempt, offer).await, Ok(Some(work)));
    assert_eq!(client.make(attempt, UpdateAgentWork::cancel(work)).await, Ok(()));
    let result = RoutingOutcome::Routed;
    let report = ReportResult { conversation: conversation(), work_item, routing_type: conference, result };
    assert_eq!(client.make(attempt, report).await, Ok(()));
    let clear = ClearRoute { conversation: conversation(), reason: CancelReason::Decline };
    assert_eq!(client.make(attempt, clear).await, Ok(()));
    let removed = client.make(attempt, RemoveParticipant::rep(conversation(), rep)).await;
    assert_eq!(removed, Ok(()), "who is not in the conversation (10036) need not be removed");
}

#[test]
fn a_client_is_not_built_from_settings_that_cannot_work() {
    let build = |url: &str, name: &str| Client::builder(url, org(), name, fixed_token()).build().map(drop);
    assert_eq!(build("https://acme.my.salesforce-scrt.com", "Acme_Messaging"), Ok(()));
    for (url, name) in [
        ("http://acme.my.salesforce-scrt.com", "Acme_Messaging"),
        ("https://acme.my.salesforce-scrt.com/api/v1", "Acme_Messaging"),
        ("https://acme.my.salesforce-scrt.com/?a=b", "Acme_Messaging"),
        ("acme", "Acme_Messaging"),
    ] {
        assert!(matches!(build(url, name), Err(Error::Url { field: "base_url", .. })), "{url}");
    }
    for name in ["", " ", "Acme\nMessaging"] {
        let wrong = build("https://acme.my.salesforce-scrt.com", name);
        assert!(matches!(wrong, Err(Error::Header { field: "channel_definition", .. })), "{name:?}");
    }
}

#[test]
fn a_client_does_not_print_its_token() {
    let (client, _) = client("http://localhost:1", fixed_token());
    let printed = format!("{client:#?}");
    assert!(printed.contains("00D5e000000OrGa") && !printed.contains("a-token"), "{printed}");
}
