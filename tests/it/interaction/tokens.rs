//! Tokens: one request however many wait, one refresh a call, claims that the public key verifies.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use byoc_connector::interaction::auth::Error;
use byoc_connector::interaction::{JwtBearer, JwtSettings, TokenSource};
use byoc_connector::model::call::Answer;
use byoc_connector::model::time::Clock;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Hands, START, client, header, offer, refused, send};

const ENDPOINT: &str = "/services/oauth2/token";

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

fn pem() -> SecretString {
    let der: Pkcs8V1Der<'_> = KEY.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    SecretString::from(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
}

pub(super) fn source(server: &MockServer, hands: &Arc<Hands>) -> Arc<JwtBearer> {
    let settings = JwtSettings {
        audience: "https://test.salesforce.com/".into(),
        token_url: Some(format!("{}{ENDPOINT}", server.uri())),
        ..JwtSettings::new("the-consumer-key", "integration@acme.example", pem())
    };
    Arc::new(JwtBearer::new(settings, Arc::clone(hands) as Arc<dyn Clock>).unwrap())
}

/// A token endpoint that gives `token-1`, `token-2` and so on.
pub(super) async fn gives_tokens(server: &MockServer, more: Value) {
    for turn in 1..=9_u8 {
        let mut body = json!({"access_token": format!("token-{turn}"), "token_type": "Bearer",
                              "scope": "interaction_api", "instance_url": "https://acme.my.salesforce.com"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Mock::given(method("POST"))
            .and(path(ENDPOINT))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .up_to_n_times(1)
            .with_priority(turn)
            .mount(server)
            .await;
    }
}

pub(super) async fn asked(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.path() == ENDPOINT).count()
}

#[tokio::test]
async fn the_claim_is_what_salesforce_wants_and_the_public_key_verifies_it() {
    let server = MockServer::start().await;
    gives_tokens(&server, json!({})).await;
    let hands = Arc::new(Hands::default());
    let token = source(&server, &hands).token().await.unwrap();
    assert_eq!(token.expose(), "token-1");

    let requests = server.received_requests().await.unwrap();
    assert_eq!(header(&requests[0], "Content-Type"), "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> = url_decoded(&requests[0].body);
    assert_eq!(form[0], ("grant_type".into(), "urn:ietf:params:oauth:grant-type:jwt-bearer".into()));
    assert_eq!((form.len(), form[1].0.as_str()), (2, "assertion"));

    let key = DecodingKey::from_rsa_der(KEY.public_key().as_ref());
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&["https://test.salesforce.com"]);
    validation.set_issuer(&["the-consumer-key"]);
    let claims = jsonwebtoken::decode::<Value>(&form[1].1, &key, &validation).unwrap().claims;
    assert_eq!(claims["sub"], "integration@acme.example");
    assert_eq!(claims["exp"].as_i64().unwrap(), START / 1_000 + 180);
}

fn url_decoded(body: &[u8]) -> Vec<(String, String)> {
    let url = format!("http://localhost/?{}", std::str::from_utf8(body).unwrap());
    reqwest::Url::parse(&url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_callers_whose_token_is_not_taken_ask_for_one_new_token() {
    let server = MockServer::start().await;
    gives_tokens(&server, json!({})).await;
    let unauthorized = json!({"code": 10004, "message": "m"});
    let old = wiremock::matchers::header("Authorization", "Bearer token-1");
    Mock::given(old)
        .respond_with(ResponseTemplate::new(401).set_body_json(unauthorized))
        .with_priority(20)
        .mount(&server)
        .await;
    let done = ResponseTemplate::new(202).set_body_json(json!({"success": true}));
    Mock::given(wiremock::matchers::any()).respond_with(done).with_priority(21).mount(&server).await;

    let hands = Arc::new(Hands::default());
    let (client, _) = client(&server.uri(), source(&server, &hands));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { send(&client, &offer()).await })
        })
        .collect();
    for call in calls {
        assert!(matches!(call.await.unwrap(), Answer::Done(_)));
    }
    assert_eq!(asked(&server).await, 2, "one token to begin with, and one new one");
}

#[tokio::test]
async fn fifty_callers_who_wait_hear_of_one_failure() {
    let server = MockServer::start().await;
    let refusal =
        json!({"error": "invalid_grant", "error_description": "user hasn't approved this consumer"});
    let response = ResponseTemplate::new(400).set_body_json(refusal);
    Mock::given(path(ENDPOINT)).respond_with(response).mount(&server).await;
    let source = source(&server, &Arc::new(Hands::default()));
    // On one thread each of them stands in line before the first response can be read.
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let source = Arc::clone(&source);
            tokio::spawn(async move { source.token().await })
        })
        .collect();
    let mut errors = HashSet::new();
    for caller in waiting {
        errors.insert(caller.await.unwrap().unwrap_err().to_string());
    }
    assert_eq!(errors.len(), 1);
    assert!(errors.iter().next().unwrap().contains("invalid_grant"), "{errors:?}");
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn a_call_refreshes_its_token_once_and_then_is_refused() {
    let server = MockServer::start().await;
    gives_tokens(&server, json!({})).await;
    let unauthorized = ResponseTemplate::new(401).set_body_json(json!({"code": 10004, "message": "m"}));
    Mock::given(wiremock::matchers::any()).respond_with(unauthorized).with_priority(20).mount(&server).await;
    let (client, _) = client(&server.uri(), source(&server, &Arc::new(Hands::default())));
    assert_eq!(send(&client, &offer()).await, refused(401, 10004, "m", false));
    let requests = server.received_requests().await.unwrap();
    let tokens: Vec<_> = requests
        .iter()
        .filter(|request| request.url.path() != ENDPOINT)
        .map(|request| header(request, "Authorization"))
        .collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn a_fixed_token_that_is_not_taken_is_a_refusal_with_salesforces_reason() {
    let server = MockServer::start().await;
    let unauthorized = ResponseTemplate::new(401).set_body_json(json!({"code": 10004, "message": "m"}));
    Mock::given(wiremock::matchers::any()).respond_with(unauthorized).expect(1).mount(&server).await;
    let (client, _) = client(&server.uri(), super::fixed_token());
    let message = "m; the access token was rejected, and this source has no other";
    assert_eq!(send(&client, &offer()).await, refused(401, 10004, message, false));
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_ages_out() {
    for (more, lifetime) in [(json!({}), 15 * 60), (json!({"expires_in": 7200}), 7200)] {
        let server = MockServer::start().await;
        gives_tokens(&server, more).await;
        let hands = Arc::new(Hands::default());
        let source = source(&server, &hands);
        assert_eq!(source.token().await.unwrap().expose(), "token-1");
        hands.advance(Duration::from_secs(lifetime - 61));
        assert_eq!(source.token().await.unwrap().expose(), "token-1");
        hands.advance(Duration::from_secs(1));
        assert_eq!(source.token().await.unwrap().expose(), "token-2");
        assert_eq!(asked(&server).await, 2);
    }
}

#[tokio::test]
async fn an_early_replacement_that_fails_leaves_the_token_in_use_until_it_has_aged_out() {
    let server = MockServer::start().await;
    let granted = ResponseTemplate::new(200).set_body_json(json!({"access_token": "token-1"}));
    Mock::given(path(ENDPOINT)).respond_with(granted).up_to_n_times(1).mount(&server).await;
    Mock::given(path(ENDPOINT))
        .respond_with(ResponseTemplate::new(503))
        .with_priority(9)
        .mount(&server)
        .await;
    let hands = Arc::new(Hands::default());
    let source = source(&server, &hands);
    source.token().await.unwrap();
    hands.advance(Duration::from_secs(15 * 60 - 30));
    assert_eq!(source.token().await.unwrap().expose(), "token-1");
    hands.advance(Duration::from_secs(30));
    assert!(matches!(source.token().await.unwrap_err(), Error::Unavailable(_)));
}

#[tokio::test]
async fn a_token_endpoint_that_is_busy_is_asked_again() {
    let server = MockServer::start().await;
    Mock::given(path(ENDPOINT))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(2)
        .with_priority(1)
        .mount(&server)
        .await;
    gives_tokens(&server, json!({})).await;
    let done = ResponseTemplate::new(202).set_body_json(json!({"success": true}));
    Mock::given(wiremock::matchers::any()).respond_with(done).with_priority(21).mount(&server).await;
    let (client, _) = client(&server.uri(), source(&server, &Arc::new(Hands::default())));
    assert!(matches!(send(&client, &offer()).await, Answer::Done(_)));
    assert_eq!(asked(&server).await, 3);
}

#[tokio::test]
async fn a_login_that_is_refused_is_tried_again_and_no_more_than_once_a_second() {
    let server = MockServer::start().await;
    let refusal =
        json!({"error": "invalid_grant", "error_description": "user hasn't approved this consumer"});
    Mock::given(path(ENDPOINT))
        .respond_with(ResponseTemplate::new(400).set_body_json(refusal))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&server)
        .await;
    gives_tokens(&server, json!({})).await;
    let hands = Arc::new(Hands::default());
    let source = source(&server, &hands);
    let error = source.token().await.unwrap_err();
    assert!(error.retry() && error.to_string().contains("user hasn't approved"), "{error}");
    hands.advance(Duration::from_millis(999));
    assert_eq!(source.token().await.unwrap_err(), error);
    assert_eq!(asked(&server).await, 1);
    hands.advance(Duration::from_millis(1));
    assert_eq!(source.token().await.unwrap().expose(), "token-1");
}

#[test]
fn a_source_does_not_print_its_key() {
    let settings = JwtSettings::new("the-consumer-key", "integration@acme.example", pem());
    let printed = format!("{settings:?}");
    assert!(!printed.contains("BEGIN") && !printed.contains("MII"), "{printed}");
    let source = JwtBearer::new(settings, Arc::new(Hands::default())).unwrap();
    let printed = format!("{source:?}");
    assert!(printed.contains("login.salesforce.com") && !printed.contains("MII"), "{printed}");
}
