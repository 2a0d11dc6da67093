//! A panic in one org ends nothing but that org's channel, and that one is taken up again; what panics every time is set
//! aside, with a notice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use byoc_connector::events::quarantine::Quarantine;
use byoc_connector::interaction::auth::Error;
use byoc_connector::interaction::{AccessToken, Client, TokenSource};
use byoc_connector::model::time::SystemClock;
use byoc_connector::notices::Notices;
use byoc_connector::service::{OrgPlan, Plan, Processed, RunningChannel, Service};
use byoc_connector::store::{Cause, Store};
use serde_json::Value;

use super::causes::recorded;
use crate::server::rig::{CHANNEL, ORG, org, service_with};
use crate::support::panicking::{BUG, Panicking};

const OTHER: &str = "00DHu0000099999";

const SALESFORCE: &str = "http://127.0.0.1:9";

/// The events of two conversations, each with an id of its own; the last of each is a request.
fn named() -> Vec<String> {
    let other = |event: &String| event.replace("5364fac9", "5364fac8").replace("c978f502", "c978f503");
    let (one, two): (Vec<_>, Vec<_>) = recorded().into_iter().map(|event| (other(&event), event)).unzip();
    let events = two.into_iter().chain(one).enumerate();
    events
        .map(|(number, event)| event.replacen('{', &format!(r#"{{"EventUuid":"{}","#, id(number)), 1))
        .collect()
}

fn id(number: usize) -> String {
    format!("d1f4a5ce-0a8c-4b5b-8f0f-{number:012}")
}

/// The number of the first request.
fn request() -> usize {
    recorded().len() - 1
}

/// What names one of them.
fn cause(number: usize) -> Cause {
    Cause::named(&format!("event {}", id(number))).unwrap()
}

async fn start(store: &Arc<Panicking>, folder: &Path) -> Service {
    let (store, clock) = (Arc::clone(store) as Arc<dyn Store>, Arc::new(SystemClock));
    let aside = Quarantine::beside(&folder.join("byoc.db")).unwrap();
    let orgs = vec![org(ORG, SALESFORCE, true)];
    Service::start(Plan { orgs, store, clock, notices: Notices::default(), aside }).await.unwrap()
}

/// Brings an event until it is processed, and says how often that was.
async fn bring(service: &Service, org: &str, event: &str) -> usize {
    for times in 1..1_000 {
        let channel: RunningChannel = service.find(Some(&org.parse().unwrap()), None).unwrap();
        match channel.platform_event(event).await {
            Ok(processed) => {
                assert_eq!(processed, Processed::Stored);
                return times;
            }
            // The channel is being taken up again.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("it is never processed")
}

fn problems(service: &Service, what: &str) -> Vec<String> {
    let notices = service.readiness().notices.into_iter();
    notices.filter(|notice| notice.subject.what == what).map(|notice| notice.problem).collect()
}

fn set_aside(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("byoc.db-set-aside.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_org_is_not_felt_by_another_and_is_taken_up_again() {
    let store = Arc::new(Panicking::new(cause(request()), 1));
    let orgs = vec![org(ORG, SALESFORCE, true), org(OTHER, SALESFORCE, true)];
    let service = service_with(store, Arc::new(SystemClock), orgs).await;
    let events = named();
    let well = service.find(Some(&OTHER.parse().unwrap()), None).unwrap();
    let sick = service.find(Some(&ORG.parse().unwrap()), None).unwrap();
    sick.platform_event(&events[request()]).await.unwrap_err();
    for event in &events {
        well.platform_event(event).await.unwrap();
        bring(&service, ORG, event).await;
    }
    assert_eq!(well.counts().await.unwrap().0, 2);
    let told = problems(&service, "channel-failed");
    assert!(told.len() == 1 && told[0].contains(BUG), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_panics_every_time_is_set_aside_and_its_channel_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let events = named();
    let store = Arc::new(Panicking::new(cause(request()), usize::MAX));
    let service = start(&store, folder.path()).await;
    for event in &events {
        bring(&service, ORG, event).await;
    }
    assert_eq!(usize::MAX - store.left.load(Ordering::SeqCst), 3);
    assert_eq!(store.loads.load(Ordering::SeqCst), 4);
    let lines = set_aside(folder.path());
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["source"], "set-aside");
    assert_eq!(lines[0]["work"], format!("event {}", id(request())));
    assert_eq!(lines[0]["why"], format!("panicked 3 times: {BUG}"));
    let told = problems(&service, "panics");
    assert!(told.len() == 1 && told[0].contains("set aside because they panicked 3 times: 1;"), "{told:?}");
    assert_eq!(
        store.seen(&service.channels()[0].key().clone(), &[cause(1), cause(2)]).await.unwrap(),
        [true; 2]
    );
    service.stop(Duration::from_secs(5)).await;
    // Another process, whose store never heard of it, still knows.
    let store = Arc::new(Panicking::new(cause(request()), usize::MAX));
    let service = start(&store, folder.path()).await;
    for event in &events {
        assert_eq!(bring(&service, ORG, event).await, 1);
    }
    assert_eq!(set_aside(folder.path()).len(), 2);
}

/// A login that panics whenever it is asked for a token.
#[derive(Default)]
struct Panics(AtomicUsize);

#[async_trait]
impl TokenSource for Panics {
    async fn token(&self) -> Result<AccessToken, Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("the login's own bug")
    }

    async fn refresh(&self, _: &AccessToken) -> Result<AccessToken, Error> {
        self.token().await
    }
}

fn with_tokens(mut plan: OrgPlan, tokens: &Arc<Panics>) -> OrgPlan {
    let client = Client::builder(SALESFORCE, plan.id, CHANNEL, Arc::clone(tokens) as _);
    plan.channels[0].client = client.build().unwrap();
    plan
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_every_time_ends_no_channel_and_stands_in_the_quarantine() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Arc::new(Panics::default());
    let store = Arc::new(Panicking::new(cause(99), 0));
    let aside = Quarantine::beside(&folder.path().join("byoc.db")).unwrap();
    let orgs = vec![with_tokens(org(ORG, SALESFORCE, true), &tokens)];
    let (clock, notices) = (Arc::new(SystemClock), Notices::default());
    let plan = Plan { orgs, store: store.clone(), clock, notices, aside };
    let service = Service::start(plan).await.unwrap();
    for event in &named() {
        assert_eq!(bring(&service, ORG, event).await, 1);
    }
    while set_aside(folder.path()).is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(tokens.0.load(Ordering::SeqCst) >= 3);
    let line = &set_aside(folder.path())[0];
    assert!(line["work"].as_str().unwrap().starts_with("request "), "{line}");
    assert_eq!(store.loads.load(Ordering::SeqCst), 1, "it was never taken up again");
    assert_eq!(problems(&service, "channel-failed"), [""; 0]);
    let told = problems(&service, "panics");
    assert!(told.len() == 1 && told[0].contains("the login's own bug"), "{told:?}");
}
