//! How often somebody logs in: Salesforce counts it, and a login with every call is a login too many.

use std::sync::Arc;
use std::time::Duration;

use byoc_connector::interaction::TokenSource;
use byoc_connector::interaction::auth::Error;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::tokens::{asked, gives_tokens, source};
use super::{Hands, client, offer, refused, send};

/// How many logins a call every two seconds makes in a minute and a half, where a token is said to last so long.
async fn logins(expires_in: &Value) -> usize {
    let server = MockServer::start().await;
    gives_tokens(&server, json!({ "expires_in": expires_in })).await;
    let hands = Arc::new(Hands::default());
    let source = source(&server, &hands);
    for _call in 0..45 {
        source.token().await.unwrap();
        hands.advance(Duration::from_secs(2));
    }
    asked(&server).await
}

#[tokio::test]
async fn a_token_that_is_over_at_once_is_no_login_with_every_call() {
    for soon in [json!(0), json!(1), json!(30), json!(60), json!(-1), json!("0"), json!(0.5)] {
        let made = logins(&soon).await;
        assert!((1..=3).contains(&made), "expires_in {soon}: {made} logins");
    }
}

#[tokio::test]
async fn a_lifetime_is_read_however_it_is_written() {
    for long in [
        json!(7200),
        json!("7200"),
        json!(7200.0),
        json!(u64::MAX),
        json!("1e300"),
        json!(null),
        json!("soon"),
    ] {
        assert_eq!(logins(&long).await, 1, "expires_in {long}");
    }
}

#[tokio::test]
async fn a_token_that_is_never_taken_is_not_replaced_with_every_call() {
    let server = MockServer::start().await;
    gives_tokens(&server, json!({})).await;
    let unauthorized = ResponseTemplate::new(401).set_body_json(json!({ "code": 10004, "message": "m" }));
    Mock::given(wiremock::matchers::any()).respond_with(unauthorized).with_priority(20).mount(&server).await;
    let hands = Arc::new(Hands::default());
    let source = source(&server, &hands);
    let (client, _) = client(&server.uri(), Arc::clone(&source) as Arc<dyn TokenSource>);
    for _call in 0..4 {
        assert_eq!(send(&client, &offer()).await, refused(401, 10004, "m", false));
    }
    let why = format!("m; {}", Error::FreshNotTaken);
    for _call in 0..5 {
        assert_eq!(send(&client, &offer()).await, refused(401, 10004, &why, false));
    }
    assert_eq!(asked(&server).await, 5, "so many in a minute, however many calls there are");
    hands.advance(Duration::from_mins(1));
    send(&client, &offer()).await;
    assert_eq!(asked(&server).await, 6, "it may be taken by now");
}
