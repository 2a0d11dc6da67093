//! What doctor reads of an org's set-up with a token that has the scope `api`: whether offers can be taken back,
//! and whether queues, reps and channel definition are as we have them.

use serde_json::{Value, json};
use wiremock::matchers::{path, query_param_contains};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::doctor::{findings, only_problem, world};
use super::world::World;

const QUERY: &str = "/services/data/v64.0/query";
const DEFINITIONS: &str = "/services/data/v64.0/tooling";

/// An org's REST API.
struct Rest(MockServer);

impl Rest {
    /// It describes AgentWork so.
    async fn describing(status: u16, body: Value) -> Self {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(path("/services/data/v64.0/sobjects/AgentWork/describe"))
            .respond_with(answer)
            .mount(&server)
            .await;
        Self(server)
    }

    /// A question that names this is answered with these rows.
    async fn rows(self, at: &str, names: &str, rows: Value) -> Self {
        let answer = ResponseTemplate::new(200).set_body_json(json!({ "done": true, "records": rows }));
        Mock::given(path(at)).and(query_param_contains("q", names)).respond_with(answer).mount(&self.0).await;
        self
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("BYOC_ORG_INSTANCE_URL", format!("{}/", self.0.uri()))]
    }

    /// What is said of a step.
    fn told(&self, world: &World, step: &str) -> Vec<(bool, String)> {
        let variables = self.variables();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
        let all = findings(world, &variables).into_iter();
        all.filter(|(found, ..)| found == step).map(|(_, ok, told)| (ok, told)).collect()
    }
}

/// Salesforce's form of an error.
fn error(code: &str) -> Value {
    json!([{ "message": "m", "errorCode": code }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_update_agent_work_is_found() {
    let world = world().await;
    for (status, body, words) in [
        (200, json!({ "updateable": false }), "may not update AgentWork"),
        (404, error("NOT_FOUND"), "cannot see AgentWork"),
    ] {
        let rest = Rest::describing(status, body).await;
        let url = rest.0.uri();
        let instance = [("BYOC_ORG_INSTANCE_URL", url.as_str())];
        only_problem(&world, &instance, "rights", &[words, "every cancel fails, and reps go on ringing"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_token_may_not_read_is_said_with_what_to_look_at_by_hand() {
    let world = world().await;
    for (status, body, words) in [
        (401, error("INVALID_SESSION_ID"), "needs the scope api"),
        (403, error("API_DISABLED_FOR_ORG"), "API Enabled"),
        (403, error("REQUEST_LIMIT_EXCEEDED"), "REQUEST_LIMIT_EXCEEDED"),
        (404, json!({}), "HTTP 404"),
        (200, json!("<html>"), "Salesforce does not say"),
    ] {
        let told = Rest::describing(status, body).await.told(&world, "rights");
        let [(true, told)] = told.as_slice() else { panic!("{told:?}") };
        assert!(told.contains("could not be read") && told.contains(words), "{told}");
        assert!(told.contains("> check by hand that the integration user is an administrator"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_may_take_back_all_offers_and_others_those_of_reps_below_them() {
    let world = world().await;
    for (all, words, advice) in [
        (true, "may update AgentWork", ""),
        (false, "below it in the role hierarchy", "check in Setup, Roles"),
    ] {
        let rest = Rest::describing(200, json!({ "updateable": true })).await;
        let rest =
            rest.rows(QUERY, "UserPermissionAccess", json!([{ "PermissionsModifyAllData": all }])).await;
        let told = rest.told(&world, "rights");
        let [(true, told)] = told.as_slice() else { panic!("{told:?}") };
        let (found, advised) = told.split_once(" > ").unwrap();
        assert!(found.contains(words) && advised.starts_with(advice), "{told}");
        assert_eq!(advised.is_empty(), advice.is_empty(), "{told}");
    }
}

/// An org with everything that can be read; its channel definition differs in these fields.
async fn whole(reps: Value, definition: Value) -> Rest {
    let rest = Rest::describing(200, json!({ "updateable": true })).await;
    let rest = rest.rows(QUERY, "UserPermissionAccess", json!([{ "PermissionsModifyAllData": true }])).await;
    let rest = rest.rows(QUERY, "FROM User WHERE", reps).await;
    let row = json!([{ "Id": "1CV000000000001", "DeveloperName": "PartnerMessaging" }]);
    let rest = rest.rows(&format!("{DEFINITIONS}/query"), "ConversationChannelDefinition", row).await;
    let mut whole = json!({
        "DeveloperName": "PartnerMessaging", "RoutingOwner": "Partner", "IsConferenceSupported": true,
        "CustomPlatformEvent": "devorg__PartnerMessaging__e", "CustomEventTypeField": "devorg__EventType__c",
        "CustomEventPayloadField": "devorg__Payload__c", "EventCapabilitiesIsRoutingWorkResultSupported": true,
    });
    whole.as_object_mut().unwrap().extend(definition.as_object().unwrap().clone());
    let at = format!("{DEFINITIONS}/sobjects/ConversationChannelDefinition/1CV000000000001");
    Mock::given(path(at)).respond_with(ResponseTemplate::new(200).set_body_json(whole)).mount(&rest.0).await;
    rest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reps_and_channel_definition_are_held_against_the_orgs() {
    let world = world().await;
    let rep = byoc_connector::model::ids::RepId::parse("005000000000001").unwrap().to_18();
    let same = whole(json!([{ "Id": rep }]), json!({})).await;
    assert!(same.told(&world, "reps")[0].1.contains("the org has all 1 configured rep"));
    let told = same.told(&world, "channel");
    assert!(told.iter().any(|(ok, told)| *ok && told.contains("it matches the org's")), "{told:?}");

    let other = whole(json!([]), json!({ "EventCapabilitiesIsRoutingWorkResultSupported": false })).await;
    let told = other.told(&world, "reps");
    assert!(!told[0].0 && told[0].1.contains(&rep), "{told:?}");
    let told = other.told(&world, "channel");
    let words = "EventCapabilitiesIsRoutingWorkResultSupported is false in the org and true here";
    assert!(told.iter().any(|(ok, told)| !*ok && told.contains(words)), "{told:?}");
}
