//! Our description of the Interaction Service holds for everything that we send, and agrees with what
//! Salesforce publishes.

use std::collections::BTreeSet;

use byoc_connector::interaction::{Operation, encode};
use serde_json::{Value, json};

use crate::support::calls::every_call;
use crate::support::openapi::{
    assert_request_conforms, assert_response_conforms, description, request_problems,
};

#[test]
fn every_body_that_can_be_sent_is_as_described() {
    for call in every_call() {
        let request = encode(&call);
        assert_request_conforms(request.method.as_str(), request.path, &request.body);
    }
}

#[test]
fn every_call_is_the_operation_that_its_method_and_path_describe() {
    for call in every_call() {
        let request = encode(&call);
        let path = request.path.strip_prefix("/api/v1").unwrap();
        let described = &description()["paths"][path][request.method.as_str().to_lowercase()];
        assert_eq!(described["operationId"], Operation::of(&call).name, "{call:?}");
    }
}

#[test]
fn the_description_refuses_what_salesforce_refuses() {
    let offer = json!({"userId": "005000000000001", "workItemId": "0Mw000000000001"});
    let with = |body: &Value, key: &str, value: Value| {
        let mut body = body.clone();
        body[key] = value;
        body
    };
    let report = json!({"conversationIdentifier": "c", "workItemId": "0Mw000000000001", "success": true,
                        "externallyRouted": false});
    let route = json!({"conversationIdentifier": "c", "routingType": "Conference"});
    for (why, method, path, body) in [
        (
            "both capacities",
            "POST",
            "/agentWork",
            with(&with(&offer, "capacityWeight", json!(1)), "capacityPercentage", json!(1)),
        ),
        ("a negative weight", "POST", "/agentWork", with(&offer, "capacityWeight", json!(-1))),
        ("a share above 100", "POST", "/agentWork", with(&offer, "capacityPercentage", json!(101))),
        ("18 characters", "POST", "/agentWork", with(&offer, "workItemId", json!("0Mw000000000001AAA"))),
        ("a null", "POST", "/agentWork", with(&offer, "capacityWeight", Value::Null)),
        ("success with a message", "POST", "/routingResult", with(&report, "errorMessage", json!("m"))),
        ("failure without one", "POST", "/routingResult", with(&report, "success", json!(false))),
        (
            "flow and queue",
            "POST",
            "/route",
            with(&route, "routingInfo", json!({"queueId": "q", "flow": {"flowId": "f", "queueId": "q"}})),
        ),
        (
            "a flow without fallback",
            "POST",
            "/route",
            with(&route, "routingInfo", json!({"flow": {"flowId": "f"}})),
        ),
        (
            "a reason that only Salesforce gives",
            "DELETE",
            "/route",
            json!({"conversationIdentifier": "c", "cancelReason": "EndUserEnded"}),
        ),
        (
            "two participants",
            "POST",
            "/participant",
            json!({"conversationIdentifier": "c", "operation": "Remove", "participants": [
             {"appType": "agent", "subject": "a", "role": "Agent"}, {"appType": "agent", "subject": "b", "role": "Agent"}]}),
        ),
        ("an operation of tomorrow", "PUT", "/route", route.clone()),
    ] {
        assert!(!request_problems(method, path, &body).is_empty(), "{why} passed");
    }
}

#[test]
fn the_description_refuses_what_salesforce_refuses_about_the_channel() {
    for (why, method, path, body) in [
        (
            "a session that is not named",
            "POST",
            "/messagingSession",
            json!({"channelAddressIdentifier": "a", "conversationIdentifier": "c", "endUserClientId": "e",
                   "operation": "Inactivate"}),
        ),
        (
            "a consent that does not exist",
            "PATCH",
            "/consent",
            json!({"channelAddressIdentifier": "a", "endUserClientId": "e", "consentStatus": "OptIn"}),
        ),
    ] {
        assert!(!request_problems(method, path, &body).is_empty(), "{why} passed");
    }
}

#[test]
fn responses_are_as_described() {
    let error = json!({"code": 10030, "message": "m"});
    for (method, path, status, body) in [
        ("POST", "/api/v1/route", 202, json!({"success": true, "psrId": "0JR000000000001"})),
        ("DELETE", "/api/v1/route", 202, json!({"success": true})),
        ("PATCH", "/api/v1/agentWork", 202, json!({"success": false, "errorDetail": error})),
        ("POST", "/api/v1/participant", 200, json!({"success": true})),
        ("POST", "/api/v1/participant", 400, error.clone()),
        ("POST", "/api/v1/conversation", 202, json!({"conversationIdentifier": "c", "success": true})),
        ("POST", "/api/v1/interactions", 202, json!({"conversationIdentifier": "c", "workItemIds": ["w"]})),
        ("PATCH", "/api/v1/consent", 200, json!({"success": false, "errorDetail": error})),
        ("POST", "/api/v1/messagingSession", 200, json!({"success": true})),
        ("POST", "/api/v1/messagingSession", 200, json!({"success": false, "errorReason": "NO_ACCESS"})),
    ] {
        assert_response_conforms(method, path, status, &body);
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
fn our_description_agrees_with_salesforces_own() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/inbound-interaction-api.yaml");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("skipped: {file} is not at hand");
        return;
    };
    let theirs: Value = serde_yaml_ng::from_str(&text).unwrap();
    let mut compared = 0;
    for (path, methods) in description()["paths"].as_object().unwrap() {
        for (method, our) in methods.as_object().unwrap() {
            let at = format!("{method} {path}");
            let their = &theirs["paths"][path][method];
            assert_eq!(our["operationId"], their["operationId"], "{at}");
            assert_eq!(headers(description(), our), headers(&theirs, their), "{at}: headers");
            let content = "/requestBody/content";
            assert_eq!(
                names(&our.pointer(content).cloned().unwrap_or_default()),
                names(&their.pointer(content).cloned().unwrap_or_default()),
                "{at}: content"
            );
            for kind in names(our.pointer(content).unwrap_or(&Value::Null)) {
                let body = format!("{content}/{}/schema", kind.replace('/', "~1"));
                assert_same_shape(&at, our.pointer(&body), &theirs, their.pointer(&body));
            }
            assert_eq!(statuses(our), statuses(their), "{at}: statuses");
            for status in statuses(our) {
                let content = "/content/application~1json/schema";
                let our = resolved(description(), &our["responses"][&status]);
                let their = resolved(&theirs, &their["responses"][&status]);
                assert_same_shape(
                    &format!("{at} {status}"),
                    our.pointer(content),
                    &theirs,
                    their.pointer(content),
                );
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 10);
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => resolved(document, document.pointer(pointer).expect("references lead somewhere")),
        None => value,
    }
}

/// The required headers. `Authorization` is a header in one description and security in the other.
fn headers(document: &Value, operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().unwrap().iter().map(|p| resolved(document, p));
    let required = parameters.filter(|p| p["in"] == "header" && p["required"] == true);
    required.map(|p| p["name"].as_str().unwrap().to_owned()).filter(|name| name != "Authorization").collect()
}

fn statuses(operation: &Value) -> BTreeSet<String> {
    operation["responses"].as_object().unwrap().keys().cloned().collect()
}

fn names(of: &Value) -> BTreeSet<String> {
    match of {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
        _ => BTreeSet::new(),
    }
}

/// Compares properties, which of them are required, and enums, all the way down.
fn assert_same_shape(at: &str, our: Option<&Value>, theirs: &Value, their: Option<&Value>) {
    let our = resolved(description(), our.unwrap_or_else(|| panic!("{at}: we describe none")));
    let their = resolved(theirs, their.unwrap_or_else(|| panic!("{at}: they describe none")));
    assert_eq!(names(&our["properties"]), names(&their["properties"]), "{at}: properties");
    assert_eq!(names(&our["required"]), names(&their["required"]), "{at}: required properties");
    assert_eq!(names(&our["enum"]), names(&their["enum"]), "{at}: enum");
    // Theirs spells numbers as `double` or `int` in places.
    let kind = |schema: &Value| match schema["type"].as_str() {
        Some("double" | "float") => "number".to_owned(),
        Some("int") => "integer".to_owned(),
        other => other.unwrap_or("object").to_owned(),
    };
    assert_eq!(kind(our), kind(their), "{at}: type");
    for name in names(&our["properties"]) {
        let (our, their) = (&our["properties"][&name], &their["properties"][&name]);
        assert_same_shape(&format!("{at}.{name}"), Some(our), theirs, Some(their));
    }
    if let Some(items) = our.get("items") {
        assert_same_shape(&format!("{at}[]"), Some(items), theirs, their.get("items"));
    }
}
