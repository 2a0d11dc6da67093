//! What has ended stays to be looked at: what ended while the service runs, and what ended before.

use std::sync::Arc;

use byoc_connector::model::time::SystemClock;
use byoc_connector::store::{Memory, Store};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::causes::recorded;
use crate::server::rig::{ORG, org, service_with};

#[tokio::test(start_paused = true)]
async fn a_request_that_has_ended_is_kept_and_outlives_a_restart() {
    let salesforce = MockServer::start().await;
    let refusal = ResponseTemplate::new(400).set_body_json(json!({ "code": 10030, "message": "no" }));
    Mock::given(any()).respond_with(refusal).mount(&salesforce).await;
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let start =
        || service_with(store.clone(), Arc::new(SystemClock), vec![org(ORG, &salesforce.uri(), true)]);
    let service = start().await;
    let channel = &service.channels()[0];
    assert_eq!(channel.ended_requests(9), [], "nothing has ended");
    let mut told = service.told();
    for event in recorded() {
        channel.platform_event(&event).await.unwrap();
    }
    let ended = told.recv().await.unwrap().ending;
    let kept = channel.ended_requests(9);
    assert_eq!(kept.iter().map(|one| &one.request).collect::<Vec<_>>(), [&ended.request]);
    assert_eq!(channel.ended_request(&ended.request).as_ref(), kept.first());

    // The service is not stopped, as when it is killed; the store has what was durable.
    let again = start().await;
    let remembered = again.channels()[0].ended_requests(9);
    // What was asked for is not in the store's history, and so not told any more.
    let [(before, after)] = kept.iter().zip(&remembered).collect::<Vec<_>>()[..] else {
        panic!("{remembered:?}")
    };
    assert_eq!((&after.request, &after.conversation), (&before.request, &before.conversation));
    assert_eq!((after.at, after.outcome, &after.reason), (before.at, before.outcome, &before.reason));
    assert_eq!(again.channels()[0].ended_request(&ended.request).as_ref(), remembered.first());
}
