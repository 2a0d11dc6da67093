//! A panic in one org ends nothing but that org's channel, and that one is taken up again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::interaction::auth::Error;
use byoc_connector::interaction::{AccessToken, Client, TokenSource};
use byoc_connector::model::time::SystemClock;
use byoc_connector::service::{OrgPlan, Service};
use byoc_connector::store::Memory;
use tokio::sync::Notify;

use super::causes::recorded;
use crate::server::rig::{CHANNEL, ORG, org, service_with};

const OTHER: &str = "00DHu0000099999";

const SALESFORCE: &str = "http://127.0.0.1:9";

/// Panics when it is asked for a token for the first time, within the channel's own task, and has none afterwards.
#[derive(Default)]
struct PanicsOnce {
    asked: AtomicUsize,
    again: Notify,
}

#[async_trait]
impl TokenSource for PanicsOnce {
    async fn token(&self) -> Result<AccessToken, Error> {
        assert!(self.asked.fetch_add(1, Ordering::SeqCst) > 0, "the login's own bug");
        self.again.notify_one();
        Err(Error::Unavailable("no token".to_owned()))
    }

    async fn refresh(&self, _: &AccessToken) -> Result<AccessToken, Error> {
        Err(Error::Unavailable("no token".to_owned()))
    }
}

fn with_tokens(mut plan: OrgPlan, tokens: &Arc<PanicsOnce>) -> OrgPlan {
    let client = Client::builder(SALESFORCE, plan.id, CHANNEL, Arc::clone(tokens) as _);
    plan.channels[0].client = client.build().unwrap();
    plan
}

fn problems(service: &Service) -> Vec<String> {
    let notices = service.readiness().notices.into_iter();
    notices.filter(|notice| notice.subject.what == "channel-failed").map(|notice| notice.problem).collect()
}

#[tokio::test]
async fn a_panic_in_one_org_is_not_felt_by_another_and_is_taken_up_again() {
    let tokens = Arc::new(PanicsOnce::default());
    let orgs = vec![with_tokens(org(ORG, SALESFORCE, true), &tokens), org(OTHER, SALESFORCE, true)];
    let service = service_with(Arc::new(Memory::new()), Arc::new(SystemClock), orgs).await;
    let [sick, well] = &*service.channels() else { panic!("two channels") };
    for event in recorded() {
        sick.platform_event(&event).await.unwrap();
        well.platform_event(&event).await.unwrap();
    }
    let again = tokio::time::timeout(Duration::from_secs(60), tokens.again.notified()).await;
    again.expect("the channel was taken up again, and the call is tried again");
    assert_eq!(well.counts().await.unwrap().0, 1);
    let told = problems(&service);
    assert!(told.len() == 1 && told[0].contains("the login's own bug"), "{told:?}");
}
