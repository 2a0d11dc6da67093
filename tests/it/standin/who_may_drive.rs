//! The control API and the token endpoint against those for whom they are not meant.

use byoc_connector::emulator::http::{AppSettings, SAMPLE_PRIVATE_KEY};
use byoc_connector::model::time::{Clock as _, SystemClock};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::served::Served;

/// An org, and somebody who speaks to it.
struct Org {
    served: Served,
    http: reqwest::Client,
}

impl Org {
    async fn start() -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { served: Served::start().await, http }
    }

    /// Begins a conversation, with these headers, or none where a value is empty.
    async fn control(&self, headers: &[(&str, &str)], body: &'static str) -> (StatusCode, Value) {
        let mut post =
            self.http.post(format!("{}/emulator/v1/conversations", self.served.address)).body(body);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        let answer = post.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn login(&self, aud: Value) -> (StatusCode, Value) {
        let app = AppSettings::default();
        let in_5_minutes = SystemClock.now().as_millis() / 1000 + 300;
        let claims = json!({ "iss": app.consumer_key, "sub": app.username, "aud": aud, "exp": in_5_minutes });
        let key = EncodingKey::from_rsa_pem(SAMPLE_PRIVATE_KEY.as_bytes()).unwrap();
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap();
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let post = self.http.post(format!("{}/services/oauth2/token", self.served.address));
        let answer = post.form(&[("grant_type", grant), ("assertion", &assertion)]).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

/// Headers and body that are sent, the status of the answer, and the field that it names.
type Sent<'a> = (&'a [(&'a str, &'a str)], &'static str, u16, &'a str);

#[tokio::test]
async fn a_page_of_another_origin_cannot_drive_the_org() {
    let org = Org::start().await;
    let json = ("content-type", "application/json");
    let own = org.served.address.clone();
    let table: &[Sent<'_>] = &[
        (&[json], "{}", 200, ""),
        (&[("content-type", "application/json; charset=utf-8"), ("origin", &own)], "{}", 200, ""),
        (&[], "", 200, ""),
        (&[json, ("origin", "https://evil.example")], "{}", 403, "Origin"),
        (&[json, ("origin", "null")], "{}", 403, "Origin"),
        (&[("origin", "https://evil.example")], "", 403, "Origin"),
        // What a form or an unasked `fetch` sends, by browsers that name no origin.
        (&[("content-type", "text/plain")], "{}", 415, "Content-Type"),
        (&[("content-type", "application/x-www-form-urlencoded")], "{}", 415, "Content-Type"),
        (&[("content-type", "application/x-www-form-urlencoded")], "", 415, "Content-Type"),
        (&[], "{}", 415, "Content-Type"),
        // A name of somebody else's that leads to this machine.
        (&[json, ("host", "evil.example")], "{}", 403, "Host"),
        (&[json, ("host", "evil.example"), ("origin", "http://evil.example")], "{}", 403, "Host"),
    ];
    for (headers, body, status, field) in table {
        let (got, answer) = org.control(headers, body).await;
        assert_eq!(got.as_u16(), *status, "{headers:?} {body}: {answer}");
        if !field.is_empty() {
            assert_eq!(answer["field"], json!(field), "{answer}");
            assert!(answer["error"].is_string() && answer["hint"].is_string(), "{answer}");
        }
    }
    let state: Value = org
        .http
        .get(format!("{}/emulator/v1/state", org.served.address))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(state["conversations"].as_array().unwrap().len(), 3, "the rest has done nothing");
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused_as_salesforce_does() {
    let org = Org::start().await;
    let (login, test) = ("https://login.salesforce.com", "https://test.salesforce.com");
    for taken in [json!(login), json!(test), json!(org.served.address), json!([login])] {
        let (status, answer) = org.login(taken.clone()).await;
        assert_eq!(status, StatusCode::OK, "{taken}: {answer}");
    }
    for other in [
        json!("https://login.example.com"),
        json!("https://acme.my.salesforce.com"),
        json!("https://login.salesforce.com/"),
        json!("https://login.salesforce.com.evil.example"),
        json!("login.salesforce.com"),
        json!(["https://login.example.com", login]),
        json!([]),
        json!({}),
        json!(""),
        Value::Null,
    ] {
        let (status, answer) = org.login(other.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{other}");
        let expected = json!({ "error": "invalid_grant", "error_description": "audience is invalid" });
        assert_eq!(answer, expected, "{other}");
    }
}
