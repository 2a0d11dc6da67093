//! Who may read, and who may see the token: refusals are named, and secrets go nowhere else.

use byoc_connector::model::ids::OrgId;

use super::*;

#[tokio::test]
async fn a_token_that_is_revoked_is_replaced_and_the_stream_goes_on() {
    let org = Org::start(patient()).await;
    let tokens = org.credentials();
    let pubsub = PubSub::new(org.settings(), tokens.clone(), Arc::new(SystemClock)).unwrap();
    *tokens.held.lock().unwrap() = Some("one that never was".to_owned());
    let mut source = pubsub.subscribe(&topic(), Start::Earliest);
    for round in 1..=3 {
        org.publish(1);
        let id = events(&mut source, 2).await.remove(1);
        assert_eq!(Some(&id), org.ids().last());
        assert_eq!(tokens.refreshed.load(Ordering::Relaxed), round);
        source.position().processed(id);
        org.emulator.with(|salesforce, _| salesforce.revoke_tokens(None));
        org.emulator.stream_fault(StreamFault::Unavailable);
        // The stream's end, and the token's refusal.
        let cuts = 1 + 2 * u64::from(round);
        until(&source.health(), |state| state.connected && state.cuts == cuts).await;
    }
    let shown = format!("{pubsub:?} {source:?} {:?}", source.health().state());
    let token = tokens.held.lock().unwrap().clone().unwrap();
    assert!(!shown.contains(&token), "{shown}");
    org.stops().await;
}

#[tokio::test]
async fn what_a_user_may_not_read_is_named() {
    let org = Org::start(StreamForm { can_subscribe: false, ..patient() }).await;
    let source = org.subscribe(Start::Earliest);
    let problem = until(&source.health(), |state| state.problem.is_some()).await.problem.unwrap();
    assert!(problem.contains("may not subscribe to") && problem.contains(&topic()), "{problem}");
    let source = org.connect(org.settings()).subscribe("/event/Other__e", Start::Earliest);
    let problem = until(&source.health(), |state| state.problem.is_some()).await.problem.unwrap();
    assert!(problem.starts_with("NotFound (sfdc.platform.eventbus.grpc.topic.not.found)"), "{problem}");
    let elsewhere = Settings { org: OrgId::parse("00DHu0000099999").unwrap(), ..org.settings() };
    let source = org.connect(elsewhere).subscribe(&topic(), Start::Earliest);
    let problem = until(&source.health(), |state| state.problem.is_some()).await.problem.unwrap();
    assert!(problem.starts_with("Unauthenticated") && problem.contains("tenantid"), "{problem}");
    org.stops().await;
}

#[tokio::test]
async fn a_token_is_never_sent_in_plain_text_to_another_machine() {
    let org = Org::start(patient()).await;
    let settings = Settings { endpoint: "http://10.1.2.3:7443".to_owned(), ..org.settings() };
    let error = PubSub::new(settings, org.credentials(), Arc::new(SystemClock)).unwrap_err();
    assert!(error.to_string().contains("it must be an https URL"), "{error}");
    let settings = Settings { instance_url: "acme".to_owned(), ..org.settings() };
    let error = PubSub::new(settings, org.credentials(), Arc::new(SystemClock)).unwrap_err();
    assert!(error.to_string().contains("instance_url is 'acme'"), "{error}");
    org.stops().await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_sent_no_token() {
    let org = Org::start(patient()).await;
    let settings = Settings { endpoint: org.address.replace("http://", "https://"), ..org.settings() };
    let source = org.connect(settings).subscribe(&topic(), Start::Earliest);
    let state = until(&source.health(), |state| state.cuts >= 2).await;
    assert!(!state.connected && state.problem.is_some(), "{state:?}");
    assert_eq!(org.emulator.streams().borrow().begun, 0);
    org.stops().await;
}

#[tokio::test]
async fn what_people_wrote_does_not_print() {
    let org = Org::start(patient()).await;
    org.publish(1);
    let mut source = org.subscribe(Start::Earliest);
    let first = event(&mut source).await;
    let shown = format!("{source:?} {first:?}");
    assert!(shown.contains("bytes") && !shown.contains("CreatedById"), "{shown}");
    org.stops().await;
}
