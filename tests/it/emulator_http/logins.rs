//! Logins: an assertion becomes a token, a wrong one is denied as OAuth does, the sample key is only a sample.

use byoc_connector::emulator::http::SAMPLE_PRIVATE_KEY;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn claims() -> Value {
    let app = AppSettings::default();
    json!({
        "iss": app.consumer_key, "sub": app.username, "aud": "https://login.salesforce.com",
        "exp": NOW / 1000 + 180,
    })
}

fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(SAMPLE_PRIVATE_KEY.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

#[tokio::test]
async fn an_assertion_becomes_a_token_that_the_api_takes_until_it_is_revoked() {
    let server = Server::start().await;
    let (status, answer) = server.token(&[("grant_type", GRANT), ("assertion", &signed(&claims()))]).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["scope"], "interaction_api");
    assert_eq!(answer["instance_url"], json!(server.address));
    let token = answer["access_token"].as_str().unwrap();
    let body = json!({ "conversationIdentifier": "nowhere" });
    let code = async |token: &str| -> Value {
        let response = server.api(Method::DELETE, "route", token, &body).await.unwrap();
        response.json::<Value>().await.unwrap()["code"].clone()
    };
    assert_eq!(code(token).await, 10018, "past the token's check");
    assert_eq!(code("another").await, 10004);
    assert_eq!(server.does("tokens/revoke", json!({ "token": token })).await["revoked"], 1);
    assert_eq!(code(token).await, 10004);
    assert_eq!(code(FIXED).await, 10018);
    // A token ages out by the emulator's clock.
    let (_, answer) = server.token(&[("grant_type", GRANT), ("assertion", &signed(&claims()))]).await;
    let token = answer["access_token"].as_str().unwrap();
    server.clock.0.fetch_add(7_200_000, Ordering::Relaxed);
    assert_eq!(code(token).await, 10004);
    server.stops().await;
}

#[tokio::test]
async fn every_wrong_assertion_is_denied_as_oauth_does() {
    let server = Server::start().await;
    let good = signed(&claims());
    let own = signed(&with("aud", json!(server.address)));
    assert_eq!(server.token(&[("grant_type", GRANT), ("assertion", &own)]).await.0, StatusCode::OK);
    let (head, tail) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
    let key = EncodingKey::from_secret(b"shared");
    let other_algorithm = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &key).unwrap();
    let table = [
        ("client_credentials", good.clone(), "unsupported_grant_type"),
        (GRANT, String::new(), "invalid_request"),
        (GRANT, "no.jwt".to_owned(), "invalid_grant"),
        (GRANT, forged, "invalid_grant"),
        (GRANT, other_algorithm, "invalid_grant"),
        (GRANT, signed(&with("iss", json!("3MVG9other"))), "invalid_client_id"),
        (GRANT, signed(&with("iss", Value::Null)), "invalid_client_id"),
        (GRANT, signed(&with("sub", json!("somebody@example.com"))), "invalid_grant"),
        (GRANT, signed(&with("aud", json!("https://login.example.com"))), "invalid_grant"),
        (GRANT, signed(&with("exp", json!(NOW / 1000))), "invalid_grant"),
        (GRANT, signed(&with("exp", Value::Null)), "invalid_grant"),
    ];
    for (grant, assertion, error) in table {
        let (status, answer) = server.token(&[("grant_type", grant), ("assertion", &assertion)]).await;
        assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{answer}");
        assert!(answer["error_description"].as_str().unwrap().len() > 10);
    }
    let url = format!("{}/services/oauth2/token", server.address);
    let response = server.client.post(url).json(&json!({})).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "invalid_request");
    server.stops().await;
}

#[tokio::test]
async fn the_sample_key_is_given_only_where_it_is_the_one_in_use() {
    let server = Server::start().await;
    let given = server.get("/emulator/v1/sample-credentials").await;
    assert_eq!(given["privateKey"], SAMPLE_PRIVATE_KEY);
    let app = AppSettings { public_key: "-----BEGIN".to_owned(), ..AppSettings::default() };
    let options = Options {
        seed: 1,
        roster: Roster::default(),
        settings: Settings::default(),
        app,
        fixed_tokens: Vec::new(),
    };
    let refused = Emulator::new(options, server.clock.clone()).unwrap_err();
    assert!(refused.to_string().contains("RSA public key in PEM"), "{refused}");
    server.emulator.with(|salesforce, _| assert_eq!(salesforce.works().count(), 0));
    server.stops().await;
}
