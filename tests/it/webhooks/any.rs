//! What holds for each webhook: how it does is said at once, redirects get no secret, none is there unasked.

use byoc_connector::webhook::{Error, Kind};

use super::*;

#[tokio::test]
async fn each_webhook_says_how_it_is_doing_at_once() {
    let slow = found(&json!([rep(1)])).set_delay(Duration::from_secs(5));
    let partner = Partner::answering("/find", [slow, found(&json!([rep(2)]))]).await;
    let webhooks = partner.webhooks();
    let failing = |webhooks: &Webhooks| {
        let failing = webhooks.health().filter_map(|health| Some((health.kind(), health.failing()?.problem)));
        failing.collect::<Vec<_>>()
    };
    assert_eq!(failing(&webhooks), []);
    let finder = webhooks.rep_finder(&context()).unwrap();
    let finding = tokio::spawn(async move { finder.find(&wanted(1)).await });
    // The second try has not ended yet when the first has failed.
    while failing(&webhooks).is_empty() {
        assert!(!finding.is_finished());
        tokio::task::yield_now().await;
    }
    assert_eq!(failing(&webhooks), [(Kind::RepFinder, "no answer: none within 1000 ms".to_owned())]);
    assert_eq!(finding.await.unwrap().unwrap(), [rep(2)]);
    assert_eq!(failing(&webhooks), [], "it works again");

    let directory = webhooks.directory(&context()).unwrap();
    directory.contacts(&opened(ListType::All)).await.unwrap_err();
    let notifier = webhooks.end_user_notifier(&context()).unwrap();
    notifier.tell(&news("one", 1)).await.unwrap_err();
    let not_there = |kind| (kind, "HTTP 404".to_owned());
    assert_eq!(failing(&webhooks), [Kind::Directory, Kind::EndUserNotifier].map(not_there));
}

#[tokio::test]
async fn a_redirect_does_not_get_the_secret() {
    let thief = Partner::answering("/find", [found(&json!([rep(1)]))]).await;
    for status in [301, 302, 303, 307, 308] {
        let there = format!("{}/find", thief.0.uri());
        let redirect = ResponseTemplate::new(status).insert_header("Location", there.as_str());
        let partner = Partner::answering("/find", [redirect]).await;
        let why =
            format!("HTTP {status}; redirects are not followed, because that would send the secret along");
        assert_eq!(partner.find(&wanted(1)).await, Err(why));
    }
    assert!(thief.requests().await.is_empty());
}

#[tokio::test]
async fn a_webhook_that_is_not_configured_is_not_there() {
    let settings =
        Settings { rep_finder_url: Some("http://localhost:1/find".to_owned()), ..Settings::default() };
    let webhooks = Webhooks::new(&settings).unwrap();
    assert!(webhooks.rep_finder(&context()).is_some());
    assert!(webhooks.directory(&context()).is_none() && webhooks.end_user_notifier(&context()).is_none());
    let outside =
        Settings { rep_finder_url: Some("https://acme.example/find".to_owned()), ..Settings::default() };
    assert_eq!(Webhooks::new(&outside).unwrap_err(), Error::NoSecret { field: "rep_finder_url" });
    let secret = Settings { secret: Some("hush".to_owned().into()), ..outside };
    assert!(!format!("{:?}{secret:?}", Webhooks::new(&secret).unwrap()).contains("hush"));
}
