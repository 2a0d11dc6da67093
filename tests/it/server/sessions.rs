//! Session tokens: which are taken, and why others are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::http::Method;
use byoc_connector::model::time::{Clock, SystemClock, Timestamp};
use byoc_connector::server::{SessionAuth, Settings};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::rig::{ANNA, BO, CHANNEL, ORG, OTHER_ORG, Rig, SESSION_SECRET, guarded, org, service, service_at};

const RSA_KEY: &str = include_str!("../../../fixtures/keys/sample-private-key.pem");

pub(super) fn claims(change: &Value) -> Value {
    let exp = SystemClock.now().as_millis() / 1000 + 300;
    let mut claims = json!({ "sub": ANNA, "org": ORG, "aud": "byoc-connector", "exp": exp });
    for (claim, value) in change.as_object().unwrap() {
        claims[claim] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        }
    }
    claims
}

/// A token that is good but for the claims that are given; `null` leaves one out.
pub(super) fn token(change: &Value) -> String {
    signed(&Header::new(Algorithm::HS256), change, &EncodingKey::from_secret(SESSION_SECRET.as_bytes()))
}

fn signed(header: &Header, change: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, &claims(change), key).unwrap()
}

#[tokio::test]
async fn a_good_token_says_whose_session_it_is() {
    let rig = Rig::new(guarded()).await;
    let expected = json!({ "org": ORG, "channel": CHANNEL, "rep": ANNA, "conferenceSupported": true });
    for change in [
        json!({}),
        json!({ "channel": CHANNEL }),
        json!({ "aud": ["another", "byoc-connector"] }),
        json!({ "sub": "005000000000001AAA" }),
        json!({ "nbf": 0, "iss": "anybody", "name": "Anna" }),
        json!({ "exp": 4_102_444_800.5 }),
    ] {
        let answer = rig.ask(Method::GET, "/v1/session").bearer(&token(&change)).send().await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &expected), "{change}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_is_named_by_its_claim_and_leads_to_the_login() {
    let rig = Rig::new(guarded()).await;
    let now = SystemClock.now().as_millis() / 1000;
    for (change, field) in [
        (json!({ "exp": now - 31 }), json!("exp")),
        (json!({ "exp": null }), json!("exp")),
        (json!({ "exp": "tomorrow" }), json!("exp")),
        (json!({ "exp": -1e300 }), json!("exp")),
        (json!({ "nbf": now + 90 }), json!("nbf")),
        (json!({ "aud": "another" }), json!("aud")),
        (json!({ "aud": null }), json!("aud")),
        (json!({ "aud": [] }), json!("aud")),
        (json!({ "sub": null }), json!("sub")),
        (json!({ "sub": "anna" }), json!("sub")),
        (json!({ "sub": "005000000000001AAB" }), json!("sub")),
        (json!({ "org": null }), json!("org")),
        (json!({ "org": ANNA }), json!("org")),
    ] {
        let answer = rig.ask(Method::GET, "/v1/session").bearer(&token(&change)).send().await;
        assert_eq!((answer.status.as_u16(), answer.field()), (401, &field), "{change}: {}", answer.body);
        assert_eq!(answer.body["loginUrl"], "https://login.example.com/byoc", "{change}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{change}");
    }
    let long = token(&json!({ "name": "x".repeat(9000) }));
    for bad in ["", "x", "a.b.c", "..", &long] {
        assert_eq!(rig.ask(Method::GET, "/v1/session").bearer(bad).send().await.status, 401, "{bad}");
    }
    let within_the_leeway = token(&json!({ "exp": now - 20, "nbf": now + 20 }));
    assert_eq!(rig.ask(Method::GET, "/v1/session").bearer(&within_the_leeway).send().await.status, 200);
}

#[tokio::test]
async fn a_token_is_checked_by_the_algorithm_of_the_key_and_by_no_other() {
    let rig = Rig::new(guarded()).await;
    let secret = EncodingKey::from_secret(SESSION_SECRET.as_bytes());
    let wrong = EncodingKey::from_secret(b"another-0123456789-0123456789-0123456789");
    let rsa = EncodingKey::from_rsa_pem(RSA_KEY.as_bytes()).unwrap();
    let good = token(&json!({}));
    let (body, signature) = good.split_once('.').unwrap().1.split_once('.').unwrap();
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{body}.");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{body}.{signature}");
    let critical = Header { crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::HS256) };
    for (why, token) in [
        ("another secret", signed(&Header::new(Algorithm::HS256), &json!({}), &wrong)),
        ("HS512", signed(&Header::new(Algorithm::HS512), &json!({}), &secret)),
        ("RS256", signed(&Header::new(Algorithm::RS256), &json!({}), &rsa)),
        ("none", none),
        ("none, with a signature", unsigned),
        ("crit", signed(&critical, &json!({}), &secret)),
        ("cut", good[..good.len() - 2].to_owned()),
    ] {
        assert_eq!(rig.ask(Method::GET, "/v1/session").bearer(&token).send().await.status, 401, "{why}");
    }
}

#[tokio::test]
async fn the_issuer_is_checked_where_it_is_configured() {
    let rig = Rig::new(Settings { issuer: Some("https://idp.example.com".to_owned()), ..guarded() }).await;
    for (issuer, status) in [
        (json!("https://idp.example.com"), 200),
        (json!("https://idp.example.com/"), 200),
        (json!("another"), 401),
        (Value::Null, 401),
    ] {
        let token = token(&json!({ "iss": issuer }));
        let answer = rig.ask(Method::GET, "/v1/session").bearer(&token).send().await;
        assert_eq!(answer.status, status, "{issuer}");
        assert!(status == 200 || answer.field() == "iss", "{}", answer.body);
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_org_channel_and_rep() {
    let nobody = "http://127.0.0.1:9";
    let rig = Rig::over(guarded(), service(vec![org(ORG, nobody, true), org(OTHER_ORG, nobody, true)]).await);
    let anna = token(&json!({}));
    let with_channel = token(&json!({ "channel": CHANNEL }));
    let status = async |path: &str, token: &str| {
        let answer = rig.ask(Method::GET, path).bearer(token).send().await;
        (answer.status.as_u16(), answer.field().clone())
    };
    assert_eq!(status("/v1/session", &anna).await.0, 200);
    assert_eq!(status(&format!("/v1/session?org={ORG}&channel={CHANNEL}"), &anna).await.0, 200);
    assert_eq!(status(&format!("/v1/session?org={OTHER_ORG}"), &anna).await, (403, json!("org")));
    assert_eq!(status("/v1/session?channel=Other", &with_channel).await, (403, json!("channel")));
    let elsewhere = token(&json!({ "org": "00D000000000009" }));
    assert_eq!(status("/v1/session", &elsewhere).await, (404, json!("org")));
    let presence = |body: Value| rig.ask(Method::POST, "/v1/presence").bearer(&anna).json(&body).send();
    let other = presence(json!({ "availability": "OFFLINE", "userId": BO })).await;
    assert_eq!((other.status.as_u16(), other.field()), (403, &json!("userId")));
    for body in [json!({ "availability": "OFFLINE" }), json!({ "availability": "OFFLINE", "userId": ANNA })] {
        assert_eq!(presence(body).await.status, 202);
    }
    let people = |org: &str| {
        let running = rig.service.find(Some(&org.parse().unwrap()), None).unwrap();
        running.people().unwrap().get(ANNA.parse().unwrap()).unwrap().availability.as_str()
    };
    assert_eq!((people(ORG), people(OTHER_ORG)), ("OFFLINE", "AVAILABLE"));
}

/// An identity provider with an RSA and an EC key.
pub(super) struct Provider {
    server: MockServer,
    rsa: EncodingKey,
    ec: EncodingKey,
}

/// A clock that is moved by hand.
#[derive(Clone)]
pub(super) struct Moved(Arc<AtomicI64>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.0.load(Ordering::SeqCst))
    }
}

impl Moved {
    pub(super) fn on(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Provider {
    pub(super) async fn start() -> Self {
        let random = aws_lc_rs::rand::SystemRandom::new();
        let curve = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(curve, &random).unwrap();
        Self {
            server: MockServer::start().await,
            rsa: EncodingKey::from_rsa_pem(RSA_KEY.as_bytes()).unwrap(),
            ec: EncodingKey::from_ec_der(pkcs8.as_ref()),
        }
    }

    pub(super) fn jwk(key: &EncodingKey, algorithm: Algorithm, id: &str) -> Value {
        let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
        jwk.common.key_id = Some(id.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    pub(super) fn both(&self) -> Vec<Value> {
        vec![Self::jwk(&self.rsa, Algorithm::RS256, "rsa"), Self::jwk(&self.ec, Algorithm::ES256, "ec")]
    }

    pub(super) async fn publishes(&self, response: ResponseTemplate) {
        self.server.reset().await;
        Mock::given(method("GET")).respond_with(response).mount(&self.server).await;
    }

    pub(super) async fn publishes_keys(&self, keys: Vec<Value>) {
        self.publishes(ResponseTemplate::new(200).set_body_json(json!({ "keys": keys }))).await;
    }

    pub(super) async fn asked(&self) -> usize {
        self.server.received_requests().await.unwrap().len()
    }

    pub(super) async fn rig(&self) -> (Rig, Moved) {
        let clock = Moved(Arc::default());
        let session = Some(SessionAuth::Jwks(format!("{}/keys", self.server.uri())));
        let service = service_at(Arc::new(clock.clone()), vec![org(ORG, "http://127.0.0.1:9", true)]).await;
        (Rig::over(Settings { session, ..guarded() }, service), clock)
    }

    pub(super) fn token(&self, id: Option<&str>, algorithm: Algorithm) -> String {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
        let key = if algorithm == Algorithm::ES256 { &self.ec } else { &self.rsa };
        signed(&header, &json!({ "exp": 4_102_444_800_u64 }), key)
    }
}

pub(super) async fn status(rig: &Rig, token: &str) -> (u16, Value) {
    let answer = rig.ask(Method::GET, "/v1/session").bearer(token).send().await;
    (answer.status.as_u16(), answer.field().clone())
}

#[tokio::test]
async fn a_providers_public_keys_are_fetched_once_and_check_its_tokens() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, _) = provider.rig().await;
    for _ in 0..3 {
        assert_eq!(status(&rig, &provider.token(Some("rsa"), Algorithm::RS256)).await.0, 200);
        assert_eq!(status(&rig, &provider.token(Some("ec"), Algorithm::ES256)).await.0, 200);
        assert_eq!(
            status(&rig, &provider.token(None, Algorithm::ES256)).await.0,
            200,
            "there is one of its kind"
        );
    }
    assert_eq!(provider.asked().await, 1);
}

#[tokio::test]
async fn a_public_key_is_never_taken_for_a_secret() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, _) = provider.rig().await;
    let public =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/sample-public-key.pem")).unwrap();
    let modulus = Provider::jwk(&provider.rsa, Algorithm::RS256, "rsa")["n"].as_str().unwrap().to_owned();
    for secret in [&public[..], modulus.as_bytes(), SESSION_SECRET.as_bytes()] {
        let header = Header { kid: Some("rsa".to_owned()), ..Header::new(Algorithm::HS256) };
        let forged = signed(&header, &json!({}), &EncodingKey::from_secret(secret));
        assert_eq!(status(&rig, &forged).await, (401, json!("alg")));
    }
    // An RSA key's token that claims to be an EC key's, and the other way round.
    for (id, algorithm) in [("ec", Algorithm::RS256), ("rsa", Algorithm::ES256)] {
        assert_eq!(status(&rig, &provider.token(Some(id), algorithm)).await, (401, json!("kid")), "{id}");
    }
    assert_eq!(status(&rig, &provider.token(Some("rsa"), Algorithm::RS512)).await, (401, json!("alg")));
}

#[tokio::test]
async fn keys_for_anything_else_are_passed_over() {
    let provider = Provider::start().await;
    let mut encrypts = Provider::jwk(&provider.rsa, Algorithm::RS256, "encrypts");
    encrypts["use"] = json!("enc");
    let mut other = Provider::jwk(&provider.rsa, Algorithm::RS256, "other");
    other["alg"] = json!("PS256");
    let secret = json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256" });
    let broken = json!({ "kty": "RSA", "kid": "broken" });
    let mut keys = vec![encrypts, other, secret, broken, json!(5)];
    keys.extend(provider.both());
    provider.publishes_keys(keys).await;
    let (rig, _) = provider.rig().await;
    for id in ["encrypts", "other", "secret", "broken"] {
        assert_eq!(
            status(&rig, &provider.token(Some(id), Algorithm::RS256)).await,
            (401, json!("kid")),
            "{id}"
        );
    }
    assert_eq!(status(&rig, &provider.token(Some("rsa"), Algorithm::RS256)).await.0, 200);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_at_most_once_in_thirty_seconds() {
    let provider = Provider::start().await;
    provider.publishes_keys(vec![Provider::jwk(&provider.ec, Algorithm::ES256, "ec")]).await;
    let (rig, clock) = provider.rig().await;
    let rsa = provider.token(Some("rsa"), Algorithm::RS256);
    for _ in 0..5 {
        assert_eq!(status(&rig, &rsa).await, (401, json!("kid")));
    }
    assert_eq!(provider.asked().await, 1);
    provider.publishes_keys(provider.both()).await;
    assert_eq!(status(&rig, &rsa).await.0, 401, "it is not asked for yet");
    clock.on(Duration::from_secs(31));
    assert_eq!(status(&rig, &rsa).await.0, 200);
    assert_eq!(provider.asked().await, 1);
}

#[tokio::test]
async fn a_key_that_is_taken_back_is_not_taken_for_long() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, clock) = provider.rig().await;
    let rsa = provider.token(Some("rsa"), Algorithm::RS256);
    assert_eq!(status(&rig, &rsa).await.0, 200);
    provider.publishes_keys(vec![Provider::jwk(&provider.ec, Algorithm::ES256, "ec")]).await;
    assert_eq!(status(&rig, &rsa).await.0, 200);
    clock.on(Duration::from_hours(1));
    assert_eq!(status(&rig, &rsa).await, (401, json!("kid")));
}

#[tokio::test]
async fn while_the_provider_is_out_of_reach_its_keys_are_kept_for_a_day() {
    let provider = Provider::start().await;
    provider.publishes_keys(provider.both()).await;
    let (rig, clock) = provider.rig().await;
    let rsa = provider.token(Some("rsa"), Algorithm::RS256);
    assert_eq!(status(&rig, &rsa).await.0, 200);
    provider.publishes(ResponseTemplate::new(500)).await;
    clock.on(Duration::from_hours(2));
    assert_eq!(status(&rig, &rsa).await.0, 200);
    clock.on(Duration::from_hours(23));
    assert_eq!(status(&rig, &rsa).await.0, 503, "whether the token is good cannot be told any more");
    provider.publishes_keys(provider.both()).await;
    clock.on(Duration::from_secs(31));
    assert_eq!(status(&rig, &rsa).await.0, 200);
}

#[tokio::test]
async fn a_provider_that_has_no_keys_is_not_the_reps_mistake() {
    let provider = Provider::start().await;
    let large =
        ResponseTemplate::new(200).set_body_string(format!("{{\"keys\":[\"{}\"]}}", "x".repeat(300_000)));
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "https://example.com");
    for response in [
        ResponseTemplate::new(404),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_json(json!({ "keys": [] })),
        large,
        elsewhere,
    ] {
        provider.publishes(response).await;
        let (rig, _) = provider.rig().await;
        let answer = rig
            .ask(Method::GET, "/v1/session")
            .bearer(&provider.token(Some("rsa"), Algorithm::RS256))
            .send()
            .await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert_eq!(answer.header("retry-after"), "30");
    }
}
