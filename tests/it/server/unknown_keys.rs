//! Tokens that are signed with keys which the identity provider does not have: what they cost it, and the others.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::sessions::{Provider, status};

#[tokio::test]
async fn two_hundred_forgeries_are_one_question_in_thirty_seconds() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, clock) = provider.rig().await;
    for number in 0..200 {
        let forged = provider.token(Some(&format!("forged-{number}")), Algorithm::RS256);
        assert_eq!(status(&rig, &forged).await, (401, json!("kid")));
        if number % 20 == 19 {
            // 18 s in all, so that a slow machine, whose clock runs too, stays within the 30.
            clock.on(Duration::from_secs(2));
        }
    }
    assert_eq!(provider.asked().await, 1);
}

#[tokio::test]
async fn the_same_forgery_is_asked_for_ever_more_seldom() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, clock) = provider.rig().await;
    let forged = provider.token(Some("forged"), Algorithm::RS256);
    // Half an hour, every ten seconds.
    for _ in 0..180 {
        assert_eq!(status(&rig, &forged).await.0, 401);
        clock.on(Duration::from_secs(10));
    }
    let asked = provider.asked().await;
    assert!(asked <= 12, "{asked} questions for one key that is not there");
    assert_eq!(status(&rig, &provider.token(Some("rsa"), Algorithm::RS256)).await.0, 200);
}

#[tokio::test]
async fn an_id_that_is_none_is_not_asked_for() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, _) = provider.rig().await;
    let long = "k".repeat(256);
    assert_eq!(status(&rig, &provider.token(Some(&long), Algorithm::RS256)).await, (401, json!("kid")));
    assert_eq!(provider.asked().await, 0);
}

#[tokio::test]
async fn a_key_that_is_there_waits_for_none_that_is_not() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, clock) = provider.rig().await;
    let good = provider.token(Some("rsa"), Algorithm::RS256);
    assert_eq!(status(&rig, &good).await.0, 200);
    // From now on the provider does not answer before the question is given up.
    let slow = wiremock::ResponseTemplate::new(200).set_delay(Duration::from_secs(3600));
    provider.publishes(slow).await;
    clock.on(Duration::from_secs(60));
    let forged: Vec<_> =
        (0..200).map(|number| provider.token(Some(&format!("forged-{number}")), Algorithm::RS256)).collect();
    let all = forged.iter().map(|token| status(&rig, token));
    let mut all = Box::pin(futures_util::future::join_all(all));
    // Each of them has come to where it waits, or has been told to come again.
    assert!(futures_util::poll!(&mut all).is_pending());
    assert_eq!(status(&rig, &good).await.0, 200, "at once");
    let busy = status(&rig, &provider.token(Some("one-more"), Algorithm::RS256)).await.0;
    assert_eq!(busy, 503, "whoever is too many is not kept waiting");
}
