//! A webhook that fails is shown in readiness, and the service counts as ready.

use std::sync::Arc;

use byoc_connector::connector::RepFinder as _;
use byoc_connector::events::quarantine::Quarantine;
use byoc_connector::model::time::{Clock, SystemClock};
use byoc_connector::notices::Notices;
use byoc_connector::service::{Plan, Service};
use byoc_connector::store::Memory;
use byoc_connector::webhook::{Context, Settings, Webhooks};
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test]
async fn a_router_that_fails_is_shown_and_does_not_take_the_pages_away() {
    let partner = MockServer::start().await;
    let missing = ResponseTemplate::new(200).set_body_json(json!({"agents": []}));
    Mock::given(method("POST")).respond_with(missing).up_to_n_times(1).mount(&partner).await;
    let nobody = ResponseTemplate::new(200).set_body_json(json!({"reps": []}));
    Mock::given(method("POST")).respond_with(nobody).mount(&partner).await;
    let settings = Settings { rep_finder_url: Some(partner.uri()), ..Settings::default() };
    let webhooks = Webhooks::new(&settings).unwrap();
    let context = Context { org: "00DHs0000000001".parse().unwrap(), channel: "Acme_Messaging".to_owned() };
    let finder = webhooks.rep_finder(&context).unwrap();
    let notices = Notices::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    webhooks.report_to(&notices, &clock);
    let plan = Plan {
        orgs: Vec::new(),
        store: Arc::new(Memory::new()),
        clock,
        notices,
        aside: Quarantine::default(),
    };
    let service = Service::start(plan).await.unwrap();
    assert_eq!(service.readiness().notices, []);

    finder.find(&byoc_connector::model::rep_query::RepQuery::default()).await.unwrap_err();
    let readiness = service.readiness();
    let [notice] = readiness.notices.as_slice() else { panic!("{readiness:?}") };
    assert!(readiness.ready && notice.since.is_some());
    assert_eq!(notice.subject.what, "rep-finder");
    let whose = (notice.subject.org, notice.subject.channel.as_deref());
    assert_eq!(whose, (Some(context.org), Some("Acme_Messaging")), "whose requests it fails");
    let problem =
        "webhooks.rep_finder_url is failing: invalid answer: field `reps` missing (see webhooks.yaml)";
    assert_eq!(notice.problem, problem);

    finder.find(&byoc_connector::model::rep_query::RepQuery::default()).await.unwrap();
    assert_eq!(service.readiness().notices, [], "it answers again");
}
