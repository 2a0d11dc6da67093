//! What is sent is signed as Standard Webhooks says, by each secret and anew in each try.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byoc_connector::model::time::{Clock as _, SystemClock};
use byoc_connector::webhook::{Answered, probe};

use super::*;

/// What the partner's verifier makes of a request: which of the signatures are those of which secret.
fn verified(request: &Request) -> Vec<bool> {
    let (id, timestamp) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
    let now = SystemClock.now().as_millis() / 1_000;
    assert!(now.abs_diff(timestamp.parse().unwrap()) < 60, "{timestamp}");
    let signed = [format!("{id}.{timestamp}.").as_bytes(), &request.body].concat();
    let signatures: Vec<&str> = header(request, "webhook-signature").split(' ').collect();
    assert_eq!(signatures.len(), SIGNING.len());
    let fits = |(secret, signature): (&&str, &&str)| {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed, &signature).is_ok()
    };
    SIGNING.iter().zip(&signatures).map(fits).collect()
}

#[tokio::test]
async fn news_is_signed_by_each_secret_in_each_try() {
    let partner = Partner::answering("/tell", [500, 202].map(ResponseTemplate::new)).await;
    partner.webhooks().end_user_notifier(&context()).unwrap().tell(&news("a", 1)).await.unwrap();
    let requests = partner.requests().await;
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_eq!(verified(request), [true, true]);
    }
}

#[tokio::test]
async fn questions_and_probes_are_signed_as_well() {
    let partner =
        Partner::answering("/find", [ResponseTemplate::new(200).set_body_json(json!({"reps": []}))]).await;
    let asked = RepQuery { queue_id: None, skills: Vec::new(), exclude: Vec::new(), limit: 1 };
    drop(partner.find(&asked).await);
    let settings = Settings {
        rep_finder_url: Some(format!("{}/find", partner.0.uri())),
        signing_secrets: SIGNING.map(Into::into).to_vec(),
        ..Settings::default()
    };
    assert_eq!(probe(&settings, &context()).await[0].answer, Answered::Well(200));
    let requests = partner.requests().await;
    assert_eq!(requests.iter().map(verified).collect::<Vec<_>>(), [[true, true], [true, true]]);
}

#[tokio::test]
async fn without_a_secret_nothing_says_that_it_is_signed() {
    let partner = Partner::answering("/tell", [ResponseTemplate::new(202)]).await;
    let url = Some(format!("{}/tell", partner.0.uri()));
    let webhooks = Webhooks::new(&Settings { end_user_notifier_url: url, ..Settings::default() }).unwrap();
    webhooks.end_user_notifier(&context()).unwrap().tell(&news("a", 1)).await.unwrap();
    let headers = &partner.requests().await[0].headers;
    assert!(!headers.contains_key("webhook-timestamp") && !headers.contains_key("webhook-signature"));
}
